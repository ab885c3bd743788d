//! Runs Shopify Functions under Shopify's limits and counts their instructions.
