//! `make bench`: what each operation costs, beside what it may cost.

use purser_tests::budgets;

#[tokio::main]
async fn main() {
    eprintln!("Measuring …");
    let budgets = budgets::measure().await;
    println!(
        "{:<42} {:>11} {:>13} {:>13} {:>7}",
        "operation", "round trips", "RCU", "WCU", "hashes"
    );
    for budget in &budgets {
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
    if !budgets.iter().all(budgets::Budget::is_kept) {
        std::process::exit(1);
    }
}
