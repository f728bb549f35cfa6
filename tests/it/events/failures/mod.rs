//! What fails after its answer was given: on the stream, on the bus and in a consumer. It is retried and then kept
//! whole; no other work is lost with it, and nothing is done twice.

mod consumers;
mod redrive;
mod relay;
mod template;

/// A description, and a function that spoils a readable record or event in that way.
type Spoiling = (&'static str, fn(&mut serde_json::Value));
