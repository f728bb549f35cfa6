//! What the callers know: the commands they sent, every attempt, and the final answers.
//!
//! Invariant: all attempts of a command have the same idempotency key and body, and the description of its entry is
//! its id. So everything that a command left in a ledger can be traced back to it.

use std::fmt::Write;

use purser_tests::prelude::*;

/// The effect that a command should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An entry; or a refusal if the wallet holds too little.
    Entry,
    /// The entry that an earlier command made, named by the id of that command.
    EntryOf(String),
    Client,
    Change,
    Refund(Refund),
    /// Two entries, one in each wallet, with this reseller as the receiver; or a refusal if the wallet holds too
    /// little.
    TransferTo(String),
    /// One of these refusals, by status and code.
    Refusal(&'static [(u16, &'static str)]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The refid of the purchase.
    pub provision: String,
    /// The refids of the licences that it revokes.
    pub licences: Vec<String>,
    pub amount: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Operator,
    /// The reseller that the command is about.
    Reseller,
}

/// A command, which may be sent several times.
#[derive(Debug, Clone)]
pub struct Command {
    /// Unique in this run; also the idempotency key, and the description of the entry.
    pub id: String,
    pub kind: &'static str,
    /// The refid of the reseller that the command is about.
    pub reseller: String,
    pub by: By,
    pub method: &'static str,
    pub path: String,
    /// Whether the request carries the id as its idempotency key.
    pub keyed: bool,
    pub body: Value,
    pub wanted: Wanted,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub bytes: Vec<u8>,
    pub json: Value,
}

impl From<&Reply> for Answer {
    fn from(reply: &Reply) -> Self {
        Self { status: reply.status, bytes: reply.bytes.clone(), json: reply.json.clone() }
    }
}

/// A command with everything that its caller saw of it.
#[derive(Debug, Clone)]
pub struct Reported {
    pub command: Command,
    pub tries: Vec<String>,
    pub answer: Option<Answer>,
}

impl Reported {
    pub fn new(command: Command) -> Self {
        Self { command, tries: Vec::new(), answer: None }
    }

    /// The answer, if the command succeeded.
    pub fn done(&self) -> Option<&Answer> {
        self.answer.as_ref().filter(|answer| answer.status < 300)
    }

    /// The entry in the answer, if the command made one.
    pub fn entry(&self) -> Option<&Value> {
        let json = &self.done()?.json;
        match &self.command.wanted {
            Wanted::Entry => Some(json.get("entry").unwrap_or(json)),
            Wanted::TransferTo(_) => Some(json),
            Wanted::Refund(_) => {
                let mut refunds = json["refunds"].as_array()?.iter();
                refunds.find(|entry| entry["description"] == self.command.id.as_str())
            }
            _ => None,
        }
    }

    /// The refund, if the command was one and succeeded.
    pub fn refund(&self) -> Option<&Refund> {
        match &self.command.wanted {
            Wanted::Refund(refund) if self.done().is_some() => Some(refund),
            _ => None,
        }
    }

    /// The provision in the answer, bought or refunded by this command.
    pub fn provision(&self) -> Option<&str> {
        self.done()?.json.get("entry")?;
        self.done()?.json["refid"].as_str()
    }

    /// How many licences the command pays for.
    pub fn units(&self) -> usize {
        let body = &self.command.body;
        match (&body["clients"], &body["client"]) {
            (Value::Array(clients), _) => clients.len(),
            (_, Value::Null) => 0,
            _ => usize::try_from(body["quantity"].as_u64().unwrap_or(1)).unwrap_or(usize::MAX),
        }
    }

    pub fn licences(&self) -> Vec<&str> {
        let done = self.done().filter(|_| self.refund().is_none());
        done.map_or_else(Vec::new, |done| licences(&done.json))
    }

    /// The clients in the answer, as they are after the command.
    pub fn clients(&self) -> Vec<&Value> {
        let Some(done) = self.done() else {
            return Vec::new();
        };
        match self.command.wanted {
            Wanted::Client | Wanted::Change => vec![&done.json],
            // A refund shows the clients as they were when it read them, possibly out of date, and changes none of
            // them.
            Wanted::Refund(_) => Vec::new(),
            _ => sold(&done.json).map(|sold| &sold["client"]).filter(|client| client.is_object()).collect(),
        }
    }

    pub fn new_addresses(&self) -> Vec<&str> {
        let body = &self.command.body;
        let asked: Vec<&Value> = match (&self.command.wanted, &body["clients"]) {
            (Wanted::Client, _) => vec![body],
            (Wanted::Entry, Value::Array(clients)) => clients.iter().collect(),
            (Wanted::Entry, _) => vec![&body["client"]],
            _ => Vec::new(),
        };
        let done = self.done().is_some();
        asked.into_iter().filter(|_| done).filter_map(|client| client["email"].as_str()).collect()
    }

    /// A short account of what the caller saw.
    pub fn history(&self) -> String {
        let Command { id, kind, method, path, body, .. } = &self.command;
        let mut text = format!("{id} ({kind}): {method} {path} {body}");
        for attempt in &self.tries {
            // Writing to a string can't fail.
            let _ = write!(text, "\n      {attempt}");
        }
        text
    }
}

pub fn licences(provision: &Value) -> Vec<&str> {
    let all = minted(provision);
    all.filter_map(|licence| licence["refid"].as_str()).collect()
}

pub fn revoked(provision: &Value) -> Vec<&str> {
    let ended = minted(provision).filter(|licence| licence["status"] == "revoked");
    ended.filter_map(|licence| licence["refid"].as_str()).collect()
}

fn minted(provision: &Value) -> impl Iterator<Item = &Value> {
    sold(provision).filter_map(|sold| sold["licences"].as_array()).flatten()
}

/// The parts of a provision, one for each client.
fn sold(provision: &Value) -> impl Iterator<Item = &Value> {
    let many = provision["results"].as_array();
    let one = many.is_none().then_some(provision);
    many.into_iter().flatten().chain(one)
}
