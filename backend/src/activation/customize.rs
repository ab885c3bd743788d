//! Customizations that must stand: validations of the checkout, and how delivery options look.

use super::stand::{Again, Work};
use super::store::Known;
use super::{Code, Customized, Error, State, Thing};
use crate::shopify::admin::{Admin, Customization, ShopifyFunction, UserError};

/// How a customization stands.
pub(super) async fn look(
    admin: &Admin,
    customized: &Customized,
    functions: &[ShopifyFunction],
    known: &Known,
) -> Result<Thing, Error> {
    let found = find(admin, customized, functions, known).await?;
    Ok(compare(customized, functions, known, found.as_ref()))
}

/// Makes it where it is missing and may be made.
pub(super) async fn stand(
    work: &Work<'_>,
    admin: &Admin,
    customized: &Customized,
    functions: &[ShopifyFunction],
    known: Known,
) -> Result<Thing, Error> {
    let found = find(admin, customized, functions, &known).await?;
    let before = compare(customized, functions, &known, found.as_ref());
    let known = match (before.state, found) {
        (State::Missing, _) if known.discount_id.is_none() || work.again == Again::Made => {
            work.prolong().await?;
            match admin.create_customization(customized.of, customized.handle, customized.title).await? {
                Ok(id) => Known { discount_id: Some(id), problem: None },
                Err(errors) => Known { problem: Some(problem(work, customized, &errors)), ..known },
            }
        }
        // One whose id was lost is kept in mind, so that it is missed when it is deleted.
        (_, Some(found)) if known.discount_id.as_ref() != Some(&found.id) || known.problem.is_some() => {
            Known { discount_id: Some(found.id), problem: None }
        }
        _ => return Ok(before),
    };
    let found = find(admin, customized, functions, &known).await?;
    let after = compare(customized, functions, &known, found.as_ref());
    work.note(customized.kind, &known, (&before, &after)).await?;
    Ok(after)
}

/// Only the app can put its Function to work, so one of it is ours: the one that is known, else one that is on.
async fn find(
    admin: &Admin,
    customized: &Customized,
    functions: &[ShopifyFunction],
    known: &Known,
) -> Result<Option<Customization>, Error> {
    let Some(function) = functions.iter().find(|function| function.handle == customized.handle) else {
        return Ok(None);
    };
    let mut all = admin.customizations(customized.of).await?;
    all.retain(|one| one.function_id == function.id);
    let is_known = |one: &Customization| known.discount_id.as_ref() == Some(&one.id);
    Ok(all.into_iter().min_by_key(|one| (!is_known(one), !one.enabled)))
}

fn compare(
    customized: &Customized,
    functions: &[ShopifyFunction],
    known: &Known,
    found: Option<&Customization>,
) -> Thing {
    let deployed = functions.iter().any(|function| function.handle == customized.handle);
    let (state, code) = match found {
        _ if !deployed => (State::NotDeployed, Code::NotDeployed),
        Some(found) if found.enabled => (State::Ok, Code::Ok),
        Some(_) => (State::SwitchedOff, Code::SwitchedOff),
        None => {
            let why = if known.discount_id.is_some() { Code::Deleted } else { Code::NotMade };
            (State::Missing, known.problem.unwrap_or(why))
        }
    };
    let (title, discount_id) = (Some(customized.title.to_owned()), found.map(|found| found.id.clone()));
    Thing { kind: customized.kind, state, code, differs: Vec::new(), title, discount_id }
}

/// What Shopify has against it. Its own words are for the log.
fn problem(work: &Work<'_>, customized: &Customized, errors: &[UserError]) -> Code {
    for UserError { field, message, code } in errors {
        let (shop, kind, field) = (work.shop.id, customized.kind.as_str(), field.join("."));
        tracing::warn!(%shop, kind, field, code, message, "Shopify refuses a customization");
    }
    let too_many =
        |code: &str| matches!(code, "MAX_VALIDATIONS_ACTIVATED" | "MAXIMUM_ACTIVE_DELIVERY_CUSTOMIZATIONS");
    match errors.iter().any(|error| error.code.as_deref().is_some_and(too_many)) {
        true => Code::TooMany,
        false => Code::Refused,
    }
}
