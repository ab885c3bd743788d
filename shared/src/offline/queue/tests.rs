use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec,
};

use proptest::prelude::*;

use super::*;

const ADA: i64 = 7;
const BOB: i64 = 8;

fn earn(order: i64) -> Act {
    Act::Earn { order, customer: ADA }
}

fn points(points: i64) -> Points {
    Points::new(points).unwrap()
}

/// A queue of so many orders, done a second apart.
fn queue(orders: i64) -> Queue {
    let mut queue = Queue::default();
    for order in 1..=orders {
        assert_eq!(queue.add(earn(order), points(10), order * 1_000), Ok(order));
    }
    queue
}

fn said(sequence: i64, state: State, code: Code) -> Settled {
    Settled { sequence, state, code: Some(code) }
}

fn done(sequence: i64) -> Settled {
    said(sequence, State::Done, Code::Earned)
}

/// Numbers and names of what is told next.
fn told(queue: &Queue) -> Vec<(i64, &'static str)> {
    queue.batch().iter().map(|operation| (operation.sequence, operation.act.name())).collect()
}

#[test]
fn what_is_done_is_numbered_and_told_in_order_until_it_is_settled() {
    let mut queue = queue(3);
    assert_eq!(told(&queue), [(1, "earn"), (2, "earn"), (3, "earn")]);
    // The answer to it is lost: the same again.
    assert_eq!(told(&queue), told(&queue.clone()));
    let said = queue.acknowledge(3, &[done(1), said(2, State::Waiting, Code::OrderAwaited)]);
    assert!(!said.is_renamed);
    assert_eq!(said.settled.iter().map(|(kept, _)| kept.operation.sequence).collect::<Vec<_>>(), [1]);
    assert_eq!(
        told(&queue),
        [(3, "earn"), (2, "earn")],
        "what is new comes first, what waits is asked for again"
    );
    queue.acknowledge(4, &[done(3), done(2)]);
    assert_eq!((told(&queue), queue.next()), (vec![], 4));
}

#[test]
fn nothing_is_kept_twice_and_nothing_that_no_till_does() {
    let mut queue = queue(2);
    assert_eq!(queue.add(earn(1), points(10), 9_000), Ok(1));
    let redeem = Act::Redeem { customer: ADA, reward: "five".into() };
    assert_eq!(queue.add(redeem, Points::ZERO, 9_000), Err(Refused::Offline));
    assert_eq!(queue.add(Act::Lost, Points::ZERO, 9_000), Err(Refused::Offline));
    for nobody in [Act::Enrol { customer: 0 }, earn(0), Act::Earn { order: 1, customer: -1 }] {
        assert_eq!(queue.add(nobody, Points::ZERO, 9_000), Err(Refused::NoNumber));
    }
    assert_eq!(queue, self::queue(2));
    assert_eq!(
        [Refused::Offline, Refused::Full, Refused::NoNumber].map(Refused::code),
        ["offline", "queue_full", "no_number"]
    );
}

#[test]
fn a_full_queue_takes_no_more_and_loses_nothing() {
    let mut queue = queue(MOST_QUEUED as i64);
    assert_eq!(queue.add(earn(9_999), Points::ZERO, 0), Err(Refused::Full));
    assert_eq!(queue.add(earn(1), Points::ZERO, 0), Ok(1), "what is there is there");
    assert_eq!(queue, self::queue(MOST_QUEUED as i64));
    assert_eq!(queue.batch().len(), AT_ONCE);
    queue.acknowledge(101, &(1..=100).map(done).collect::<Vec<_>>());
    assert_eq!(queue.add(earn(9_999), Points::ZERO, 0), Ok(1_001));
}

#[test]
fn what_waits_does_not_stand_in_the_way_of_what_is_new() {
    let mut queue = queue(150);
    let wait: Vec<Settled> = (1..=100).map(|it| said(it, State::Waiting, Code::OrderAwaited)).collect();
    queue.acknowledge(101, &wait);
    let told = told(&queue);
    assert_eq!((told.len(), told[0].0, told[49].0, told[50].0, told[99].0), (100, 101, 150, 1, 50));
}

#[test]
fn what_was_lost_is_said_in_its_place() {
    let mut queue = queue(4);
    queue.operations.retain(|kept| kept.operation.sequence == 3);
    assert_eq!(told(&queue), [(1, "lost"), (2, "lost"), (3, "earn"), (4, "lost")]);
    assert_eq!(queue.batch().iter().map(|it| it.at).collect::<Vec<_>>(), [3_000, 3_000, 3_000, 4_000]);
    // What came too early stays.
    let said = queue.acknowledge(1, &[said(3, State::Refused, Code::Missing)]);
    assert_eq!((said.settled.len(), told(&queue).len()), (0, 4));
}

#[test]
fn a_word_of_tomorrow_settles_what_it_is_about() {
    let mut queue = queue(3);
    let told = [State::Done, State::Refused, State::Waiting];
    let told: Vec<Settled> =
        (1..).zip(told).map(|(sequence, state)| Settled { sequence, state, code: None }).collect();
    queue.acknowledge(4, &told);
    assert_eq!(self::told(&queue), [(3, "earn")]);
}

