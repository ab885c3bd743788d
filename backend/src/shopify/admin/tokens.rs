//! The token that an API is called with, and whom to ask for another.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use crate::config::Secret;

/// Knows more tokens than the one that Shopify refused.
#[async_trait]
pub trait Tokens: std::fmt::Debug + Send + Sync {
    /// Another token than the one that was refused; none if there is none.
    async fn instead_of(&self, refused: &Secret) -> Option<Secret>;

    /// That other one was refused, too.
    async fn are_refused(&self, last: &Secret);
}

/// A token, shared by the clones of an API: what one of them learns, all know.
#[derive(Debug, Clone)]
pub(super) struct Held {
    token: Arc<RwLock<Secret>>,
    tokens: Option<Arc<dyn Tokens>>,
}

impl Held {
    pub(super) fn new(token: Secret) -> Self {
        Held { token: Arc::new(RwLock::new(token)), tokens: None }
    }

    pub(super) fn with(self, tokens: Arc<dyn Tokens>) -> Self {
        Held { tokens: Some(tokens), ..self }
    }

    pub(super) fn get(&self) -> Secret {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is another token now than the one that was refused. `again` if that was another already.
    pub(super) async fn replace(&self, refused: &Secret, again: bool) -> bool {
        let Some(tokens) = &self.tokens else { return false };
        if again {
            tokens.are_refused(refused).await;
            return false;
        }
        let Some(other) = tokens.instead_of(refused).await else { return false };
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = other;
        true
    }
}
