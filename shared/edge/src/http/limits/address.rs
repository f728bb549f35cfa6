//! The network address that a request is counted for.
//!
//! Invariant: it is the one that the edge names where the edge is verified, and otherwise that of the connection. What
//! a caller says of itself is never believed.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::Extensions;
use lambda_http::request::RequestContext;

/// The address of the viewer, as a verified edge names it. It takes the place of the connection's, which is the edge's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer(pub IpAddr);

/// The address that a request came from, if it is known.
pub fn whole_address(extensions: &Extensions) -> Option<IpAddr> {
    let address = match (extensions.get::<Viewer>(), extensions.get::<RequestContext>()) {
        (Some(Viewer(address)), _) => *address,
        (None, Some(RequestContext::ApiGatewayV2(context))) => context.http.source_ip.as_ref()?.parse().ok()?,
        (None, Some(_)) => return None,
        (None, None) => extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip(),
    };
    Some(address.to_canonical())
}

/// The address as limits count it and sessions show it. A home has 2⁶⁴ IPv6 addresses, so all addresses of a /64
/// network count as one.
pub fn address(extensions: &Extensions) -> Option<IpAddr> {
    Some(match whole_address(extensions)? {
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

    #[test]
    fn the_viewer_counts_before_the_connection() {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new("192.0.2.1".parse().unwrap(), 443)));
        extensions.insert(Viewer("2001:db8::7".parse().unwrap()));
        assert_eq!(address(&extensions), "2001:db8::".parse().ok());
    }
}
