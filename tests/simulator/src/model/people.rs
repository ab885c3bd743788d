//! Who has an account at the shop, as far as anybody told. Who has none is a guest: what they earn waits until they have one.

use super::Model;
use super::told::Told;

/// The state of an account that is there.
const HAS_ACCOUNT: &str = "enabled";

/// What is known of one customer.
#[derive(Debug, Clone)]
pub struct Person {
    pub(super) customer: u64,
    /// Of their account, as it was told last, and when that was.
    state: Option<String>,
    told_at: i64,
    /// Whether an order was theirs before they had an account, and they have none yet; nobody knows of such an order, where
    /// there is none.
    guest: Option<bool>,
}

impl Model {
    fn person(&mut self, customer: u64) -> &mut Person {
        let at = self.people.iter().position(|person| person.customer == customer);
        let at = at.unwrap_or_else(|| {
            self.people.push(Person { customer, state: None, told_at: i64::MIN, guest: None });
            self.people.len() - 1
        });
        &mut self.people[at]
    }

    /// The shop tells of a customer, perhaps of a new one. Says whether they have signed up by that.
    pub fn told_customer(&mut self, customer: u64, state: &str, updated_at: i64, is_new: bool) -> bool {
        if is_new {
            self.member_of(customer);
        }
        let Some(member) = self.find_member(customer) else { return false };
        let own = self.members[member].customers[0];
        let person = self.person(customer);
        let mut has_changed = false;
        if own == customer && person.told_at < updated_at {
            has_changed = person.state.as_ref().is_some_and(|before| before != state);
            (person.state, person.told_at) = (Some(state.to_owned()), updated_at);
        }
        let is_there = state == HAS_ACCOUNT;
        let was_guest = is_there && self.claim(own);
        let was_made_with_one = is_new && self.person(own).state.as_deref() == Some(HAS_ACCOUNT);
        (is_there && (was_guest || has_changed) || was_made_with_one) && self.signs_up(member)
    }

    /// A file of all customers tells of one. Of whom nothing was told before that is only noted, whatever it is: an account that
    /// was there before is nothing new. Else it is as if the shop told it. Says whether they have signed up by that.
    pub fn told_by_a_file(&mut self, customer: u64, state: &str, updated_at: i64) -> bool {
        let member = self.member_of(customer);
        let (own, deleted) = (self.members[member].customers[0], self.members[member].deleted);
        if own != customer || deleted {
            return false;
        }
        let person = self.person(customer);
        if person.state.is_none() && person.guest != Some(true) {
            (person.state, person.told_at) = (Some(state.to_owned()), updated_at);
            return false;
        }
        self.told_customer(customer, state, updated_at, false)
    }

    /// Orders tell that their customers have no account. Says who of them is a guest by that.
    pub fn note_guests<'t>(&mut self, orders: impl Iterator<Item = &'t Told>) -> Vec<u64> {
        let mut guests = Vec::new();
        for told in orders.filter(|told| told.guest) {
            if !self.takes_on(told) {
                continue;
            }
            let known = self.orders.iter().find(|order| order.id == told.order && order.is_told());
            // One that was told of before as nobody's is whose it is told to be now.
            let known = known.filter(|order| order.member.is_some());
            let Some(customer) = known.map_or_else(|| self.named_by(told), |order| order.customer) else {
                continue;
            };
            let member = self.member_of(customer);
            let is_own = self.members[member].customers[0] == customer;
            let person = self.person(customer);
            let may_be = person.state.as_deref() != Some(HAS_ACCOUNT) || person.told_at <= told.updated_at;
            if is_own && may_be {
                person.guest.get_or_insert(true);
            }
            guests.push(customer);
        }
        guests.retain(|customer| self.person(*customer).guest == Some(true));
        guests
    }

    /// Whether something is known of a customer by their being signed in that was not known before.
    pub fn is_changed_by_a_visit(&mut self, customer: u64) -> bool {
        let own = self.own(customer);
        own.is_some_and(|own| self.guest(own) != Some(false)) || self.is_news_of(customer)
    }

    /// Whether it is news that a customer has an account.
    fn is_news_of(&mut self, customer: u64) -> bool {
        let Some(member) = self.find_member(customer) else { return false };
        let (own, signed_up) = (self.members[member].customers[0], self.members[member].signed_up);
        let person = self.person(own);
        let has_none = person.state.as_ref().is_some_and(|state| state != HAS_ACCOUNT);
        person.guest == Some(true) || (has_none && !signed_up)
    }

    /// A customer is signed in at the storefront: so they have an account, whatever was told.
    pub fn signed_in(&mut self, customer: u64) {
        let is_news = self.is_news_of(customer);
        let Some(member) = self.find_member(customer) else { return };
        let own = self.members[member].customers[0];
        self.person(own).guest = Some(false);
        if is_news && self.signs_up(member) {
            self.signed_up(&[customer]);
        }
    }

    /// The customer whom this one has become, or is.
    pub fn own(&self, customer: u64) -> Option<u64> {
        self.find_member(customer).map(|member| self.members[member].customers[0])
    }

    /// Whether a customer is a guest, if anybody said so.
    pub fn guest(&self, customer: u64) -> Option<bool> {
        self.people.iter().find(|person| person.customer == customer)?.guest
    }

    pub fn has_signed_up(&self, customer: u64) -> bool {
        self.find_member(customer).is_some_and(|member| self.members[member].signed_up)
    }

    /// What a guest has earned is theirs. Says whether they were one.
    fn claim(&mut self, customer: u64) -> bool {
        let guest = &mut self.person(customer).guest;
        let was_guest = *guest == Some(true);
        if was_guest {
            *guest = Some(false);
        }
        was_guest
    }

    fn signs_up(&mut self, member: usize) -> bool {
        let member = &mut self.members[member];
        let signs_up = !member.signed_up && !member.deleted;
        member.signed_up |= signs_up;
        signs_up
    }
}
