//! Which room acts on which webhook.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::db::{self, Read, Tx};
use crate::ids::{CustomerId, ShopId};
use crate::inbox::{Handler, HandlerError, Message, OrderKey, Outcome};

/// Hands each message to the first room that knows its topic.
pub struct Topics(Vec<Arc<dyn Handler>>);

/// Messages that go to one room together, by their places in the batch.
struct Group {
    room: usize,
    places: Vec<usize>,
}

impl Topics {
    /// The rooms, in the order in which they are asked.
    pub fn new(rooms: Vec<Arc<dyn Handler>>) -> Self {
        Topics(rooms)
    }

    fn room(&self, topic: &str) -> Option<usize> {
        self.0.iter().position(|room| room.knows(topic))
    }

    /// As few groups as keep the order within every lane.
    fn groups(&self, batch: &[Message]) -> Result<Vec<Group>, HandlerError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut lanes: HashMap<(ShopId, &str), usize> = HashMap::new();
        for (place, message) in batch.iter().enumerate() {
            let room = self.room(&message.topic).ok_or_else(|| {
                HandlerError::Failed(format!("nobody knows the topic {} any more", message.topic))
            })?;
            let last = lanes.entry((message.shop, &message.lane)).or_default();
            let fitting = groups.iter().skip(*last).position(|group| group.room == room);
            *last = fitting.map_or(groups.len(), |after| *last + after);
            match groups.get_mut(*last) {
                Some(group) => group.places.push(place),
                None => groups.push(Group { room, places: vec![place] }),
            }
        }
        Ok(groups)
    }
}

#[async_trait]
impl Handler for Topics {
    fn knows(&self, topic: &str) -> bool {
        self.room(topic).is_some()
    }

    async fn customers_of(
        &self,
        read: &mut Read,
        orders: &[OrderKey],
    ) -> Result<HashMap<OrderKey, CustomerId>, db::Error> {
        let mut all = HashMap::new();
        for room in &self.0 {
            all.extend(room.customers_of(read, orders).await?);
        }
        Ok(all)
    }

    fn wants_beside(&self, batch: &[Message]) -> Vec<usize> {
        let Ok(groups) = self.groups(batch) else { return Vec::new() };
        if let [only] = groups.as_slice() {
            return self.0[only.room].wants_beside(batch);
        }
        let wanted = |group: &Group| {
            let messages: Vec<_> = group.places.iter().map(|&place| batch[place].clone()).collect();
            let wanted = self.0[group.room].wants_beside(&messages);
            wanted.into_iter().map(|at| group.places[at]).collect::<Vec<_>>()
        };
        groups.iter().flat_map(wanted).collect()
    }

    async fn read_beside(&self, message: &Message) -> Result<Option<String>, HandlerError> {
        match self.room(&message.topic) {
            Some(room) => self.0[room].read_beside(message).await,
            None => Ok(None),
        }
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let groups = self.groups(batch)?;
        if let [only] = groups.as_slice() {
            return self.0[only.room].handle(tx, batch).await;
        }
        let mut outcomes = vec![None; batch.len()];
        for group in &groups {
            let messages: Vec<_> = group.places.iter().map(|&place| batch[place].clone()).collect();
            let given = self.0[group.room].handle(tx, &messages).await?;
            for (place, outcome) in group.places.iter().zip(given) {
                outcomes[*place] = Some(outcome);
            }
        }
        let missing = || HandlerError::Failed("a room gave too few outcomes".into());
        outcomes.into_iter().collect::<Option<Vec<_>>>().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use uuid::Uuid;

    use super::*;
    use crate::db::{Db, Options, Timestamp};

    /// Knows the topics that begin with its name, and keeps the ids it was handed, call by call.
    struct Room(&'static str, Arc<Mutex<Vec<String>>>);

    #[async_trait]
    impl Handler for Room {
        fn knows(&self, topic: &str) -> bool {
            topic.starts_with(self.0)
        }

        fn wants_beside(&self, batch: &[Message]) -> Vec<usize> {
            (0..batch.len()).filter(|&at| batch[at].webhook_id.ends_with('?')).collect()
        }

        async fn handle(&self, _: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
            let ids: Vec<_> = batch.iter().map(|message| message.webhook_id.as_str()).collect();
            self.1.lock().unwrap().push(ids.join(" "));
            Ok(batch.iter().map(|message| Outcome::Dead(message.webhook_id.clone())).collect())
        }
    }

    fn message(topic: &str, lane: &str, id: &str) -> Message {
        Message {
            shop: ShopId(Uuid::nil()),
            id: Uuid::nil(),
            webhook_id: id.into(),
            event_id: None,
            topic: topic.into(),
            triggered_at: Timestamp::UNIX_EPOCH,
            received_at: Timestamp::UNIX_EPOCH,
            attempts: 0,
            lane: lane.into(),
            payload: Vec::new(),
            beside: None,
        }
    }

    #[tokio::test]
    async fn rooms_get_their_messages_in_few_batches_and_every_lane_keeps_its_order() {
        let calls = Arc::<Mutex<Vec<String>>>::default();
        let room = |name| Arc::new(Room(name, calls.clone())) as Arc<dyn Handler>;
        let topics = Topics::new(vec![room("orders/"), room("customers/")]);
        assert!(topics.knows("orders/paid") && !topics.knows("products/update"));
        let batch = [
            message("orders/paid", "1", "a"),
            message("customers/merge", "1", "b?"),
            message("orders/paid", "2", "c?"),
            message("orders/paid", "1", "d"),
            message("customers/merge", "2", "e"),
        ];
        assert_eq!(topics.wants_beside(&batch), [2, 1]);
        let db = Db::connect("sqlite::memory:", &Options::default()).await.unwrap();
        let mut tx = db.begin_outside().await.unwrap();
        let outcomes = topics.handle(&mut tx, &batch).await.unwrap();
        assert_eq!(*calls.lock().unwrap(), ["a c?", "b? e", "d"]);
        let ids: Vec<_> = batch.iter().map(|message| Outcome::Dead(message.webhook_id.clone())).collect();
        assert_eq!(outcomes, ids, "each outcome at its message's place");
    }

    #[tokio::test]
    async fn a_topic_that_nobody_knows_any_more_is_an_error() {
        let db = Db::connect("sqlite::memory:", &Options::default()).await.unwrap();
        let mut tx = db.begin_outside().await.unwrap();
        let lost = [message("orders/paid", "1", "a")];
        assert!(Topics::new(Vec::new()).handle(&mut tx, &lost).await.is_err());
    }
}
