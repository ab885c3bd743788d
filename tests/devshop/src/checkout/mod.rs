//! Checkout: a cart is priced, every active discount's Function is asked, and what they offer is given.

mod allocate;
mod apply;
mod basket;
mod combine;
mod customize;
mod offers;
mod quote;

use std::sync::Arc;

use apollo_compiler::response::JsonValue;
use jiff::Timestamp;
use serde_json::Value;

pub use allocate::allocate;
pub use basket::{Basket, BasketLine, DeliveryGroup, DeliveryOption};
pub(crate) use quote::tax_in;
pub use quote::{Allocation, AppliedDiscount, DiscountValue, FunctionRun, Quote, QuoteLine, QuoteShipping};

use crate::cart::Cart;
use crate::discounts::{DiscountCode, DiscountNode};
use crate::facts::Facts;
use crate::functions::input::{self, Owner, Scene};
use crate::functions::{DELIVERY_TARGET, Function, LINES_TARGET};
use crate::money::{MoneySet, scale};
use crate::state::State;
use crate::switches::{OrderTitle, Switches};
use apply::{Given, apply};
use offers::Offers;

/// Active discount Functions a shop may have.
pub const ACTIVE_FUNCTIONS: usize = 25;

/// A checkout with everything its Functions may ask already answered, so that they run without the shop's lock, and as
/// blind to what happens meanwhile as they are at Shopify.
pub(crate) struct Checkout {
    cart: Cart,
    basket: Basket,
    nodes: Vec<DiscountNode>,
    codes: Vec<DiscountCode>,
    questions: Vec<Question>,
    customizations: Vec<customize::Asked>,
}

/// A Function about to run: for which node, at which target, on what input.
struct Question {
    node: usize,
    function: Arc<Function>,
    target: &'static str,
    input: Result<JsonValue, String>,
}

impl Checkout {
    /// Prices the cart and executes the input queries of all active discounts.
    pub fn prepare(facts: &Facts, state: &State, cart: &Cart, switches: Switches, now: Timestamp) -> Self {
        let rate = facts.rate(cart.currency);
        let settings = &facts.settings;
        let basket = Basket::price(cart, state, &settings.shipping, settings.currency, rate);
        let active = state.discounts.iter().filter(|node| node.is_active(now)).take(ACTIVE_FUNCTIONS);
        let nodes: Vec<DiscountNode> = active.cloned().collect();
        let codes = state.codes.iter().filter(|known| cart.discount_codes.contains(&known.code));
        let codes: Vec<DiscountCode> = codes.cloned().collect();
        let scene = |owner| Scene {
            state,
            cart,
            basket: &basket,
            owner,
            switches,
            now,
            zone: &facts.zone,
            shop_currency: settings.currency,
            rate,
            app_id: settings.app.id,
        };
        let mut questions = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            let function = state.functions.iter().find(|function| function.handle == node.function_handle);
            let Some(function) = function else { continue };
            for target in [LINES_TARGET, DELIVERY_TARGET] {
                let nothing_to_ship = target == DELIVERY_TARGET && basket.delivery.is_none();
                let Some(asked) = function.target(target).filter(|_| !nothing_to_ship) else { continue };
                let input = input::execute(function, asked, &scene(Owner::Discount(node)));
                questions.push(Question { node: at, function: Arc::clone(function), target, input });
            }
        }
        let mut customizations = Vec::new();
        for customization in state.customizations.iter().filter(|customization| customization.enabled) {
            let handle = &customization.function_handle;
            let function = state.functions.iter().find(|function| function.handle == *handle);
            let Some(function) = function else { continue };
            let Some(asked) = function.target(customization.of.target()) else { continue };
            let input = input::execute(function, asked, &scene(Owner::Customization(customization)));
            let (id, of) = (customization.id, customization.of);
            customizations.push(customize::Asked { id, of, function: Arc::clone(function), input });
        }
        Self { cart: cart.clone(), basket, nodes, codes, questions, customizations }
    }

    /// Runs the Functions and gives the best of what they offer.
    pub fn settle(self, facts: &Facts, switches: Switches) -> Quote {
        let Self { cart, basket, nodes, codes, questions, customizations } = self;
        let customized = customize::run(customizations, &basket);
        let mut offers: Vec<Offers> = nodes.into_iter().map(Offers::new).collect();
        let mut runs: Vec<FunctionRun> =
            questions.into_iter().map(|question| ask(question, &basket, &mut offers)).collect();

        offers.extend(codes.iter().map(Offers::of_code));
        let compatible = |a: usize, b: usize| offers[a].combines_with(&offers[b]);
        let mut best = Given::default();
        for group in combine::maximal_groups(offers.len(), &compatible) {
            let together: Vec<&Offers> = group.into_iter().map(|at| &offers[at]).collect();
            let given = apply(&basket, cart.currency, &together, switches.last_units);
            if given.total() > best.total() {
                best = given;
            }
        }
        runs.extend(customized.runs);
        let mut quote = assemble(cart, basket, &best, runs, facts, switches);
        for discount in &mut quote.discounts {
            discount.is_code = codes.iter().any(|code| code.id == discount.node);
        }
        Quote { errors: customized.errors, delivery_options: customized.options, ..quote }
    }
}

