//! What follows from changes: the stream, the bus, consumers and e-mails.

mod contract;
mod due;
mod failures;
mod mail_budget;
mod mails;
mod stream;
mod undelivered;
