//! `make bench-start`: measures how fast the release binary starts and answers.
//!
//!     bench_start FOLDER_OF_LAMBDA_BINARIES STARTS WARM_REQUESTS
#![allow(clippy::expect_used, reason = "a measurement should stop at the first failure")]

use std::path::Path;

use purser_bench::start::report::report;
use purser_bench::start::{Bench, Programs};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, lambda, starts, requests] = arguments.as_slice() else {
        eprintln!("Usage: bench_start FOLDER_OF_LAMBDA_BINARIES STARTS WARM_REQUESTS");
        std::process::exit(2);
    };
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| *number > 0);
    let (Some(starts), Some(requests)) = (number(starts), number(requests)) else {
        eprintln!("STARTS and WARM_REQUESTS must be numbers greater than 0");
        std::process::exit(2);
    };
    let program = |name: &str| Path::new(lambda).join(name).join("bootstrap");
    let programs =
        Programs { purser: program("purser-api"), hello: program("bare-hello"), calls: program("bare-calls") };
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::prepare(&programs, folder.path()).await;
    for start in 1..=starts {
        eprint!("\rStart {start} of {starts} …");
        bench.round(requests.div_ceil(starts)).await;
    }
    eprintln!();
    println!("{}", report(&bench.subjects));
}
