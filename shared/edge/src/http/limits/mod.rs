//! Rate limits: how many requests a caller and an address may send, and what a guess costs them.
//!
//! Invariant: a request over its caller's limit changes nothing, and one over its address's limit reads nothing
//! either. A caller's bucket is only charged once the caller is authenticated. Many people may share an address, so
//! somebody's wrong guesses never keep others there from what they have a right to: over the limit of guesses, only the
//! answer to another wrong guess changes.
//!
//! The counts are kept in memory. The laptop therefore counts all requests, but in the cloud each instance of a
//! function counts only its own: the limits protect each instance from floods and guessing, in addition to API
//! Gateway's throttling.

mod address;
mod buckets;

use std::net::IpAddr;
use std::sync::Arc;

use purser_domain::people::{Caller, Role};

use crate::http::problem::{Guesses, Problem};
use crate::process::clock::Clock;
use crate::process::config::Config;

pub use self::address::{Viewer, address, whole_address};
use self::buckets::Buckets;

/// What a guess costs, in requests, in addition to the request itself.
const GUESS: u32 = 50;

/// The buckets of all callers and addresses. Clones share them.
#[derive(Debug, Clone)]
pub struct Limits {
    addresses: Arc<Buckets<IpAddr>>,
    /// The wrong guesses from each address.
    guesses: Arc<Buckets<IpAddr>>,
    callers: Arc<Buckets<String>>,
    clock: Clock,
}

impl Limits {
    pub fn new(config: &Config, clock: Clock) -> Self {
        Self {
            addresses: Arc::new(Buckets::new(config.address_requests_per_minute)),
            guesses: Arc::new(Buckets::new(config.address_requests_per_minute)),
            callers: Arc::new(Buckets::new(config.key_requests_per_minute)),
            clock,
        }
    }

    /// Counts a request from an address, or refuses it. Requests from an unknown address are not limited.
    pub fn admit_address(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        let taken = address.map_or(Ok(()), |address| self.addresses.take(address, self.now()));
        taken.map_err(Problem::rate_limited)
    }

    pub fn admit_caller(&self, caller: &Caller) -> Result<(), Problem> {
        self.callers.take(bucket(caller), self.now()).map_err(Problem::rate_limited)
    }

    /// Charges for guesses: the caller, or the address if the caller is unknown. Refused if the address has guessed too
    /// much; the guess must not be answered then. Operators are never charged, because they may see everything they
    /// could guess.
    pub fn charge(
        &self,
        address: Option<IpAddr>,
        caller: Option<&Caller>,
        Guesses(count): Guesses,
    ) -> Result<(), Problem> {
        let cost = GUESS.saturating_mul(count);
        match (caller, address) {
            (Some(caller), _) if caller.must_operate().is_ok() => {}
            (Some(caller), _) => self.callers.charge(bucket(caller), cost, self.now()),
            (None, Some(address)) => {
                self.guesses.take(address, self.now()).map_err(Problem::rate_limited)?;
                self.guesses.charge(address, cost, self.now());
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn now(&self) -> i64 {
        self.clock.timestamp().as_microsecond()
    }
}

/// The name of a caller's bucket. All API keys of a reseller share one, because a reseller could otherwise create
/// keys to guess with.
fn bucket(caller: &Caller) -> String {
    match &caller.role {
        Role::Operator | Role::Customer => caller.actor.as_str().to_owned(),
        Role::Reseller(reseller) => reseller.to_string(),
    }
}
