//! The two functions that read the table's stream.

pub mod project_timeline;
pub mod relay;

use crate::Function;

pub const FUNCTIONS: &[Function] = &[
    Function::stream("relay", |app, event| Box::pin(relay::relay(app, event))),
    Function::stream("project-timeline", |app, event| Box::pin(project_timeline::project_timeline(app, event))),
];
