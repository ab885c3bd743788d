//! `storeCreditAccountCredit` and `giftCardCreate`: neither knows whether it was asked the same before.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

use super::execute::Context;
use super::objects::{UserError, text, user_errors};
use super::order::Money;
use crate::clock::utc_text;
use crate::ids::{gid, parse_gid};
use crate::money::Currency;
use crate::payouts::{GiftCard, StoreCredit};

/// The most that a gift card, or a credit, may be worth here, in minor units.
const MOST: i64 = 1_000_000;

/// `storeCreditAccountCredit`
pub(super) fn credit<'a>(context: &'a Context<'a>, info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
    let wanted = &info.arguments()["creditInput"]["creditAmount"];
    let owner = text(info, "id").and_then(customer);
    let made = amount(wanted).and_then(|(currency, minor)| {
        let owner = owner.filter(|owner| context.shop.state().customers.contains_key(owner));
        match owner {
            None => Err(("OWNER_NOT_FOUND", "Owner does not exist")),
            Some(_) if minor > MOST => {
                Err(("CREDIT_LIMIT_EXCEEDED", "The account's limit would be exceeded"))
            }
            Some(owner) => Ok(context.shop.credit(owner, currency, minor)),
        }
    });
    answer(context, "StoreCreditAccountCredit", made.map(Made::Credit))
}

/// `giftCardCreate`
pub(super) fn create_card<'a>(context: &'a Context<'a>, info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
    let input = &info.arguments()["input"];
    let owner = input["customerId"].as_str().and_then(customer);
    let made = amount(&input["initialAmount"]).and_then(|(currency, minor)| {
        let owner = owner.filter(|owner| context.shop.state().customers.contains_key(owner));
        match owner {
            None => Err(("CUSTOMER_NOT_FOUND", "The customer could not be found.")),
            Some(_) if minor > MOST => Err(("GIFT_CARD_LIMIT_EXCEEDED", "The gift card's limit is exceeded")),
            Some(owner) => {
                let note = input["note"].as_str().map(str::to_owned);
                Ok(context.shop.issue_card(owner, currency, minor, note))
            }
        }
    });
    answer(context, "GiftCardCreate", made.map(Made::Card))
}

/// `giftCards`, as far as a search for a customer's goes, the newest first.
pub(super) fn cards<'a>(
    context: &'a Context<'a>,
    info: &ResolveInfo<'_>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let query = text(info, "query").unwrap_or_default();
    let unknown = || FieldError { message: format!("the local shop does not search for {query}") };
    let owner: u64 = query.strip_prefix("customer_id:").and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
    let mut cards = context.shop.gift_cards();
    cards.retain(|card| card.customer == owner);
    cards.reverse();
    Ok(context.object(Cards { context, cards }))
}

/// A customer's `storeCreditAccounts`: one for each currency.
pub(super) fn accounts<'a>(context: &'a Context<'a>, customer: u64) -> ResolvedValue<'a> {
    let mut all = context.shop.store_credits();
    all.retain(|credit| credit.customer == customer);
    all.reverse();
    let mut accounts: Vec<Vec<StoreCredit>> = Vec::new();
    for credit in all {
        match accounts.iter_mut().find(|account| account[0].currency == credit.currency) {
            Some(account) => account.push(credit),
            None => accounts.push(vec![credit]),
        }
    }
    context.object(Accounts { context, accounts })
}

fn customer(id: &str) -> Option<u64> {
    parse_gid(id).filter(|(kind, _)| *kind == "Customer").map(|(_, number)| number)
}

/// Code and message.
type Refused = (&'static str, &'static str);

fn amount(input: &JsonValue) -> Result<(Currency, i64), Refused> {
    let refused = ("UNSUPPORTED_CURRENCY", "The currency provided is not currently supported.");
    let code = input["currencyCode"].as_str().ok_or(refused)?;
    let currency = loyalty::Currency::parse(code).map_err(|_| refused)?;
    let minor = input["amount"].as_str().and_then(|amount| currency.parse_minor(amount).ok());
    Ok((code.parse().map_err(|_| refused)?, minor.filter(|minor| *minor > 0).ok_or(refused)?))
}

