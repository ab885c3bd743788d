//! The input queries: what they cost, and that the code knows where their members stand.

use function_input::Member;
use points_redemption::members as at;

use crate::support::{DELIVERY, EXTENSION, LINES};

#[test]
fn queries_are_cheap_and_the_code_knows_them() {
    let root: (&str, &[&Member]) = ("", &[&at::DISCOUNT, &at::CART]);
    let discount: (&str, &[&Member]) = ("/discount", &[&at::DISCOUNT_CLASSES, &at::PERKS]);
    let buyer: (&str, &[&Member]) = ("/cart/buyerIdentity", &[&at::IS_AUTHENTICATED, &at::CUSTOMER]);
    let [till, who, mark, other_mark, sum] =
        [&at::RETAIL_LOCATION, &at::BUYER_IDENTITY, &at::ATTRIBUTE, &at::REDEMPTION, &at::SUBTOTAL];
    EXTENSION.check_query(
        LINES,
        &[
            root,
            discount,
            buyer,
            (
                "/cart",
                &[
                    till,
                    who,
                    mark,
                    other_mark,
                    sum,
                    &at::GIFT_CARDS,
                    &at::LINES,
                    &at::VARIANTS,
                    &at::COLLECTED,
                ],
            ),
            ("/cart/subtotal/subtotalAmount", &[&at::CURRENCY_CODE, &at::AMOUNT]),
            ("/cart/lines", &[&at::COST, &at::ID]),
            ("/cart/variants", &[&at::QUANTITY, &at::MERCHANDISE]),
        ],
    );
    EXTENSION.check_query(
        DELIVERY,
        &[
            root,
            discount,
            buyer,
            ("/cart", &[till, who, mark, other_mark, sum, &at::DELIVERY_GROUPS, &at::LINES]),
            ("/cart/deliveryGroups/deliveryOptions", &[&at::COST, &at::HANDLE]),
            ("/cart/lines", &[&at::COST, &at::MERCHANDISE]),
        ],
    );
}
