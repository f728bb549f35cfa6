//! Analytics: what each item adds to which figure (rules A11, B13, C6).
//!
//! Invariant: what an item adds depends only on the item as it is now, and counts in the period in which the item was
//! created. So a figure is a plain sum, and counting again gives the same result. A new figure is one more line in
//! [`metric::METRICS`].

pub mod metric;
pub mod period;
pub mod range;

use std::collections::{BTreeMap, BTreeSet};
use strum::{EnumString, IntoStaticStr, VariantArray};

use serde::{Deserialize, Serialize};

use self::period::{Level, Period};
use crate::basic::refid::{ClientRefid, ResellerRefid};
use crate::basic::time::Time;
use crate::event::Change;
use crate::licences::licence::Licence;
use crate::money::entry::Entry;
use crate::parties::client::{Client, DeletedClient};
use crate::parties::reseller::Reseller;

/// The kind of item that is counted. Keys contain the prefix that is given here as its text.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, IntoStaticStr, EnumString, VariantArray,
)]
#[strum(const_into_str)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Counted))]
pub enum Kind {
    /// Clients, by their time of creation. A deleted client still counts where it did before (rule A9).
    #[strum(serialize = "CL")]
    Client,
    /// Ledger entries, by their time of creation.
    #[strum(serialize = "EN")]
    Entry,
    /// Licences, by the time they were minted.
    #[strum(serialize = "LI")]
    Licence,
    /// Resellers, by their time of onboarding.
    #[strum(serialize = "RS")]
    Reseller,
}

/// Whose items a figure sums up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    All,
    Reseller(ResellerRefid),
    /// The items of one client; with a reseller, only those that this reseller sold to the client.
    Client(Option<ResellerRefid>, ClientRefid),
}

impl Scope {
    /// The scope of a reseller, or of everyone if there is none.
    pub fn of(reseller: Option<&ResellerRefid>) -> Self {
        reseller.map_or(Self::All, |it| Self::Reseller(it.clone()))
    }

    pub fn reseller(&self) -> Option<&ResellerRefid> {
        match self {
            Self::All => None,
            Self::Reseller(reseller) => Some(reseller),
            Self::Client(reseller, _) => reseller.as_ref(),
        }
    }

    /// Whether figures are stored for such periods of this scope. A client has so few items that its days are summed
    /// up from hours on demand, and its years from months.
    pub fn keeps(&self, period: Period) -> bool {
        self.client().is_none() || !matches!(period, Period::Day(_) | Period::Year(_))
    }

    /// The next longer stored period that contains `period`.
    pub fn parent(&self, period: Period) -> Option<Period> {
        let parents = std::iter::successors(period.parent(), |it| it.parent());
        let mut kept = parents.filter(|it| self.keeps(*it));
        kept.next()
    }

    /// The first and the last key of the stored periods that add up to `period`; `None` for an hour, which has no
    /// parts.
    pub fn parts(&self, period: Period) -> Option<(String, String)> {
        let client = self.client().is_some();
        let level = match period {
            Period::Hour(_) => return None,
            Period::Day(_) => Level::Hour,
            Period::Month(_) if client => Level::Hour,
            Period::Month(_) => Level::Day,
            Period::Year(_) => Level::Month,
            Period::All if client => Level::Month,
            Period::All => Level::Year,
        };
        Some(period.parts(level))
    }

    pub fn client(&self) -> Option<&ClientRefid> {
        match self {
            Self::All | Self::Reseller(_) => None,
            Self::Client(_, client) => Some(client),
        }
    }
}

/// The part of a key that means all resellers.
const EVERYBODY: &str = "-";
/// Separates the reseller from the client in keys.
const OF: char = '@';

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.reseller() {
            None => f.write_str(EVERYBODY)?,
            Some(reseller) => reseller.fmt(f)?,
        }
        self.client().map_or(Ok(()), |client| write!(f, "{OF}{client}"))
    }
}

