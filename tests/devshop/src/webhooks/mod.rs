//! Webhooks: signed, delivered over HTTP in the background, tried again, and as unreliable as one likes.

mod deliver;
mod faults;
pub(crate) mod payloads;
mod subscription;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::ids::Ids;
use crate::settings::WebhookSettings;
pub(crate) use deliver::{Courier, Sender};
pub use faults::WebhookFaults;
pub use subscription::Subscription;

/// The shop's webhooks. Clones share them.
#[derive(Clone)]
pub struct Webhooks(Arc<Shared>);

struct Shared {
    settings: WebhookSettings,
    subscriptions: Vec<Subscription>,
    sender: Sender,
    /// None where whoever opened the shop delivers.
    courier: Option<Courier>,
    post: Mutex<Post>,
    changed: Notify,
}

struct Post {
    ids: Ids,
    faults: WebhookFaults,
    paused: bool,
    app_url: Option<String>,
    waiting: Vec<Delivery>,
    under_way: usize,
    undelivered: Vec<Delivery>,
    events: Vec<Arc<Event>>,
    attempts: Vec<Attempt>,
}

/// Something that happened in the shop and that the app subscribed to.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Such as `orders/create`.
    pub topic: String,
    /// `X-Shopify-Webhook-Id`: what to dedupe on.
    pub webhook_id: String,
    /// `X-Shopify-Event-Id`: the same for all webhooks of one action.
    pub event_id: String,
    /// `X-Shopify-Triggered-At`.
    pub triggered_at: Timestamp,
    /// All there is to say of it. The app gets the members it subscribed to.
    pub payload: Value,
}

/// A webhook that is still to be delivered, or was given up.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What happened.
    pub event: Arc<Event>,
    /// Where below the app's URL it goes.
    pub path: Arc<str>,
    /// The exact bytes that are signed.
    pub body: Arc<[u8]>,
    /// How often it was tried.
    pub attempts: usize,
    due: Instant,
    lose: bool,
    lose_answer: bool,
}

/// One attempt to deliver a webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// Such as `orders/create`.
    pub topic: String,
    /// Which webhook.
    pub webhook_id: String,
    /// Which attempt, from 1.
    pub attempt: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The app answered with this status; 2xx is delivered.
    Status(u16),
    /// No answer: refused, timed out.
    Failed(String),
    /// A fault swallowed it: the app never saw it.
    Lost,
    /// A fault swallowed the app's answer: the app saw it and will see it again.
    AnswerLost,
}

impl Webhooks {
    pub(crate) fn new(
        settings: WebhookSettings,
        subscriptions: Vec<Subscription>,
        ids: Ids,
        app_url: Option<String>,
        sender: Sender,
        courier: Option<Courier>,
    ) -> Self {
        let post = Post {
            ids,
            faults: WebhookFaults::default(),
            paused: false,
            app_url,
            waiting: Vec::new(),
            under_way: 0,
            undelivered: Vec::new(),
            events: Vec::new(),
            attempts: Vec::new(),
        };
        let (post, changed) = (Mutex::new(post), Notify::new());
        Self(Arc::new(Shared { settings, subscriptions, sender, courier, post, changed }))
    }

    /// Sends a webhook of any topic with any payload, if the app subscribed to it, once for each subscription. Webhooks
    /// of one action share `event_id`.
    pub fn send(&self, topic: &str, payload: Value, event_id: &str, at: Timestamp) {
        let mut post = self.lock();
        for subscription in self.0.subscriptions.iter().filter(|subscribed| subscribed.topic == topic) {
            let event = Event {
                topic: topic.into(),
                webhook_id: post.ids.uuid(),
                event_id: event_id.into(),
                triggered_at: at,
                payload: payload.clone(),
            };
            post.take(event, subscription);
        }
        drop(post);
        self.0.changed.notify_waiters();
    }

