//! Small sets and maps that hold no more memory than their entries: sorted, read far more often than they are changed.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A sorted set. One entry lies in place; of more, the memory is shared by clones. Read it as the slice that it is.
pub struct Set<T>(Items<T>);

#[derive(Clone)]
enum Items<T> {
    Few(Option<T>),
    Many(Arc<[T]>),
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Items::Few(None))
    }
}

impl<T: Clone> Clone for Set<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Set<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Items::Few(one) => one.as_slice(),
            Items::Many(all) => all,
        }
    }
}

impl<T: Ord> Set<T> {
    /// The set of one.
    pub const fn one(entry: T) -> Self {
        Self(Items::Few(Some(entry)))
    }

    /// Whether the entry is in the set.
    pub fn contains<Q: Ord + ?Sized>(&self, entry: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.binary_search_by(|e| e.borrow().cmp(entry)).is_ok()
    }

    /// What is in both sets, in order.
    pub fn intersection<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s T> {
        self.iter().filter(|e| other.contains(*e))
    }

    fn of(mut all: Vec<T>) -> Self {
        if !all.is_sorted_by(|a, b| a < b) {
            all.sort();
            all.dedup();
        }
        match all.len() {
            0 | 1 => Self(Items::Few(all.pop())),
            _ => Self(Items::Many(all.into())),
        }
    }
}

impl<T: Ord> From<Vec<T>> for Set<T> {
    fn from(all: Vec<T>) -> Self {
        Self::of(all)
    }
}

impl<T: Ord + Clone> Set<T> {
    /// Adds an entry. For many, [`extend`](Extend::extend) it.
    pub fn insert(&mut self, entry: T) {
        match &self.0 {
            Items::Few(None) => *self = Self::one(entry),
            _ if self.contains(&entry) => {}
            _ => self.extend([entry]),
        }
    }
}

impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut all = all.into_iter();
        match (all.next(), all.next()) {
            (one, None) => Self(Items::Few(one)),
            (one, two) => Self::of(one.into_iter().chain(two).chain(all).collect()),
        }
    }
}

impl<T: Ord + Clone> Extend<T> for Set<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        let mut more = more.into_iter().peekable();
        if more.peek().is_some() {
            *self = match std::mem::take(self).0 {
                Items::Few(one) => one.into_iter().chain(more).collect(),
                Items::Many(all) => Self::of(all.iter().cloned().chain(more).collect()),
            };
        }
    }
}

impl<'s, T> IntoIterator for &'s Set<T> {
    type Item = &'s T;
    type IntoIter = std::slice::Iter<'s, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<T: PartialEq> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Set<T> {}

impl<T: Ord> PartialOrd for Set<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> Ord for Set<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: AsRef<str>> serde::Serialize for Set<T> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter().map(AsRef::as_ref))
    }
}

/// A map, sorted by key, made at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Map<K, V>(Box<[(K, V)]>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<K: Ord, V> Map<K, V> {
    /// What stands at a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok().and_then(|at| self.0.get(at)).map(|(_, v)| v)
    }

    /// Whether something stands at a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }
}

impl<K, V> Map<K, V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, in order.
    pub fn iter(&self) -> Entries<'_, K, V> {
        self.into_iter()
    }

    /// The entries in one piece, in order.
    pub fn entries(&self) -> &[(K, V)] {
        &self.0
    }

    /// The key at a place in the order.
    pub fn key(&self, at: usize) -> Option<&K> {
        self.0.get(at).map(|(k, _)| k)
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(k, _)| k)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, v)| v)
    }
}

/// Of entries with one key, the last one holds.
impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        let mut all: Vec<(K, V)> = all.into_iter().collect();
        if !all.is_sorted_by(|a, b| a.0 < b.0) {
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Self(all.into_boxed_slice())
    }
}

/// The entries of a [`Map`].
pub type Entries<'m, K, V> = std::iter::Map<std::slice::Iter<'m, (K, V)>, fn(&(K, V)) -> (&K, &V)>;

impl<'m, K, V> IntoIterator for &'m Map<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Entries<'m, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(k, v)| (k, v))
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> serde::Serialize for Map<K, V> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.iter().map(|(k, v)| (k.as_ref(), v.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_sorted_and_holds_an_entry_once() {
        let mut s: Set<u32> = [3, 1, 3, 2].into_iter().collect();
        assert_eq!(*s, [1, 2, 3]);
        s.extend([2, 0]);
        s.insert(9);
        s.insert(9);
        assert!(s.contains(&0) && !s.contains(&7));
        assert_eq!(*s, [0, 1, 2, 3, 9]);
        let mut one = Set::default();
        one.insert(5);
        one.insert(5);
        assert_eq!(*one, [5]);
        assert_eq!(size_of::<Set<u32>>(), 16, "one entry takes no memory of its own");
    }

    #[test]
    fn the_last_of_two_entries_with_one_key_holds() {
        let m: Map<&str, u32> = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert_eq!(m.iter().collect::<Vec<_>>(), [(&"a", &2), (&"b", &3)]);
        assert_eq!((m.get("b"), m.get("c"), m.len()), (Some(&3), None, 2));
    }
}
