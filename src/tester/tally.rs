//! What replay and comparison count alike: shares, examples of which only a few are kept, incidents that were not read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::diag::Diagnostic;
use crate::model::Incident;

/// A share of a whole, in tenths of a percent; rounded to the nearest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// `part` of `whole`; nothing of nothing is nothing.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        let (part, whole) = (u128::from(part), u128::from(whole));
        let tenths = part.saturating_mul(1000).saturating_add(whole.saturating_div(2)).checked_div(whole)?;
        Some(Self(u32::try_from(tenths).unwrap_or(u32::MAX)))
    }

    /// The mean of several; `None` of none.
    pub fn mean(all: &[Share]) -> Option<Self> {
        let sum: u64 = all.iter().map(|s| u64::from(s.0)).fold(0, u64::saturating_add);
        let n = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let mean = sum.saturating_add(n.saturating_div(2)).checked_div(n)?;
        Some(Self(u32::try_from(mean).unwrap_or(u32::MAX)))
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} %", self.0.saturating_div(10), self.0.checked_rem(10).unwrap_or(0))
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl schemars::JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "A share in percent, to the nearest tenth.", "type": "number", "minimum": 0, "maximum": 100 })
    }
}

/// A share for people; a dash where there is none.
pub fn shown(share: Option<Share>) -> String {
    share.map_or_else(|| "–".to_owned(), |s| s.to_string())
}

/// A few of many: the first ones by their order, whatever order they come in; the rest is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<T: Ord> {
    kept: BTreeSet<T>,
    most: usize,
    seen: u64,
}

impl<T: Ord> Few<T> {
    /// None yet, and at most so many.
    pub fn new(most: usize) -> Self {
        Self { kept: BTreeSet::new(), most, seen: 0 }
    }

    /// One more.
    pub fn add(&mut self, one: T) {
        self.seen = self.seen.saturating_add(1);
        self.keep(one);
    }

    fn keep(&mut self, one: T) {
        self.kept.insert(one);
        if self.kept.len() > self.most {
            self.kept.pop_last();
        }
    }

    /// All of both.
    pub fn merge(&mut self, other: Self) {
        self.seen = self.seen.saturating_add(other.seen);
        other.kept.into_iter().for_each(|x| self.keep(x));
    }

    /// Those that were kept, in order.
    pub fn kept(&self) -> impl Iterator<Item = &T> {
        self.kept.iter()
    }

    /// How many there were.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many were not kept.
    pub fn left(&self) -> u64 {
        self.seen.saturating_sub(u64::try_from(self.kept.len()).unwrap_or(u64::MAX))
    }
}

/// How many parts of a corpus that could not be read are named.
pub const UNREAD_NAMED: usize = 20;

/// Parts of a corpus that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    codes: BTreeMap<&'static str, u64>,
    first: Few<(u64, String, String)>,
}

impl Default for Unread {
    fn default() -> Self {
        Self { codes: BTreeMap::new(), first: Few::new(UNREAD_NAMED) }
    }
}

impl Unread {
    /// One that could not be read: its position in the corpus, its name, and why.
    pub fn add(&mut self, at: u64, name: &str, why: &Diagnostic) {
        count(&mut self.codes, why.code, 1);
        self.first.add((at, name.to_owned(), why.message.clone()));
    }

    /// All of both.
    pub fn merge(&mut self, other: Self) {
        add_all(&mut self.codes, other.codes);
        self.first.merge(other.first);
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.first.seen()
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As reports show it.
    pub fn report(&self) -> UnreadReport {
        UnreadReport {
            count: self.len(),
            codes: self.codes.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
            first: self.first.kept().map(|(_, name, why)| Named { name: name.clone(), reason: why.clone() }).collect(),
        }
    }
}

/// Parts of a corpus that could not be read, as reports show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UnreadReport {
    /// How many.
    pub count: u64,
    /// How many by code.
    pub codes: BTreeMap<String, u64>,
    /// The first of them.
    pub first: Vec<Named>,
}

/// A part of a corpus that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Named {
    /// Where it stands.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Adds to a number.
pub fn add(slot: &mut u64, n: u64) {
    *slot = slot.saturating_add(n);
}

/// Adds to a count.
pub fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, n: u64) {
    let slot = counts.entry(key).or_default();
    *slot = slot.saturating_add(n);
}

/// Adds all counts.
pub fn add_all<K: Ord>(counts: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    more.into_iter().for_each(|(k, n)| count(counts, k, n));
}

/// The incident as it was before anybody decided what it is: without classification and determination, its own and its
/// alerts'. What the rules say of it is not led by the decision that it is compared with.
pub fn undecided(incident: &Incident) -> Cow<'_, Incident> {
    let decided = |c: bool, d: &Option<String>| c || d.is_some();
    if !decided(incident.classification.is_some(), &incident.determination)
        && !incident.alerts.iter().any(|a| decided(a.classification.is_some(), &a.determination))
    {
        return Cow::Borrowed(incident);
    }
    let mut plain = incident.clone();
    plain.classification = None;
    plain.determination = None;
    for a in &mut plain.alerts {
        a.classification = None;
        a.determination = None;
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::{Few, Share};

    #[test]
    fn shares_are_rounded_to_tenths() {
        assert_eq!(Share::of(1, 3).unwrap().to_string(), "33.3 %");
        assert_eq!(Share::of(2, 3).unwrap().to_string(), "66.7 %");
        assert_eq!(Share::of(0, 0), None);
    }

    #[test]
    fn the_first_few_are_kept_whatever_the_order() {
        let mut a = Few::new(2);
        let mut b = Few::new(2);
        [5, 1, 4].into_iter().for_each(|n| a.add(n));
        [2, 3].into_iter().for_each(|n| b.add(n));
        let mut ab = a.clone();
        ab.merge(b.clone());
        b.merge(a);
        assert_eq!(ab, b);
        assert_eq!((ab.kept().copied().collect::<Vec<_>>(), ab.seen(), ab.left()), (vec![1, 2], 5, 3));
    }
}
