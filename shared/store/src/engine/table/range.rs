//! Where a query reads: a partition of the table or of an index, and which part of it.
//!
//! Invariant: DynamoDB takes one condition on the sort key, so bounds and the place to go on from become one. A range
//! that can hold nothing is not asked for, because DynamoDB refuses it.

use super::{Consistency, Filter};
use crate::engine::item::Item;
use crate::engine::keys::Index;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Table(Consistency),
    /// An index, which lags slightly behind the table.
    Index(Index),
}

impl From<Index> for Source {
    fn from(index: Index) -> Self {
        Self::Index(index)
    }
}

impl Source {
    pub(crate) fn index_name(self) -> Option<String> {
        match self {
            Self::Table(_) => None,
            Self::Index(index) => Some(index.name().to_owned()),
        }
    }

    pub(crate) const fn pk(self) -> &'static str {
        match self {
            Self::Table(_) => "pk",
            Self::Index(index) => index.pk(),
        }
    }

    pub(crate) const fn sk(self) -> &'static str {
        match self {
            Self::Table(_) => "sk",
            Self::Index(index) => index.sk(),
        }
    }

    pub(crate) fn is_strong(self) -> bool {
        self == Self::Table(Consistency::Strong)
    }
}

/// Sort keys from the first to the second, both included.
pub(crate) type Between = (String, String);

/// All sort keys that begin with this text.
pub(crate) fn beginning(text: &str) -> Between {
    (text.to_owned(), format!("{text}{}", char::MAX))
}

/// Which items to read.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) source: Source,
    pub(crate) pk: String,
    pub(crate) between: Option<Between>,
    /// Only items whose sort key lies beyond this one, in reading order.
    pub(crate) beyond: Option<String>,
    /// Only items after the one with this key, which an earlier [`super::Slice`] ended at. Unlike `beyond`, it skips no
    /// item when several share a sort key.
    pub(crate) after: Option<Item>,
    pub(crate) ascending: bool,
    /// The most items to read, before filters.
    pub(crate) limit: i32,
    pub(crate) filters: Vec<Filter>,
}

/// A condition on the sort key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Beyond(String),
    Between(String, String),
    Nothing,
}

impl Range {
    /// The beginning of a partition: its first items, at most `limit`.
    pub(crate) fn of(index: Index, pk: String, limit: i32) -> Self {
        let source = index.into();
        let (between, beyond, after, filters) = (None, None, None, Vec::new());
        Self { source, pk, between, beyond, after, ascending: true, limit, filters }
    }

    pub(super) fn part(&self) -> Part {
        let (mut first, mut last) = match (&self.between, &self.beyond) {
            (None, None) => return Part::Whole,
            (None, Some(beyond)) => return Part::Beyond(beyond.clone()),
            (Some(between), _) => between.clone(),
        };
        if let Some(beyond) = &self.beyond {
            if self.ascending {
                first = first.max(format!("{beyond}\u{1}"));
            } else {
                last = last.min(just_before(beyond));
            }
        }
        if first > last { Part::Nothing } else { Part::Between(first, last) }
    }
}

/// Text between `key` and all keys before it. Keys end with a refid, so there is a character before their last one.
fn just_before(key: &str) -> String {
    let mut before = key.to_owned();
    let last = before.pop().and_then(|last| u32::from(last).checked_sub(1)).and_then(char::from_u32);
    before.extend(last.map(|last| [last, char::MAX]).into_iter().flatten());
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_the_place_to_go_on_from_become_one_condition() {
        let between = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        for (given, beyond, ascending, part) in [
            (None, None, true, Part::Whole),
            (None, Some("b"), false, Part::Beyond("b".into())),
            (between("a", "c"), None, true, Part::Between("a".into(), "c".into())),
            (between("a", "c"), Some("b"), true, Part::Between("b\u{1}".into(), "c".into())),
            (between("a", "c"), Some("b"), false, Part::Between("a".into(), "a\u{10FFFF}".into())),
            (between("a", "c"), Some("d"), false, Part::Between("a".into(), "c".into())),
            (between("a", "c"), Some("c"), true, Part::Nothing),
            (between("a", "c"), Some("a"), false, Part::Nothing),
            (between("c", "a"), None, true, Part::Nothing),
        ] {
            let beyond = beyond.map(ToOwned::to_owned);
            let range = Range { between: given, beyond, ascending, ..Range::of(Index::Kind, "X".into(), 1) };
            assert_eq!(range.part(), part, "{range:?}");
        }
    }
}
