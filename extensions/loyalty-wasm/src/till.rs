//! What tills ask while they are offline. A till hands over what it keeps and is given back what it is to keep from then
//! on; what it kept and nobody understands is gone, and it is told so (`isNew`): then it needs another name.

use alloc::{string::String, vec::Vec};

use loyalty::Points;
use loyalty::json::Json;
use loyalty::offline::{Act, Code, Known, Operation, Queue, Queued, Settled, State};

use crate::json::{Written, object, read};

/// The answer to a question.
pub fn answer(question: &[u8]) -> String {
    read(question, |json| Some(asked(json))).unwrap_or_else(|| refused(&Queue::default(), true))
}

fn asked<J: Json>(json: &J) -> String {
    let kept = json.field("queue").and_then(|queue| Queue::read(&queue).ok());
    let (mut queue, is_new) = (kept.clone().unwrap_or_default(), kept.is_none());
    let does = json.field("do").and_then(|does| does.text());
    let integer = |name| json.field(name)?.integer();
    match does.as_deref() {
        Some("add") => {
            let act = json.field("act").and_then(|act| act_of(&act));
            let (Some(act), Some(now)) = (act, integer("now")) else { return refused(&queue, is_new) };
            let estimate =
                integer("estimate").and_then(|points| Points::new(points).ok()).unwrap_or_default();
            let added = queue.add(act, estimate, now);
            let refused = added.err().map(|refused| refused.code());
            written(&queue, is_new, &[("sequence", &added.ok()), ("refused", &refused)])
        }
        Some("batch") => written(&queue, is_new, &[("operations", &queue.batch())]),
        Some("acknowledge") => {
            let Some(next) = integer("next") else { return refused(&queue, is_new) };
            let told: Vec<Settled> = json.field("results").iter().flat_map(told).collect();
            let said = queue.acknowledge(next, &told);
            let settled: Vec<Operation> = said.settled.into_iter().map(|(kept, _)| kept.operation).collect();
            written(&queue, is_new, &[("settled", &settled), ("isRenamed", &said.is_renamed)])
        }
        Some("shown") => {
            let (Some(customer), Some(now)) = (integer("customer"), integer("now")) else {
                return refused(&queue, is_new);
            };
            let shown = queue.shown(customer, json.field("known").and_then(|known| known_of(&known)), now);
            let (age, points) = (shown.age, shown.points);
            let members: [(&str, &dyn Written); 4] =
                [("points", &points), ("expected", &shown.expected), ("age", &age), ("isOld", &shown.is_old)];
            written(&queue, is_new, &members)
        }
        _ => refused(&queue, is_new),
    }
}

fn act_of<J: Json>(json: &J) -> Option<Act> {
    let number = |name| json.field(name)?.integer();
    let customer = number("customer")?;
    match json.field("kind")?.text()?.as_str() {
        "earn" => Some(Act::Earn { order: number("order")?, customer }),
        "enrol" => Some(Act::Enrol { customer }),
        "redeem" => Some(Act::Redeem { customer, reward: String::new() }),
        _ => None,
    }
}

/// What the app said of operations. What cannot be read says nothing of any.
fn told<J: Json>(results: &J) -> impl Iterator<Item = Settled> {
    results.elements().filter_map(|said| {
        let sequence = said.field("sequence")?.integer()?;
        let state = State::parse(&said.field("state")?.text()?)?;
        Some(Settled {
            sequence,
            state,
            code: said.field("code").and_then(|code| Code::parse(&code.text()?)),
        })
    })
}

fn known_of<J: Json>(json: &J) -> Option<Known> {
    let points = Points::new(json.field("points")?.integer()?).ok()?;
    Some(Known { points, at: json.field("at")?.integer()? })
}

/// What is to be kept, and the answer beside it.
fn written(queue: &Queue, is_new: bool, said: &[(&str, &dyn Written)]) -> String {
    let mut members: Vec<(&str, &dyn Written)> =
        Vec::from([("queue", queue as &dyn Written), ("isNew", &is_new)]);
    members.extend(said);
    Said(members).written()
}

struct Said<'a>(Vec<(&'a str, &'a dyn Written)>);

impl Written for Said<'_> {
    fn write(&self, out: &mut String) {
        object(out, &self.0);
    }
}

/// A question that is none changes nothing.
fn refused(queue: &Queue, is_new: bool) -> String {
    written(queue, is_new, &[("refused", &"not_understood")])
}

impl Written for Queue {
    fn write(&self, out: &mut String) {
        let numbers = [Queue::VERSION, self.next(), self.awaited(), self.latest()];
        let [v, next, awaited, latest] = &numbers;
        let kept: Vec<&Queued> = self.operations().iter().collect();
        object(
            out,
            &[("v", v), ("next", next), ("awaited", awaited), ("latest", latest), ("operations", &kept)],
        );
    }
}

impl Written for &Queued {
    fn write(&self, out: &mut String) {
        operation(out, &self.operation, &[("estimate", &self.estimate)]);
    }
}

impl Written for Operation {
    fn write(&self, out: &mut String) {
        operation(out, self, &[]);
    }
}

fn operation(out: &mut String, operation: &Operation, beside: &[(&str, &dyn Written)]) {
    let Operation { sequence, at, act } = operation;
    let (kind, customer) = (act.name(), act.customer());
    let mut members: Vec<(&str, &dyn Written)> =
        Vec::from([("sequence", sequence as &dyn Written), ("at", at), ("kind", &kind)]);
    if let Act::Earn { order, .. } = act {
        members.push(("order", order));
    }
    if let Some(customer) = &customer {
        members.push(("customer", customer));
    }
    members.extend(beside);
    object(out, &members);
}
