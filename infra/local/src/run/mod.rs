//! The one process: the stand-ins and the functions, put together as the template says.

pub mod apps;
pub mod docs;
pub mod folder;
pub mod functions;
pub mod gateway;
pub mod local_routes;
pub mod sdk;
pub mod system;
