//! Changing what an order is of.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Order, OrderLine};
use crate::checkout::BasketLine;
use crate::facts::Facts;
use crate::ids::Ids;
use crate::money::MoneySet;
use crate::shop::ShopError;
use crate::state::State;

/// What to change.
#[derive(Debug, Clone, Default)]
pub struct OrderEdit {
    /// Order line numbers and how many units of each are left afterwards.
    pub quantities: Vec<(u64, u32)>,
    /// Variants that are added and how many of each, at today's price and without a discount.
    pub additions: Vec<(u64, u32)>,
    /// Discounts, by their place in the order, that are taken off every line.
    pub discounts_off: Vec<usize>,
    /// Why, for people.
    pub staff_note: String,
}

/// What an edit came to.
pub(crate) struct Committed {
    pub id: u64,
    /// Order lines and how many units were added to each.
    pub more: Vec<(u64, u32)>,
    /// Order lines and how many units were taken off each.
    pub fewer: Vec<(u64, u32)>,
    /// Order lines that lost a discount.
    pub discounts_off: Vec<u64>,
    pub staff_note: String,
}

impl State {
    /// Edits an order.
    ///
    /// # Errors
    /// When something named is not there, the order is cancelled, or nothing would change; nothing has changed then.
    pub fn edit_order(
        &mut self,
        id: u64,
        edit: &OrderEdit,
        facts: &Facts,
        now: Timestamp,
    ) -> Result<Committed, ShopError> {
        let order = self.orders.get(&id).ok_or(ShopError::NotFound("order"))?;
        if order.cancelled_at.is_some() {
            return Err(ShopError::Already("cancelled"));
        }
        let currency = facts.settings.currency;
        let rate = facts.rate(order.presentment_currency);
        let mut added = Vec::new();
        for &(variant, quantity) in edit.additions.iter().filter(|(_, quantity)| *quantity > 0) {
            let sold = self.variant(variant).ok_or(ShopError::NotFound("variant"))?;
            let price = sold.1.price;
            let presentment = rate.convert(price, currency, order.presentment_currency);
            let unit = MoneySet { shop: price, presentment };
            added.push(BasketLine::of(String::new(), sold, unit, quantity, Vec::new()));
        }
        let mut edited = order.clone();
        let mut committed = edited.commit(edit, &mut self.ids)?;
        for item in added {
            let id = self.ids.id();
            committed.more.push((id, item.quantity));
            let item = BasketLine { gid: format!("gid://shopify/CartLine/{}", self.ids.uuid()), ..item };
            edited.lines.push(OrderLine {
                id,
                item,
                allocations: Vec::new(),
                refunded: 0,
                taken_off: 0,
                tip: false,
            });
        }
        if committed.more.is_empty() && committed.fewer.is_empty() && committed.discounts_off.is_empty() {
            return Err(ShopError::NothingToChange);
        }
        edited.updated_at = now;
        self.orders.insert(id, edited);
        Ok(committed)
    }
}

impl Order {
    /// Sets quantities and takes discounts off.
    fn commit(&mut self, edit: &OrderEdit, ids: &mut Ids) -> Result<Committed, ShopError> {
        let mut committed = Committed {
            id: ids.id(),
            more: Vec::new(),
            fewer: Vec::new(),
            discounts_off: Vec::new(),
            staff_note: edit.staff_note.clone(),
        };
        // Who names a line twice means the last.
        let quantities: BTreeMap<u64, u32> = edit.quantities.iter().copied().collect();
        for (id, wanted) in quantities {
            let line = self.lines.iter_mut().find(|line| line.id == id);
            let line = line.ok_or(ShopError::NotFound("order line"))?;
            let current = line.current_quantity();
            if wanted > current {
                let more = wanted - current;
                line.item.quantity += more;
                line.item.gross += MoneySet {
                    shop: line.item.unit.shop * i64::from(more),
                    presentment: line.item.unit.presentment * i64::from(more),
                };
                committed.more.push((id, more));
            } else if wanted < current {
                line.taken_off += current - wanted;
                committed.fewer.push((id, current - wanted));
            }
        }
        for &at in &edit.discounts_off {
            self.discounts.get_mut(at).ok_or(ShopError::NotFound("discount"))?.total = MoneySet::default();
            for line in &mut self.lines {
                let before = line.allocations.len();
                line.allocations.retain(|allocation| allocation.discount != at);
                if line.allocations.len() < before {
                    committed.discounts_off.push(line.id);
                }
            }
        }
        Ok(committed)
    }
}
