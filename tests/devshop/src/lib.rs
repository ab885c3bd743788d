//! A local Shopify: Admin API, cart, checkout running real Functions, webhooks.
