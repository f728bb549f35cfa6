//! `make bench`: prints what each operation costs, beside its budget.

use purser_bench::budgets::{self, Budget};

#[tokio::main]
async fn main() {
    eprintln!("Measuring …");
    let budgets = budgets::measure().await;
    println!("{:<42} {:>11} {:>13} {:>13} {:>7}", "operation", "round trips", "RCU", "WCU", "hashes");
    print(&budgets);
    let mut kept = budgets.iter().all(Budget::is_kept);
    let mut before: Option<Vec<Budget>> = None;
    for clients in [1_000, 10_000, 100_000] {
        println!("\nwith {clients} clients in the table");
        let there = |there| eprint!("\r{there} of {clients} clients … ");
        let budgets = budgets::analytics::measure(clients, there).await;
        eprintln!();
        print(&budgets);
        kept &= budgets.iter().all(Budget::is_kept);
        // Figures must cost the same however many clients there are.
        if before.is_some_and(|before| before != budgets) {
            println!("DIFFERS from the costs with fewer clients");
            kept = false;
        }
        before = Some(budgets);
    }
    if !kept {
        std::process::exit(1);
    }
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
