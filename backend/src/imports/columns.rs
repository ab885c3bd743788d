//! Which column of a file is what.

use csv::StringRecord;

use super::{Error, Template};

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
    /// All of them, in the order of [`name`](Field::name)s in an export.
    pub(super) const ALL: [Field; 10] = [
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

/// Where each field stands.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    places: [Option<usize>; Field::ALL.len()],
    /// What the file calls them.
    titles: Vec<String>,
}

impl Columns {
    /// Finds the columns in a header: those that were named, then by our own names and the template's.
    pub fn find(
        header: &StringRecord,
        template: Template,
        given: &[(Field, String)],
    ) -> Result<Columns, Error> {
        let titles: Vec<String> = header.iter().map(|title| title.trim().to_owned()).collect();
        let mut columns = Columns { places: [None; Field::ALL.len()], titles };
        for (place, field) in Field::ALL.into_iter().enumerate() {
            columns.places[place] = match given.iter().find(|(of, _)| *of == field) {
                Some((_, title)) => Some(columns.at(title).ok_or_else(|| columns.lacks(title))?),
                None => columns.known(field, template)?,
            };
        }
        if !columns.has(Field::Customer) && !columns.has(Field::Email) {
            return Err(columns.lacks("customer_id or email"));
        }
        if !columns.has(Field::Points) && !columns.has(Field::Lots) {
            return Err(columns.lacks("points"));
        }
        Ok(columns)
    }

    /// What a record has there; none where it has nothing.
    pub fn value<'a>(&self, record: &'a StringRecord, field: Field) -> Option<&'a str> {
        let value = record.get(self.places[field as usize]?)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// What the file calls a field.
    pub fn title(&self, field: Field) -> &str {
        self.places[field as usize].map_or(field.name(), |place| &self.titles[place])
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

    fn has(&self, field: Field) -> bool {
        self.places[field as usize].is_some()
    }

    fn at(&self, title: &str) -> Option<usize> {
        self.titles.iter().position(|one| plain(one) == plain(title))
    }

    fn known(&self, field: Field, template: Template) -> Result<Option<usize>, Error> {
        let names: Vec<String> =
            std::iter::once(&field.name()).chain(template.headers(field)).map(|name| plain(name)).collect();
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

    fn lacks(&self, what: &str) -> Error {
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
