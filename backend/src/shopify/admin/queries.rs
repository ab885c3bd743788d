//! The operations of `graphql/`, as the derive makes them: a struct each, and a module of its variables and answer.

use graphql_client::GraphQLQuery;

/// As the schema names them: both are text on the wire.
type DateTime = String;
type Decimal = String;
#[expect(clippy::upper_case_acronyms, reason = "as the schema has it")]
type URL = String;
/// Shopify writes it as text, because JSON's numbers end at 2^53 in many readers.
type UnsignedInt64 = serde_json::Value;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/shop_details.graphql",
    response_derives = "Debug"
)]
pub(super) struct ShopDetails;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/order_redemption.graphql",
    response_derives = "Debug"
)]
pub(super) struct OrderRedemption;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/order_now.graphql",
    response_derives = "Debug",
    fragments_other_variant = true
)]
pub(super) struct OrderNow;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/order_refund.graphql",
    response_derives = "Debug"
)]
pub(super) struct OrderRefund;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/orders_changed.graphql",
    response_derives = "Debug"
)]
pub(super) struct OrdersChanged;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/tags_add.graphql",
    response_derives = "Debug"
)]
pub(super) struct TagsAdd;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/tags_remove.graphql",
    response_derives = "Debug"
)]
pub(super) struct TagsRemove;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/metafields_set.graphql",
    response_derives = "Debug"
)]
#[expect(dead_code, reason = "only its module is used: see the three-state digest in `metafields`")]
pub(super) struct MetafieldsSet;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/account_metafields.graphql",
    response_derives = "Debug"
)]
pub(super) struct AccountMetafields;

#[derive(GraphQLQuery)]
#[graphql(schema_path = "../graphql/schema.graphql", query_path = "../graphql/customer_emails.graphql")]
pub(super) struct CustomerEmails;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/shopify_functions.graphql",
    response_derives = "Debug"
)]
pub(super) struct ShopifyFunctions;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/app_discount.graphql",
    response_derives = "Debug",
    fragments_other_variant = true
)]
pub(super) struct AppDiscount;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/app_discounts.graphql",
    response_derives = "Debug",
    fragments_other_variant = true
)]
pub(super) struct AppDiscounts;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/discount_automatic_app_create.graphql",
    response_derives = "Debug"
)]
#[expect(dead_code, reason = "only its module is used: see what is left out in `discounts`")]
pub(super) struct DiscountAutomaticAppCreate;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/discount_automatic_app_update.graphql",
    response_derives = "Debug"
)]
#[expect(dead_code, reason = "only its module is used: see what is left out in `discounts`")]
pub(super) struct DiscountAutomaticAppUpdate;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/program_metafields.graphql",
    response_derives = "Debug"
)]
pub(super) struct ProgramMetafields;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/validations.graphql",
    response_derives = "Debug"
)]
pub(super) struct Validations;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/delivery_customizations.graphql",
    response_derives = "Debug"
)]
pub(super) struct DeliveryCustomizations;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/validation_create.graphql",
    response_derives = "Debug"
)]
pub(super) struct ValidationCreate;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/delivery_customization_create.graphql",
    response_derives = "Debug"
)]
pub(super) struct DeliveryCustomizationCreate;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/bulk_operation_run_query.graphql",
    response_derives = "Debug"
)]
pub(super) struct BulkOperationRunQuery;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/bulk_operation.graphql",
    response_derives = "Debug"
)]
pub(super) struct BulkOperation;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/bulk_operations.graphql",
    response_derives = "Debug"
)]
pub(super) struct BulkOperations;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/redemption_definition.graphql",
    response_derives = "Debug"
)]
pub(super) struct RedemptionDefinition;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/redemption_definition_create.graphql",
    response_derives = "Debug"
)]
pub(super) struct RedemptionDefinitionCreate;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/redemption_definition_update.graphql",
    response_derives = "Debug"
)]
pub(super) struct RedemptionDefinitionUpdate;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/products_in.graphql",
    response_derives = "Debug"
)]
pub(super) struct ProductsIn;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/products_found.graphql",
    response_derives = "Debug"
)]
pub(super) struct ProductsFound;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/products_listed.graphql",
    response_derives = "Debug"
)]
pub(super) struct ProductsListed;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/store_credit_account_credit.graphql",
    response_derives = "Debug"
)]
pub(super) struct StoreCreditAccountCredit;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/store_credits.graphql",
    response_derives = "Debug",
    fragments_other_variant = "true"
)]
pub(super) struct StoreCredits;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/gift_card_create.graphql",
    response_derives = "Debug"
)]
pub(super) struct GiftCardCreate;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../graphql/schema.graphql",
    query_path = "../graphql/gift_cards.graphql",
    response_derives = "Debug"
)]
pub(super) struct GiftCards;
