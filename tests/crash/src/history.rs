//! What the callers know: the commands they sent, every try, and the final answers.
//!
//! Invariant: a command has one key and one body for all its tries, and its description is its id, so whatever it
//! left in a ledger can be traced to it.

use std::fmt::Write;

use serde_json::Value;

use purser_tests::Reply;

/// What a command should come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An entry, or none when the wallet holds too little.
    Entry,
    /// The entry that this earlier command made.
    EntryOf(String),
    /// A client.
    Client,
    /// A changed client.
    Change,
    /// This refund.
    Refund(Refund),
    /// Two entries, one here and one in the wallet of this reseller, or none when the wallet holds too little.
    TransferTo(String),
    /// One of these refusals, by status and code.
    Refusal(&'static [(u16, &'static str)]),
}

/// What a refund returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The purchase, by refid.
    pub provision: String,
    /// The licences that end with it.
    pub licences: Vec<String>,
    /// How many credits come back.
    pub amount: u64,
}

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The operator.
    Operator,
    /// The reseller whose wallet it is about.
    Reseller,
}

/// A command as it is sent, however often.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its name in this run, which is its idempotency key and its description as well.
    pub id: String,
    /// Which kind it is of.
    pub kind: &'static str,
    /// Whose wallet, or whose clients, it is about.
    pub reseller: String,
    /// Who sends it.
    pub by: By,
    /// Its method.
    pub method: &'static str,
    /// Its path.
    pub path: String,
    /// Whether it carries its id as idempotency key.
    pub keyed: bool,
    /// Its body.
    pub body: Value,
    /// What it should come to.
    pub wanted: Wanted,
}

/// A final answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as JSON.
    pub json: Value,
}

impl From<&Reply> for Answer {
    fn from(reply: &Reply) -> Self {
        Self { status: reply.status, bytes: reply.bytes.clone(), json: reply.json.clone() }
    }
}

/// A command with all that its caller saw of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The command.
    pub command: Command,
    /// One line for each try.
    pub tries: Vec<String>,
    /// The final answer, once there is one.
    pub answer: Option<Answer>,
}

impl Told {
    /// A command that nobody has answered yet.
    pub fn new(command: Command) -> Self {
        Self { command, tries: Vec::new(), answer: None }
    }

    /// The answer of a command that was done.
    pub fn done(&self) -> Option<&Answer> {
        self.answer.as_ref().filter(|answer| answer.status < 300)
    }

    /// The entry that the answer tells of, if this command makes one.
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

    /// What it refunded, if it was a refund and was done.
    pub fn refund(&self) -> Option<&Refund> {
        match &self.command.wanted {
            Wanted::Refund(refund) if self.done().is_some() => Some(refund),
            _ => None,
        }
    }

    /// The provision that the answer tells of: bought by this command, or refunded.
    pub fn provision(&self) -> Option<&str> {
        self.done()?.json.get("entry")?;
        self.done()?.json["refid"].as_str()
    }

    /// How many licences it pays for.
    pub fn units(&self) -> usize {
        let body = &self.command.body;
        match (&body["clients"], &body["client"]) {
            (Value::Array(clients), _) => clients.len(),
            (_, Value::Null) => 0,
            _ => usize::try_from(body["quantity"].as_u64().unwrap_or(1)).unwrap_or(usize::MAX),
        }
    }

    /// The licences that it bought, by refid.
    pub fn licences(&self) -> Vec<&str> {
        let done = self.done().filter(|_| self.refund().is_none());
        done.map_or_else(Vec::new, |done| licences(&done.json))
    }

    /// The clients that the answer shows as they are now.
    pub fn clients(&self) -> Vec<&Value> {
        let Some(done) = self.done() else {
            return Vec::new();
        };
        match self.command.wanted {
            Wanted::Client | Wanted::Change => vec![&done.json],
            // It shows them as they were read, and changes nothing of them.
            Wanted::Refund(_) => Vec::new(),
            _ => sold(&done.json).map(|sold| &sold["client"]).filter(|client| client.is_object()).collect(),
        }
    }

    /// The addresses of the clients that it creates.
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

    /// What its caller saw, in short.
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

/// The licences in a provision, by refid.
pub fn licences(provision: &Value) -> Vec<&str> {
    let all = minted(provision);
    all.filter_map(|licence| licence["refid"].as_str()).collect()
}

/// The licences in a provision that are revoked, by refid.
pub fn revoked(provision: &Value) -> Vec<&str> {
    let ended = minted(provision).filter(|licence| licence["status"] == "revoked");
    ended.filter_map(|licence| licence["refid"].as_str()).collect()
}

fn minted(provision: &Value) -> impl Iterator<Item = &Value> {
    sold(provision).filter_map(|sold| sold["licences"].as_array()).flatten()
}

/// What a provision sold, client by client.
fn sold(provision: &Value) -> impl Iterator<Item = &Value> {
    let many = provision["results"].as_array();
    let one = many.is_none().then_some(provision);
    many.into_iter().flatten().chain(one)
}
