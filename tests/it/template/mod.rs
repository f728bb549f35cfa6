//! template.yaml and the code agree: on functions, routes, variables and rights.

mod configuration;
mod parity;
mod rights;
