//! `make crash`: kills `purser` under load, again and again, and checks that nothing is lost or duplicated.
//!
//!     crash ROUNDS [SEED]
#![allow(clippy::expect_used, reason = "a test should stop at the first failure")]

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use purser_crash::{Crash, Round, Totals};

/// How many problems are shown.
const SHOWN: usize = 5;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).map(|text| text.parse::<u64>());
    let (Some(Ok(rounds)), seed) = (number(0), number(1).unwrap_or(Ok(1))) else {
        eprintln!("Usage: crash ROUNDS [SEED]");
        return ExitCode::from(2);
    };
    let Ok(seed) = seed else {
        eprintln!("SEED must be a number");
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
            "Round {number} of {rounds}: {} after {} answers; {} outcomes unknown, {} of them done; now {}; {:.1} s",
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
        "{kills} kills, {unknown} outcomes unknown ({had_happened} of them done, {} refunded unseen): each of {} \
         exists once, every wallet is intact, and {} e-mails were sent; {:.0} s, seed {seed}",
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

fn waiting(so_far: Duration) {
    let seconds = so_far.as_secs();
    let what = "Waiting for the e-mails; if their sender was killed, its claim on one lasts a minute";
    if std::io::stdout().is_terminal() {
        print!("\r{what} … {seconds} s ");
        // If standard output is closed, there is nobody to tell.
        let _ = std::io::stdout().flush();
    } else if seconds.is_multiple_of(15) {
        println!("{what} … {seconds} s");
    }
}

fn tell(crash: &Crash, round: &Round, seed: u64) {
    println!("{} problems (seed {seed}):", round.wrong.len());
    for wrong in round.wrong.iter().take(SHOWN) {
        println!("  - {}", wrong.what);
        if let Some(id) = &wrong.command {
            println!("    {}", crash.history(id));
        }
    }
}
