//! What an order's messages say together.

/// The facts of an order that move points, as of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Facts {
    /// When Shopify last changed the order, in microseconds since 1970 (UTC).
    pub updated_at: i64,
    /// Where its payment stands.
    pub payment: Payment,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Whether it was paid once, and an edit has added to it what is not paid yet.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "core::ops::Not::not"))]
    pub rest_due: bool,
    /// When it was last told to be paid; `updated_at` where that is what it is now.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    paid_at: Option<i64>,
    /// When it was first told to be paid, where that is another time than the last.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    first_paid_at: Option<i64>,
    /// When it was last told to be void; likewise.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    void_at: Option<i64>,
    /// When all of it was first told to be sent off. What was once sent off stays so.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    fulfilled_at: Option<i64>,
}

/// Where an order's payment stands. The order of the variants is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Payment {
    /// Not yet, or not all.
    Pending,
    /// Paid, whatever was refunded since.
    Paid,
    /// Voided or expired: it will not come.
    Void,
}

impl Facts {
    /// The facts as one message tells them.
    pub fn told(updated_at: i64, payment: Payment, cancelled: bool) -> Facts {
        Facts {
            updated_at,
            payment,
            cancelled,
            rest_due: false,
            paid_at: None,
            first_paid_at: None,
            void_at: None,
            fulfilled_at: None,
        }
    }

    /// The same message, where it also tells that all of the order is sent off.
    pub fn and_fulfilled(self) -> Facts {
        Facts { fulfilled_at: Some(self.updated_at), ..self }
    }

    /// What two sets of facts about one order say together: the newer of them; where Shopify stamped both alike, the one
    /// further along. Who has paid has paid: an edit that adds to a paid order makes it wait for the rest and takes nothing
    /// back, unless the payment was voided since.
    ///
    /// It is a join: the same facts come to the same in whatever order, grouping and number they are put together. For
    /// that, the moments of the past that matter are kept.
    pub fn newest(self, other: Facts) -> Facts {
        let rank = |facts: &Facts| (facts.updated_at, facts.cancelled, facts.told_payment());
        let newer = if rank(&other) > rank(&self) { other } else { self };
        let (paid_at, void_at) =
            (self.last_paid().max(other.last_paid()), self.last_void().max(other.last_void()));
        let first = |one: Option<i64>, other: Option<i64>| one.into_iter().chain(other).min();
        let first_paid_at = first(self.first_paid(), other.first_paid());
        let told = newer.told_payment();
        let rest_due = told == Payment::Pending && paid_at > void_at;
        Facts {
            payment: if rest_due { Payment::Paid } else { told },
            rest_due,
            first_paid_at: first_paid_at.filter(|_| first_paid_at != paid_at),
            fulfilled_at: first(self.fulfilled_at, other.fulfilled_at),
            paid_at: paid_at.filter(|_| told != Payment::Paid),
            void_at: void_at.filter(|_| told != Payment::Void),
            ..newer
        }
    }

    /// What the newest message said of the payment.
    fn told_payment(&self) -> Payment {
        if self.rest_due { Payment::Pending } else { self.payment }
    }

    fn last_paid(&self) -> Option<i64> {
        if self.told_payment() == Payment::Paid { Some(self.updated_at) } else { self.paid_at }
    }

    /// From when it was paid, as far as is told; in microseconds since 1970 (UTC).
    pub(super) fn first_paid(&self) -> Option<i64> {
        self.first_paid_at.or(self.last_paid())
    }

    /// From when all of it was sent off, likewise.
    pub(super) fn fulfilled(&self) -> Option<i64> {
        self.fulfilled_at
    }

    fn last_void(&self) -> Option<i64> {
        if self.payment == Payment::Void { Some(self.updated_at) } else { self.void_at }
    }

    /// The same order, called off then, or just now where more was told of it since.
    pub fn called_off(self, at: i64) -> Facts {
        Facts { updated_at: at.max(self.updated_at), cancelled: true, ..self }
    }

    /// The same order as if nothing of it had been called off.
    pub fn standing(self) -> Facts {
        let payment = if self.payment == Payment::Void { Payment::Pending } else { self.payment };
        Facts { payment, cancelled: false, ..self }
    }

