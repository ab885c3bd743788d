//! What happens: a list of steps that is drawn ahead from the seed. Each stands for itself and passes by where it makes no
//! sense (who refunds an order needs one), so that a list with any of them left out is a plan, too.

use std::fmt;

use fastrand::Rng;

use crate::process::Trip;

/// How many things are on the shelf.
pub const PRODUCTS: usize = 4;

/// What happens next. Numbers choose among what there is by then: the customer with number 5 of 3 is the third one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each step says what its numbers are")]
pub enum Step {
    /// Time passes.
    Wait { minutes: i64 },
    /// A customer buys things: product and units.
    Buy { who: usize, device: usize, things: Vec<(usize, u32)>, paid: bool },
    /// A customer looks at the checkout, and leaves it open.
    Open { who: usize, device: usize, things: Vec<(usize, u32)> },
    /// Who left a checkout open goes through with it, as it was.
    GoThrough { who: usize, device: usize },
    /// An order that was not paid is.
    Pay { order: usize },
    /// An order is sent off.
    SendOff { order: usize },
    /// Units of a line come back; delivery, too.
    Refund { order: usize, line: usize, units: u32, delivery: bool },
    /// An order is called off.
    Cancel { order: usize },
    /// A line of an order gets another number of units.
    Edit { order: usize, line: usize, units: u32 },
    /// Something is added to an order.
    Add { order: usize, thing: usize, units: u32 },
    /// A customer picks a reward on one of their devices: so many pounds off, or a tenth.
    Pick { who: usize, device: usize, steps: i64, percent: bool },
    /// A customer takes back what they picked.
    TakeBack { who: usize },
    /// A widget is visited.
    Visit { who: usize },
    /// Staff give points, or take them; perhaps asked twice.
    Adjust { who: usize, points: i64, twice: bool },
    /// The merchant sets other rules.
    Set(Change),
    /// Two customers become one.
    Merge { kept: usize, gone: usize },
    /// A customer goes.
    Delete { who: usize },
    /// Somebody is served at a till that is offline.
    AtTill { who: usize, order: usize, what: AtTill },
    /// The till sends what it did: so many operations from one on.
    Flush { from: usize, many: usize },
    /// The shop sends a webhook that waits: any of them, however it goes.
    Deliver { which: usize, fate: Fate },
    /// It sends all that wait, in any order.
    DeliverAll { seed: u64 },
    /// The backend works off what was delivered.
    Work,
    /// It writes metafields.
    Publish,
    /// It looks at holds whose time has come.
    Advance,
    /// It does what comes round daily and hourly.
    Chores,
    /// It tells of what happened.
    Tell,
    /// It dies, and is started again some time later.
    Crash,
    /// It will die in what it does next.
    Trip(Trip),
    /// Shopify will answer badly.
    Fail(Failure),
    /// Nothing goes wrong any more, and everything comes to rest.
    Settle,
    /// Somebody gives everyone a point behind the ledger's back. Never drawn: it proves that a wrong ledger is found.
    Spoil,
}

/// What somebody does at a till.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtTill {
    /// They join.
    Enrol,
    /// They pay for an order.
    Earn,
    /// They ask for a reward.
    Redeem,
    /// The till forgets what it was.
    Lose,
}

/// How a delivery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It comes, and is answered.
    Well,
    /// It comes twice.
    Twice,
    /// It comes, and the answer is lost: it will come again.
    AnswerLost,
    /// It does not come: it will.
    Lost,
}

/// What goes wrong with a request to Shopify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Before anything happened.
    Before,
    /// All happened, and the answer is lost.
    After,
    /// It was asked too often.
    Throttled,
}

/// Other rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the program's")]
pub enum Change {
    /// So many points for a pound.
    Rate(i64),
    Cap(Option<i64>),
    /// Returns may take more than there is.
    Owing(bool),
    WaitDays(i64),
    UntilFulfilled(bool),
    LifetimeDays(Option<i64>),
    HoldMinutes {
        life: i64,
        grace: i64,
    },
}

/// Draws what happens within so many hours.
pub fn draw(rng: &mut Rng, hours: i64) -> Vec<Step> {
    let (mut left, mut steps) = (hours * 60, Vec::new());
    let mut day = left;
    while left > 0 {
        if day - left >= 24 * 60 {
            day = left;
            steps.push(Step::Settle);
        }
        // Much happens within minutes, then nothing for half a day.
        let minutes = match rng.u32(0..20) {
            0 => rng.i64(200..900),
            1..=5 => rng.i64(20..150),
            _ => rng.i64(0..15),
        };
        left -= minutes;
        if minutes > 0 {
            steps.push(Step::Wait { minutes });
        }
        steps.extend(one(rng));
    }
    steps.push(Step::Settle);
    steps
}

