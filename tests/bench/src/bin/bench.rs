//! `make bench`: prints what each operation costs, beside its budget.

use std::process::ExitCode;

use purser_bench::budgets::{self, Budget};

#[tokio::main]
async fn main() -> ExitCode {
    eprintln!("Measuring …");
    let mut failures = Vec::new();
    let budgets = budgets::measure().await;
    println!("{:<42} {:>11} {:>13} {:>13} {:>7}", "operation", "round trips", "RCU", "WCU", "hashes");
    print(&budgets);
    failures.extend(exceeded(&budgets));
    let mut before: Option<Vec<Budget>> = None;
    for clients in [1_000, 10_000, 100_000] {
        println!("\nwith {clients} clients in the table");
        let there = |there| eprint!("\r{there} of {clients} clients … ");
        let budgets = budgets::analytics::measure(clients, there).await;
        eprintln!();
        print(&budgets);
        failures.extend(exceeded(&budgets));
        // Figures must cost the same however many clients there are.
        for (before, now) in before.iter().flatten().zip(&budgets) {
            if before != now {
                failures.push(format!(
                    "{} costs {now:?} beside {clients} clients, and {before:?} beside fewer",
                    now.operation
                ));
            }
        }
        before = Some(budgets);
    }
    // Last, so that whoever sees only the end of a log knows what failed.
    for failure in &failures {
        eprintln!("{failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn exceeded(budgets: &[Budget]) -> impl Iterator<Item = String> {
    let exceeded = budgets.iter().filter(|budget| !budget.is_kept());
    exceeded.map(|budget| format!("{} exceeds its budget: {budget:?}", budget.operation))
}

fn print(budgets: &[Budget]) {
    for budget in budgets {
        println!(
            "{:<42} {:>5} of {:>2} {:>6} of {:>3} {:>6} of {:>3} {:>7}{}",
            budget.operation,
            budget.calls.0,
            budget.calls.1,
            budget.rcu.0,
            budget.rcu.1,
            budget.wcu.0,
            budget.wcu.1,
            budget.hashes.0,
            if budget.is_kept() { "" } else { "  EXCEEDED" }
        );
    }
}