#[test]
fn what_had_another_ones_number_is_told_under_a_new_one() {
    let mut queue = queue(2);
    let said = queue.acknowledge(3, &[done(1), said(2, State::Refused, Code::SequenceReused)]);
    assert_eq!((said.settled.len(), said.is_renamed), (1, false));
    assert_eq!(told(&queue), [(3, "earn")]);
    assert_eq!(queue.operations()[0].operation.act, earn(2));
}

#[test]
fn a_till_that_has_forgotten_its_numbers_takes_another_name() {
    // Three are told of, of which this copy of its memory knows two.
    let mut queue = queue(2);
    let wait = said(1, State::Waiting, Code::OrderAwaited);
    assert!(queue.acknowledge(4, &[wait, done(2)]).is_renamed);
    assert_eq!((told(&queue), queue.next(), queue.awaited()), (vec![(1, "earn")], 2, 1));
    for nonsense in [0, -1, i64::MIN, i64::MAX, LIMIT] {
        let mut queue = self::queue(2);
        assert!(queue.acknowledge(nonsense, &[]).is_renamed, "{nonsense}");
        assert_eq!(told(&queue), [(1, "earn"), (2, "earn")]);
    }
    // The app was set back by more than the queue could have kept.
    let mut old = Queue { next: 5_000, awaited: 5_000, ..Queue::default() };
    assert!(!old.clone().acknowledge(4_001, &[]).is_renamed);
    assert!(old.acknowledge(3_000, &[]).is_renamed);
}

#[test]
fn a_clock_that_goes_back_changes_no_order_and_leaves_nobody_with_an_age() {
    let mut queue = queue(2);
    assert_eq!(queue.add(earn(3), points(10), 500), Ok(3));
    assert_eq!(queue.add(earn(4), points(10), i64::MIN), Ok(4));
    assert_eq!(queue.batch().iter().map(|it| it.at).collect::<Vec<_>>(), [1_000, 2_000, 2_000, 2_000]);
    let mut ahead = Queue::default();
    ahead.add(earn(1), Points::ZERO, i64::MAX).unwrap();
    assert_eq!(ahead.latest(), LAST_MOMENT, "a date that can be written");
    let known = Some(Known { points: points(100), at: 5_000 });
    let shown = |now| queue.shown(ADA, known, now);
    let fresh = Shown { points: Some(points(100)), expected: points(40), age: Some(0), is_old: false };
    assert_eq!(shown(5_000), fresh);
    assert_eq!(shown(4_999), Shown { age: None, is_old: true, ..fresh });
    assert_eq!(shown(5_000 + OLD_AFTER), Shown { age: Some(OLD_AFTER), ..fresh });
    assert_eq!(shown(5_001 + OLD_AFTER), Shown { age: Some(OLD_AFTER + 1), is_old: true, ..fresh });
    let least = Some(Known { points: points(100), at: i64::MIN });
    assert_eq!(queue.shown(ADA, least, i64::MAX).age, None);
}

#[test]
fn a_balance_is_what_was_known_and_what_the_customers_own_orders_will_bring() {
    let mut queue = queue(2);
    queue.add(Act::Earn { order: 9, customer: BOB }, Points::MOST, 0).unwrap();
    queue.add(Act::Earn { order: 10, customer: BOB }, Points::MOST, 0).unwrap();
    queue.add(Act::Enrol { customer: BOB }, points(-5), 0).unwrap();
    let nobody_knows = Shown { points: None, expected: points(20), age: None, is_old: true };
    assert_eq!(queue.shown(ADA, None, 0), nobody_knows);
    assert_eq!(queue.shown(BOB, None, 0).expected, Points::MOST);
    assert_eq!(queue.shown(99, None, 0).expected, Points::ZERO);
}

#[cfg(feature = "serde")]
#[test]
fn only_what_a_queue_can_be_is_read() {
    use serde_json::{Value, json};

    let sound = json!({"v": 1, "next": 4, "awaited": 2, "latest": 3_000, "operations": [
        {"sequence": 1, "at": 1_000, "kind": "earn", "order": 1, "customer": 7, "estimate": 10},
        {"sequence": 3, "at": 3_000, "kind": "enrol", "customer": 8, "estimate": 0},
    ]});
    let read = |json: &Value| Queue::read(&json);
    let queue = read(&sound).unwrap();
    assert_eq!(told(&queue), [(2, "lost"), (3, "enrol"), (1, "earn")]);
    for (pointer, bad) in [
        ("/v", json!(2)),
        ("/next", json!(3)),
        ("/next", json!(0)),
        ("/next", json!(1.5)),
        ("/awaited", json!(5)),
        ("/awaited", json!(null)),
        ("/latest", json!(2_999)),
        ("/latest", json!(-1)),
        ("/operations", json!(null)),
        ("/operations/0/sequence", json!(3)),
        ("/operations/0/at", json!(3_001)),
        ("/operations/0/kind", json!("redeem")),
        ("/operations/0/kind", json!("lost")),
        ("/operations/0/order", json!("1")),
        ("/operations/0/customer", json!(0)),
        ("/operations/0/estimate", json!(-1)),
        ("/operations/1/estimate", json!(LIMIT + 1)),
    ] {
        let mut value = sound.clone();
        *value.pointer_mut(pointer).unwrap() = bad;
        assert!(read(&value).is_err(), "{value}");
    }
    let many: Vec<Value> = (1..=MOST_QUEUED as i64 + 1)
        .map(|at| json!({"sequence": at, "at": 0, "kind": "enrol", "customer": at, "estimate": 0}))
        .collect();
    let value = json!({"v": 1, "next": 2_000, "awaited": 1, "latest": 0, "operations": many});
    assert!(read(&value).is_err());
}

