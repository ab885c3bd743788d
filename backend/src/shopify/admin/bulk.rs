//! Bulk operations: queries that Shopify works off by itself, whose answer is a file.

use graphql_client::GraphQLQuery;
use serde_json::Value;

use super::operations::text;
use super::queries::{self, bulk_operation, bulk_operation_run_query, bulk_operations};
use super::{Admin, AdminError, UserError};

/// What came of asking Shopify to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkStart {
    /// It began: the operation's global id.
    Begun(String),
    /// As many of the app's operations are under way in this shop as may be.
    Busy,
    /// It will not.
    Refused(Vec<UserError>),
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkLook {
    /// Shopify's word: `CREATED`, `RUNNING`, `COMPLETED`, `FAILED`, `CANCELING`, `CANCELED` or `EXPIRED`.
    pub status: String,
    /// Shopify's word for what went wrong.
    pub error_code: Option<String>,
    /// Where the file lies; nowhere if nothing was found.
    pub url: Option<String>,
    /// Where the part of it lies that there is of a failed one.
    pub partial_url: Option<String>,
    /// The size of the file behind `url`, in bytes.
    pub file_size: Option<u64>,
}

/// An operation in the list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkListed {
    /// Its global id.
    pub id: String,
    /// What it asks.
    pub query: String,
}

impl Admin {
    /// Has Shopify begin with a query. When the answer is lost, [`Admin::bulk_operations`] knows whether it did.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn bulk_run_query(&self, query: &str) -> Result<BulkStart, AdminError> {
        let variables = bulk_operation_run_query::Variables { query: query.to_owned() };
        let body = queries::BulkOperationRunQuery::build_query(variables);
        let data: bulk_operation_run_query::ResponseData = self.call_once(&body).await?;
        let Some(payload) = data.bulk_operation_run_query else {
            return Err(AdminError::Operation("bulkOperationRunQuery gave nothing".into()));
        };
        if let Some(operation) = payload.bulk_operation {
            return Ok(BulkStart::Begun(operation.id));
        }
        let errors = payload.user_errors.into_iter().map(|error| UserError {
            field: error.field.unwrap_or_default(),
            message: error.message,
            code: error.code.as_ref().map(text),
        });
        let errors: Vec<_> = errors.collect();
        let waits = |error: &UserError| {
            matches!(error.code.as_deref(), Some("OPERATION_IN_PROGRESS" | "LIMIT_REACHED"))
        };
        Ok(if errors.iter().any(waits) { BulkStart::Busy } else { BulkStart::Refused(errors) })
    }

    /// How far an operation is; none if Shopify knows of none with this id.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn bulk_operation(&self, id: &str) -> Result<Option<BulkLook>, AdminError> {
        let body = queries::BulkOperation::build_query(bulk_operation::Variables { id: id.to_owned() });
        let data: bulk_operation::ResponseData = self.call(&body).await?;
        Ok(data.bulk_operation.map(|operation| BulkLook {
            status: text(&operation.status),
            error_code: operation.error_code.as_ref().map(text),
            url: operation.url,
            partial_url: operation.partial_data_url,
            file_size: operation.file_size.as_ref().and_then(whole),
        }))
    }

    /// The app's newest bulk queries in this shop.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn bulk_operations(&self) -> Result<Vec<BulkListed>, AdminError> {
        let body = queries::BulkOperations::build_query(bulk_operations::Variables);
        let data: bulk_operations::ResponseData = self.call(&body).await?;
        let listed = data.bulk_operations.nodes.into_iter();
        Ok(listed.map(|operation| BulkListed { id: operation.id, query: operation.query }).collect())
    }
}

/// A number that may be written as text.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
