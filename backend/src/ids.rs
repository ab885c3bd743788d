//! The ids that every room speaks of.

/// Declares a newtype that both engines keep as what is in it.
macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident($inner:ty);)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A shop that installed the app; ours, sortable by the time it came.
    ShopId(uuid::Uuid);
    /// An enrolled customer of a shop; ours.
    MemberId(uuid::Uuid);
    /// Shopify's number of a customer.
    CustomerId(i64);
    /// Shopify's number of an order.
    OrderId(i64);
}

impl CustomerId {
    /// The id as the Admin API writes it.
    pub fn gid(self) -> String {
        format!("gid://shopify/Customer/{}", self.0)
    }
}

impl OrderId {
    /// The id as the Admin API writes it.
    pub fn gid(self) -> String {
        format!("gid://shopify/Order/{}", self.0)
    }
}
