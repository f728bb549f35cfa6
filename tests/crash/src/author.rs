//! An author: sends one command after another, each until it has its final answer.
//!
//! Invariant: a command whose outcome is unknown is sent again, with the same idempotency key and body, before the
//! next command is made.

use purser_tests::prelude::*;

use super::history::{Answer, By, Command, Reported, Wanted};
use super::kinds::{Draft, KINDS, UNSEEN, refund_of};
use super::purchase::Purchase;

const BUSY_TRIES: usize = 20;

/// A client that an author created, as the last answer showed it.
#[derive(Debug, Clone)]
pub struct Own {
    pub refid: String,
    pub email: String,
    pub status: String,
}

/// Another reseller, to which credits can be transferred.
#[derive(Debug, Clone)]
pub struct Neighbour {
    pub refid: String,
    /// Whether it is a direct child of the author's reseller. If so, that reseller may transfer credits to it itself.
    pub below: bool,
}

/// A caller who sends commands about one reseller.
pub struct Author {
    place: usize,
    operator: Caller,
    pub partner: Partner,
    neighbours: Vec<Neighbour>,
    pub product: String,
    pub random: fastrand::Rng,
    /// All commands sent, in order. Only the last one may lack its answer.
    pub told: Vec<Reported>,
    clients: Vec<Own>,
}

impl Author {
    pub fn new(
        place: usize,
        operator: Caller,
        partner: Partner,
        neighbours: Vec<Neighbour>,
        product: String,
        random: fastrand::Rng,
    ) -> Self {
        Self { place, operator, partner, neighbours, product, random, told: Vec::new(), clients: Vec::new() }
    }

    /// The author's index.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Continues against the server that `operator` calls.
    pub fn move_to(&mut self, operator: &Caller) {
        self.partner.caller = operator.with_key(self.partner.caller.key());
        self.operator = operator.clone();
    }

    /// Makes a command and sends it. Returns whether its outcome is known.
    pub async fn next(&mut self, round: usize) -> bool {
        let command = self.draft();
        self.told.push(Reported::new(command));
        self.finish(round).await
    }

