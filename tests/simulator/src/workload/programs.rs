//! Programs that share few seats: they take them, use them, give them back and ask whether they may run, while an
//! operator suspends their licences, renews them and gives them new keys.
//!
//! Invariant: what a program asks for depends only on the seed and on earlier answers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use purser_tests::prelude::*;

use crate::cloud::Process;
use crate::run::callers::CALLS;
use crate::run::deployment::{Deployment, OPERATOR_KEY};
use crate::workload::command::Party;
use crate::workload::request::Request;

/// The seats and the lease of each licence.
const LICENCES: [(u32, Option<&str>); 2] = [(2, Some("PT10M")), (1, None)];
const MACHINES: usize = 5;
const STEPS: usize = 14;
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Activate { replaces: bool },
    Heartbeat,
    Deactivate,
    Validate,
    Suspend,
    Reinstate,
    Renew,
    Rotate,
    Revoke,
}

/// One request, and its answer.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The name of the answering process in the history.
    pub name: String,
    pub act: Act,
    pub licence: String,
    pub machine: usize,
    /// When it began, in milliseconds since the start.
    pub from: u64,
    /// When it ended, likewise; `u64::MAX` until then.
    pub until: u64,
    /// `None` if no answer arrived.
    pub reply: Option<Reply>,
}

#[derive(Debug, Clone)]
struct Licence {
    refid: String,
    key: String,
}

#[derive(Debug)]
pub struct Programs {
    deployment: Rc<Deployment>,
    count: usize,
    licences: RefCell<Vec<Licence>>,
    heard: RefCell<Vec<Heard>>,
}

impl Programs {
    /// So many programs of this deployment, with their licences. Call it while there are no faults.
    pub async fn new(deployment: Rc<Deployment>, count: usize) -> Self {
        let mut licences = Vec::new();
        for (place, (seats, lease)) in LICENCES.iter().enumerate().filter(|_| count > 0) {
            let body = json!({
                "product": deployment.names.product(0), "client_id": format!("programs-{place}"),
                "parallel_uses": seats, "lease": lease,
            });
            let request = Request::post("/v1/licences".to_owned(), body);
            let minted = deployment.send(&Process::new("set-up", None), Party::Operator, &request, None).await;
            let minted = minted.expect("a process that lives").expect(201);
            licences.push(Licence { refid: minted.text("refid").to_owned(), key: minted.text("key").to_owned() });
        }
        Self { deployment, count, licences: RefCell::new(licences), heard: RefCell::default() }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// One program's day.
    pub async fn run(&self) {
        let cloud = &self.deployment.cloud;
        for _ in 0..STEPS {
            tokio::time::sleep(cloud.between(0, 1_200)).await;
            if cloud.happens(cloud.weather().turned_clock) {
                cloud.turn_clocks(cloud.between(1_000, 1_200_000));
            }
            let (act, place, machine) = (self.draw(), self.below(LICENCES.len()), self.below(MACHINES));
            if self.below(4) == 0 {
                // A program that was started twice.
                tokio::join!(self.insist(act, place, machine), self.insist(act, place, machine));
            } else {
                self.insist(act, place, machine).await;
            }
        }
    }

    fn below(&self, most: usize) -> usize {
        self.deployment.cloud.draw(|rng| rng.usize(0..most))
    }

    fn draw(&self) -> Act {
        match self.below(100) {
            0..34 => Act::Activate { replaces: false },
            34..46 => Act::Activate { replaces: true },
            46..60 => Act::Heartbeat,
            60..68 => Act::Deactivate,
            68..82 => Act::Validate,
            82..87 => Act::Suspend,
            87..93 => Act::Reinstate,
            93..96 => Act::Renew,
            96..99 => Act::Rotate,
            _ => Act::Revoke,
        }
    }

    /// Asks until there is an answer, or the program gives up.
    async fn insist(&self, act: Act, place: usize, machine: usize) {
        let cloud = &self.deployment.cloud;
        let most = cloud.draw(|rng| [1, 3, 4][rng.usize(0..3)]);
        // A renewal that is asked for again is the same one.
        let once = cloud.draw(|rng| rng.u32(..));
        for attempt in 0..most {
            if self.ask(act, (place, machine), once).await {
                return;
            }
            tokio::time::sleep(cloud.between(10, 400 << attempt)).await;
        }
    }

    /// Asks once. Returns whether the answer is final.
    async fn ask(&self, act: Act, (place, machine): (usize, usize), once: u32) -> bool {
        let deployment = &self.deployment;
        let cloud = &deployment.cloud;
        let Licence { refid, key } = self.licences.borrow()[place].clone();
        let number = self.heard.borrow().len();
        let name = format!("g.{number}");
        let (from, until) = (cloud.now(), u64::MAX);
        let licence = refid.clone();
        self.heard.borrow_mut().push(Heard { name: name.clone(), act, licence, machine, from, until, reply: None });
        cloud.note(&name, format!("machine {machine} asks for {act:?} of licence {place}"));
        let process = Process::new(name.clone(), cloud.death(CALLS));
        let (bearer, request) = request(act, &refid, &key, machine);
        let once = format!("once-{once}");
        let sent = deployment.send_as(&process, bearer, &request, bearer.is_some().then_some(&once));
        let reply = tokio::time::timeout(PATIENCE, sent).await.ok().flatten();
        let reply = reply.filter(|_| !cloud.happens(cloud.weather().hung_up));
        let told = reply.as_ref().map_or("no answer".to_owned(), |it| format!("{} {}", it.status, it.text("code")));
        cloud.note(&name, format!("→ {told}"));
        if let (Act::Rotate, Some(rotated)) = (act, reply.as_ref().filter(|it| it.status == 200)) {
            rotated.text("key").clone_into(&mut self.licences.borrow_mut()[place].key);
        }
        let answered = reply.as_ref().is_some_and(|it| it.status != 503);
        if let Some(heard) = self.heard.borrow_mut().get_mut(number) {
            (heard.until, heard.reply) = (cloud.now(), reply);
        }
        answered
    }
}

/// The request, and the API key that it carries.
fn request(act: Act, licence: &str, key: &str, machine: usize) -> (Option<&'static str>, Request) {
    let asked = json!({"key": key, "fingerprint": fingerprint(machine)});
    let by_key = |path: &str| (None, Request::post(format!("/v1/{path}"), asked.clone()));
    let by_operator =
        |verb: &str| (Some(OPERATOR_KEY), Request::plain("POST", format!("/v1/licences/{licence}/{verb}")));
    match act {
        Act::Activate { replaces: false } => by_key("activations"),
        Act::Activate { replaces: true } => {
            let asked = json!({"key": key, "fingerprint": fingerprint(machine), "replace": "oldest"});
            (None, Request::post("/v1/activations".to_owned(), asked))
        }
        Act::Heartbeat => by_key("activations/heartbeat"),
        Act::Deactivate => by_key("activations/deactivate"),
        Act::Validate => by_key("licences/validate"),
        Act::Suspend => by_operator("suspend"),
        Act::Reinstate => by_operator("reinstate"),
        Act::Renew => by_operator("renew"),
        Act::Rotate => by_operator("rotate-key"),
        Act::Revoke => by_operator("revoke"),
    }
}

pub fn fingerprint(machine: usize) -> String {
    format!("machine {machine}")
}
