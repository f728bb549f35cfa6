//! A line before each wallet: commands of one process that rest on the same wallet go one after another.
//!
//! Of those that try at once one gets through, and all others have read, decided, sealed and sent for nothing; see
//! docs/adr/0017. Invariant: nothing rests on the line but speed. Another process does not stand in it, and what a
//! command writes is conditioned as if there were none. Lines are taken in one order, so no two commands hold each
//! other up, and none is kept longer than its command may take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turnstile, OwnedMutexGuard};

use crate::engine::keys::Key;

/// How many lines are kept before those in which nobody stands are cleared away.
const KEPT: usize = 1_024;

/// All lines of a process. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Lines {
    has_line: fn(&Key) -> bool,
    lines: Arc<Mutex<HashMap<String, Weak<Turnstile<()>>>>>,
}

/// What stands at the front of its lines until it is dropped.
#[derive(Debug)]
pub(crate) struct Front {
    _lines: Vec<OwnedMutexGuard<()>>,
}

impl Lines {
    /// A line before each item of which `has_line` is true.
    pub fn before(has_line: fn(&Key) -> bool) -> Self {
        Self { has_line, lines: Arc::default() }
    }

    /// Waits until nobody stands before this command in the line of any wallet among `keys`: first come, first served.
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
