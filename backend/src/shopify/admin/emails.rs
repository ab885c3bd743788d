//! E-mail addresses of customers: protected data, which Shopify shows to apps that were granted it.

use graphql_client::GraphQLQuery;

use super::queries::{CustomerEmails, customer_emails};
use super::transport::Answer;
use super::{Admin, AdminError};
use crate::config::Secret;
use crate::ids::CustomerId;

/// What Shopify says of a customer's e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerEmail {
    /// This is it.
    Known(Secret),
    /// There is none, or no such customer (any more).
    None,
    /// Shopify left it out: it does not show it to the app.
    Withheld,
}

impl Admin {
    /// The e-mail addresses of these customers (at most 250), in their order.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn customer_emails(&self, customers: &[CustomerId]) -> Result<Vec<CustomerEmail>, AdminError> {
        use customer_emails::CustomerEmailsNodes::Customer;

        let ids = customers.iter().map(|customer| customer.gid()).collect();
        let body = CustomerEmails::build_query(customer_emails::Variables { ids });
        let Answer { data, is_whole } = self.call_in_part::<_, customer_emails::ResponseData>(&body).await?;
        if data.nodes.len() != customers.len() {
            return Err(AdminError::Malformed("as many nodes as ids were expected".into()));
        }
        let emails = data.nodes.into_iter().map(|node| match node {
            Some(Customer(customer)) => customer.default_email_address.map(|email| email.email_address),
            _ => None,
        });
        Ok(emails
            .map(|email| match email {
                Some(email) => CustomerEmail::Known(Secret::new(email)),
                None if is_whole => CustomerEmail::None,
                None => CustomerEmail::Withheld,
            })
            .collect())
    }
}
