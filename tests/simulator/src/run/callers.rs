//! Callers: each makes one request after another, and repeats a request that got no answer.
//!
//! Invariant: a caller that repeats a command sends the same request under the same idempotency key. The answer to
//! each attempt is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use purser_tests::prelude::*;

use crate::cloud::{Bug, Process};
use crate::run::deployment::Deployment;
use crate::workload::command::{Action, Command};
use crate::workload::generator::Generator;

/// How long a caller waits for an answer: as long as API Gateway does.
const PATIENCE: Duration = Duration::from_secs(30);
/// Roughly how many calls to the cloud a request makes.
pub const CALLS: u32 = 5;

#[derive(Debug, Clone)]
pub struct Attempt {
    pub command: u32,
    /// When it began, in milliseconds since the start.
    pub from: u64,
    /// When it ended, likewise; `u64::MAX` until then.
    pub until: u64,
    /// `None` if no answer arrived, so that the outcome is unknown to the caller.
    pub reply: Option<Reply>,
}

/// The state that all callers share.
#[derive(Debug)]
pub struct Callers {
    deployment: Rc<Deployment>,
    generator: RefCell<Generator>,
    attempts: RefCell<Vec<Attempt>>,
    /// The first command under each idempotency key, for [`Bug::FingerprintSkipped`].
    first: RefCell<BTreeMap<String, Command>>,
    most: usize,
}

impl Callers {
    /// Callers of this deployment, who together ask for this many commands.
    pub fn new(deployment: Rc<Deployment>, most: usize) -> Self {
        Self {
            generator: RefCell::new(Generator::new(deployment.cloud.clone())),
            deployment,
            attempts: RefCell::default(),
            first: RefCell::default(),
            most,
        }
    }

    pub fn commands(&self) -> Vec<Command> {
        self.generator.borrow().drawn().to_vec()
    }

    /// All attempts; their indexes are their numbers.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.borrow().clone()
    }

    /// One caller's day.
    pub async fn call(&self) {
        let cloud = &self.deployment.cloud;
        loop {
            tokio::time::sleep(cloud.between(0, 300)).await;
            if cloud.happens(cloud.weather().turned_clock) {
                cloud.turn_clocks(cloud.between(1_000, 40_000_000));
            }
            let command = {
                let mut generator = self.generator.borrow_mut();
                if generator.drawn().len() == self.most {
                    return;
                }
                generator.next()
            };
            cloud.note(&name(&command), describe(&command));
            if command.key.is_some() && cloud.draw(|rng| rng.u8(0..12)) == 0 {
                // A double click.
                tokio::join!(self.insist(&command), self.insist(&command));
            } else {
                self.insist(&command).await;
            }
        }
    }

    /// Asks until there is an answer or the caller gives up.
    async fn insist(&self, command: &Command) {
        let cloud = &self.deployment.cloud;
        let most = cloud.draw(|rng| [1, 3, 6, 6][rng.usize(0..4)]);
        for attempt in 0..most {
            if self.ask(command).await {
                return;
            }
            tokio::time::sleep(cloud.between(10, 400 << attempt)).await;
        }
        cloud.note(&name(command), "gives up");
    }

    /// Asks once. Returns whether the answer is final.
    async fn ask(&self, command: &Command) -> bool {
        let deployment = &self.deployment;
        let cloud = &deployment.cloud;
        let number = {
            let mut attempts = self.attempts.borrow_mut();
            let (from, until) = (cloud.now(), u64::MAX);
            attempts.push(Attempt { command: command.id, from, until, reply: None });
            attempts.len() - 1
        };
        let who = format!("{}.{number}", name(command));
        let number_ = u32::try_from(number).expect("few attempts");
        let process = Process::for_attempt(who.clone(), number_, cloud.death(CALLS));
        let asked = self.heard(command);
        let request = asked.request(&deployment.names);
        let sent = deployment.send(&process, asked.by, &request, asked.key.as_deref());
        let reply = tokio::time::timeout(PATIENCE, sent).await.ok().flatten();
        let reply = reply.filter(|_| !cloud.happens(cloud.weather().hung_up));
        let told = reply.as_ref().map_or("no answer".to_owned(), |it| tell(it, &request.path));
        cloud.note(&who, format!("→ {told}"));
        let answered = reply.as_ref().is_some_and(|it| !matches!(it.status, 429 | 503));
        if let Some(attempt) = self.attempts.borrow_mut().get_mut(number) {
            (attempt.until, attempt.reply) = (cloud.now(), reply);
        }
        answered
    }

    /// The command as the server understands it.
    fn heard(&self, command: &Command) -> Command {
        let Some(scope) = command.scope() else {
            return command.clone();
        };
        let mut first = self.first.borrow_mut();
        let first = first.entry(scope).or_insert_with(|| command.clone());
        if self.deployment.cloud.bug() == Some(Bug::FingerprintSkipped) {
            return first.clone();
        }
        command.clone()
    }
}

pub fn name(command: &Command) -> String {
    format!("c{}", command.id)
}

fn describe(command: &Command) -> String {
    let key = command.key.as_ref().map(|key| format!(" under {key}")).unwrap_or_default();
    format!("{:?} asks for {:?}{key}", command.by, command.action)
}

/// The parts of an answer that are the same in each run of a seed.
fn tell(reply: &Reply, path: &str) -> String {
    let json = &reply.json;
    let figures: Vec<String> = ["code", "cost", "balance", "required", "amount", "balance_after", "status", "tier"]
        .iter()
        .filter(|member| !json[**member].is_null() && (**member != "status" || reply.status < 400))
        .map(|member| format!("{member} {}", json[*member]))
        .collect();
    let replayed = reply.header("idempotency-replayed").map_or("", |_| " again");
    let verified = if path.ends_with("/verify") { &json["intact"] } else { &Value::Null };
    let verified = verified.as_bool().map_or(String::new(), |it| format!(" intact {it}"));
    format!("{}{replayed} {}{verified}", reply.status, figures.join(", "))
}

pub fn only_reads(action: &Action) -> bool {
    matches!(action, Action::ReadWallet { .. } | Action::Verify { .. })
}
