//! The crash test: the real `purser` is killed under load, again and again, and must neither lose nor duplicate
//! anything.
//!
//! Invariant: everything is checked against what the callers know. The commands and the moment of the kill come from
//! one seed; which commands are in flight at that moment depends on the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod author;
pub mod check;
pub mod found;
pub mod history;
pub mod kinds;
pub mod laptop;
pub mod purchase;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use author::{Author, Neighbour};
use check::{Wrong, check};
use history::{Reported, Wanted};
use kinds::UNSEEN;
use purser_tests::prelude::*;
use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::laptop::{Laptop, OPERATOR_KEY};

/// How many callers there are, and how many wallets they share between them.
const AUTHORS: usize = 8;
const WALLETS: usize = 3;
/// The index of the reseller that is a child of the first one.
const BELOW: usize = 2;

/// No rate limits, because the test sends as many requests as it can.
const VARIABLES: [(&str, &str); 3] = [
    ("PURSER_KEY_REQUESTS_PER_MINUTE", "0"),
    ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0"),
    ("PURSER_ADDRESS_MAILS_PER_HOUR", "0"),
];

/// A round waits for at most this many answers before the kill, which follows within `OFFSET` of the last of them.
const ANSWERS: usize = 120;
const OFFSET: Duration = Duration::from_millis(25);
/// A kill during a start comes at most this long after it began.
const START: Duration = Duration::from_millis(300);
/// Longer than a round takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Long enough for the retries of the bus, which outlast the one-minute claim of a consumer that died.
const CONSEQUENCES: Duration = Duration::from_mins(4);

pub struct Crash {
    folder: PathBuf,
    random: fastrand::Rng,
    laptop: Option<Laptop>,
    operator: Caller,
    authors: Vec<Author>,
    mails: BTreeMap<String, (String, String)>,
}

#[derive(Debug, Default)]
pub struct Round {
    pub answers: usize,
    /// How many kills there were: one under load, and perhaps one during the next start.
    pub kills: usize,
    /// How many commands had no answer when `purser` was killed.
    pub unknown: usize,
    /// How many of these were in fact carried out: their repeats were answered as replays.
    pub had_happened: usize,
    /// Counts over all rounds so far.
    pub totals: Totals,
    pub wrong: Vec<Wrong>,
}

#[derive(Debug, Default)]
pub struct Totals {
    pub entries: usize,
    pub licences: usize,
    pub clients: usize,
    pub refunds: usize,
    /// How many refunds returned a purchase before its caller knew that it was carried out.
    pub unseen: usize,
    pub transfers: usize,
}

impl Totals {
    fn of(told: &[Reported], found: &check::Found) -> Self {
        let (wallets, done) = (found.wallets.values(), || told.iter().filter(|it| it.done().is_some()));
        let refunds = || done().filter(|it| it.refund().is_some());
        let sent = |it: &&Reported| matches!(it.command.wanted, Wanted::TransferTo(_));
        Self {
            entries: wallets.clone().map(|wallet| wallet.entries.len()).sum(),
            licences: told.iter().map(|told| told.licences().len()).sum(),
            clients: wallets.map(|wallet| wallet.clients.len()).sum(),
            refunds: refunds().count(),
            unseen: refunds().filter(|it| it.command.kind == UNSEEN).count(),
            transfers: done().filter(sent).count(),
        }
    }
}

impl Crash {
    /// Starts `purser` on an empty folder, and creates the resellers and the authors of commands.
    pub async fn prepare(folder: &Path, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let laptop = Laptop::start(folder, &VARIABLES).await;
        let operator = caller(&laptop);
        let product = json!({"reference": "PROD-1", "name": "A product", "price": 60, "term": "P1Y"});
        let _product = operator.post("/v1/products", &product).await.expect(201);
        let mut partners: Vec<Partner> = Vec::new();
        for place in 0..WALLETS {
            let parent = (place == BELOW).then(|| partners.first()).flatten();
            partners.push(partner(&operator, place, parent).await);
        }
        let authors = (0..AUTHORS).zip(partners.iter().cycle());
        let authors = authors.map(|(place, partner)| {
            let (operator, partner) = (operator.clone(), partner.clone());
            let near = neighbours(place % WALLETS, &partners);
            Author::new(place, operator, partner, near, "PROD-1".into(), random.fork())
        });
        Self {
            folder: folder.to_owned(),
            authors: authors.collect(),
            laptop: Some(laptop),
            operator,
            random,
            mails: BTreeMap::new(),
        }
    }

    /// Runs one round: load, kill, start, the unanswered commands again, and the check.
    pub async fn round(&mut self, number: usize) -> Round {
        let since: Vec<usize> = self.authors.iter().map(|it| it.told.len()).collect();
        let answers = self.random.usize(1..=ANSWERS);
        let answers = self.load_and_kill(number, answers).await;
        let kills = self.start().await;
        let mut round = Round { answers, kills, ..Round::default() };
        for author in &mut self.authors {
            if author.told.last().is_some_and(|it| it.answer.is_none()) {
                round.unknown += 1;
                if self.random.bool() {
                    author.refund_unseen(number).await;
                }
                let known = author.finish(number).await;
                let last = author.told.last().and_then(|it| it.tries.last());
                let replayed = last.is_some_and(|line| line.contains(", replayed"));
                round.had_happened += usize::from(known && replayed);
            }
        }
        self.check(&since, None, &mut round).await;
        round
    }

