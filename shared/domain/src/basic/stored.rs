//! Which rules judge a value that is read: those for what callers send, or the laxer ones for what is stored.
//!
//! Rules become stricter, and what was stored before must still be read, changed and deleted. Invariant: values are
//! judged strictly unless they are read within [`as_stored`], so a reader who forgets it refuses too much, not too
//! little.

use std::cell::Cell;

thread_local! {
    static STORED: Cell<bool> = const { Cell::new(false) };
}

/// Sets the flag back, whatever happens in between.
struct Before(bool);

impl Drop for Before {
    fn drop(&mut self) {
        STORED.set(self.0);
    }
}

/// Reads what is stored. `read` must not be asynchronous: the laxer rules hold for this thread until it returns.
pub fn as_stored<T>(read: impl FnOnce() -> T) -> T {
    let _before = Before(STORED.replace(true));
    read()
}

pub(crate) fn is_stored() -> bool {
    STORED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laxer_rules_end_with_the_reading() {
        assert!(!is_stored());
        assert!(as_stored(|| as_stored(is_stored) && is_stored()));
        assert!(std::panic::catch_unwind(|| as_stored(|| panic!("unreadable"))).is_err());
        assert!(!is_stored());
    }
}
