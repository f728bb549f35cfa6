//! The simulator itself: it repeats exactly, it finds what is planted, and it finds nothing else.

use purser_tests::cloud::Bug;
use purser_tests::simulation::hot_wallet::sell;
use purser_tests::simulation::{Options, run};

#[test]
fn a_seed_replays_exactly() {
    let options = Options {
        seed: 3,
        commands: 120,
        bug: None,
    };
    let first = run(options).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(run(options), Ok(first));
    let options = Options {
        seed: 2,
        bug: Some(Bug::EntryUnconditioned),
        ..options
    };
    let failure = run(options).expect_err("a bug is found");
    assert!(!failure.history.is_empty());
    assert_eq!(run(options), Err(failure));
}

#[test]
fn whatever_fails_around_it_purser_does_what_the_model_does() {
    for seed in 1..=6 {
        let options = Options {
            seed,
            commands: 200,
            bug: None,
        };
        let run = run(options).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(
            run.commits > 50 && run.events > 50,
            "seed {seed} did little: {run:?}"
        );
    }
}

/// Each bug with a seed that finds it, and what it is told of there.
const PLANTED: [(Bug, u64, &str); 17] = [
    (Bug::WalletUnconditioned, 1, "wallet"),
    (Bug::EntryUnconditioned, 2, "second effect"),
    (Bug::AddressUnconditioned, 1, "duplicate_email"),
    (Bug::ClientUnconditioned, 1, "duplicate_client_id"),
    (Bug::RefundUnconditioned, 13, "already_refunded"),
    (Bug::LicencesNotRevoked, 1, "revoked 0 licences"),
    (Bug::HalfATransfer, 1, "left as it is"),
    (Bug::ConflictSwallowed, 1, "though nothing was done"),
    (Bug::UnknownTakenForDone, 1, "though nothing was done"),
    (Bug::RefusedOnStaleReads, 2, "deserved at no moment"),
    (Bug::TwoCommits, 1, "left as it is"),
    (Bug::ToldOutsideTheCommit, 1, "never happened"),
    (Bug::FingerprintSkipped, 2, "though nothing was done"),
    (Bug::BusRefusalSwallowed, 1, "nobody was told of"),
    (Bug::AcknowledgedBeforeTheBus, 1, "nobody was told of"),
    (Bug::SettledBeforeActing, 5, "no mail was sent"),
    (Bug::ClaimUnconditioned, 3, "mails were sent of one"),
];

#[test]
fn what_is_planted_is_found() {
    assert!(
        Bug::ALL
            .iter()
            .all(|bug| PLANTED.iter().any(|(planted, ..)| planted == bug))
    );
    for (bug, seed, told) in PLANTED {
        let options = Options {
            seed,
            commands: 200,
            bug: Some(bug),
        };
        let failure = run(options).expect_err(&format!("{bug:?} is found by seed {seed}"));
        assert!(failure.problem.contains(told), "{bug:?}: {failure}");
    }
}

#[test]
fn many_at_one_wallet_sell_twenty_times_as_fast_in_bulk() {
    let (single, bulk) = (sell(false, 2), sell(true, 2));
    assert!(bulk.is_faster_than(single, 20), "{single:?} {bulk:?}");
}
