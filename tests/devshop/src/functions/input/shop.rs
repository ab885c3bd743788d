//! The shop and its local time, as a Function sees them.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use jiff::civil::{DateTime, Time};

use super::plain::Plain;
use super::{Scene, text};
use crate::state::shop_gid;

pub(super) struct ShopView<'s>(pub &'s Scene<'s>);

impl ObjectValue for ShopView<'_> {
    fn type_name(&self) -> &str {
        "Shop"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "metafield" => self.0.metafield(&shop_gid(), info),
            "localTime" => {
                ResolvedValue::object(LocalTime(self.0.now.to_zoned(self.0.zone.clone()).datetime()))
            }
            "metaobject" => ResolvedValue::null(),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct LocalTime(DateTime);

impl LocalTime {
    fn moment(info: &ResolveInfo<'_>, name: &str) -> Result<DateTime, FieldError> {
        let given = text(info, name).unwrap_or_default();
        given.parse().map_err(|_| FieldError { message: format!("{given:?} is not a local date and time") })
    }

    fn time(info: &ResolveInfo<'_>, name: &str) -> Result<Time, FieldError> {
        let given = text(info, name).unwrap_or_default();
        given.parse().map_err(|_| FieldError { message: format!("{given:?} is not a local time") })
    }
}

impl ObjectValue for LocalTime {
    fn type_name(&self) -> &str {
        "LocalTime"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let (now, time) = (self.0, self.0.time());
        Ok(ResolvedValue::leaf(match info.field_name() {
            "date" => return Ok(ResolvedValue::leaf(now.date().to_string())),
            "dateTimeAfter" => now > Self::moment(info, "dateTime")?,
            "dateTimeBefore" => now < Self::moment(info, "dateTime")?,
            "dateTimeBetween" => {
                (Self::moment(info, "startDateTime")?..Self::moment(info, "endDateTime")?).contains(&now)
            }
            "timeAfter" => time > Self::time(info, "time")?,
            "timeBefore" => time < Self::time(info, "time")?,
            "timeBetween" => (Self::time(info, "startTime")?..Self::time(info, "endTime")?).contains(&time),
            _ => return Err(self.unknown_field_error(info)),
        }))
    }
}

/// Where the customer is and what they speak: this shop knows one country and one language.
pub(super) struct Localization;

impl ObjectValue for Localization {
    fn type_name(&self) -> &str {
        "Localization"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "country" => Ok(ResolvedValue::object(Plain::new("Country").with("isoCode", "GB"))),
            "language" => Ok(ResolvedValue::object(Plain::new("Language").with("isoCode", "EN"))),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
