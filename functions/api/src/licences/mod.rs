//! Licences: the keys that clients own and type into a product.

pub mod view;
