//! Behaviours of Shopify that are not known from outside: for each, both ways.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One answer to each open question. The default is what seems likeliest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// How fresh a metafield written over the Admin API is inside a Function.
    pub metafield_freshness: Freshness,
    /// How fresh a cart metafield is inside the Function that its change triggers.
    pub cart_metafield_freshness: Freshness,
    /// How fresh what a search of orders finds is.
    pub order_search: Freshness,
    /// What an automatic discount is called on the order.
    pub order_title: OrderTitle,
    /// What `isAuthenticated` says of a signed-in customer.
    pub authentication: Authentication,
    /// Which lines get the minor units that do not divide.
    pub last_units: LastUnits,
    /// Whether cart properties set at POS reach a Function's `attribute(key:)`.
    pub pos_cart_properties: PosCartProperties,
    /// Whether an order inherits the `$app` metafields of its cart.
    pub cart_to_order: CartToOrder,
    /// The HTTP status of a throttled Admin request.
    pub throttled_status: ThrottledStatus,
}

/// How fresh a metafield is inside a Function, or what a search finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// As it was last written.
    #[default]
    Immediate,
    /// As it was this many seconds ago.
    StaleFor(u32),
}

impl Freshness {
    /// The age of what is seen.
    pub fn lag(self) -> Duration {
        match self {
            Self::Immediate => Duration::ZERO,
            Self::StaleFor(seconds) => Duration::from_secs(seconds.into()),
        }
    }
}

/// What an automatic discount is called on the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderTitle {
    /// The candidate's `message`, or the node's title where it gave none.
    #[default]
    CandidateMessage,
    /// The title of the discount node.
    NodeTitle,
}

/// What `isAuthenticated` says of a signed-in customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// True, always.
    #[default]
    AsSignedIn,
    /// False in a checkout that goes through Shop Pay, although the customer is known.
    FalseUnderShopPay,
}

/// Which lines get the minor units of a discount that do not divide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastUnits {
    /// One each to the lines whose exact share lost most.
    #[default]
    LargestRemainder,
    /// One each to the first lines.
    FirstLines,
    /// All to the last line.
    LastLine,
}

/// Whether cart properties set at POS reach a Function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PosCartProperties {
    /// They are cart attributes to it.
    #[default]
    Visible,
    /// They are seen on the order only.
    Hidden,
}

/// Whether an order inherits the `$app` metafields of its cart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartToOrder {
    /// Those whose definition is cart-to-order copyable.
    #[default]
    Copied,
    /// None, whatever definitions say.
    NotCopied,
}

/// The HTTP status of a throttled Admin request; the body is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThrottledStatus {
    /// 200.
    #[default]
    Ok,
    /// 429.
    TooManyRequests,
}

impl Switches {
    /// Every answer at least once, every answer against the default of all others, and all combinations of the four that
    /// meet each other on the way of one redemption (both freshnesses, title, copying): what a suite should run under.
    pub fn all_combinations_that_matter() -> Vec<Self> {
        let base = Self::default();
        let stale = Freshness::StaleFor(3);
        let mut all = vec![base];
        for bits in 1u8..16 {
            all.push(Self {
                metafield_freshness: if bits & 1 == 0 { Freshness::Immediate } else { stale },
                cart_metafield_freshness: if bits & 2 == 0 { Freshness::Immediate } else { stale },
                order_title: if bits & 4 == 0 { OrderTitle::CandidateMessage } else { OrderTitle::NodeTitle },
                cart_to_order: if bits & 8 == 0 { CartToOrder::Copied } else { CartToOrder::NotCopied },
                ..base
            });
        }
        all.extend([
            Self { authentication: Authentication::FalseUnderShopPay, ..base },
            Self { last_units: LastUnits::FirstLines, ..base },
            Self { last_units: LastUnits::LastLine, ..base },
            Self { pos_cart_properties: PosCartProperties::Hidden, ..base },
            Self { throttled_status: ThrottledStatus::TooManyRequests, ..base },
            Self { order_search: stale, ..base },
            Self {
                metafield_freshness: stale,
                cart_metafield_freshness: stale,
                order_search: stale,
                order_title: OrderTitle::NodeTitle,
                authentication: Authentication::FalseUnderShopPay,
                last_units: LastUnits::LastLine,
                pos_cart_properties: PosCartProperties::Hidden,
                cart_to_order: CartToOrder::NotCopied,
                throttled_status: ThrottledStatus::TooManyRequests,
            },
        ]);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_combinations_are_distinct_and_start_with_the_default() {
        let all = Switches::all_combinations_that_matter();
        assert_eq!(all[0], Switches::default());
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
