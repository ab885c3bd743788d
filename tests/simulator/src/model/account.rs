//! What one member has, in plain numbers.

/// Points that were earned together.
#[derive(Debug, Clone)]
pub struct Lot {
    /// Which one: lots are numbered as they come.
    pub id: usize,
    /// What is left.
    pub left: i64,
    /// What of it expired and was not taken back since.
    pub lapsed: i64,
    /// When its order was placed, in microseconds since 1970.
    pub earned_at: i64,
    /// From when on it is gone.
    pub gone_at: Option<i64>,
    /// How many days it lives from what the member did last, where that moves its end on.
    pub rolls: Option<i64>,
    /// Whether it lived on already because a hold let go of it too late.
    pub had_grace: bool,
}

/// How long points live that are earned now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Life {
    pub gone_at: Option<i64>,
    pub rolls: Option<i64>,
}

/// A member's account. `available` is what lies in the lots, less what the member owes; who owes has no open lot.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub available: i64,
    pub pending: i64,
    pub held: i64,
    pub lots: Vec<Lot>,
}

impl Account {
    /// What time has taken.
    pub fn expire(&mut self, now: i64) {
        for lot in &mut self.lots {
            if lot.left > 0 && lot.gone_at.is_some_and(|at| at <= now) {
                self.available -= lot.left;
                lot.lapsed += lot.left;
                lot.left = 0;
            }
        }
    }

    /// New points. What the member owes is paid first.
    pub fn add(&mut self, id: usize, points: i64, earned_at: i64, Life { gone_at, rolls }: Life) {
        let left = self.raise(points);
        self.lots.push(Lot { id, left, lapsed: 0, earned_at, gone_at, rolls, had_grace: false });
    }

    /// The member earned or used points: what lives as long as they are active does so from now on; never shorter.
    pub fn was_active(&mut self, until: impl Fn(i64) -> i64) {
        for lot in self.lots.iter_mut().filter(|lot| lot.left > 0) {
            if let Some(days) = lot.rolls {
                lot.gone_at = lot.gone_at.map(|at| at.max(until(days)));
            }
        }
    }

    /// A hold lets go of points. Where their time is over, they live on until `grace` the first time, and are gone the
    /// next.
    pub fn let_go(&mut self, id: usize, points: i64, (now, grace): (i64, i64)) {
        let is_over = |lot: &&mut Lot| lot.id == id && lot.gone_at.is_some_and(|at| at <= now);
        let over = self
            .lots
            .iter()
            .any(|lot| lot.id == id && lot.gone_at.is_some_and(|at| at <= now) && lot.had_grace);
        if over {
            let left = self.raise(points);
            self.available -= left;
            self.lots.iter_mut().filter(is_over).for_each(|lot| lot.lapsed += left);
            return;
        }
        let owed = (-self.available).max(0);
        if points > owed {
            self.lots.iter_mut().filter(is_over).for_each(|lot| lot.had_grace = true);
        }
        self.give_back(id, points, (now, grace));
    }

    /// Points come back to the lot they were taken from. One whose time is over lives on until `grace`.
    pub fn give_back(&mut self, id: usize, points: i64, (now, grace): (i64, i64)) {
        let left = self.raise(points);
        for lot in &mut self.lots {
            if lot.id == id && left > 0 {
                lot.left += left;
                if lot.gone_at.is_some_and(|at| at <= now) {
                    lot.gone_at = Some(grace);
                }
            }
        }
    }

    /// Takes points: from these lots before all others, and else from what expires first, then from what is oldest. What
    /// nothing covers is owed. Says which lot gave what.
    pub fn take(&mut self, points: i64, first: &[usize]) -> Vec<(usize, i64)> {
        self.available -= points;
        self.lots.sort_by_key(|lot| {
            (!first.contains(&lot.id), lot.gone_at.unwrap_or(i64::MAX), lot.earned_at, lot.id)
        });
        let (mut missing, mut taken) = (points, Vec::new());
        for lot in &mut self.lots {
            let part = missing.min(lot.left);
            if part > 0 {
                lot.left -= part;
                missing -= part;
                taken.push((lot.id, part));
            }
        }
        taken
    }

    /// How much of `points` has expired in the lots where it was earned: nobody has it, so nobody has to give it.
    pub fn take_lapsed(&mut self, points: i64, ids: &[usize]) -> i64 {
        let mut left = points;
        for id in ids {
            for lot in self.lots.iter_mut().filter(|lot| lot.id == *id) {
                let lapsed = left.min(lot.lapsed);
                lot.lapsed -= lapsed;
                left -= lapsed;
            }
        }
        points - left
    }

    /// Another's account becomes a part of this one.
    pub fn absorb(&mut self, other: Account) {
        let owed = (-self.available).max(0) + (-other.available).max(0);
        self.available += other.available + owed;
        self.pending += other.pending;
        self.held += other.held;
        self.lots.extend(other.lots);
        self.take(owed, &[]);
    }

    fn raise(&mut self, points: i64) -> i64 {
        let owed = (-self.available).max(0);
        self.available += points;
        (points - owed).max(0)
    }
}