impl TryFrom<String> for Scope {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (reseller, client) = text.split_once(OF).map_or((&*text, None), |(it, of)| (it, Some(of)));
        let reseller = match reseller {
            EVERYBODY => None,
            named => Some(ResellerRefid::parse(named).ok_or("not the refid of a reseller")?),
        };
        match client {
            None => Ok(Self::of(reseller.as_ref())),
            Some(client) => {
                let client = ClientRefid::parse(client).ok_or("not the refid of a client")?;
                Ok(Self::Client(reseller, client))
            }
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

/// Figures by name; a name that is missing stands for 0. Sums saturate at the bounds of `i64`, about 9 × 10¹⁸.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<String, i64>);

impl Counts {
    pub fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// The figures other than 0 whose name begins with `prefix`, keyed by the rest of the name.
    pub fn by(&self, prefix: &str) -> impl Iterator<Item = (&str, i64)> {
        let named = self.0.range(prefix.to_owned()..);
        let rest = named.map_while(move |(name, count)| Some((name.strip_prefix(prefix)?, *count)));
        rest.filter(|(_, count)| *count != 0)
    }

    /// Whether all figures are equal; a missing figure equals 0.
    pub fn same(&self, other: &Self) -> bool {
        self.by("").eq(other.by(""))
    }

    pub fn add(&mut self, name: &str, amount: i64) {
        if amount != 0 {
            let before = self.get(name);
            let after = before.saturating_add(amount);
            self.0.insert(name.to_owned(), after);
        }
    }

    pub fn add_all(&mut self, others: &Self) {
        for (name, amount) in &others.0 {
            self.add(name, *amount);
        }
    }
}

/// What one item adds to the figures, and to which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub kind: Kind,
    pub refid: String,
    pub version: u64,
    /// When the item was created; it counts in this hour.
    pub at: Time,
    /// When the item reached this version.
    pub since: Time,
    pub scopes: BTreeSet<Scope>,
    pub counts: Counts,
}

impl Fact {
    /// What the changed item adds now; `None` if it is of a kind that is not counted, or adds the same as before the
    /// change.
    pub fn of(change: &Change) -> Option<Self> {
        let (before, now) = match change {
            Change::Client(old, new) => (old.as_ref().map(Self::from), Self::from(new)),
            Change::ClientDeleted(_, new) => (None, Self::from(new)),
            Change::Entry(entry) => (None, Self::from(entry)),
            Change::Licence(old, new) => (old.as_deref().map(Self::from), Self::from(new.as_ref())),
            Change::Reseller(old, new) => (old.as_ref().map(Self::from), Self::from(new)),
            Change::LicenceFellDue(..)
            | Change::InstallationActivated(_)
            | Change::InstallationDeactivated(..)
            | Change::User(..)
            | Change::Login(_)
            | Change::LinkRequest(_)
            | Change::ApiKeyCreated(_)
            | Change::ApiKeyFirstUsed(..)
            | Change::ApiKeyEnded(_)
            | Change::ApiKeyFellDue(..)
            | Change::NoticeFellDue(..)
            | Change::Erasure(..) => return None,
        };
        let same = |before: &Self| before.scopes == now.scopes && before.counts == now.counts;
        (!before.as_ref().is_some_and(same)).then_some(now)
    }
}

/// The scope of everyone, and the scope of the reseller that the item belongs to.
fn scopes(reseller: Option<&ResellerRefid>) -> BTreeSet<Scope> {
    BTreeSet::from([Scope::All, Scope::of(reseller)])
}

impl From<&Client> for Fact {
    fn from(client: &Client) -> Self {
        Self {
            kind: Kind::Client,
            refid: client.refid.to_string(),
            version: client.version,
            at: client.created_at,
            since: client.updated_at,
            scopes: scopes(client.reseller.as_ref()),
            counts: metric::of_client(client.status, client.reseller.is_some()),
        }
    }
}

impl From<&DeletedClient> for Fact {
    fn from(client: &DeletedClient) -> Self {
        Self {
            kind: Kind::Client,
            refid: client.refid.to_string(),
            version: client.version,
            at: client.created_at,
            since: client.deleted_at,
            scopes: scopes(client.reseller.as_ref()),
            counts: metric::of_client(client.status, client.reseller.is_some()),
        }
    }
}

impl From<&Entry> for Fact {
    fn from(entry: &Entry) -> Self {
        Self {
            kind: Kind::Entry,
            refid: entry.refid.to_string(),
            // An entry never changes.
            version: 1,
            at: entry.created_at,
            since: entry.created_at,
            scopes: scopes(Some(&entry.reseller)),
            counts: metric::of_entry(entry),
        }
    }
}

impl From<&Licence> for Fact {
    fn from(licence: &Licence) -> Self {
        let mut scopes = scopes(licence.reseller.as_ref());
        if let Some(client) = &licence.client {
            let whose = [None, licence.reseller.clone()];
            scopes.extend(whose.map(|reseller| Scope::Client(reseller, client.clone())));
        }
        Self {
            kind: Kind::Licence,
            refid: licence.refid.to_string(),
            version: licence.version,
            at: licence.created_at,
            since: licence.updated_at,
            scopes,
            counts: metric::of_licence(licence),
        }
    }
}

impl From<&Reseller> for Fact {
    fn from(reseller: &Reseller) -> Self {
        Self {
            kind: Kind::Reseller,
            refid: reseller.refid.to_string(),
            version: reseller.version,
            at: reseller.created_at,
            since: reseller.updated_at,
            scopes: scopes(None),
            counts: metric::of_reseller(reseller),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_client_is_summed_up_over_what_is_not() {
        let client = Scope::Client(None, ClientRefid::parse("CL-7ZK3M9QWX2ABCDEF").unwrap());
        let day: crate::basic::time::Day = "2024-02-29".parse().unwrap();
        let [hour, month] = [Period::Hour(day.first_hour()), Period::Month(period::Month::of(day))];
        let [day, year] = [Period::Day(day), Period::Year(period::Year::of(day))];
        for (period, of_all, of_client, first_of_all, first_of_client) in [
            (hour, Some(day), Some(month), None, None),
            (day, Some(month), Some(month), Some("H#2024-02-29T00"), Some("H#2024-02-29T00")),
            (month, Some(year), Some(Period::All), Some("D#2024-02-01"), Some("H#2024-02-01T00")),
            (year, Some(Period::All), Some(Period::All), Some("M#2024-01"), Some("M#2024-01")),
            (Period::All, None, None, Some("Y#0001"), Some("M#0001-01")),
        ] {
            assert_eq!((Scope::All.parent(period), client.parent(period)), (of_all, of_client));
            let first = |scope: &Scope| scope.parts(period).map(|(first, _)| first);
            assert_eq!(first(&Scope::All).as_deref(), first_of_all);
            assert_eq!(first(&client).as_deref(), first_of_client);
        }
    }

    #[test]
    fn a_scope_is_read_as_it_stands_in_keys() {
        let reseller = ResellerRefid::parse("RS-7ZK3M9QWX2ABCDEF").unwrap();
        let client = ClientRefid::parse("CL-7ZK3M9QWX2ABCDEF").unwrap();
        let own = Scope::Client(Some(reseller.clone()), client.clone());
        for (scope, text) in [
            (Scope::All, "-"),
            (Scope::Reseller(reseller), "RS-7ZK3M9QWX2ABCDEF"),
            (Scope::Client(None, client), "-@CL-7ZK3M9QWX2ABCDEF"),
            (own, "RS-7ZK3M9QWX2ABCDEF@CL-7ZK3M9QWX2ABCDEF"),
        ] {
            assert_eq!(scope.to_string(), text);
            assert_eq!(Scope::try_from(text.to_owned()), Ok(scope));
        }
        for text in ["", "@", "-@", "--", "RS-7ZK3M9QWX2ABCDEF@", "-@CL-1"] {
            assert!(Scope::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
