//! How often which fault happens.
//!
//! Invariant: each seed has a weather of its own, in which some faults are frequent and others never happen: a mixture
//! of all of them all the time would hide what takes two of a kind.

/// How often in a thousand times each fault happens, and how much of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weather {
    /// A call is refused at once.
    pub refused: u16,
    /// A call gets lost.
    pub lost_call: u16,
    /// A call is done, and its answer gets lost.
    pub lost_answer: u16,
    /// A call is done seconds later, when whoever sent it has given up on it.
    pub late: u16,
    /// A call takes up to a second.
    pub slow: u16,
    /// A call is throttled.
    pub throttled: u16,
    /// A call ends with 500, done or not.
    pub broken: u16,
    /// A transaction takes long enough for its retry to meet it under way.
    pub long_transaction: u16,
    /// A read that may be stale is.
    pub stale: u16,
    /// How old, at most, in milliseconds.
    pub lag: u64,
    /// A batch is read at two moments.
    pub torn: u16,
    /// A batch is answered in part.
    pub unprocessed: u16,
    /// Writes a second that one partition takes; none: any number.
    pub writes_per_second: Option<u32>,
    /// A run of a function dies at one of its calls.
    pub death: u16,
    /// An entry of `PutEvents` fails.
    pub bus_refusal: u16,
    /// A record or an event is delivered twice.
    pub duplicate: u16,
    /// A delivery comes much later than those behind it.
    pub straggler: u16,
    /// An answer gets lost between the gateway and the caller.
    pub hung_up: u16,
    /// The clocks are turned forward.
    pub turned_clock: u16,
    /// Records nobody can read, in the stream.
    pub poison: u16,
}

impl Weather {
    /// No fault at all.
    pub fn calm() -> Self {
        Self::default()
    }

    /// The weather of a seed.
    pub fn of(rng: &mut fastrand::Rng) -> Self {
        let mut weather = Self::calm();
        for fault in [
            &mut weather.refused,
            &mut weather.lost_call,
            &mut weather.lost_answer,
            &mut weather.late,
            &mut weather.slow,
            &mut weather.throttled,
            &mut weather.broken,
            &mut weather.long_transaction,
            &mut weather.torn,
            &mut weather.unprocessed,
            &mut weather.death,
            &mut weather.bus_refusal,
            &mut weather.duplicate,
            &mut weather.straggler,
            &mut weather.hung_up,
            &mut weather.turned_clock,
            &mut weather.poison,
        ] {
            *fault = if rng.bool() { rng.u16(5..=80) } else { 0 };
        }
        if rng.bool() {
            (weather.stale, weather.lag) = (rng.u16(50..=600), rng.u64(50..=3_000));
        }
        // What DynamoDB's partitions take, or so little that a few callers feel it.
        weather.writes_per_second = match rng.u8(0..8) {
            0 => Some(1_000),
            1 | 2 => Some(rng.u32(8..=12)),
            _ => None,
        };
        weather
    }
}
