//! The binary of the functions of the API, except those for accounts.

use purser_lambda::{API, run};

fn main() -> Result<(), lambda_runtime::Error> {
    run::run(API)
}
