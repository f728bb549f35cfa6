//! Accounts: people sign in, and nobody else does (SPEC D1, D2).

mod clean_up;
mod journey;
