//! A waiting line (queue) for each wallet: commands of one process on the same wallet run one after another.
//!
//! Without it, only one of several concurrent commands succeeds; the others read, decide, seal and send for nothing
//! (docs/adr/0017). Invariant: lines only affect speed. Other processes do not wait in them, and the writes of a
//! command have the same conditions as without lines. A command takes its lines in a fixed order, so no two commands
//! block each other, and holds them no longer than the command itself may take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turnstile, OwnedMutexGuard};

use crate::engine::keys::Key;

/// How many lines are kept before unused ones are removed.
const KEPT: usize = 1_024;

/// All lines of a process. Clones share them.
#[derive(Debug, Clone)]
pub struct Lines {
    has_line: fn(&Key) -> bool,
    lines: Arc<Mutex<HashMap<String, Weak<Turnstile<()>>>>>,
}

/// Holds the first place in its lines until it is dropped.
#[derive(Debug)]
pub(crate) struct Front {
    _lines: Vec<OwnedMutexGuard<()>>,
}

impl Lines {
    /// There is a line for each item whose key `has_line` accepts.
    pub fn before(has_line: fn(&Key) -> bool) -> Self {
        Self { has_line, lines: Arc::default() }
    }

    /// Waits until this command is first in the line of every wallet among `keys`. First come, first served.
    pub(crate) async fn stand(&self, keys: &[Key]) -> Front {
        let mut wallets: Vec<&str> =
            keys.iter().filter(|key| (self.has_line)(key)).map(|key| key.pk.as_str()).collect();
        wallets.sort_unstable();
        wallets.dedup();
        let mut lines = Vec::new();
        for wallet in wallets {
            lines.push(self.line(wallet).lock_owned().await);
        }
        Front { _lines: lines }
    }

    fn line(&self, wallet: &str) -> Arc<Turnstile<()>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(wallet).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= KEPT {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::default();
        lines.insert(wallet.to_owned(), Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn keys(wallets: &[&str]) -> Vec<Key> {
        let others = [Key::alone("PR", "PROD-1")];
        let wallets = wallets.iter().map(|refid| Key::alone("WA", refid));
        others.into_iter().chain(wallets).collect()
    }

    async fn waits(lines: &Lines, wallets: &[&str]) -> bool {
        let keys = keys(wallets);
        let stands = lines.stand(&keys);
        timeout(Duration::from_millis(1), stands).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_wants_the_same_wallet_waits_and_only_so_long() {
        let lines = Lines::before(|key| key.pk.starts_with("WA#"));
        let front = lines.stand(&keys(&["RS-1", "RS-2"])).await;
        assert!(waits(&lines, &["RS-1"]).await);
        assert!(waits(&lines, &["RS-3", "RS-2"]).await);
        assert!(!waits(&lines, &["RS-3"]).await);
        assert!(!waits(&lines, &[]).await);
        drop(front);
        assert!(!waits(&lines, &["RS-2", "RS-1"]).await);
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_want_the_same_two_wallets_do_not_hold_each_other_up() {
        let lines = Lines::before(|key| key.pk.starts_with("WA#"));
        let one = async {
            let _front = lines.stand(&keys(&["RS-1", "RS-2"])).await;
            tokio::task::yield_now().await;
        };
        let other = async {
            let _front = lines.stand(&keys(&["RS-2", "RS-1", "RS-2"])).await;
            tokio::task::yield_now().await;
        };
        let both = async { tokio::join!(one, other) };
        assert!(timeout(Duration::from_secs(1), both).await.is_ok());
    }

    #[tokio::test]
    async fn lines_in_which_nobody_stands_are_cleared_away() {
        let lines = Lines::before(|key| key.pk.starts_with("WA#"));
        let front = lines.stand(&keys(&["RS-first"])).await;
        for number in 0..2 * KEPT {
            let _front = lines.stand(&keys(&[&format!("RS-{number}")])).await;
        }
        assert!(lines.lines.lock().unwrap().len() <= KEPT);
        assert!(waits(&lines, &["RS-first"]).await);
        drop(front);
    }
}
