//! `make crash`: kills `purser` under load, again and again, and checks that nothing is lost or doubled.
//!
//!     crash ROUNDS [SEED]
#![allow(clippy::expect_used, reason = "a test stops where something is not as it should be")]

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use purser_crash::{Crash, Round, Totals};

/// How much of what is wrong is shown.
const SHOWN: usize = 5;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).map(|text| text.parse::<u64>());
    let (Some(Ok(rounds)), seed) = (number(0), number(1).unwrap_or(Ok(1))) else {
        eprintln!("crash ROUNDS [SEED]");
        return ExitCode::from(2);
    };
    let Ok(seed) = seed else {
        eprintln!("SEED is a number");
        return ExitCode::from(2);
    };
    let parent = tempfile::tempdir().expect("a folder");
    let begun = Instant::now();
    let mut crash = Crash::prepare(&parent.path().join("data"), seed).await;
    let (mut kills, mut unknown, mut had_happened) = (0, 0, 0);
    let mut last = Round::default();
    for number in 1..=usize::try_from(rounds).unwrap_or(usize::MAX) {
        let started = Instant::now();
        last = crash.round(number).await;
        kills += last.kills;
        unknown += last.unknown;
        had_happened += last.had_happened;
        println!(
            "Round {number} of {rounds}: {} after {} answers; of {} unknown commands {} had happened; now {}; {:.1} s",
            if last.kills > 1 { "killed twice" } else { "killed" },
            last.answers,
            last.unknown,
            last.had_happened,
            counted(&last.totals),
            started.elapsed().as_secs_f64(),
        );
        if !last.wrong.is_empty() {
            break;
        }
    }
    if last.wrong.is_empty() {
        last = crash.end(waiting).await;
    }
    if !last.wrong.is_empty() {
        tell(&crash, &last, seed);
        println!("The data is kept in {}.", parent.keep().display());
        return ExitCode::FAILURE;
    }
    println!(
        "{kills} kills, {unknown} unknown commands ({had_happened} had happened, {} were refunded unseen): each of {} \
         is there once, every wallet is intact, and {} mails went out; {:.0} s, seed {seed}",
        last.totals.unseen,
        counted(&last.totals),
        crash.mails(),
        begun.elapsed().as_secs_f64(),
    );
    ExitCode::SUCCESS
}

fn counted(totals: &Totals) -> String {
    let Totals { entries, licences, clients, refunds, transfers, .. } = totals;
    format!("{entries} entries ({refunds} refunds, {transfers} transfers), {licences} licences, {clients} clients")
}

/// Says what the time goes into.
fn waiting(so_far: Duration) {
    let seconds = so_far.as_secs();
    let what = "Waiting for the mails; what died while it sent one holds it for a minute";
    if std::io::stdout().is_terminal() {
        print!("\r{what} … {seconds} s ");
        // Nobody may be looking.
        let _ = std::io::stdout().flush();
    } else if seconds.is_multiple_of(15) {
        println!("{what} … {seconds} s");
    }
}

fn tell(crash: &Crash, round: &Round, seed: u64) {
    println!("{} things are wrong (seed {seed}):", round.wrong.len());
    for wrong in round.wrong.iter().take(SHOWN) {
        println!("  - {}", wrong.what);
        if let Some(id) = &wrong.command {
            println!("    {}", crash.history(id));
        }
    }
}
