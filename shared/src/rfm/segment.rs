//! Segments: three scores together, and the group that they stand for.

use core::{fmt, str::FromStr};

/// Three scores, each from 1 to 5: `seg_543`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    recency: u8,
    frequency: u8,
    monetary: u8,
}

/// What is no segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a segment is three scores from 1 to 5, such as seg_543")]
pub struct NoSegment;

impl Segment {
    /// The segment of these scores; those beyond 1 to 5 count as the nearest of them.
    pub fn of(recency: u8, frequency: u8, monetary: u8) -> Segment {
        let [recency, frequency, monetary] = [recency, frequency, monetary].map(|score| score.clamp(1, 5));
        Segment { recency, frequency, monetary }
    }

    /// How recently.
    pub fn recency(self) -> u8 {
        self.recency
    }

    /// How often.
    pub fn frequency(self) -> u8 {
        self.frequency
    }

    /// For how much.
    pub fn monetary(self) -> u8 {
        self.monetary
    }

    /// All three in one number, in tenths: 4 R + 3 F + 3 M, 10 to 50.
    pub fn score(self) -> u8 {
        4 * self.recency + 3 * self.frequency + 3 * self.monetary
    }

    /// The scores as one number, 543: how it is stored.
    pub fn code(self) -> u16 {
        u16::from(self.recency) * 100 + u16::from(self.frequency) * 10 + u16::from(self.monetary)
    }

    /// The segment of this code.
    ///
    /// # Errors
    /// [`NoSegment`] unless it is three scores of 1 to 5.
    pub fn of_code(code: i64) -> Result<Segment, NoSegment> {
        let scores = [code / 100, code / 10 % 10, code % 10];
        if !(111..=555).contains(&code) || !scores.iter().all(|score| (1..=5).contains(score)) {
            return Err(NoSegment);
        }
        let [recency, frequency, monetary] = scores.map(|score| score as u8);
        Ok(Segment { recency, frequency, monetary })
    }

    /// The group it belongs to, by R and the mean of F and M, rounded half up.
    pub fn group(self) -> Group {
        match (self.recency, (self.frequency + self.monetary).div_ceil(2)) {
            (5, 1) => Group::New,
            (4, 1) => Group::Promising,
            (5, 4..) => Group::Champions,
            (4.., 2 | 3) => Group::Active,
            (3.., 4..) => Group::Loyal,
            (3, 3) => Group::NeedsAttention,
            (3, _) => Group::AlmostLost,
            (_, 5) => Group::PreviouslyLoyal,
            (_, 3 | 4) => Group::AtRisk,
            _ => Group::Dormant,
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seg_{}", self.code())
    }
}

impl FromStr for Segment {
    type Err = NoSegment;

    fn from_str(text: &str) -> Result<Segment, NoSegment> {
        let score = |digit: u8| (b'1'..=b'5').contains(&digit).then(|| digit - b'0').ok_or(NoSegment);
        match text.as_bytes() {
            &[b's', b'e', b'g', b'_', recency, frequency, monetary] => Ok(Segment {
                recency: score(recency)?,
                frequency: score(frequency)?,
                monetary: score(monetary)?,
            }),
            _ => Err(NoSegment),
        }
    }
}

/// As text, as everyone reads it.
#[cfg(feature = "serde")]
impl serde::Serialize for Segment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Members who are alike, under the names that Shopify has for such groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Group {
    /// Bought just now, often and for much.
    Champions,
    /// Buy often and for much.
    Loyal,
    /// Bought lately.
    Active,
    /// Bought just now, once or for little.
    New,
    /// Bought lately, once or for little.
    Promising,
    /// Have not bought for a while.
    NeedsAttention,
    /// Have not bought for a while, and never much.
    AlmostLost,
    /// Bought much, and have not for long.
    AtRisk,
    /// Bought often and for much, and have not for long.
    PreviouslyLoyal,
    /// Have not bought for long, and never much.
    Dormant,
    /// Have no order of which anything is left.
    Prospects,
}

impl Group {
    /// The key of the metafield in which a customer's group stands for the merchant's own filters.
    pub const METAFIELD: &str = "segment";

    /// All of them.
    pub const ALL: [Group; 11] = [
        Group::Champions,
        Group::Loyal,
        Group::Active,
        Group::New,
        Group::Promising,
        Group::NeedsAttention,
        Group::AlmostLost,
        Group::AtRisk,
        Group::PreviouslyLoyal,
        Group::Dormant,
        Group::Prospects,
    ];

