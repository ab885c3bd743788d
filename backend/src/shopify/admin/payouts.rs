//! Store credit and gift cards. Shopify has no idempotency for either: each is sent once, and looked for where the answer was
//! lost.

use graphql_client::GraphQLQuery;
use loyalty::Money;

use super::operations::text;
use super::queries::{
    GiftCardCreate, GiftCards, StoreCreditAccountCredit, StoreCredits, gift_card_create, gift_cards,
    store_credit_account_credit, store_credits,
};
use super::transport::Answer;
use super::{Admin, AdminError, UserError};
use crate::ids::CustomerId;

/// Something that came to a customer's store credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreCredit {
    /// Its global id.
    pub id: String,
    /// A decimal text.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// When it came (RFC 3339).
    pub created_at: String,
}

/// A gift card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiftCard {
    /// Its global id.
    pub id: String,
    /// What the shop noted on it.
    pub note: Option<String>,
}

impl Admin {
    /// Adds store credit to a customer's account, and gives the id of what came of it; what is wrong with it otherwise.
    ///
    /// # Errors
    /// See [`AdminError`]. Unless [`AdminError::is_untouched`], it is not known whether it took effect.
    pub async fn credit_store_credit(
        &self,
        customer: CustomerId,
        amount: Money,
    ) -> Result<Result<String, UserError>, AdminError> {
        use store_credit_account_credit as query;
        let credit_amount = query::MoneyInput {
            amount: amount.to_string(),
            currency_code: query::CurrencyCode::Other(amount.currency().code().to_owned()),
        };
        let credit_input = query::StoreCreditAccountCreditInput { credit_amount, notify: Some(true) };
        let variables = query::Variables { id: customer.gid(), credit_input };
        let body = StoreCreditAccountCredit::build_query(variables);
        let data: query::ResponseData = self.call_once(&body).await?;
        let payload = data.store_credit_account_credit.ok_or_else(|| nothing("storeCreditAccountCredit"))?;
        let made = payload.store_credit_account_transaction.map(|made| made.id);
        let error = payload.user_errors.into_iter().next().map(|error| UserError {
            field: error.field.unwrap_or_default(),
            message: error.message,
            code: error.code.map(|code| text(&code)),
        });
        outcome(made, error, "storeCreditAccountCredit")
    }

    /// Makes a gift card for a customer, with a note that names it, and gives its id; what is wrong with it otherwise.
    ///
    /// # Errors
    /// See [`AdminError`]. Unless [`AdminError::is_untouched`], it is not known whether it took effect.
    pub async fn create_gift_card(
        &self,
        customer: CustomerId,
        amount: Money,
        note: &str,
    ) -> Result<Result<String, UserError>, AdminError> {
        use gift_card_create as query;
        let initial_amount = query::MoneyInput {
            amount: amount.to_string(),
            currency_code: query::CurrencyCode::Other(amount.currency().code().to_owned()),
        };
        let input = query::GiftCardCreateInput {
            customer_id: Some(customer.gid()),
            initial_amount: Some(initial_amount),
            note: Some(note.to_owned()),
        };
        let body = GiftCardCreate::build_query(query::Variables { input });
        let data: query::ResponseData = self.call_once(&body).await?;
        let payload = data.gift_card_create.ok_or_else(|| nothing("giftCardCreate"))?;
        let error = payload.user_errors.into_iter().next().map(|error| UserError {
            field: error.field.unwrap_or_default(),
            message: error.message,
            code: error.code.map(|code| text(&code)),
        });
        outcome(payload.gift_card.map(|card| card.id), error, "giftCardCreate")
    }

    /// What came to a customer's store credit by hand or by an app, the newest twenty of each currency.
    ///
    /// # Errors
    /// See [`AdminError`]; also where Shopify left out a part, so that nobody takes what is hidden for what is not there.
    pub async fn store_credits(&self, customer: CustomerId) -> Result<Vec<StoreCredit>, AdminError> {
        use store_credits::StoreCreditsCustomerStoreCreditAccountsNodesTransactionsNodesOn as On;
        let body = StoreCredits::build_query(store_credits::Variables { id: customer.gid() });
        let data: store_credits::ResponseData = whole(self.call_in_part(&body).await?)?;
        let accounts = data.customer.map(|customer| customer.store_credit_accounts.nodes);
        let moved = accounts.into_iter().flatten().flat_map(|account| account.transactions.nodes);
        Ok(moved
            .filter(|moved| text(&moved.event) == "ADJUSTMENT")
            .filter_map(|moved| match moved.on {
                On::StoreCreditAccountCreditTransaction(credit) => Some(StoreCredit {
                    id: credit.id,
                    amount: moved.amount.amount,
                    currency: text(&moved.amount.currency_code),
                    created_at: moved.created_at,
                }),
                On::Unknown => None,
            })
            .collect())
    }

    /// The newest fifty gift cards of a customer.
    ///
    /// # Errors
    /// As [`store_credits`](Admin::store_credits).
    pub async fn gift_cards(&self, customer: CustomerId) -> Result<Vec<GiftCard>, AdminError> {
        let query = format!("customer_id:{customer}");
        let body = GiftCards::build_query(gift_cards::Variables { query });
        let data: gift_cards::ResponseData = whole(self.call_in_part(&body).await?)?;
        let cards = data.gift_cards.nodes.into_iter();
        Ok(cards.map(|card| GiftCard { id: card.id, note: card.note }).collect())
    }
}

fn outcome(
    made: Option<String>,
    error: Option<UserError>,
    operation: &str,
) -> Result<Result<String, UserError>, AdminError> {
    match (made, error) {
        (Some(id), _) => Ok(Ok(id)),
        (None, Some(error)) => Ok(Err(error)),
        (None, None) => Err(nothing(operation)),
    }
}

fn whole<D>(answer: Answer<D>) -> Result<D, AdminError> {
    if answer.is_whole {
        return Ok(answer.data);
    }
    Err(AdminError::Operation("Shopify left out a part of its answer".into()))
}

fn nothing(operation: &str) -> AdminError {
    AdminError::Operation(format!("{operation} gave nothing"))
}