    /// Sends the last command again unless it has its final answer. Returns whether it has one now.
    pub async fn finish(&mut self, round: usize) -> bool {
        let Some(last) = self.told.last().filter(|told| told.answer.is_none()) else {
            return true;
        };
        let command = last.command.clone();
        for _ in 0..BUSY_TRIES {
            let sent = self.send(&command).await;
            let Some(last) = self.told.last_mut() else {
                return true;
            };
            match sent {
                Err(error) => {
                    last.tries.push(format!("round {round}: no answer ({error})"));
                    return false;
                }
                Ok((answer, replayed)) => {
                    let how = if replayed { ", replayed" } else { "" };
                    let said = String::from_utf8_lossy(&answer.bytes);
                    let line = format!("round {round}: {}{how} {said:.300}", answer.status);
                    last.tries.push(line);
                    if answer.status != 503 {
                        last.answer = Some(answer);
                        self.learn();
                        return true;
                    }
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
        false
    }

    /// Refunds the last purchase if it was carried out but its answer was lost. In the list of commands, the refund
    /// then comes before the purchase, which still lacks its answer.
    pub async fn refund_unseen(&mut self, round: usize) {
        let lost = |told: &&Reported| {
            let (command, lost) = (&told.command, told.answer.is_none());
            lost && command.wanted == Wanted::Entry && command.by == By::Reseller
        };
        let Some(last) = self.told.last().filter(lost) else {
            return;
        };
        let list = format!("/v1/resellers/{}/entries?limit=100", self.partner.refid);
        let page = self.operator.get(&list).await.expect(200);
        let mut entries = page.json["data"].as_array().into_iter().flatten();
        let own = entries.find(|entry| entry["description"] == last.command.id.as_str());
        let Some(refid) = own.and_then(|entry| entry["provision"].as_str()) else {
            return;
        };
        let path = format!("/v1/provisions/{refid}");
        let provision = self.operator.get(&path).await.expect(200);
        let Some(purchase) = Purchase::of(&provision.json) else {
            return;
        };
        let id = self.fresh();
        let draft = refund_of(&purchase, &id);
        let refund = self.command(id, UNSEEN, draft);
        let unseen = self.told.pop();
        self.told.push(Reported::new(refund));
        let _known = self.finish(round).await;
        self.told.extend(unseen);
    }

    /// Sends a command. Returns the answer, and whether it was replayed.
    pub async fn send(&self, command: &Command) -> Result<(Answer, bool), String> {
        let caller = match command.by {
            By::Operator => &self.operator,
            By::Reseller => &self.partner.caller,
        };
        let mut headers = Vec::new();
        let body = (!command.body.is_null()).then(|| command.body.to_string().into_bytes());
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        if command.keyed {
            headers.push(("idempotency-key", command.id.as_str()));
        }
        let sent = caller.try_send(command.method, &command.path, &headers, body);
        let reply = sent.await.map_err(|error| error.to_string())?;
        let replayed = reply.header("idempotency-replayed").is_some();
        Ok((Answer::from(&reply), replayed))
    }

    fn fresh(&self) -> String {
        format!("a{}-{}", self.place, self.told.len())
    }

    fn draft(&mut self) -> Command {
        let id = self.fresh();
        let all = KINDS.iter().map(|kind| kind.weight).sum();
        loop {
            let mut place = self.random.u32(0..all);
            let chosen = KINDS.iter().find(|kind| {
                let found = place < kind.weight;
                place = place.saturating_sub(kind.weight);
                found
            });
            let kind = chosen.expect("a kind");
            if let Some(draft) = (kind.draft)(self, &id) {
                return self.command(id, kind.name, draft);
            }
        }
    }

    fn command(&self, id: String, kind: &'static str, draft: Draft) -> Command {
        Command {
            id,
            kind,
            reseller: self.partner.refid.clone(),
            by: draft.by,
            method: draft.method,
            path: draft.path,
            keyed: draft.keyed,
            body: draft.body,
            wanted: draft.wanted,
        }
    }

    /// Updates the clients with what the last answer shows.
    fn learn(&mut self) {
        let Some(last) = self.told.last() else { return };
        for client in last.clients() {
            let text = |member: &str| client[member].as_str().unwrap_or_default().to_owned();
            let own = Own { refid: text("refid"), email: text("email"), status: text("status") };
            match self.clients.iter_mut().find(|known| known.refid == own.refid) {
                Some(known) => *known = own,
                None => self.clients.push(own),
            }
        }
    }

    /// The data of a client that does not exist yet.
    pub fn stranger(&self, id: &str, place: usize) -> Value {
        json!({"name": format!("Client {place} of {id}"), "email": format!("{id}-{place}@client.example")})
    }

    pub fn a_client(&mut self) -> Option<Own> {
        self.random.choice(&self.clients).cloned()
    }

    pub fn some_clients(&mut self, most: usize) -> Vec<Own> {
        self.random.choose_multiple(self.clients.iter().cloned(), most)
    }

    /// The id and the body of an earlier top-up with a reference.
    pub fn a_top_up(&mut self) -> Option<(String, Value)> {
        let with_reference = |told: &&Reported| {
            let command = &told.command;
            command.wanted == Wanted::Entry && command.body["reference"].is_string()
        };
        let entered = self.told.iter().filter(with_reference);
        let entered = entered.filter(|told| told.done().is_some());
        let entered: Vec<&Reported> = entered.collect();
        let chosen = self.random.choice(&entered)?;
        Some((chosen.command.id.clone(), chosen.command.body.clone()))
    }

    pub fn a_purchase(&mut self, like: impl Fn(&Purchase) -> bool) -> Option<Purchase> {
        let mut all = Purchase::among(&self.told);
        all.retain(like);
        self.random.choice(all)
    }

    pub fn a_neighbour(&mut self, like: impl Fn(&Neighbour) -> bool) -> Option<String> {
        let fitting = self.neighbours.iter().filter(|it| like(it));
        let fitting: Vec<&Neighbour> = fitting.collect();
        let chosen = self.random.choice(fitting)?;
        Some(chosen.refid.clone())
    }
}
