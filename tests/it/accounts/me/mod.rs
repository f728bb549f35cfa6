//! What people see and change of their own accounts.

mod addresses;
mod avatars;
pub mod second_factor;
mod session_use;
mod sessions;
