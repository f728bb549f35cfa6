//! The binary of the functions for people: their accounts, and the pages that they see.

use purser_lambda::{PEOPLE, run};

fn main() -> Result<(), lambda_runtime::Error> {
    run::run(PEOPLE)
}