    /// Whether nothing of the order stands any more.
    pub fn is_void(&self) -> bool {
        self.cancelled || self.payment == Payment::Void
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(payment: Payment) -> Facts {
        Facts::told(1, payment, false)
    }

    #[test]
    fn the_newest_facts_count_whatever_their_order() {
        let old = facts(Payment::Pending);
        let new = Facts::told(2, Payment::Paid, false);
        assert_eq!(old.newest(new), new);
        assert_eq!(new.newest(old), new);
        let same_moment = facts(Payment::Paid);
        assert_eq!(old.newest(same_moment), same_moment);
        assert_eq!(same_moment.newest(old), same_moment);
    }

    #[test]
    fn who_has_paid_has_paid_until_it_is_voided() {
        let all = |facts: &[(i64, Payment)]| {
            let told = facts.iter().map(|(at, payment)| Facts::told(*at, *payment, false));
            let facts = told.reduce(Facts::newest).unwrap();
            (facts.payment, facts.rest_due)
        };
        let (paid, void, pending) = (Payment::Paid, Payment::Void, Payment::Pending);
        assert_eq!(all(&[(1, paid), (2, pending)]), (paid, true));
        assert_eq!(all(&[(1, paid), (2, pending), (2, paid)]), (paid, false), "paid in the edit's second");
        assert_eq!(all(&[(1, paid), (2, void)]), (void, false));
        assert_eq!(all(&[(1, paid), (2, void), (3, pending)]), (pending, false));
        assert_eq!(all(&[(1, paid), (3, pending), (2, void)]), (pending, false), "whatever came first");
        assert_eq!(all(&[(1, void), (2, paid), (3, pending)]), (paid, true));
    }

    #[test]
    fn an_order_was_paid_and_sent_off_when_it_was_so_first() {
        let told = [3, 5, 9].map(|at| Facts::told(at, Payment::Paid, false));
        let [a, b, c] = [told[0], told[1].and_fulfilled(), told[2].and_fulfilled()];
        for [first, second, third] in [[a, b, c], [c, b, a], [b, a, c], [c, a, b]] {
            let known = first.newest(second).newest(third);
            assert_eq!((known.updated_at, known.first_paid(), known.fulfilled()), (9, Some(3), Some(5)));
        }
        assert_eq!(facts(Payment::Pending).newest(b).newest(facts(Payment::Void)).first_paid(), Some(5));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn facts_that_were_stored_before_are_read() {
        let stored = r#"{"updated_at":3,"payment":"paid","cancelled":false,"rest_due":true}"#;
        let stored: Facts = serde_json::from_str(stored).unwrap();
        assert_eq!((stored.payment, stored.rest_due), (Payment::Paid, true));
        let text = r#"{"updated_at":3,"payment":"paid","cancelled":false}"#;
        assert_eq!(serde_json::to_string(&Facts::told(3, Payment::Paid, false)).unwrap(), text);
    }

    fn any_facts() -> impl Strategy<Value = Facts> {
        let payment = prop_oneof![Just(Payment::Pending), Just(Payment::Paid), Just(Payment::Void)];
        let told = (0..4_i64, payment, any::<bool>(), any::<bool>());
        told.prop_map(|(at, payment, cancelled, fulfilled)| {
            let facts = Facts::told(at, payment, cancelled);
            if fulfilled { facts.and_fulfilled() } else { facts }
        })
    }

    proptest! {
        #[test]
        fn putting_facts_together_is_a_join(
            told in proptest::collection::vec(any_facts(), 1..6), order in any::<proptest::sample::Index>(),
        ) {
            let all = |facts: &[Facts]| facts.iter().copied().reduce(Facts::newest).unwrap();
            let whole = all(&told);
            let mut turned = told.clone();
            turned.rotate_left(order.index(told.len()));
            prop_assert_eq!(all(&turned), whole, "in another order");
            turned.reverse();
            prop_assert_eq!(all(&turned), whole, "backwards");
            let (left, right) = told.split_at(order.index(told.len()));
            if !left.is_empty() {
                prop_assert_eq!(all(left).newest(all(right)), whole, "in other groups");
            }
            prop_assert_eq!(whole.newest(told[0]), whole, "told again");
            prop_assert_eq!(whole.newest(whole), whole);
        }
    }
}
