//! A local Shopify: enough of one to run a loyalty app against, end to end, on a laptop.
//!
//! It has customers, products, carts, metafields with their history, automatic discounts; a checkout that runs real
//! Functions on exactly the input their queries select; orders with refunds and cancellations; signed webhooks, an app
//! proxy and the Admin GraphQL API; a theme of Liquid that shows the app's blocks. It knows nothing of loyalty. What is
//! not known of the real one is a switch ([`Switches`]), what goes wrong with it can be made to ([`WebhookFaults`],
//! [`AdminFault`]).
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use devshop::{DevShop, NewCart, NewProduct, PlaceOptions, Settings};
//!
//! let shop = DevShop::start(Settings::default()).await?;
//! shop.set_app_url(Some("http://127.0.0.1:3000"));
//! let mug = shop.add_product(NewProduct::simple("Mug", 1250));
//! let ada = shop.add_customer("Ada", "Byron", "ada@example.com");
//! let cart = shop.new_cart(NewCart::of(ada.id))?;
//! shop.add_to_cart(&cart.token, mug.variants[0].id, 2)?;
//! let order = shop.place_order(&cart.token, PlaceOptions::default())?;
//! shop.webhooks().flush().await.map_err(|left| format!("{} webhooks undelivered", left.len()))?;
//! # Ok(())
//! # }
//! ```

pub mod functions;

mod admin;
mod app_file;
mod bulk;
mod cart;
mod catalog;
mod checkout;
mod clock;
mod customizations;
mod definitions;
mod discounts;
mod facts;
mod ids;
mod liquid;
mod metafields;
mod money;
mod oauth;
mod orders;
mod payouts;
mod proxy;
mod router;
mod seed;
mod settings;
mod shop;
mod sign;
mod state;
mod storefront;
mod switches;
mod theme;
mod webhooks;

pub use admin::{API_VERSION, AdminCall, AdminFault, AdminFaultKind};
pub use app_file::AppFileError;
pub use bulk::BulkFaults;
pub use cart::{Attribute, Cart, CartLine, Channel, NewCart};
pub use catalog::{Customer, NewProduct, Product, Variant};
pub use checkout::{
    ACTIVE_FUNCTIONS, Allocation, AppliedDiscount, BasketLine, DeliveryOption, DiscountValue, FunctionRun,
    Quote, QuoteLine, QuoteShipping, allocate,
};
pub use clock::Clock;
pub use customizations::{Customization, Customized};
pub use definitions::Definition;
pub use discounts::{CombinesWith, DiscountClass, DiscountCode, DiscountNode, NewDiscount};
pub use functions::{Function, FunctionError, FunctionHost, HostFailure, HostRun, WasmHost};
pub use ids::{gid, parse_gid};
pub use metafields::{Metafield, Version};
pub use money::{Currency, Decimal, MoneyError, MoneySet, Rate};
pub use oauth::{StaffUser, Surface, TokenCall};
pub use orders::{
    Order, OrderEdit, OrderLine, OrderShipping, Payment, PlaceOptions, Refund, RefundError, RefundRequest,
    RefundedLine, ShippingRefund,
};
pub use payouts::{GiftCard, StoreCredit};
pub use router::router;
pub use seed::seed;
pub use settings::{App, BucketSettings, Settings, ShippingRate, WebhookSettings};
pub use shop::{DevShop, ShopChange, ShopError, StartError};
pub use state::shop_gid;
pub use storefront::{current_cart, signed_in};
pub use switches::{
    Authentication, CartToOrder, Freshness, LastUnits, OrderTitle, PosCartProperties, Switches,
    ThrottledStatus,
};
pub use theme::{Placement, Theme};
pub use webhooks::{Attempt, Delivery, Event, Outcome, Subscription, WebhookFaults, Webhooks};
