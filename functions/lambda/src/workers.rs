//! The binary of the functions that the stream, events and schedules start.

use purser_lambda::{WORKERS, run};

fn main() -> Result<(), lambda_runtime::Error> {
    run::run(WORKERS)
}