/// Runs one Function and takes what it says into its node's offers. Whatever goes wrong is noted, and no discount.
fn ask(question: Question, basket: &Basket, offers: &mut [Offers]) -> FunctionRun {
    let Question { node, function, target, input } = question;
    let offers = &mut offers[node];
    let mut run = run_host(offers.node.id, &function, target, input, basket);
    if run.error.is_none() {
        let taken = match target {
            LINES_TARGET => offers.take_lines(&run.output, basket),
            _ => offers.take_delivery(&run.output, basket),
        };
        run.error = taken.unwrap_or_else(Some);
    }
    if let Some(error) = &run.error {
        tracing::warn!(function = run.function, target, error, "a Function gave no discount");
    }
    run
}

/// Runs a Function for what put it to work, and notes what went wrong.
fn run_host(
    node: u64,
    function: &Function,
    target: &str,
    input: Result<JsonValue, String>,
    basket: &Basket,
) -> FunctionRun {
    let mut run = FunctionRun {
        node,
        function: function.handle.clone(),
        target: target.into(),
        input: JsonValue::Null,
        output: Value::Null,
        instructions: 0,
        exact: false,
        logs: String::new(),
        error: None,
    };
    match input {
        Err(reason) => run.error = Some(format!("the input query failed: {reason}")),
        Ok(input) => {
            run.input = input;
            let asked = function.target(target);
            match asked.map(|asked| function.run(asked, &run.input, basket.lines.len())) {
                None => {}
                Some(Err(failure)) => run.error = Some(failure.to_string()),
                Some(Ok(host_run)) => {
                    (run.instructions, run.exact, run.logs) =
                        (host_run.instructions, host_run.exact, host_run.logs);
                    run.output = host_run.output;
                }
            }
        }
    }
    run
}

/// Writes what was given into lines and shipping, in both currencies.
fn assemble(
    cart: Cart,
    basket: Basket,
    given: &Given,
    runs: Vec<FunctionRun>,
    facts: &Facts,
    switches: Switches,
) -> Quote {
    let mut lines: Vec<QuoteLine> =
        basket.lines.into_iter().map(|line| QuoteLine { line, allocations: Vec::new() }).collect();
    let mut shipping = basket
        .delivery
        .map(|group| QuoteShipping { option: group.chosen().clone(), allocations: Vec::new() });
    let mut discounts = Vec::new();
    for discount in &given.discounts {
        let mut total = MoneySet::default();
        for &(at, presentment) in &discount.parts {
            let (gross, allocations) = match (discount.class, &mut shipping) {
                (crate::discounts::DiscountClass::Shipping, Some(shipping)) => {
                    (shipping.option.price, &mut shipping.allocations)
                }
                _ => (lines[at].line.gross, &mut lines[at].allocations),
            };
            let amount = in_both_currencies(gross, allocations, presentment);
            allocations.push(Allocation { discount: discounts.len(), amount });
            total += amount;
        }
        let said = discount.message.clone().filter(|_| switches.order_title == OrderTitle::CandidateMessage);
        discounts.push(AppliedDiscount {
            node: discount.node,
            is_code: false,
            title: said.unwrap_or_else(|| discount.node_title.clone()),
            message: discount.message.clone(),
            class: discount.class,
            value: discount.value,
            entitled: discount.entitled,
            each: discount.each,
            total,
        });
    }
    let settings = &facts.settings;
    Quote {
        cart,
        shop_currency: settings.currency,
        lines,
        shipping,
        discounts,
        errors: Vec::new(),
        delivery_options: Vec::new(),
        tax_included_bp: settings.tax_included_bp,
        runs,
    }
}

/// What an amount off a line is in the shop's currency: the line's own ratio, cumulated over its allocations, so that
/// together they never exceed the line and reach it exactly when it is free.
fn in_both_currencies(gross: MoneySet, before: &[Allocation], presentment: i64) -> MoneySet {
    let taken: MoneySet = before.iter().map(|allocation| allocation.amount).sum();
    let shop = scale(gross.shop, taken.presentment + presentment, gross.presentment) - taken.shop;
    MoneySet { shop, presentment }
}
