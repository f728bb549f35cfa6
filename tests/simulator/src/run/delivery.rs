//! The stream and the bus between the table and the functions that consume changes, delivering as Lambda and
//! EventBridge do. Each reader of the stream has batches, retries and duplicates of its own.
//!
//! Invariant: changes of the same item stay in order; everything else may arrive late, twice or in another order.
//! Whatever was given up on is kept and redriven, so that in the end only unreadable records are left.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use aws_lambda_events::dynamodb::EventRecord;
use purser_local::cloud::stream::StreamReader;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::spawn_local;

use crate::cloud::{Bug, Process};
use crate::run::callers::CALLS;
use crate::run::deployment::Deployment;

/// The functions that read the stream, each with its batching window in milliseconds.
const READERS: [(&str, u64); 2] = [("relay", 200), ("project-timeline", 1_000)];
/// The nouns that the event filters hide from every reader of the stream: the items that the roll-ups keep for
/// themselves.
const UNTOLD: [&str; 4] = ["TL", "DM", "RU", "RL"];
/// The number of shards of the stream, each of which is read at its own pace.
const SHARDS: usize = 3;
/// How many records are read from the table's stream at a time.
const READ: usize = 100;
const BATCH: usize = 10;
/// How often a record that fails on its own is tried again. The template sets the same number.
const RECORD_TRIES: u32 = 10;
/// How many times an event is tried. With the pauses, this mostly outlasts the lease of a claim.
const EVENT_TRIES: u32 = 9;

#[derive(Debug)]
pub struct Delivery {
    deployment: Rc<Deployment>,
    readers: Vec<Reader>,
    busy: Cell<usize>,
    heard: Cell<usize>,
    given_up: RefCell<Vec<Work>>,
    handled: RefCell<Vec<Process>>,
    poisoned: Cell<usize>,
    runs: Cell<u32>,
}

/// A function that reads the stream, with the records it has not processed yet.
#[derive(Debug)]
struct Reader {
    function: &'static str,
    gathers: u64,
    shards: [RefCell<VecDeque<EventRecord>>; SHARDS],
    told: [Notify; SHARDS],
}

/// Something that a function gave up on.
#[derive(Debug, Clone)]
enum Work {
    Record(&'static str, Box<EventRecord>),
    Event(String, Value),
}

impl Delivery {
    pub fn begin(deployment: Rc<Deployment>) -> Rc<Self> {
        let reader =
            |(function, gathers)| Reader { function, gathers, shards: Default::default(), told: Default::default() };
        let delivery = Rc::new(Self {
            deployment,
            readers: READERS.into_iter().map(reader).collect(),
            busy: Cell::new(0),
            heard: Cell::new(0),
            given_up: RefCell::default(),
            handled: RefCell::default(),
            poisoned: Cell::new(0),
            runs: Cell::new(0),
        });
        spawn_local(Rc::clone(&delivery).read());
        for reader in 0..READERS.len() {
            for shard in 0..SHARDS {
                spawn_local(Rc::clone(&delivery).hand_over(reader, shard));
            }
        }
        delivery
    }

    /// Every run of a function that received an event.
    pub fn handled(&self) -> Vec<Process> {
        self.handled.borrow().clone()
    }

    /// How many unreadable records were put into the stream.
    pub fn poisoned(&self) -> usize {
        self.poisoned.get()
    }

    /// Waits until nothing is in progress, and redrives what was given up on. Returns how many records and events
    /// still fail.
    pub async fn settle(&self) -> usize {
        loop {
            self.wait().await;
            let before = self.given_up.borrow().len();
            let mut left = Vec::new();
            for work in self.given_up.take() {
                if !self.redrive(&work).await {
                    left.push(work);
                }
            }
            self.given_up.borrow_mut().extend(left);
            if self.given_up.borrow().len() == before && self.is_idle() {
                return before;
            }
        }
    }

    fn is_idle(&self) -> bool {
        let heard = self.deployment.cloud.told(self.heard.get()).is_empty();
        let mut shards = self.readers.iter().flat_map(|it| &it.shards);
        heard && self.busy.get() == 0 && shards.all(|it| it.borrow().is_empty())
    }

    async fn wait(&self) {
        // Together the three quiet periods are longer than a read of the stream and than the lease of a claim.
        let mut quiet = 0;
        while quiet < 3 {
            tokio::time::sleep(Duration::from_secs(30)).await;
            quiet = if self.is_idle() { quiet + 1 } else { 0 };
        }
    }

    async fn redrive(&self, work: &Work) -> bool {
        let deployment = &self.deployment;
        match work {
            Work::Record(function, record) => {
                let process = Process::new(self.run_of("redrive"), None);
                let batch = vec![EventRecord::clone(record)];
                deployment.read_stream(&process, function, batch).await == Some(None)
            }
            Work::Event(function, event) => {
                let process = self.process(function, event);
                deployment.consume(&process, function, event).await == Some(Ok(()))
            }
        }
    }

    fn run_of(&self, function: &str) -> String {
        self.runs.set(self.runs.get() + 1);
        format!("{function}.{}", self.runs.get())
    }

    fn process(&self, function: &str, event: &Value) -> Process {
        let id = event["detail"]["id"].as_str().unwrap_or_default().to_owned();
        let name = self.run_of(function);
        let process = Process::for_event(name, id, self.deployment.cloud.death(CALLS));
        self.handled.borrow_mut().push(process.clone());
        process
    }

