//! Work that fails after the request is answered: on the stream, on the bus, in a consumer. It is retried, then kept
//! whole; no other work is lost, and nothing is done twice.

mod consumers;
mod redrive;
mod relay;
mod template;

/// A description, and a function that spoils a readable record or event in that way.
type Spoiling = (&'static str, fn(&mut serde_json::Value));
