//! Shopify Function: turns a hold on points into a discount at checkout.
