//! What of a program widgets get to see.

#[cfg(feature = "serde")]
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "serde")]
use super::Program;
use crate::{boost::Boost, money::Currency, reward::Reward, rule::EarnRule};
#[cfg(feature = "serde")]
use crate::{
    campaign::LocalTime,
    json::{FormatError, check_version},
};

/// What widgets see of a program: how orders earn and what points buy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProgramUi {
    /// The version of the settings.
    pub version: i64,
    /// The shop's currency, in which orders earn.
    pub currency: Currency,
    /// How orders earn.
    pub earn: EarnRule,
    /// What tiers and campaigns multiply that by, just now.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub boosts: Vec<Boost>,
    /// What points buy.
    pub rewards: Vec<Reward>,
}

#[cfg(feature = "serde")]
impl ProgramUi {
    /// The metafield's text.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        #[derive(serde::Serialize)]
        struct Versioned<'a> {
            v: i64,
            #[serde(flatten)]
            program: &'a ProgramUi,
        }
        serde_json::to_string(&Versioned { v: Program::VERSION, program: self })
    }

    /// Reads the metafield's text. An unknown version is an error: it may mean anything.
    pub fn from_json(text: &str) -> Result<ProgramUi, FormatError> {
        let json: serde_json::Value = serde_json::from_str(text).map_err(|_| FormatError::Version)?;
        check_version(&&json, Program::VERSION)?;
        serde_json::from_value(json).map_err(|_| FormatError::Field("program"))
    }
}

#[cfg(feature = "serde")]
impl Program {
    /// The text of the metafield that widgets read at a minute: a [`ProgramUi`].
    pub fn to_ui_json(&self, version: i64, now: LocalTime) -> Result<String, serde_json::Error> {
        let Program { currency, earn, rewards, .. } = self.clone();
        ProgramUi { version, currency, earn, boosts: self.boosts_at(now), rewards }.to_json()
    }
}

#[cfg(test)]
#[cfg(feature = "serde")]
mod tests {
    use super::*;

    fn standard() -> Program {
        Program::standard(Currency::parse("GBP").unwrap())
    }

    #[test]
    fn what_widgets_see_is_read_back_in_this_version_only() {
        let text = standard().to_ui_json(3, LocalTime::default()).unwrap();
        let Program { currency, earn, rewards, .. } = standard();
        assert_eq!(
            ProgramUi::from_json(&text),
            Ok(ProgramUi { version: 3, currency, earn, boosts: Vec::new(), rewards })
        );
        for other in [text.replacen("\"v\":1", "\"v\":2", 1), "{}".into(), "no JSON".into()] {
            assert_eq!(ProgramUi::from_json(&other), Err(FormatError::Version), "{other}");
        }
        let wrong = text.replacen("\"earn\"", "\"learn\"", 1);
        assert_eq!(ProgramUi::from_json(&wrong), Err(FormatError::Field("program")));
    }
}