/// The app, as naively as can be: by device, what it was told under each number.
#[derive(Default)]
struct App {
    devices: BTreeMap<String, Vec<Act>>,
    known_orders: BTreeSet<i64>,
}

impl App {
    fn take(&mut self, device: &str, told: &[Operation]) -> (i64, Vec<Settled>) {
        let taken = self.devices.entry(device.to_string()).or_default();
        let answers = told.iter().map(|Operation { sequence, act, .. }| {
            let at = *sequence as usize - 1;
            if at > taken.len() {
                return said(*sequence, State::Refused, Code::Missing);
            }
            if at == taken.len() {
                taken.push(act.clone());
            }
            match &taken[at] {
                other if other != act => said(*sequence, State::Refused, Code::SequenceReused),
                Act::Earn { order, .. } if !self.known_orders.contains(order) => {
                    said(*sequence, State::Waiting, Code::OrderAwaited)
                }
                Act::Earn { .. } => done(*sequence),
                Act::Lost => said(*sequence, State::Done, Code::Lost),
                _ => said(*sequence, State::Done, Code::Enrolled),
            }
        });
        let answers = answers.collect();
        (taken.len() as i64 + 1, answers)
    }

    fn was_told(&self, act: &Act) -> bool {
        self.devices.values().flatten().any(|told| told == act)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Earn(i64),
    Enrol(i64),
    /// The till tells; the answer may be lost, and an earlier one may come in its place.
    Tell {
        answer_is_lost: bool,
        old_answer: bool,
    },
    /// Shopify tells the app of the order.
    Known(i64),
    /// The app loses the last of what it was told.
    SetBack(usize),
    /// The till finds its memory as it was some steps ago.
    Restored,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..30_i64).prop_map(Step::Earn),
        2 => (1..9_i64).prop_map(Step::Enrol),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(lost, old)| Step::Tell { answer_is_lost: lost, old_answer: old && !lost }),
        3 => (1..30_i64).prop_map(Step::Known),
        1 => (0..4_usize).prop_map(Step::SetBack),
        1 => Just(Step::Restored),
    ];
    proptest::collection::vec(step, 0..80)
}

proptest! {
    /// Whatever is lost on the way: all that the till still remembers is told, and in the end it has nothing left.
    #[test]
    fn everything_is_told_whatever_becomes_of_answers_and_of_memory(steps in steps()) {
        let (mut queue, mut app) = (Queue::default(), App::default());
        // Names are made up by chance, so that none comes again.
        let (mut device, mut names) = (0, 0..);
        names.next();
        let mut old = (queue.clone(), 0);
        let mut answer = None;
        for (now, step) in (0..).zip(steps) {
            match step {
                Step::Earn(order) => { queue.add(earn(order), points(1), now).unwrap(); }
                Step::Enrol(customer) => { queue.add(Act::Enrol { customer }, Points::ZERO, now).unwrap(); }
                Step::Tell { answer_is_lost, old_answer } => {
                    let new = app.take(&device.to_string(), &queue.batch());
                    let (awaited, told) = answer.replace((device, new.clone()))
                        .filter(|(of, _)| old_answer && *of == device).map_or(new, |(_, old)| old);
                    if !answer_is_lost && queue.acknowledge(awaited, &told).is_renamed {
                        device = names.next().unwrap();
                    }
                }
                Step::Known(order) => { app.known_orders.insert(order); }
                Step::SetBack(count) => if let Some(told) = app.devices.get_mut(&device.to_string()) {
                    told.truncate(told.len().saturating_sub(count));
                }
                Step::Restored => { answer = None; (queue, device) = core::mem::replace(&mut old, (queue.clone(), device)); }
            }
            prop_assert!(queue.is_in_order(), "{queue:?}");
        }
        let kept: Vec<Act> = queue.operations().iter().map(|kept| kept.operation.act.clone()).collect();
        app.known_orders.extend(1..30);
        for _ in 0..20 {
            let (awaited, told) = app.take(&device.to_string(), &queue.batch());
            if queue.acknowledge(awaited, &told).is_renamed {
                device = names.next().unwrap();
            }
        }
        prop_assert!(queue.operations().is_empty(), "{queue:?}");
        prop_assert!(kept.iter().all(|act| app.was_told(act)));
    }
}