    /// What the app subscribed to.
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.0.subscriptions
    }

    /// A new event id, for an action that sends webhooks.
    pub fn new_event_id(&self) -> String {
        self.lock().ids.uuid()
    }

    /// Takes all that waits out of the post, the oldest first. Whoever does that delivers it, with its
    /// [headers](Webhooks::headers), and tries again what is not answered.
    pub fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut self.lock().waiting)
    }

    /// The headers that Shopify sends with a webhook.
    pub fn headers(&self, delivery: &Delivery) -> Vec<(&'static str, String)> {
        self.0.sender.headers(delivery)
    }

    /// Waits until every webhook is delivered.
    ///
    /// # Errors
    /// The webhooks given up since the last call; or, while paused or without an app, those that wait.
    pub async fn flush(&self) -> Result<(), Vec<Delivery>> {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut post = self.lock();
                if post.under_way == 0 && (post.waiting.is_empty() || post.is_stopped()) {
                    let mut left = std::mem::take(&mut post.undelivered);
                    left.extend(post.waiting.iter().cloned());
                    return if left.is_empty() { Ok(()) } else { Err(left) };
                }
            }
            changed.await;
        }
    }

    /// Forgets all that was sent and what is still waiting, as if the app were new here.
    pub fn forget(&self) {
        let mut post = self.lock();
        post.waiting.clear();
        post.undelivered.clear();
        post.events.clear();
        post.attempts.clear();
        drop(post);
        self.0.changed.notify_waiters();
    }

    /// Keeps webhooks back until [`Webhooks::resume`].
    pub fn pause(&self) {
        self.lock().paused = true;
        self.0.changed.notify_waiters();
    }

    /// Lets them go.
    pub fn resume(&self) {
        self.lock().paused = false;
        self.0.changed.notify_waiters();
    }

    /// Whether they are kept back.
    pub fn is_paused(&self) -> bool {
        self.lock().paused
    }

    /// Sets the faults of webhooks sent from now on.
    pub fn set_faults(&self, faults: WebhookFaults) {
        self.lock().faults = faults;
    }

    /// Everything that was sent, delivered or not, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.lock().events.iter().map(|event| Event::clone(event)).collect()
    }

    /// What happened, by the id of the webhook that tells of it (`X-Shopify-Webhook-Id`).
    pub fn event(&self, webhook_id: &str) -> Option<Arc<Event>> {
        self.lock().events.iter().rev().find(|event| event.webhook_id == webhook_id).cloned()
    }

    /// Every attempt, oldest first.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.lock().attempts.clone()
    }

    /// How many are not delivered yet.
    pub fn pending(&self) -> usize {
        let post = self.lock();
        post.waiting.len() + post.under_way
    }

    pub(crate) fn set_app_url(&self, url: Option<String>) {
        self.lock().app_url = url;
        self.0.changed.notify_waiters();
    }

    /// Delivers until cancelled.
    pub(crate) async fn run(self, cancelled: CancellationToken) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait = self.dispatch();
            tokio::select! {
                () = cancelled.cancelled() => return,
                () = &mut changed => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends what is due on its way and returns how long nothing more will be due.
    fn dispatch(&self) -> Duration {
        const IDLE: Duration = Duration::from_secs(3600);
        let mut post = self.lock();
        let now = Instant::now();
        loop {
            let Some(courier) = &self.0.courier else { return IDLE };
            let Some(url) = post.app_url.clone().filter(|_| !post.is_stopped()) else { return IDLE };
            if post.under_way >= self.0.settings.parallel.max(1) {
                return IDLE;
            }
            // The earliest due goes first; `min_by_key` takes the first sent among equals.
            let Some((at, due)) =
                post.waiting.iter().enumerate().map(|(at, d)| (at, d.due)).min_by_key(|&(_, due)| due)
            else {
                return IDLE;
            };
            if due > now {
                return due - now;
            }
            let delivery = post.waiting.remove(at);
            post.under_way += 1;
            let (webhooks, courier) = (self.clone(), courier.clone());
            tokio::spawn(async move { webhooks.attempt(delivery, &courier, &url).await });
        }
    }

    async fn attempt(&self, mut delivery: Delivery, courier: &Courier, app_url: &str) {
        let started = Instant::now();
        delivery.attempts += 1;
        let first = delivery.attempts == 1;
        let outcome = if first && delivery.lose {
            Outcome::Lost
        } else {
            let url = format!("{app_url}{}", delivery.path);
            match courier.deliver(&delivery, self.headers(&delivery), &url).await {
                Outcome::Status(200..=299) if first && delivery.lose_answer => Outcome::AnswerLost,
                outcome => outcome,
            }
        };
        let delivered = matches!(outcome, Outcome::Status(200..=299));
        let mut post = self.lock();
        post.attempts.push(Attempt {
            topic: delivery.event.topic.clone(),
            webhook_id: delivery.event.webhook_id.clone(),
            attempt: delivery.attempts,
            outcome,
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        post.under_way -= 1;
        if !delivered {
            match self.0.settings.retries.get(delivery.attempts - 1) {
                Some(pause) => {
                    delivery.due = Instant::now() + *pause;
                    post.waiting.push(delivery);
                }
                None => post.undelivered.push(delivery),
            }
        }
        drop(post);
        self.0.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Post> {
        self.0.post.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    /// Puts a webhook among those to be delivered, as the faults have it.
    fn take(&mut self, event: Event, subscription: &Subscription) {
        let event = Arc::new(event);
        self.events.push(Arc::clone(&event));
        let body: Arc<[u8]> = subscription.cut(&event.payload).to_string().into_bytes().into();
        let path: Arc<str> = subscription.path.as_str().into();
        let faults = self.faults;
        let copies = if self.chance(faults.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let delivery = Delivery {
                event: Arc::clone(&event),
                path: Arc::clone(&path),
                body: Arc::clone(&body),
                attempts: 0,
                due: Instant::now() + faults.delay + self.up_to(faults.reorder),
                lose: self.chance(faults.lose),
                lose_answer: self.chance(faults.lose_answer),
            };
            self.waiting.push(delivery);
        }
    }

    fn is_stopped(&self) -> bool {
        self.paused || self.app_url.is_none()
    }

    fn chance(&mut self, per_mille: u16) -> bool {
        per_mille > 0 && self.ids.below(1000) < per_mille.into()
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_millis(self.ids.below(u64::try_from(longest.as_millis()).unwrap_or(u64::MAX)))
    }
}
