//! Which column of a file is what.

use std::marker::PhantomData;

use csv::StringRecord;

use super::{Error, Template};

/// What the columns of a kind of file hold.
pub(super) trait Fields: Copy + PartialEq + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// Its header in our own files.
    fn name(self) -> &'static str;

    /// Its place among all.
    fn place(self) -> usize;
}

/// What a column holds; see [`super`] for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the room's page says what they are")]
pub enum Field {
    #[value(name = "customer_id")]
    Customer,
    Email,
    Points,
    EarnedAt,
    ExpiresAt,
    Lots,
    Tier,
    TierSince,
    ReferralCode,
    Birthday,
}

impl Field {
    /// Its header in our own files.
    pub fn name(self) -> &'static str {
        match self {
            Field::Customer => "customer_id",
            Field::Email => "email",
            Field::Points => "points",
            Field::EarnedAt => "earned_at",
            Field::ExpiresAt => "expires_at",
            Field::Lots => "lots",
            Field::Tier => "tier",
            Field::TierSince => "tier_since",
            Field::ReferralCode => "referral_code",
            Field::Birthday => "birthday",
        }
    }
}

impl Fields for Field {
    const ALL: &'static [Field] = &[
        Field::Customer,
        Field::Email,
        Field::Points,
        Field::EarnedAt,
        Field::ExpiresAt,
        Field::Lots,
        Field::Tier,
        Field::TierSince,
        Field::ReferralCode,
        Field::Birthday,
    ];

    fn name(self) -> &'static str {
        Field::name(self)
    }

    fn place(self) -> usize {
        self as usize
    }
}

/// Where each field stands.
#[derive(Debug, Clone)]
pub(super) struct Columns<F = Field> {
    places: Vec<Option<usize>>,
    /// What the file calls them.
    titles: Vec<String>,
    of: PhantomData<F>,
}

impl Columns {
    /// Finds the columns of members in a header: those that were named, then by our own names and the template's.
    pub fn find(
        header: &StringRecord,
        template: Template,
        given: &[(Field, String)],
    ) -> Result<Columns, Error> {
        let columns = Columns::search(header, |field| template.headers(field), given)?;
        if !columns.has(Field::Customer) && !columns.has(Field::Email) {
            return Err(columns.lacks("customer_id or email"));
        }
        if !columns.has(Field::Points) && !columns.has(Field::Lots) {
            return Err(columns.lacks("points"));
        }
        Ok(columns)
    }
}

impl<F: Fields> Columns<F> {
    /// Finds columns in a header: those that were named, then by our own names and by those that others have for a field.
    pub fn search(
        header: &StringRecord,
        others: impl Fn(F) -> &'static [&'static str],
        given: &[(F, String)],
    ) -> Result<Columns<F>, Error> {
        let titles: Vec<String> = header.iter().map(|title| title.trim().to_owned()).collect();
        let mut columns = Columns { places: vec![None; F::ALL.len()], titles, of: PhantomData };
        for field in F::ALL {
            columns.places[field.place()] = match given.iter().find(|(of, _)| of == field) {
                Some((_, title)) => Some(columns.at(title).ok_or_else(|| columns.lacks(title))?),
                None => columns.known(*field, others(*field))?,
            };
        }
        Ok(columns)
    }

    /// What a record has there; none where it has nothing.
    pub fn value<'a>(&self, record: &'a StringRecord, field: F) -> Option<&'a str> {
        let value = record.get(self.places[field.place()]?)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// What the file calls a field.
    pub fn title(&self, field: F) -> &str {
        self.places[field.place()].map_or(field.name(), |place| &self.titles[place])
    }

    /// How many columns there are.
    pub fn count(&self) -> usize {
        self.titles.len()
    }

    /// Columns that are not read.
    pub fn unread(&self) -> Vec<String> {
        let unread = self.titles.iter().enumerate().filter(|(place, _)| !self.places.contains(&Some(*place)));
        unread.map(|(_, title)| title.clone()).collect()
    }

    /// Whether the file has it.
    pub fn has(&self, field: F) -> bool {
        self.places[field.place()].is_some()
    }

    fn at(&self, title: &str) -> Option<usize> {
        self.titles.iter().position(|one| plain(one) == plain(title))
    }

    fn known(&self, field: F, others: &[&str]) -> Result<Option<usize>, Error> {
        let names: Vec<String> =
            std::iter::once(&field.name()).chain(others).map(|name| plain(name)).collect();
        let named = self.titles.iter().enumerate().filter(|(_, title)| names.contains(&plain(title)));
        let places: Vec<usize> = named.map(|(place, _)| place).collect();
        match places[..] {
            [] => Ok(None),
            [place] => Ok(Some(place)),
            [one, other, ..] => {
                Err(Error::TwoColumns(field.name(), self.titles[one].clone(), self.titles[other].clone()))
            }
        }
    }

    /// It has no such column.
    pub fn lacks(&self, what: &str) -> Error {
        Error::NoColumn(what.to_owned(), self.titles.join(", "))
    }
}

/// A header however it is written: `Points Balance` is `points_balance`.
fn plain(title: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
    title.trim().to_lowercase().chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(titles: &[&str]) -> StringRecord {
        titles.to_vec().into()
    }

    #[test]
    fn headers_are_found_by_the_template_or_by_what_was_said() {
        let rivo = header(&[
            "Email",
            "Points Balance",
            "Birthdate",
            "VIP Tier",
            "Activation Date",
            "Credits Balance",
        ]);
        let columns = Columns::find(&rivo, Template::Rivo, &[]).unwrap();
        assert_eq!(columns.value(&header(&["a@b.c", " 7 ", "", "Gold", "", ""]), Field::Points), Some("7"));
        assert_eq!(columns.title(Field::Tier), "VIP Tier");
        assert_eq!(columns.unread(), ["Activation Date", "Credits Balance"]);
        let given = [(Field::Points, "points balance".to_owned())];
        assert!(Columns::find(&rivo, Template::Own, &given).is_ok());
    }

    #[test]
    fn a_header_that_lacks_something_or_has_it_twice_is_refused() {
        let find = |titles: &[&str], template| {
            Columns::find(&header(titles), template, &[]).unwrap_err().to_string()
        };
        assert!(find(&["name", "points"], Template::Own).contains("no column customer_id or email"));
        assert!(
            find(&["email", "point"], Template::Own)
                .contains("no column points; its header has: email, point")
        );
        let two = find(&["email", "Points", "Points Balance"], Template::Smile);
        assert!(find(&["email", "points", "POINTS"], Template::Own).contains("could be points"));
        assert!(two.contains("both \"Points\" and \"Points Balance\" could be points"), "{two}");
        let given = [(Field::Points, "balance".to_owned())];
        assert!(Columns::find(&header(&["email", "points"]), Template::Own, &given).is_err());
    }
}