    /// Reads the stream, and receives the events on the bus.
    async fn read(self: Rc<Self>) {
        let cloud = self.deployment.cloud.clone();
        let table = cloud.table();
        let mut reader = StreamReader::of(table.database(), table.name(), None).expect("a stream");
        let mut seen = 0;
        loop {
            tokio::time::sleep(cloud.between(5, 100)).await;
            let written = table.commit_count();
            // If nothing was committed since the last read, the stream has nothing new.
            if written > seen {
                let records = reader.read(READ).expect("records");
                if records.len() < READ {
                    seen = written;
                }
                for record in records {
                    reader.advance(&record).expect("a position");
                    self.enqueue(record);
                }
            }
            for told in cloud.told(self.heard.get()) {
                self.heard.set(self.heard.get() + 1);
                for function in self.deployment.consumers(&told.event) {
                    let twice = cloud.happens(cloud.weather().duplicate);
                    if twice {
                        cloud.note(&function, "is delivered an event twice");
                    }
                    for _ in 0..=usize::from(twice) {
                        self.busy.set(self.busy.get() + 1);
                        spawn_local(Rc::clone(&self).deliver(function.clone(), told.event.clone()));
                    }
                }
            }
        }
    }

    fn enqueue(&self, record: Value) {
        let cloud = &self.deployment.cloud;
        let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap_or_default();
        if UNTOLD.iter().any(|noun| pk.starts_with(noun)) {
            return;
        }
        // The shard depends only on the first two letters of the key, which are the same in each run of a seed. So
        // all items of a kind share a shard, and with them all versions of one item.
        let kind = pk.bytes().take(2).map(usize::from).sum::<usize>();
        let read = |record: Value| serde_json::from_value(record).expect("a record");
        let mut poison = record.clone();
        poison["dynamodb"]["NewImage"] = json!({"kind": {"S": "client"}, "doc": {"S": "unreadable"}});
        let (record, poison): (EventRecord, EventRecord) = (read(record), read(poison));
        for reader in &self.readers {
            let mut shard = reader.shards[kind % SHARDS].borrow_mut();
            if cloud.happens(cloud.weather().poison / 8) {
                self.poisoned.set(self.poisoned.get() + 1);
                shard.push_back(poison.clone());
            }
            shard.push_back(record.clone());
            reader.told[kind % SHARDS].notify_one();
        }
    }

    async fn hand_over(self: Rc<Self>, reader: usize, shard: usize) {
        let cloud = self.deployment.cloud.clone();
        let reader = &self.readers[reader];
        let (function, queue) = (reader.function, &reader.shards[shard]);
        let mut failures_of_first = 0;
        loop {
            while queue.borrow().is_empty() {
                reader.told[shard].notified().await;
            }
            tokio::time::sleep(self.pause(function, 4, (reader.gathers, 20_000))).await;
            let waiting: Vec<EventRecord> = queue.borrow().iter().take(BATCH).cloned().collect();
            // After a failure, batches get smaller and smaller, so that a bad record ends up alone.
            let most = waiting.len() >> failures_of_first.min(4);
            let size = 1 + cloud.draw(|rng| rng.usize(0..most.max(1)));
            let batch = waiting.get(..size).unwrap_or(&waiting);
            let done = self.work_off(function, batch).await;
            failures_of_first = if done > 0 { 0 } else { failures_of_first + 1 };
            let mut queue = queue.borrow_mut();
            if done > 0 && cloud.happens(cloud.weather().duplicate) {
                cloud.note(function, "is delivered a batch twice");
            } else {
                queue.drain(..done);
            }
            if failures_of_first > RECORD_TRIES
                && let Some(record) = queue.pop_front()
            {
                cloud.note(function, "gives up on a record");
                let mut given_up = self.given_up.borrow_mut();
                given_up.push(Work::Record(function, Box::new(record)));
                failures_of_first = 0;
            }
        }
    }

    /// How long a delivery takes: up to `usual` milliseconds, or rarely between `usual` and `most`.
    fn pause(&self, to: &str, rarely: u16, (usual, most): (u64, u64)) -> Duration {
        let cloud = &self.deployment.cloud;
        if cloud.happens(cloud.weather().straggler / rarely) {
            cloud.note(to, "receives a delivery late");
            return cloud.between(usual, most);
        }
        cloud.between(1, usual)
    }

    /// Runs a function on a batch. Returns how many of its records are done.
    async fn work_off(&self, function: &'static str, batch: &[EventRecord]) -> usize {
        let cloud = &self.deployment.cloud;
        let process = Process::new(self.run_of(function), cloud.death(CALLS));
        let read = self.deployment.read_stream(&process, function, batch.to_vec()).await;
        match (cloud.bug(), function, read) {
            (Some(Bug::AcknowledgedBeforeTheBus), "relay", _)
            | (Some(Bug::AcknowledgedBeforeTheMarks), "project-timeline", _)
            | (.., Some(None)) => batch.len(),
            (.., Some(Some(failed))) => {
                let number = |it: &EventRecord| it.change.sequence_number.as_ref() == Some(&failed);
                batch.iter().position(number).unwrap_or(batch.len())
            }
            (.., None) => 0,
        }
    }

    /// Delivers an event to a function until the function succeeds or the attempts are used up.
    async fn deliver(self: Rc<Self>, function: String, event: Value) {
        let cloud = self.deployment.cloud.clone();
        tokio::time::sleep(self.pause(&function, 1, (300, 90_000))).await;
        let mut taken = false;
        for attempt in 0..EVENT_TRIES {
            let process = self.process(&function, &event);
            taken = self.deployment.consume(&process, &function, &event).await == Some(Ok(()));
            if taken {
                break;
            }
            tokio::time::sleep(cloud.between(100, 500 << attempt)).await;
        }
        if !taken {
            cloud.note(&function, "gives up on an event");
            self.given_up.borrow_mut().push(Work::Event(function, event));
        }
        self.busy.set(self.busy.get() - 1);
    }
}