/// A step, and what must come before it.
fn one(rng: &mut Rng) -> Vec<Step> {
    let order = rng.usize(0..1000);
    let who = rng.usize(0..6);
    let device = rng.usize(0..2);
    let step = match rng.u32(0..100) {
        0..=9 => Step::Buy { who, device, things: things(rng), paid: rng.u32(0..5) > 0 },
        10..=13 => return redemption(rng, who),
        14..=16 => Step::Open { who, device, things: things(rng) },
        17..=20 => Step::GoThrough { who, device },
        21..=22 => Step::Pay { order },
        23..=24 => Step::SendOff { order },
        25..=29 => {
            Step::Refund { order, line: rng.usize(0..3), units: rng.u32(1..3), delivery: rng.u32(0..4) == 0 }
        }
        30 => Step::Cancel { order },
        31..=32 => Step::Edit { order, line: rng.usize(0..3), units: rng.u32(0..4) },
        33 => Step::Add { order, thing: rng.usize(0..PRODUCTS), units: rng.u32(1..3) },
        34..=42 => Step::Pick { who, device, steps: rng.i64(1..8), percent: rng.u32(0..4) == 0 },
        43..=44 => Step::TakeBack { who },
        45 => Step::Visit { who },
        46..=48 => {
            let points = rng.i64(1..400) * if rng.u32(0..3) == 0 { -1 } else { 1 };
            Step::Adjust { who, points, twice: rng.bool() }
        }
        49 => Step::Set(change(rng)),
        50 => match rng.u32(0..3) {
            0 => Step::Delete { who },
            _ => Step::Merge { kept: who, gone: rng.usize(0..6) },
        },
        51..=53 => {
            let what =
                [AtTill::Enrol, AtTill::Earn, AtTill::Earn, AtTill::Redeem, AtTill::Lose][rng.usize(0..5)];
            Step::AtTill { who, order, what }
        }
        54..=55 => Step::Flush { from: rng.usize(0..1000), many: rng.usize(1..6) },
        56..=60 => Step::Deliver { which: rng.usize(0..1000), fate: fate(rng) },
        61..=68 => Step::DeliverAll { seed: rng.u64(..) },
        69..=78 => Step::Work,
        79..=86 => Step::Publish,
        87..=90 => Step::Advance,
        91..=92 => Step::Chores,
        93 => Step::Tell,
        94 => Step::Crash,
        95..=97 => {
            let trip = Trip { commit: rng.u32(1..7), after: rng.bool() };
            return vec![Step::Trip(trip), work(rng)];
        }
        _ => Step::Fail([Failure::Before, Failure::After, Failure::Throttled][rng.usize(0..3)]),
    };
    vec![step]
}

/// A customer picks something and buys with it, on one device or on two, while the backend does some of its work.
fn redemption(rng: &mut Rng, who: usize) -> Vec<Step> {
    let pick =
        |rng: &mut Rng, device| Step::Pick { who, device, steps: rng.i64(1..8), percent: rng.u32(0..4) == 0 };
    let mut steps = vec![pick(rng, 0)];
    if rng.bool() {
        // The same pick, or another one, on the other device.
        steps.push(if rng.bool() { Step::Visit { who } } else { pick(rng, 1) });
        steps.push(Step::Open { who, device: rng.usize(0..2), things: things(rng) });
    }
    if rng.u32(0..4) == 0 {
        steps.push(Step::Wait { minutes: rng.i64(1..120) });
        steps.push(Step::Advance);
        steps.push(Step::Publish);
    }
    steps.push(Step::Buy { who, device: 0, things: things(rng), paid: rng.u32(0..5) > 0 });
    steps.push(Step::GoThrough { who, device: rng.usize(0..2) });
    for _ in 0..rng.usize(0..4) {
        steps.push(match rng.u32(0..4) {
            0 => Step::Publish,
            1 => Step::DeliverAll { seed: rng.u64(..) },
            2 => Step::Buy { who, device: 1, things: things(rng), paid: true },
            _ => Step::Work,
        });
    }
    steps
}

fn things(rng: &mut Rng) -> Vec<(usize, u32)> {
    (0..rng.usize(1..4)).map(|_| (rng.usize(0..PRODUCTS), rng.u32(1..4))).collect()
}

fn fate(rng: &mut Rng) -> Fate {
    [Fate::Well, Fate::Well, Fate::Twice, Fate::AnswerLost, Fate::Lost][rng.usize(0..5)]
}

/// What the backend may die in.
fn work(rng: &mut Rng) -> Step {
    let who = rng.usize(0..6);
    match rng.u32(0..7) {
        0 => Step::Publish,
        1 => Step::Advance,
        2 => Step::Chores,
        3 => Step::DeliverAll { seed: rng.u64(..) },
        4 => Step::Pick { who, device: 0, steps: rng.i64(1..4), percent: false },
        _ => Step::Work,
    }
}

