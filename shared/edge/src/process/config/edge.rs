//! What stands in front of the API.

/// Whether there is an edge, such as CloudFront, that adds its secret and the viewer's address to each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Edge {
    /// There is none: what a request says of an edge is ignored.
    None,
    /// There is one, and callers may also come past it. This is for the time in which callers move to it.
    Accepted,
    /// There is one, and what comes past it is refused.
    Required,
}

impl Edge {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be none, accepted or required".to_owned())
    }
}
