//! Past orders, so that there is something to spend: real checkouts, real webhooks, the real ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use devshop::{DevShop, NewCart, Payment, PlaceOptions, ShopError};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{Refused, offer};

/// Who ordered what; the fourth customer has yet to order anything.
const ORDERS: &[PastOrder] = &[
    // A café that stocks up: enough for every reward.
    PastOrder { customer: "Ada", paid: true, lines: &[("house-espresso", 1, 20), ("paper-filters", 0, 10)] },
    PastOrder { customer: "Ada", paid: true, lines: &[("ethiopia-guji", 1, 8), ("hand-grinder", 0, 2)] },
    PastOrder { customer: "Ada", paid: true, lines: &[("stoneware-mug", 0, 12), ("tea-towel", 0, 6)] },
    // Points for delivery, and some that wait for a payment.
    PastOrder { customer: "Ben", paid: true, lines: &[("gooseneck-kettle", 0, 2), ("hand-grinder", 0, 2)] },
    PastOrder { customer: "Ben", paid: true, lines: &[("colombia-huila", 1, 2)] },
    PastOrder { customer: "Ben", paid: false, lines: &[("pour-over-dripper", 0, 2)] },
    // Just short of the next reward.
    PastOrder {
        customer: "Chiara",
        paid: true,
        lines: &[("house-espresso", 1, 8), ("cold-brew-bags", 0, 4)],
    },
];

struct PastOrder {
    customer: &'static str,
    /// Paid at once, or not yet.
    paid: bool,
    /// Product, position of the variant, quantity.
    lines: &'static [(&'static str, usize, u32)],
}

/// How long the app may take to book them.
const PATIENCE: Duration = Duration::from_secs(20);

/// Places the past orders, once, and says how many there are when every account shows what they earned.
pub(super) async fn play(shop: &DevShop) -> Result<usize, Refused> {
    if shop.orders().is_empty() {
        let placing = shop.clone();
        spawn_blocking(move || ORDERS.iter().try_for_each(|order| place(&placing, order))).await??;
    }
    if let Err(left) = shop.webhooks().flush().await {
        return Err(Refused::Undelivered(left.len()));
    }
    let booked = async {
        while !is_booked(shop) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, booked).await.map_err(|_| Refused::NotBooked)?;
    Ok(ORDERS.len())
}

/// Whether the account of everyone who ordered shows what their orders earn.
fn is_booked(shop: &DevShop) -> bool {
    let Some(program) = offer::program(shop) else { return false };
    let mut earned: BTreeMap<u64, i64> = BTreeMap::new();
    for order in shop.orders() {
        let points = offer::earns(&program, None, order.lines.iter().map(|line| (&line.item, line.net())));
        if let (Some(customer), Some(points)) = (order.customer, points) {
            *earned.entry(customer.id).or_default() += points.get();
        }
    }
    earned.into_iter().all(|(customer, points)| {
        let account = offer::account(shop, customer);
        account.is_some_and(|account| account.points.get() + account.pending.get() == points)
    })
}

fn place(shop: &DevShop, order: &PastOrder) -> Result<(), ShopError> {
    let customers = shop.customers();
    let customer = customers.iter().find(|customer| customer.first_name == order.customer);
    let customer = customer.ok_or(ShopError::NotFound("customer"))?;
    let products = shop.products();
    let cart = shop.new_cart(NewCart::of(customer.id))?;
    for (handle, variant, quantity) in order.lines {
        let product = products.iter().find(|product| product.handle == *handle);
        let variant = product.and_then(|product| product.variants.get(*variant));
        shop.add_to_cart(&cart.token, variant.ok_or(ShopError::NotFound("variant"))?.id, *quantity)?;
    }
    let payment = if order.paid { Payment::Immediate } else { Payment::Later };
    shop.place_order(&cart.token, PlaceOptions { payment, ..PlaceOptions::default() })?;
    Ok(())
}
