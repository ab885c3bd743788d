//! How things stand: what is wanted beside what Shopify has.

use loyalty::{LocalTime, Program};
use serde_json::{Value, json};

use super::store::{self, Known};
use super::{CUSTOMIZED, Code, Error, Kind, State, Thing, WANTED, Wanted, customize, define};
use crate::app::App;
use crate::db::Read;
use crate::merchants::Shop;
use crate::programs::{self, Versioned};
use crate::shopify::admin::{Admin, AdminError, AppDiscount, Note, PublishedProgram, ShopifyFunction};

/// How everything stands in a shop just now. Nothing is changed.
///
/// # Errors
/// When Shopify or the database does not answer.
pub async fn look(app: &App, shop: &Shop) -> Result<Vec<Thing>, Error> {
    let admin = app.admin_of(shop).await?;
    let functions = admin.shopify_functions().await?;
    let program = program_of(&mut app.db.read(shop.id).await?, shop).await?;
    let mut things = vec![published(app, shop, &admin, program.as_ref().ok()).await?];
    let program = program.unwrap_or_else(|standard| Versioned { version: 0, program: standard });
    let now = programs::local_time(shop, app.clock.now())?;
    for wanted in &WANTED {
        let known = store::known(&mut app.db.read(shop.id).await?, shop.id, wanted.kind).await?;
        let Some(wish) = wish(wanted, &program, now, &known)? else { continue };
        let found = find(&admin, &wish, &functions, &known).await?;
        things.push(compare(&wish, &functions, &known, found.as_ref()));
    }
    for customized in &CUSTOMIZED {
        let known = store::known(&mut app.db.read(shop.id).await?, shop.id, customized.kind).await?;
        if (customized.used)(&program.program) || known.discount_id.is_some() {
            things.push(customize::look(&admin, customized, &functions, &known).await?);
        }
    }
    let known = store::known(&mut app.db.read(shop.id).await?, shop.id, Kind::Mark).await?;
    things.push(define::look(&admin, &known).await?);
    Ok(things)
}

/// How a discount is to be for a program at a minute of the shop's.
pub(super) struct Wish<'a> {
    pub wanted: &'a Wanted,
    pub title: &'a str,
    pub notes: Vec<Note>,
}

/// How a discount is to be; none where a program has no use for it and none was made.
pub(super) fn wish<'a>(
    wanted: &'a Wanted,
    Versioned { version, program }: &'a Versioned,
    now: LocalTime,
    known: &Known,
) -> Result<Option<Wish<'a>>, Error> {
    if !(wanted.used)(program) && known.discount_id.is_none() {
        return Ok(None);
    }
    let mut notes = vec![Note::Kind(wanted.kind.as_str())];
    if wanted.kind == Kind::Perks {
        notes.push(Note::Perks(program.to_json(*version, now).map_err(programs::Error::Json)?));
        notes.push(Note::Variables(json!({"collections": program.collections()}).to_string()));
    }
    Ok(Some(Wish { wanted, title: (wanted.title)(program), notes }))
}

/// The program, or the one that a shop without one will get.
pub(super) async fn program_of(
    read: &mut Read,
    shop: &Shop,
) -> Result<Result<Versioned, Program>, programs::Error> {
    match programs::current(read, shop.id).await {
        Ok(current) => Ok(Ok(current)),
        Err(programs::Error::Missing) => Ok(Err(Program::standard(shop.currency))),
        Err(error) => Err(error),
    }
}

