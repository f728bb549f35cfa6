//! Security events: what somebody who investigates an attack looks for in the log.
//!
//! Invariant: an event is logged and counted, and an alarm of template.yaml watches each count. The log names an
//! account by its refid, and a network address by a reference ([`App::reference`]): the same address has the same
//! reference, and nobody without the deployment's secret can tell which one it is.

use purser_domain::basic::refid::code;
use purser_store::StoreError;

use crate::process::app::App;
use crate::process::metrics::{self, Metric};

impl App {
    /// Logs and counts a security event. `account` is the refid of a user or a key, which need not exist.
    pub fn security(&self, event: Metric, account: &str, address: Option<&str>) {
        let named = |address| self.reference(address).unwrap_or_else(|error| error.to_string());
        let address = address.map(named);
        tracing::warn!(event = event.into_str(), account, address, "a security event");
        metrics::count(event);
    }

    /// How the log names a network address.
    fn reference(&self, address: &str) -> Result<String, StoreError> {
        Ok(code(self.store.secrets().address_bits(address)?))
    }
}
