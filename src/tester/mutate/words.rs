//! The words that a word of an expression can be taken for.

use crate::model::kind::RELATIONS;
use crate::model::{Kind, Level, Rel, Verdict};
use crate::playbook::PlaybookSet;

/// The vocabularies of a set.
pub(super) struct Words<'s> {
    set: &'s PlaybookSet,
    signals: Vec<&'s str>,
}

/// Parts that entities play in alerts; records use others too.
const ROLES: &[&str] = &["attacker", "compromised", "victim"];

/// How many other words are tried: the first that compiles is taken.
const TRIED: usize = 6;

impl<'s> Words<'s> {
    /// Those of a set.
    pub fn of(set: &'s PlaybookSet) -> Self {
        let mut signals: Vec<&str> = set.signals.iter().map(|s| &*s.id).collect();
        signals.sort_unstable();
        Self { set, signals }
    }

    /// Other lists of the same kind.
    pub fn lists_like(&self, name: &str) -> Vec<String> {
        let Some(kind) = self.set.lists.iter().find(|l| &*l.id == name).map(|l| l.kind) else { return Vec::new() };
        let like: Vec<&str> = self.set.lists.iter().filter(|l| l.kind == kind).map(|l| &*l.id).collect();
        after(&like, name, 1)
    }

    /// Other collections.
    pub fn collections(&self, name: &str) -> Vec<String> {
        if Kind::of_collection(name).is_none() {
            return Vec::new();
        }
        let all: Vec<&str> = Kind::ALL.iter().map(|k| k.collection()).collect();
        after(&all, name, TRIED)
    }

    /// What a text in quotes can be taken for, once for each change; the two words before it say what it is given to.
    pub fn of_text(&self, text: &str, function: &str, bracket: &str) -> Vec<Vec<String>> {
        let given_to = |name: &str| function == name && bracket == "(";
        if given_to("in_list") {
            return vec![self.lists_like(text)];
        }
        if given_to("has_role") {
            return vec![after(ROLES, text, 1)];
        }
        if self.signals.binary_search(&text).is_ok() {
            return vec![after(&self.signals, text, 1)];
        }
        if let Some(at) = Level::ALL.iter().position(|l| l.word() == text) {
            let word = |n: Option<usize>| n.and_then(|n| Level::ALL.get(n)).map(|l| vec![l.word().to_owned()]);
            return [word(at.checked_add(1)), word(at.checked_sub(1))].into_iter().flatten().collect();
        }
        if let Some(rel) = Rel::named(text) {
            let spec = rel.spec();
            let fits = |r: &&str| Rel::named(r).is_some_and(|r| !r.spec().from.and(spec.from).is_none() && !r.spec().to.and(spec.to).is_none());
            let like: Vec<&str> = RELATIONS.iter().map(|r| r.name).filter(|r| *r == text || fits(r)).collect();
            return vec![after(&like, text, TRIED)];
        }
        if Verdict::ALL.iter().any(|v| v.word() == text) {
            let all: Vec<&str> = Verdict::ALL.iter().map(|v| v.word()).collect();
            return vec![after(&all, text, 1)];
        }
        if Kind::ALL.iter().any(|k| k.word() == text) {
            let all: Vec<&str> = Kind::ALL.iter().map(|k| k.word()).collect();
            return vec![after(&all, text, TRIED)];
        }
        if text.starts_with(|c: char| c.is_ascii_digit())
            && let Some(d) = crate::model::time::duration(text)
        {
            return d.as_secs().checked_mul(2).map(|s| vec![vec![written(s)]]).unwrap_or_default();
        }
        Vec::new()
    }
}

/// A number of seconds as authors write it.
fn written(seconds: i64) -> String {
    for (unit, long) in [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds > 0 && seconds.checked_rem(long) == Some(0) {
            return format!("{}{unit}", seconds.checked_div(long).unwrap_or(0));
        }
    }
    format!("{seconds}s")
}

/// Some words that follow one in a vocabulary, round its end.
fn after(all: &[&str], word: &str, most: usize) -> Vec<String> {
    let at = all.iter().position(|w| *w == word).map_or(0, |n| n.saturating_add(1));
    all.iter().cycle().skip(at).take(all.len()).filter(|w| **w != word).take(most).map(|w| (*w).to_owned()).collect()
}
