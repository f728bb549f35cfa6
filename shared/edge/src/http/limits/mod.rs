//! Rate limits: how many requests a caller and an address may send, and what a guess costs them.
//!
//! Invariant: a request over its caller's limit changes nothing, and one over its address's limit reads nothing
//! either. Nobody is charged for requests that someone else sent: the address is that of the connection, never one
//! from a header, and a caller's bucket is only charged once the caller is authenticated.
//!
//! The counts are kept in memory. The laptop therefore counts all requests, but in the cloud each instance of a
//! function counts only its own: the limits protect each instance from floods and guessing, in addition to API
//! Gateway's throttling.

mod buckets;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::Extensions;
use lambda_http::request::RequestContext;
use purser_domain::people::{Caller, Role};

use crate::http::problem::{Guesses, Problem};
use crate::process::clock::Clock;
use crate::process::config::Config;

use self::buckets::Buckets;

/// What a guess costs, in requests, in addition to the request itself.
const GUESS: u32 = 50;

/// The buckets of all callers and addresses. Clones share them.
#[derive(Debug, Clone)]
pub struct Limits {
    addresses: Arc<Buckets<IpAddr>>,
    callers: Arc<Buckets<String>>,
    clock: Clock,
}

impl Limits {
    pub fn new(config: &Config, clock: Clock) -> Self {
        Self {
            addresses: Arc::new(Buckets::new(config.address_requests_per_minute)),
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

    /// Charges for guesses: the caller, or the address if the caller is unknown. Operators are never charged, because
    /// they may see everything they could guess.
    pub fn charge(&self, address: Option<IpAddr>, caller: Option<&Caller>, Guesses(count): Guesses) {
        let cost = GUESS.saturating_mul(count);
        match (caller, address) {
            (Some(caller), _) if caller.must_operate().is_ok() => {}
            (Some(caller), _) => self.callers.charge(bucket(caller), cost, self.now()),
            (None, Some(address)) => self.addresses.charge(address, cost, self.now()),
            (None, None) => {}
        }
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

/// The address that a request came from, if it is known: the one that API Gateway saw, or otherwise the peer of the
/// connection. A home has 2⁶⁴ IPv6 addresses, so all addresses of a /64 network count as one.
pub fn address(extensions: &Extensions) -> Option<IpAddr> {
    let address = match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_ref()?.parse().ok()?,
        Some(_) => return None,
        None => extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip(),
    };
    Some(match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came_from(text: &str) -> Option<IpAddr> {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(text.parse().unwrap(), 443)));
        address(&extensions)
    }

    #[test]
    fn an_address_is_a_host_of_ipv4_or_a_network_of_ipv6() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            assert_eq!(came_from(one) == came_from(other), same, "{one} {other}");
        }
        assert_eq!(address(&Extensions::new()), None);
    }
}
