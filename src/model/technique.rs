//! ATT&CK techniques and tactics: Enterprise matrix v18.1, © The MITRE Corporation (see NOTICE).

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// One technique of the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Technique {
    /// `T1566` or `T1566.002`.
    pub id: &'static str,
    /// MITRE's name of it.
    pub name: &'static str,
    /// The tactics it serves, as `initial-access,persistence`.
    pub tactics: &'static str,
    /// What replaced it: an id; `-` when it was withdrawn without a successor; empty when it is current.
    pub revoked_by: &'static str,
}

fn table() -> &'static BTreeMap<&'static str, Technique> {
    static TABLE: OnceLock<BTreeMap<&'static str, Technique>> = OnceLock::new();
    TABLE.get_or_init(|| {
        include_str!("techniques.tsv")
            .lines()
            .filter_map(|line| {
                let mut cells = line.split('\t');
                let row = Technique { id: cells.next()?, name: cells.next()?, tactics: cells.next()?, revoked_by: cells.next()? };
                Some((row.id, row))
            })
            .collect()
    })
}

/// The technique with this id, if the matrix has it.
pub fn technique(id: &str) -> Option<&'static Technique> {
    table().get(id)
}

/// Every technique id, in order.
pub fn technique_ids() -> impl Iterator<Item = &'static str> {
    table().keys().copied()
}

/// The technique that a sub-technique belongs to; a technique itself.
pub fn base(id: &str) -> &str {
    // Ids are short: a search made for long texts takes longer to begin than this takes.
    id.bytes().position(|b| b == b'.').and_then(|dot| id.get(..dot)).unwrap_or(id)
}

/// Whether the text has the form of a technique id (`T1566`, `T1566.002`), known or not.
pub fn is_technique_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('T') else { return false };
    let (base, sub) = rest.split_once('.').map_or((rest, None), |(b, s)| (b, Some(s)));
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    digits(base, 4) && sub.is_none_or(|s| digits(s, 3))
}

/// The ids in what a source wrote: `T1218`, `t1218`, `Signed Binary Proxy Execution (T1218)`, `T1003;T1018`.
/// A revoked id gives its successor. Text without an id gives nothing: the caller keeps it.
pub fn techniques_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')) {
        let mut id = word.trim_matches('.').to_ascii_uppercase();
        if !is_technique_id(&id) {
            continue;
        }
        for _ in 0..4 {
            match technique(&id) {
                Some(row) if is_technique_id(row.revoked_by) => id = row.revoked_by.to_owned(),
                _ => break,
            }
        }
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// Whether `id` is `wanted` or one of its sub-techniques.
pub fn covers(wanted: &str, id: &str) -> bool {
    id.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The fourteen tactics of the matrix, in its order.
pub const TACTICS: &[&str] = &[
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// A tactic's id from what a source wrote (`InitialAccess`, `Initial Access`, `initial-access`).
pub fn tactic(text: &str) -> Option<&'static str> {
    use super::level::squashed;
    let same = || TACTICS.iter().copied().filter(|_| !text.is_empty()).find(|t| squashed(t).eq(squashed(text)));
    TACTICS.iter().copied().find(|t| *t == text).or_else(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_the_ways_that_sources_write_them() {
        assert_eq!(techniques_in("Signed Binary Proxy Execution (T1218)"), ["T1218"]);
        assert_eq!(techniques_in("T1036;T1055.012;t1218.011"), ["T1036", "T1055.012", "T1218.011"]);
        assert!(techniques_in("TA0001 and T12").is_empty());
    }

    #[test]
    fn a_revoked_technique_becomes_its_successor() {
        let revoked = table().values().find(|t| is_technique_id(t.revoked_by)).map(|t| (t.id, t.revoked_by));
        let (old, new) = revoked.unwrap_or(("T1086", "T1059.001"));
        assert_eq!(techniques_in(old), [new]);
    }

    #[test]
    fn a_technique_covers_its_sub_techniques_only() {
        assert!(covers("T1566", "T1566.002") && covers("T1566", "T1566") && !covers("T1566", "T15661") && !covers("T1566.002", "T1566"));
    }
}