/// How the program's metafields stand.
pub(super) async fn published(
    app: &App,
    shop: &Shop,
    admin: &Admin,
    program: Option<&Versioned>,
) -> Result<Thing, Error> {
    let known = store::known(&mut app.db.read(shop.id).await?, shop.id, Kind::Program).await?;
    let now = programs::local_time(shop, app.clock.now())?;
    let PublishedProgram { program: functions, program_ui: widgets } = admin.program_metafields().await?;
    let differs = match program {
        Some(Versioned { version, program }) => {
            let written = [
                (Program::METAFIELD, program.to_json(*version, now), &functions),
                (Program::UI_METAFIELD, program.to_ui_json(*version, now), &widgets),
            ];
            let mut differs = Vec::new();
            for (key, wanted, found) in written {
                let wanted = wanted.map_err(programs::Error::Json)?;
                if !found.as_deref().is_some_and(|found| is_same_json(found, &wanted)) {
                    differs.push(key);
                }
            }
            differs
        }
        None => vec![Program::METAFIELD, Program::UI_METAFIELD],
    };
    let missing = functions.is_none() || widgets.is_none();
    let (state, code) = match (differs.is_empty(), missing) {
        (true, _) => (State::Ok, Code::Ok),
        (false, true) => (State::Missing, known.problem.unwrap_or(Code::NotMade)),
        (false, false) => (State::Differs, known.problem.unwrap_or(Code::Differs)),
    };
    Ok(Thing { kind: Kind::Program, state, code, differs, title: None, discount_id: None })
}

/// Shopify may write what we wrote in another way.
fn is_same_json(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    read(one).is_some_and(|one| read(other) == Some(one))
}

/// The discount that is wanted, if it is there: the one that is known, else one that was made and whose id was lost.
pub(super) async fn find(
    admin: &Admin,
    wish: &Wish<'_>,
    functions: &[ShopifyFunction],
    known: &Known,
) -> Result<Option<AppDiscount>, AdminError> {
    if let Some(id) = &known.discount_id
        && let Some(found) = admin.app_discount(id).await?
    {
        return Ok(Some(found));
    }
    let Some(function) = function_of(wish.wanted, functions) else { return Ok(None) };
    Ok(lost(wish.wanted, function, wish.title, admin.app_discounts().await?))
}

fn function_of<'f>(wanted: &Wanted, functions: &'f [ShopifyFunction]) -> Option<&'f ShopifyFunction> {
    functions.iter().find(|function| function.handle == wanted.handle)
}

/// Which of all discounts is the wanted one: it says so itself, or it says nothing and has the title, or is the only one of
/// its Function. Of several, one that is on, then the oldest.
fn lost(
    wanted: &Wanted,
    function: &ShopifyFunction,
    title: &str,
    mut all: Vec<AppDiscount>,
) -> Option<AppDiscount> {
    all.retain(|discount| discount.function_id == function.id);
    // The older of the two: where nothing is said, it is the one for points.
    let only = all.len() == 1 && wanted.kind == Kind::Points;
    all.retain(|discount| match &discount.kind {
        Some(kind) => kind == wanted.kind.as_str(),
        None => discount.title.trim() == title || only,
    });
    all.into_iter().min_by_key(|discount| {
        (discount.kind.is_none(), discount.status != "ACTIVE", discount.created_at.clone())
    })
}

/// How a discount stands.
pub(super) fn compare(
    Wish { wanted, title, notes }: &Wish<'_>,
    functions: &[ShopifyFunction],
    known: &Known,
    found: Option<&AppDiscount>,
) -> Thing {
    let title = *title;
    let thing = |state, code, differs| Thing {
        kind: wanted.kind,
        state,
        code,
        differs,
        title: Some(found.map_or(title, |found| &found.title).to_owned()),
        discount_id: found.map(|found| found.id.clone()),
    };
    if function_of(wanted, functions).is_none() {
        return thing(State::NotDeployed, Code::NotDeployed, Vec::new());
    }
    let Some(found) = found else {
        let why = if known.discount_id.is_some() { Code::Deleted } else { Code::NotMade };
        return thing(State::Missing, known.problem.unwrap_or(why), Vec::new());
    };
    match found.status.as_str() {
        "EXPIRED" => return thing(State::SwitchedOff, Code::SwitchedOff, Vec::new()),
        "SCHEDULED" => return thing(State::SwitchedOff, Code::Scheduled, Vec::new()),
        _ => {}
    }
    let classes: Vec<&str> = wanted.classes.iter().map(|class| class.as_str()).collect();
    let own = [
        ("title", found.title.trim() != title),
        ("classes", found.classes != classes),
        ("combines_with", !found.combines_with_all),
    ];
    let noted = notes.iter().map(|note| (note.key(), !is_noted(note, found)));
    let differs: Vec<&'static str> =
        own.into_iter().chain(noted).filter_map(|(what, differs)| differs.then_some(what)).collect();
    match differs.is_empty() {
        true => thing(State::Ok, Code::Ok, differs),
        false => thing(State::Differs, known.problem.unwrap_or(Code::Differs), differs),
    }
}

