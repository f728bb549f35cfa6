//! template.yaml and the code say the same.

mod configuration;
mod parity;
mod rights;
