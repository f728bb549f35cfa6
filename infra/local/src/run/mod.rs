//! The laptop's one process: connects the stand-ins and the functions as the template says.

pub mod apps;
pub mod docs;
pub mod folder;
pub mod functions;
pub mod gateway;
pub mod home;
pub mod local_routes;
pub mod sdk;
pub mod system;
pub mod vault;
