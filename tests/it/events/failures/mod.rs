//! What fails behind an answer that was already given: on the stream, on the bus and in a consumer. It is tried again,
//! then kept whole; nothing with it is lost, and nothing is done twice.

mod consumers;
mod redrive;
mod relay;
mod template;

/// What is done to something readable, and how.
type Spoiling = (&'static str, fn(&mut serde_json::Value));
