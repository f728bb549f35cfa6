//! What follows from changes: the stream, the bus, consumers and e-mails.

mod contract;
mod failures;
mod mails;
mod stream;
mod undelivered;
