//! template.yaml and the code agree: on functions, routes, variables and rights.

mod configuration;
mod edge;
mod parity;
mod rights;