/// What was made.
#[derive(Clone)]
enum Made {
    Credit(StoreCredit),
    Card(GiftCard),
}

fn answer<'a>(
    context: &'a Context<'a>,
    mutation: &'static str,
    made: Result<Made, Refused>,
) -> ResolvedValue<'a> {
    let (payload, error) = match mutation {
        "GiftCardCreate" => ("GiftCardCreatePayload", "GiftCardUserError"),
        _ => ("StoreCreditAccountCreditPayload", "StoreCreditAccountCreditUserError"),
    };
    let refused = made.as_ref().err().map(|(code, message)| UserError {
        type_name: error,
        field: vec!["input".into()],
        message: (*message).into(),
        code: Some(*code),
    });
    let errors = refused.into_iter().collect();
    ResolvedValue::object(Payload { context, type_name: payload, made: made.ok(), errors })
}

struct Payload<'s> {
    context: &'s Context<'s>,
    type_name: &'static str,
    made: Option<Made>,
    errors: Vec<UserError>,
}

impl ObjectValue for Payload<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "userErrors" => user_errors(&self.errors),
            "storeCreditAccountTransaction" | "giftCard" => match self.made.clone() {
                Some(Made::Credit(credit)) => {
                    self.context.object(CreditObject { context: self.context, credit })
                }
                Some(Made::Card(card)) => self.context.object(CardObject(card)),
                None => ResolvedValue::null(),
            },
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct CreditObject<'s> {
    context: &'s Context<'s>,
    credit: StoreCredit,
}

impl ObjectValue for CreditObject<'_> {
    fn type_name(&self) -> &str {
        "StoreCreditAccountCreditTransaction"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let StoreCredit { id, currency, minor, created_at, .. } = &self.credit;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("StoreCreditAccountCreditTransaction", *id)),
            "amount" => self.context.object(Money { currency: *currency, minor: *minor }),
            "createdAt" => ResolvedValue::leaf(utc_text(*created_at)),
            "event" => ResolvedValue::leaf("ADJUSTMENT"),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct CardObject(GiftCard);

impl ObjectValue for CardObject {
    fn type_name(&self) -> &str {
        "GiftCard"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(gid("GiftCard", self.0.id)),
            "note" => ResolvedValue::leaf(self.0.note.clone().map_or(JsonValue::Null, JsonValue::from)),
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

struct Cards<'s> {
    context: &'s Context<'s>,
    cards: Vec<GiftCard>,
}

impl ObjectValue for Cards<'_> {
    fn type_name(&self) -> &str {
        "GiftCardConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "nodes" => {
                let card = |card: &GiftCard| self.context.object(CardObject(card.clone()));
                Ok(ResolvedValue::list(self.cards.iter().map(card)))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Accounts<'s> {
    context: &'s Context<'s>,
    accounts: Vec<Vec<StoreCredit>>,
}

impl ObjectValue for Accounts<'_> {
    fn type_name(&self) -> &str {
        "StoreCreditAccountConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "nodes" => {
                let context = self.context;
                let account =
                    move |credits: &'a Vec<StoreCredit>| context.object(Account { context, credits });
                Ok(ResolvedValue::list(self.accounts.iter().map(account)))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// An account, and what its transactions are: nothing is ever spent here.
struct Account<'s> {
    context: &'s Context<'s>,
    credits: &'s [StoreCredit],
}

impl ObjectValue for Account<'_> {
    fn type_name(&self) -> &str {
        "StoreCreditAccount"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "id" => Ok(ResolvedValue::leaf(gid("StoreCreditAccount", self.credits[0].id))),
            "transactions" => {
                let (context, credits) = (self.context, self.credits);
                Ok(self.context.object(Transactions { context, credits }))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Transactions<'s> {
    context: &'s Context<'s>,
    credits: &'s [StoreCredit],
}

impl ObjectValue for Transactions<'_> {
    fn type_name(&self) -> &str {
        "StoreCreditAccountTransactionConnection"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "nodes" => {
                let context = self.context;
                let object = move |credit: &StoreCredit| {
                    context.object(CreditObject { context, credit: credit.clone() })
                };
                Ok(ResolvedValue::list(self.credits.iter().map(object)))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