/// Other rules than those that stand.
pub fn change(rng: &mut Rng) -> Change {
    match rng.u32(0..7) {
        0 => Change::Rate(rng.i64(0..6)),
        1 => Change::Cap(rng.bool().then(|| rng.i64(0..200))),
        2 => Change::Owing(rng.bool()),
        3 => Change::WaitDays(rng.i64(0..4)),
        4 => Change::UntilFulfilled(rng.bool()),
        5 => Change::LifetimeDays(rng.bool().then(|| rng.i64(1..6))),
        _ => Change::HoldMinutes { life: rng.i64(5..90), grace: rng.i64(5..60) },
    }
}

impl Step {
    /// Whether the ledger may differ after it, or what is due of it.
    pub fn touches_the_backend(&self) -> bool {
        !matches!(
            self,
            Step::Buy { .. }
                | Step::Open { .. }
                | Step::GoThrough { .. }
                | Step::Pay { .. }
                | Step::SendOff { .. }
                | Step::Refund { .. }
                | Step::Cancel { .. }
                | Step::Edit { .. }
                | Step::Add { .. }
                | Step::Merge { .. }
                | Step::Delete { .. }
                | Step::AtTill { .. }
                | Step::Trip(_)
                | Step::Fail(_)
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bought = |things: &[(usize, u32)]| {
            let each = things.iter().map(|(thing, units)| format!("{units} of thing {thing}"));
            each.collect::<Vec<_>>().join(", ")
        };
        match self {
            Step::Wait { minutes } => write!(f, "{minutes} minutes pass"),
            Step::Buy { who, device, things, paid } => {
                let paid = if *paid { "" } else { ", to be paid later" };
                write!(f, "customer {who} buys {} on device {device}{paid}", bought(things))
            }
            Step::Open { who, device, things } => {
                write!(f, "customer {who} opens the checkout on device {device} with {}", bought(things))
            }
            Step::GoThrough { who, device } => {
                write!(f, "customer {who} goes through with the checkout on device {device}")
            }
            Step::Pay { order } => write!(f, "order {order} is paid"),
            Step::SendOff { order } => write!(f, "order {order} is sent off"),
            Step::Refund { order, line, units, delivery } => {
                let delivery = if *delivery { " and its delivery" } else { "" };
                write!(f, "{units} of line {line} of order {order}{delivery} are refunded")
            }
            Step::Cancel { order } => write!(f, "order {order} is cancelled"),
            Step::Edit { order, line, units } => {
                write!(f, "line {line} of order {order} is edited to {units}")
            }
            Step::Add { order, thing, units } => {
                write!(f, "{units} of thing {thing} are added to order {order}")
            }
            Step::Pick { who, device, steps, percent: false } => {
                write!(f, "customer {who} picks {steps} pounds off on device {device}")
            }
            Step::Pick { who, device, .. } => {
                write!(f, "customer {who} picks the tenth off on device {device}")
            }
            Step::TakeBack { who } => write!(f, "customer {who} takes the pick back"),
            Step::Visit { who } => write!(f, "customer {who} visits a widget"),
            Step::Adjust { who, points, twice } => {
                let twice = if *twice { ", asked twice" } else { "" };
                write!(f, "staff adjust customer {who} by {points}{twice}")
            }
            Step::Set(change) => write!(f, "the merchant sets {change:?}"),
            Step::Merge { kept, gone } => write!(f, "customer {gone} is merged into customer {kept}"),
            Step::Delete { who } => write!(f, "customer {who} is deleted"),
            Step::AtTill { who, order, what } => {
                write!(f, "customer {who}, order {order}, at the till: {what:?}")
            }
            Step::Flush { from, many } => write!(f, "the till sends {many} operations from {from} on"),
            Step::Deliver { which, fate } => write!(f, "webhook {which} is delivered: {fate:?}"),
            Step::DeliverAll { .. } => write!(f, "all webhooks that wait are delivered, shuffled"),
            Step::Work => write!(f, "the inbox works"),
            Step::Publish => write!(f, "metafields are written"),
            Step::Advance => write!(f, "holds whose time has come are looked at"),
            Step::Chores => write!(f, "points expire, and those that have waited are posted"),
            Step::Tell => write!(f, "events are told"),
            Step::Crash => write!(f, "the backend dies and is started again"),
            Step::Trip(Trip { commit, after }) => {
                let when = if *after { "after" } else { "before" };
                write!(f, "the backend will die {when} its commit {commit} in what comes next")
            }
            Step::Fail(failure) => write!(f, "Shopify will fail: {failure:?}"),
            Step::Settle => write!(f, "everything comes to rest"),
            Step::Spoil => write!(f, "the ledger is spoilt"),
        }
    }
}
