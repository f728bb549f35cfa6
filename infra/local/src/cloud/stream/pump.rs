//! The task that keeps the stream flowing.
//!
//! Invariant: [`Pump::settled`] resolves only after an empty read that began after the call, and after everything sent
//! by then is drained.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::delivery::{Terms, deliver};
use super::{Consumer, Drained, StreamError, StreamReader};
use crate::cloud::dead_letters::{DeadLetter, DeadLetters};

/// The pause before the next read if the last one found less than it could take, unless somebody waits for it. Without
/// it, writes that come one after the other would be handed over one by one, and what is done once a batch would be
/// done once a write.
const POLL: Duration = Duration::from_millis(20);

const AFTER_ERROR: Duration = Duration::from_secs(1);

/// A handle on a running pump. Clones are handles on the same one.
#[derive(Clone)]
pub struct Pump {
    wake: Arc<Notify>,
    waiting: mpsc::UnboundedSender<oneshot::Sender<()>>,
    stop: Arc<watch::Sender<bool>>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
    dead_letters: DeadLetters,
}

struct Run {
    reader: StreamReader,
    consumers: Vec<Arc<Consumer>>,
    drained: Drained,
    terms: Terms,
    wake: Arc<Notify>,
    waiting: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
}

impl StreamReader {
    /// Starts handing the stream to all `consumers` concurrently; each gets every record.
    ///
    /// A batch that a consumer does not take is retried as the template says, with growing pauses.
    pub fn pump(self, consumers: Vec<Consumer>, drained: Drained, dead_letters: DeadLetters) -> Pump {
        let wake = Arc::new(Notify::new());
        let (waiting, registered) = mpsc::unbounded_channel();
        let (stop, stopping) = watch::channel(false);
        let run = Run {
            reader: self,
            consumers: consumers.into_iter().map(Arc::new).collect(),
            drained,
            terms: Terms { dead_letters: dead_letters.clone(), stop: stopping },
            wake: Arc::clone(&wake),
            waiting: registered,
        };
        Pump {
            wake,
            waiting,
            stop: Arc::new(stop),
            task: Arc::new(Mutex::new(Some(tokio::spawn(run.until_stopped())))),
            dead_letters,
        }
    }
}

impl Pump {
    fn poke(&self) {
        self.wake.notify_one();
    }

    /// Resolves when everything written before the call is delivered and drained, or when the pump has ended.
    pub async fn settled(&self) {
        let (answer, answered) = oneshot::channel();
        if self.waiting.send(answer).is_ok() {
            self.poke();
            // An error means that the pump has ended.
            drop(answered.await);
        }
    }

    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.dead_letters.all()
    }

    /// Ends the pump after the calls in flight. Batches that are not finished are delivered again after the next
    /// start.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        let task = {
            let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
            task.take()
        };
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the stream's task failed");
        }
    }
}

impl Run {
    async fn until_stopped(mut self) {
        let limit = self.consumers.iter().map(|it| it.spec.batch_size).max();
        let limit = limit.unwrap_or(1).max(1);
        let mut waiting = Vec::new();
        // The pump also ends when the last handle is dropped.
        while !*self.terms.stop.borrow() && self.terms.stop.has_changed().is_ok() {
            // Before the read, because a caller that registers during it must wait for the next one.
            while let Ok(waiter) = self.waiting.try_recv() {
                waiting.push(waiter);
            }
            let outcome = match self.reader.read(limit) {
                Ok(records) if !records.is_empty() => {
                    let is_full = records.len() >= limit;
                    let handed_over = self.hand_over(records).await;
                    if !is_full && handed_over.is_ok() && waiting.is_empty() {
                        self.rest(POLL).await;
                    }
                    handed_over
                }
                Ok(_) if waiting.is_empty() => {
                    self.rest(POLL).await;
                    Ok(())
                }
                Ok(_) => self.answer(&mut waiting).await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                tracing::error!(%error, "the stream is stalled");
                self.rest(AFTER_ERROR).await;
            }
        }
    }

    async fn hand_over(&mut self, records: Vec<Value>) -> Result<(), StreamError> {
        let records = Arc::new(records);
        let mut deliveries = JoinSet::new();
        for consumer in &self.consumers {
            let (consumer, records) = (Arc::clone(consumer), Arc::clone(&records));
            let terms = self.terms.clone();
            deliveries.spawn(async move { deliver(&consumer, &records, terms).await });
        }
        let delivered = deliveries.join_all().await.into_iter().all(|it| it);
        if delivered
            && self.is_drained().await
            && let Some(last) = records.last()
        {
            self.reader.advance(last)?;
        }
        Ok(())
    }

    /// Answers the waiting callers, unless draining has brought new records.
    async fn answer(&mut self, waiting: &mut Vec<oneshot::Sender<()>>) -> Result<(), StreamError> {
        if self.is_drained().await && self.reader.read(1)?.is_empty() {
            for waiter in waiting.drain(..) {
                // A caller that no longer waits is not an error.
                let _ = waiter.send(());
            }
        }
        Ok(())
    }

    /// Waits until everything sent is drained. Returns false if the pump must end first.
    async fn is_drained(&mut self) -> bool {
        tokio::select! {
            () = (self.drained)() => true,
            _ = self.terms.stop.wait_for(|stop| *stop) => false,
        }
    }

    async fn rest(&mut self, pause: Duration) {
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = self.terms.stop.wait_for(|stop| *stop) => {}
        }
    }
}
