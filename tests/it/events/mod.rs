//! What follows from changes: the stream, the bus, consumers, mails.

mod failures;
mod mails;
mod stream;
mod undelivered;
