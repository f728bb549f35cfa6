//! What the table's stream starts: its two readers.

pub mod project_timeline;
pub mod relay;

use crate::Function;

/// The functions of this room.
pub const FUNCTIONS: &[Function] = &[
    Function::stream("relay", |app, event| Box::pin(relay::relay(app, event))),
    Function::stream("project-timeline", |app, event| Box::pin(project_timeline::project_timeline(app, event))),
];
