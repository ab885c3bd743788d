//! The definition by which an order takes over its cart's mark of a redemption. `shopify.app.toml` declares it, but nobody
//! promises that a deploy grants what it asks for there: so it is looked at, and put right where it is not so.
//!
//! Orders whose cart carries the mark as an attribute, too, are found without it.

use super::stand::Work;
use super::store::Known;
use super::{Code, Error, Kind, State, Thing};
use crate::shopify::admin::{Admin, Definition, UserError};

/// How the definition stands.
pub(super) async fn look(admin: &Admin, known: &Known) -> Result<Thing, Error> {
    Ok(compare(known, admin.redemption_definition().await?))
}

/// Makes it where it is missing, and puts it right where it copies nothing. Nobody but the app can have changed it, so it is
/// made again, whoever deleted it.
pub(super) async fn stand(work: &Work<'_>, admin: &Admin, known: Known) -> Result<Thing, Error> {
    let before = look(admin, &known).await?;
    let errors = match before.state {
        State::Missing => {
            work.prolong().await?;
            admin.create_redemption_definition().await?
        }
        State::Differs => {
            work.prolong().await?;
            admin.let_orders_copy_redemptions().await?
        }
        _ if known.problem.is_none() => return Ok(before),
        _ => Vec::new(),
    };
    let known = Known { problem: problem(work, &errors), discount_id: None };
    let after = look(admin, &known).await?;
    work.note(Kind::Mark, &known, (&before, &after)).await?;
    Ok(after)
}

fn compare(known: &Known, found: Option<Definition>) -> Thing {
    let thing = |state, code, differs| {
        let (title, discount_id) = (None, None);
        Thing { kind: Kind::Mark, state, code, differs, title, discount_id }
    };
    match found {
        None => thing(State::Missing, known.problem.unwrap_or(Code::NotMade), Vec::new()),
        Some(found) if found.copies_from_cart => thing(State::Ok, Code::Ok, Vec::new()),
        Some(_) => {
            let why = known.problem.unwrap_or(Code::Differs);
            thing(State::Differs, why, vec!["cart_to_order_copyable"])
        }
    }
}

/// What Shopify has against it. Its own words are for the log.
fn problem(work: &Work<'_>, errors: &[UserError]) -> Option<Code> {
    for UserError { field, message, code } in errors {
        let (shop, field) = (work.shop.id, field.join("."));
        tracing::warn!(%shop, field, code, message, "Shopify refuses the definition of orders' marks");
    }
    let is = |wanted: &str| errors.iter().any(|error| error.code.as_deref() == Some(wanted));
    match errors {
        [] => None,
        // Another process was faster: the look that follows says how it is.
        _ if is("TAKEN") => None,
        _ if is("APP_CONFIG_MANAGED") => Some(Code::OfTheApp),
        _ => Some(Code::Refused),
    }
}