/// Whether a discount has this on it.
pub(super) fn is_noted(note: &Note, found: &AppDiscount) -> bool {
    let same =
        |found: &Option<String>, wanted| found.as_deref().is_some_and(|found| is_same_json(found, wanted));
    match note {
        Note::Kind(kind) => found.kind.as_deref() == Some(*kind),
        Note::Perks(perks) => same(&found.perks, perks),
        Note::Variables(variables) => same(&found.variables, variables),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: &Wanted = &WANTED[0];

    fn functions() -> Vec<ShopifyFunction> {
        vec![ShopifyFunction { id: "f1".into(), handle: POINTS.handle.into() }]
    }

    fn discount(id: &str) -> AppDiscount {
        AppDiscount {
            id: id.into(),
            function_id: "f1".into(),
            kind: Some("points".into()),
            perks: None,
            variables: None,
            title: "Loyalty points".into(),
            status: "ACTIVE".into(),
            created_at: "2026-11-26T12:00:00Z".into(),
            classes: ["ORDER", "PRODUCT", "SHIPPING"].map(str::to_owned).into(),
            combines_with_all: true,
        }
    }

    fn found(all: Vec<AppDiscount>) -> Option<String> {
        lost(POINTS, &functions()[0], "Loyalty points", all).map(|discount| discount.id)
    }

    #[test]
    fn a_lost_discount_is_known_by_what_it_says_then_by_its_title_then_by_being_the_only_one() {
        let silent = |id: &str| AppDiscount { kind: None, ..discount(id) };
        let other = |id: &str| AppDiscount { title: "Other".into(), ..silent(id) };
        assert_eq!(found(vec![silent("a"), discount("b")]), Some("b".into()));
        assert_eq!(found(vec![other("a"), silent("b")]), Some("b".into()));
        assert_eq!(found(vec![other("a")]), Some("a".into()));
        assert_eq!(found(vec![other("a"), other("b")]), None, "nobody can tell");
        let perks = AppDiscount { kind: Some("perks".into()), ..discount("a") };
        assert_eq!(found(vec![perks.clone()]), None, "another of the same Function");
        assert_eq!(found(vec![perks, silent("b")]), Some("b".into()));
        assert_eq!(found(vec![AppDiscount { function_id: "f2".into(), ..discount("a") }]), None);
    }

    #[test]
    fn of_several_the_oldest_that_is_on_is_the_one() {
        let made = |id: &str, at: &str| AppDiscount { created_at: at.into(), ..discount(id) };
        let off = |id: &str, at: &str| AppDiscount { status: "EXPIRED".into(), ..made(id, at) };
        assert_eq!(found(vec![off("a", "1"), made("b", "3"), made("c", "2")]), Some("c".into()));
        assert_eq!(found(vec![off("a", "2"), off("b", "1")]), Some("b".into()));
    }

    #[test]
    fn json_is_the_same_however_it_is_written() {
        assert!(is_same_json(r#"{"v": 1, "a": [2]}"#, r#"{"a":[2],"v":1}"#));
        assert!(!is_same_json("{", "{"));
        assert!(!is_same_json(r#"{"v":1}"#, r#"{"v":2}"#));
    }
}