    /// The group of a member in this segment, or in none.
    pub fn of(segment: Option<Segment>) -> Group {
        segment.map_or(Group::Prospects, Segment::group)
    }

    /// Its name for programs; it does not change.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Champions => "champions",
            Group::Loyal => "loyal",
            Group::Active => "active",
            Group::New => "new",
            Group::Promising => "promising",
            Group::NeedsAttention => "needs_attention",
            Group::AlmostLost => "almost_lost",
            Group::AtRisk => "at_risk",
            Group::PreviouslyLoyal => "previously_loyal",
            Group::Dormant => "dormant",
            Group::Prospects => "prospects",
        }
    }

    /// Where its members stand in their life with the shop.
    pub fn stage(self) -> Stage {
        match self {
            Group::Prospects => Stage::Prospect,
            Group::New | Group::Promising => Stage::New,
            Group::Champions | Group::Loyal | Group::Active => Stage::Active,
            Group::NeedsAttention | Group::AlmostLost => Stage::Cooling,
            Group::AtRisk | Group::PreviouslyLoyal => Stage::AtRisk,
            Group::Dormant => Stage::Lapsed,
        }
    }
}

/// Where a member stands in their life with the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Stage {
    /// Has not bought yet, or sent all of it back.
    Prospect,
    /// Has begun to buy.
    New,
    /// Buys.
    Active,
    /// Buys less lately.
    Cooling,
    /// Was a good customer and does not come any more.
    AtRisk,
    /// Has not come for long.
    Lapsed,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// The table of groups: R 5 to 1, and the mean of F and M from 1 to 5.
    const TABLE: [[Group; 5]; 5] = {
        use Group::*;
        [
            [New, Active, Active, Champions, Champions],
            [Promising, Active, Active, Loyal, Loyal],
            [AlmostLost, AlmostLost, NeedsAttention, Loyal, Loyal],
            [Dormant, Dormant, AtRisk, AtRisk, PreviouslyLoyal],
            [Dormant, Dormant, AtRisk, AtRisk, PreviouslyLoyal],
        ]
    };

    #[test]
    fn every_segment_has_its_group_and_reads_back() {
        for (row, recency) in TABLE.iter().zip([5, 4, 3, 2, 1]) {
            for (frequency, monetary) in (1..=5).flat_map(|f| (1..=5).map(move |m| (f, m))) {
                let segment = Segment::of(recency, frequency, monetary);
                let mean = usize::from(frequency + monetary + 1) / 2;
                assert_eq!(segment.group(), row[mean - 1], "{segment}");
                assert_eq!(segment.to_string().parse(), Ok(segment));
                assert_eq!(Segment::of_code(segment.code().into()), Ok(segment));
            }
        }
    }

    #[test]
    fn the_score_weighs_recency_most() {
        for (segment, tenths) in
            [((1, 1, 1), 10), ((5, 1, 1), 26), ((1, 5, 1), 22), ((5, 4, 3), 41), ((5, 5, 5), 50)]
        {
            let (recency, frequency, monetary) = segment;
            assert_eq!(Segment::of(recency, frequency, monetary).score(), tenths, "{segment:?}");
        }
    }

    #[test]
    fn what_is_no_segment_is_none() {
        for text in
            ["", "seg_", "seg_54", "seg_5431", "seg_540", "seg_643", "seg_-43", "seg_+43", "543", "SEG_543"]
        {
            assert_eq!(text.parse::<Segment>(), Err(NoSegment), "{text}");
        }
        for code in [i64::MIN, -543, 0, 110, 160, 556, 611, i64::MAX] {
            assert_eq!(Segment::of_code(code), Err(NoSegment), "{code}");
        }
        assert_eq!(Segment::of(0, 9, 3), Segment::of(1, 5, 3));
    }

    #[test]
    fn who_is_in_no_segment_is_a_prospect() {
        assert_eq!((Group::of(None), Group::of(None).stage()), (Group::Prospects, Stage::Prospect));
        assert_eq!(Group::of(Some(Segment::of(1, 1, 1))), Group::Dormant, "who bought once is none");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn groups_are_written_by_their_names() {
        for group in Group::ALL {
            assert_eq!(serde_json::to_value(group).unwrap(), group.as_str());
        }
    }
}
