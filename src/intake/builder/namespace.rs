//! The namespaces of ids: which of them names an entity, and which two values of one can never be the same thing.

use crate::model::Kind;

/// A namespace, by its position in the table, so that they sort by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ns(u8);

struct Row {
    name: &'static str,
    /// The lowest one that an entity has names it.
    rank: u8,
    /// Whether two values of it can never be the same thing.
    exclusive: bool,
    /// Whether its value stands alone after the kind (`user:ada@…`, not `user:upn:ada@…`).
    bare: bool,
}

const fn row(name: &'static str, rank: u8, exclusive: bool, bare: bool) -> Row {
    Row { name, rank, exclusive, bare }
}

/// By name.
const TABLE: &[Row] = &[
    row("=", 29, true, false),
    row("aad", 16, true, false),
    row("address", 4, true, true),
    row("app", 14, true, true),
    row("fqdn", 17, false, true),
    row("host", 27, false, true),
    row("id", 11, true, true),
    row("internet_message", 21, true, false),
    row("key", 10, true, true),
    row("login", 25, true, false),
    row("md5", 19, true, false),
    row("message", 1, true, true),
    row("name", 6, true, true),
    row("object", 15, true, false),
    row("path", 8, false, true),
    row("process", 9, true, true),
    row("product", 3, true, true),
    row("record", 28, true, false),
    row("request", 13, true, false),
    row("resource", 7, true, true),
    row("sam", 26, false, true),
    row("serial", 22, true, false),
    row("session", 12, true, true),
    row("sha1", 18, true, false),
    row("sha256", 2, true, false),
    row("sid", 20, false, false),
    row("upn", 0, false, true),
    row("url", 5, true, true),
    row("urn", 24, true, false),
    row("vm", 23, true, false),
];

impl Ns {
    /// The namespace of entities whose identity is settled: no two of them are one. Nothing that is read can name it.
    pub(super) const SETTLED: Self = Self(0);

    /// The namespace of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let begins = |row: &Row| row.name.len() == name.len() && row.name.as_bytes().first() == name.as_bytes().first();
        TABLE.iter().position(|row| begins(row) && row.name == name).and_then(|at| u8::try_from(at).ok()).map(Self)
    }

    fn row(self) -> &'static Row {
        const NONE: Row = row("", u8::MAX, false, false);
        TABLE.get(self.0 as usize).unwrap_or(&NONE)
    }

    pub(super) fn name(self) -> &'static str {
        self.row().name
    }

    pub(super) fn rank(self) -> u8 {
        self.row().rank
    }

    pub(super) fn exclusive(self) -> bool {
        self.row().exclusive
    }

    /// The id of an entity that is named by this one of its ids.
    pub(super) fn id_of(self, kind: Kind, value: &str) -> String {
        if self.row().bare { format!("{kind}:{value}") } else { format!("{kind}:{}:{value}", self.name()) }
    }
}

/// Whether ids are kept in a namespace of this name.
pub fn is_namespace(ns: &str) -> bool {
    Ns::named(ns).is_some_and(|ns| ns != Ns::SETTLED)
}

/// No name of a namespace is longer.
const LONGEST: usize = 16;

/// The namespace that a text begins with, and what stands after its colon.
pub fn namespaced(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().take(LONGEST.saturating_add(1)).position(|b| b == b':')?;
    let (ns, value) = text.split_at_checked(at)?;
    Some((ns, value.get(1..)?)).filter(|_| is_namespace(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_stand_by_name_and_each_has_a_rank_of_its_own() {
        assert!(TABLE.is_sorted_by(|a, b| a.name < b.name));
        let mut ranks: Vec<u8> = TABLE.iter().map(|r| r.rank).collect();
        ranks.sort_unstable();
        assert!(ranks.iter().zip(0u8..).all(|(a, b)| *a == b), "{ranks:?}");
        assert_eq!(TABLE.iter().map(|r| r.name.len()).max(), Some(LONGEST));
        assert_eq!(
            (namespaced("upn:a:b"), namespaced("x:y"), namespaced("internet_message:")),
            (Some(("upn", "a:b")), None, Some(("internet_message", "")))
        );
        assert!(!is_namespace("=") && is_namespace("upn") && !is_namespace("nmid"));
    }
}
