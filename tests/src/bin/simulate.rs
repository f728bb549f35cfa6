//! `simulate`: runs simulations by seed.
fn main() {
    let mut args = std::env::args().skip(1);
    let first: u64 = args.next().and_then(|it| it.parse().ok()).unwrap_or(1);
    let count: u64 = args.next().and_then(|it| it.parse().ok()).unwrap_or(1);
    let commands: usize = args.next().and_then(|it| it.parse().ok()).unwrap_or(200);
    for seed in first..first + count {
        let started = std::time::Instant::now();
        match purser_tests::simulation::run(purser_tests::simulation::Options {
            seed,
            commands,
            bug: None,
        }) {
            Ok(run) => println!(
                "seed {seed}: {} attempts, {} commits, {} events, {:?}",
                run.attempts,
                run.commits,
                run.events,
                started.elapsed()
            ),
            Err(failure) => println!("{failure}"),
        }
    }
}
