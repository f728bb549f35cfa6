//! Events as they are on the bus: a name, members in JSON, an id and a time.
//!
//! Invariant: what is read is an event of this version, or an error that quotes nothing of it.

use serde_json::{Value, json};

use super::{Event, EventName};
use crate::basic::time::Time;

/// Why an event can't be read. The message is logged, so it quotes no member: members may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableEvent {
    /// No event of this version has the name.
    #[error("the name of the event is unknown")]
    Unknown,
    /// The members are not the ones that this event must have.
    #[error("{0} does not have the members that it must have")]
    Members(EventName),
}

impl Event {
    pub fn name(&self) -> EventName {
        self.into()
    }

    /// The members as a JSON object, which is `detail` on the bus.
    pub fn detail(&self) -> Result<Value, serde_json::Error> {
        let mut tagged = serde_json::to_value(self)?;
        Ok(tagged.get_mut("detail").map(Value::take).unwrap_or_default())
    }

    /// Reads an event from its name and its `detail`. Members that this version does not know are ignored.
    pub fn read(name: &str, detail: &Value) -> Result<Self, UnreadableEvent> {
        let name: EventName = name.parse().map_err(|_| UnreadableEvent::Unknown)?;
        let tagged = json!({"detail-type": name.into_str(), "detail": detail});
        serde_json::from_value(tagged).map_err(|_| UnreadableEvent::Members(name))
    }
}

/// An event with its id and time, as it is published on the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// `refid:version:name`. Every delivery of the event has the same id; consumers claim it before they act.
    pub id: String,
    pub time: Time,
    pub event: Event,
}
