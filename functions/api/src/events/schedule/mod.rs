//! The functions that schedules start.

pub mod checkpoint_ledger;
pub mod report_accounts;
pub mod report_partners;
pub mod rollup;
pub mod run_due_work;
pub mod sample_erasures;
pub mod sample_figures;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Ids, Signing};

pub const FUNCTIONS: &[Function] = &[
    Function::event("rollup", |app, event| Box::pin(rollup::rollup(app, event))),
    Function::event("run-due-work", |app, event| Box::pin(run_due_work::run_due_work(app, event))),
    Function::event("checkpoint-ledger", |app, event| Box::pin(checkpoint_ledger::checkpoint_ledger(app, event)))
        .with(&[Signing]),
    Function::event("sample-figures", |app, event| Box::pin(sample_figures::sample_figures(app, event))),
    Function::event("sample-erasures", |app, event| Box::pin(sample_erasures::sample_erasures(app, event))),
    Function::event("report-accounts", |app, event| Box::pin(report_accounts::report_accounts(app, event)))
        .with(&[Ids]),
    Function::event("report-partners", |app, event| Box::pin(report_partners::report_partners(app, event)))
        .with(&[Ids]),
];
