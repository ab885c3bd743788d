//! What messages need to ask Shopify before they can be acted upon. No transaction is open meanwhile.
//!
//! Every shop asks for itself and has places of its own. So one that has much to ask, or that is answered slowly, takes
//! neither place nor time from another: whoever is through is acted upon, whoever else still asks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout};

use super::Inner;
use super::handler::{Handler, HandlerError, Message, Outcome};
use crate::config::duration;
use crate::db;
use crate::ids::ShopId;

/// How many messages of one shop are asked about at once.
const AT_ONCE: usize = 4;

/// A message that asks, or that waits in its lane behind one that does.
pub(super) struct Waiting {
    message: Message,
    asks: bool,
}

/// What came of asking.
#[derive(Default)]
pub(super) struct Asked {
    /// With what was read beside them, in the order of their shops' lanes.
    pub ready: Vec<Message>,
    /// What was asked for and cannot be had now.
    pub late: Vec<(Message, Outcome)>,
}

/// Messages that can be acted upon at once, and those that ask first, with whatever is behind them in their lanes.
pub(super) fn split(messages: Vec<Message>, asking: &[usize]) -> (Vec<Message>, Vec<Waiting>) {
    if asking.is_empty() {
        return (messages, Vec::new());
    }
    let asking: HashSet<usize> = asking.iter().copied().collect();
    let mut lanes: HashSet<(ShopId, String)> = HashSet::new();
    let (mut ready, mut waiting) = (Vec::new(), Vec::new());
    for (at, message) in messages.into_iter().enumerate() {
        let (lane, asks) = ((message.shop, message.lane.clone()), asking.contains(&at));
        if asks || lanes.contains(&lane) {
            lanes.insert(lane);
            waiting.push(Waiting { message, asks });
        } else {
            ready.push(message);
        }
    }
    (ready, waiting)
}

/// Asks, shop beside shop: one answer for each, as it is through.
pub(super) fn ask(inbox: &Inner, waiting: Vec<Waiting>) -> JoinSet<Result<Asked, db::Error>> {
    let mut shops: BTreeMap<ShopId, Vec<Waiting>> = BTreeMap::new();
    for one in waiting {
        shops.entry(one.message.shop).or_default().push(one);
    }
    // What begins in the first half has the other half to be answered, both well within the lease, so that what was read
    // is not lost with it.
    let half = duration(inbox.settings.lease) / 6;
    let mut asking = JoinSet::new();
    for of_shop in shops.into_values() {
        asking.spawn(ask_for_shop(inbox.handler.clone(), of_shop, half));
    }
    asking
}

/// Asks for one shop's messages. Those that had no turn in time are left as they are: they have not failed.
async fn ask_for_shop(
    handler: Arc<dyn Handler>,
    waiting: Vec<Waiting>,
    half: Duration,
) -> Result<Asked, db::Error> {
    let mut begin_until = Instant::now() + half;
    let mut to_ask = waiting.iter().enumerate().filter(|(_, one)| one.asks);
    let mut reading = JoinSet::new();
    let mut places: HashMap<Id, usize> = HashMap::new();
    let mut answers: HashMap<usize, Result<Option<String>, HandlerError>> = HashMap::new();
    loop {
        while reading.len() < AT_ONCE && Instant::now() < begin_until {
            let Some((at, one)) = to_ask.next() else { break };
            let (handler, message) = (handler.clone(), one.message.clone());
            // A task for each, so that a panic is a failure of one message.
            let task = reading.spawn(async move { timeout(half, handler.read_beside(&message)).await });
            places.insert(task.id(), at);
        }
        let Some(read) = reading.join_next_with_id().await else { break };
        let (id, answer) = match read {
            Ok((id, Ok(answer))) => (id, answer),
            Ok((id, Err(_))) => {
                // The next ones would fare no better.
                begin_until = Instant::now();
                (id, Err(HandlerError::Failed("no answer in time".into())))
            }
            Err(error) => (error.id(), Err(HandlerError::Failed("the handler panicked".into()))),
        };
        if let Some(at) = places.remove(&id) {
            answers.insert(at, answer);
        }
    }
    drop(to_ask);
    sort(waiting, answers)
}

/// Who goes on and who does not, with whatever is behind them in their lanes.
fn sort(
    waiting: Vec<Waiting>,
    mut answers: HashMap<usize, Result<Option<String>, HandlerError>>,
) -> Result<Asked, db::Error> {
    let mut asked = Asked::default();
    let mut stopped: HashSet<String> = HashSet::new();
    for (at, Waiting { mut message, asks }) in waiting.into_iter().enumerate() {
        if stopped.contains(&message.lane) {
            continue;
        }
        match (asks, answers.remove(&at)) {
            (false, _) => asked.ready.push(message),
            (true, Some(Ok(beside))) => {
                message.beside = beside;
                asked.ready.push(message);
            }
            (true, Some(Err(HandlerError::Database(error)))) if error.is_unavailable() => return Err(error),
            (true, Some(Err(error))) => {
                let outcome = error.outcome();
                if matches!(outcome, Outcome::Later(_)) {
                    stopped.insert(message.lane.clone());
                }
                asked.late.push((message, outcome));
            }
            (true, None) => {
                stopped.insert(message.lane);
            }
        }
    }
    Ok(asked)
}
