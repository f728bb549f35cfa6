//! The weather: how often each fault happens.
//!
//! Invariant: each seed has weather of its own, in which some faults are frequent and others never happen. A mixture of
//! all faults all the time would hide failures that need the same fault twice.

/// How often each fault happens, per mille, and how severe it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weather {
    pub refused: u16,
    pub lost_call: u16,
    pub lost_answer: u16,
    /// A call is carried out seconds later, when its sender has given up on it.
    pub late: u16,
    /// A call takes up to a second.
    pub slow: u16,
    pub throttled: u16,
    /// A call ends with 500, carried out or not.
    pub broken: u16,
    /// A transaction takes so long that its retry arrives while it is still in progress.
    pub long_transaction: u16,
    pub stale: u16,
    /// The maximum age of a stale read, in milliseconds.
    pub lag: u64,
    /// A batch read mixes the states of two moments.
    pub torn: u16,
    /// A batch read is answered only in part.
    pub unprocessed: u16,
    /// Write units a second that one partition accepts; `None` for no limit.
    pub writes_per_second: Option<u32>,
    pub death: u16,
    pub bus_refusal: u16,
    pub duplicate: u16,
    /// A delivery arrives much later than the ones after it.
    pub straggler: u16,
    /// An answer is lost between the gateway and the caller.
    pub hung_up: u16,
    pub turned_clock: u16,
    /// The stream contains records that can't be read.
    pub poison: u16,
}

impl Weather {
    pub fn calm() -> Self {
        Self::default()
    }

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
        // Either what a partition of DynamoDB accepts, or so little that a few callers run into the limit.
        weather.writes_per_second = match rng.u8(0..8) {
            0 => Some(1_000),
            1 | 2 => Some(rng.u32(8..=12)),
            _ => None,
        };
        weather
    }
}