    /// Waits until everything that follows from the commands is done, and checks everything. Calls `tick` each
    /// second.
    pub async fn end(&mut self, tick: impl Fn(Duration)) -> Round {
        let begun = Instant::now();
        let operator = self.operator.clone();
        // The request is answered once stream and bus have nothing left to do; by then there must be nothing to
        // redrive.
        let redrive = operator.act("/_local/dead-letters/redrive");
        let mut redrive = std::pin::pin!(timeout(CONSEQUENCES, redrive));
        let redriven = loop {
            match timeout(Duration::from_secs(1), &mut redrive).await {
                Ok(done) => break done.expect("stream and bus should finish in time").expect(200),
                Err(_) => tick(begun.elapsed()),
            }
        };
        found::collect_mails(&self.folder, &mut self.mails);
        let mut round = Round::default();
        if redriven.json != json!({"redriven": 0, "left": 0}) {
            let what = format!("there were dead letters: {}", redriven.json);
            round.wrong.push(Wrong { command: None, what });
        }
        let mails = self.mails.values().cloned().collect();
        let all = vec![0; self.authors.len()];
        self.check(&all, Some(mails), &mut round).await;
        if let Some(laptop) = &self.laptop {
            let (intact, said) = laptop.verify().await;
            if !intact || !said.starts_with(&format!("{WALLETS} wallets, ")) {
                let what = format!("purser-operator verify printed: {said}");
                round.wrong.push(Wrong { command: None, what });
            }
        }
        round
    }

    pub fn mails(&self) -> usize {
        self.mails.len()
    }

    /// What the caller of a command saw of it.
    pub fn history(&self, id: &str) -> String {
        let told = self.authors.iter().flat_map(|author| &author.told);
        let mut own = told.filter(|told| told.command.id == id);
        own.next().map_or_else(String::new, Reported::history)
    }

    /// Lets all authors send commands, and kills `purser` a moment after this many answers. Returns how many there
    /// were.
    async fn load_and_kill(&mut self, number: usize, answers: usize) -> usize {
        let (count, killed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut callers = JoinSet::new();
        for mut author in self.authors.drain(..) {
            let (count, killed) = (Arc::clone(&count), Arc::clone(&killed));
            callers.spawn(async move {
                while !killed.load(Ordering::SeqCst) && author.next(number).await {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                author
            });
        }
        let begun = Instant::now();
        while count.load(Ordering::SeqCst) < answers && begun.elapsed() < PATIENCE {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(OFFSET.mul_f64(self.random.f64())).await;
        let count = count.load(Ordering::SeqCst);
        if let Some(laptop) = self.laptop.take() {
            laptop.kill();
        }
        killed.store(true, Ordering::SeqCst);
        let joined = timeout(PATIENCE, callers.join_all()).await;
        self.authors = joined.expect("no caller should wait for a dead process");
        // The callers finish in any order; restore the order of the authors.
        self.authors.sort_by_key(Author::place);
        count
    }

    /// Starts `purser` again; one time in four, kills a first start. Returns the number of kills, counting the one
    /// under load.
    async fn start(&mut self) -> usize {
        let mut kills = 1;
        if self.random.u8(0..4) == 0 {
            found::collect_mails(&self.folder, &mut self.mails);
            let starting = Laptop::spawn(&self.folder, &VARIABLES);
            sleep(START.mul_f64(self.random.f64())).await;
            starting.kill();
            kills += 1;
        }
        found::collect_mails(&self.folder, &mut self.mails);
        let laptop = Laptop::start(&self.folder, &VARIABLES).await;
        self.operator = caller(&laptop);
        for author in &mut self.authors {
            author.move_to(&self.operator);
        }
        self.laptop = Some(laptop);
        kills
    }

    async fn check(&self, since: &[usize], mails: Option<Vec<(String, String)>>, round: &mut Round) {
        let told: Vec<Reported> = self.authors.iter().flat_map(|author| author.told.iter().cloned()).collect();
        match found::read(&self.operator, &self.authors, since).await {
            Ok(found) => {
                let found = check::Found { mails, ..found };
                round.totals = Totals::of(&told, &found);
                round.wrong.extend(check(&told, &found));
            }
            Err(error) => round.wrong.push(Wrong { command: None, what: format!("the system can't be read: {error}") }),
        }
    }
}

fn caller(laptop: &Laptop) -> Caller {
    Caller::new(Client::new(), laptop.url(), Some(OPERATOR_KEY.to_owned()))
}

/// The other resellers, as seen from the one at this index.
fn neighbours(place: usize, partners: &[Partner]) -> Vec<Neighbour> {
    let others = partners.iter().enumerate().filter(|(it, _)| *it != place);
    let near =
        others.map(|(other, partner)| Neighbour { refid: partner.refid.clone(), below: (place, other) == (0, BELOW) });
    near.collect()
}

async fn partner(operator: &Caller, place: usize, parent: Option<&Partner>) -> Partner {
    let body = json!({
        "parent": parent.map(|parent| &parent.refid),
        "company_name": format!("Partner {place}"),
        "email": format!("partner-{place}@reseller.example"),
        "tier": "gold",
    });
    let made = operator.post("/v1/resellers", &body).await.expect(201);
    let refid = made.text("refid").to_owned();
    let body = json!({"reseller": refid, "name": "crash"});
    let key = operator.post("/v1/api-keys", &body).await.expect(201);
    Partner { caller: operator.with_key(Some(key.text("key"))), refid }
}
