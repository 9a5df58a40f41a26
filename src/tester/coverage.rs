//! Which clauses the tests have seen hold, and which they have seen fail: both belong to a clause that is tested.

mod clauses;
pub mod document;
pub mod page;

use std::collections::{BTreeMap, HashMap};

pub(super) use clauses::used;
pub use clauses::{Clause, What};

use crate::playbook::PlaybookSet;
use crate::playbook::set::Playbook;
use crate::script::eval::Observed;
use crate::script::expr::Key;
use crate::source::{FileId, Span};

/// A clause, and how often it came out each way.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The clause.
    pub clause: Clause,
    /// How often it held.
    pub held: usize,
    /// How often it did not.
    pub failed: usize,
}

impl Seen {
    /// How many of its two outcomes were seen.
    fn outcomes(&self) -> usize {
        usize::from(self.held > 0).saturating_add(usize::from(self.failed > 0))
    }
}

/// The clauses of one file: of a playbook, or of a library over all playbooks that use it.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The id of the playbook or library.
    pub name: String,
    /// Whether it is a library.
    pub library: bool,
    /// Its file.
    pub file: FileId,
    /// Its clauses, by place.
    pub clauses: Vec<Seen>,
    /// Clauses that cannot come out both ways, and why: they are not counted.
    pub left_out: Vec<(Span, &'static str)>,
}

/// Outcomes that were seen, of how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Seen.
    pub seen: usize,
    /// Of so many: two for each clause.
    pub of: usize,
}

impl Share {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Share) -> Share {
        Share { seen: self.seen.saturating_add(other.seen), of: self.of.saturating_add(other.of) }
    }

    /// In hundredths of a percent, rounded down, so that 100 % means all of them. Nothing to see is all seen.
    pub fn hundredths(self) -> usize {
        self.seen.saturating_mul(10_000).checked_div(self.of).unwrap_or(10_000)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let n = self.hundredths();
        let (whole, tenth) = (n.checked_div(100).unwrap_or(0), n.checked_rem(100).unwrap_or(0).checked_div(10).unwrap_or(0));
        write!(f, "{whole}.{tenth} %")
    }
}

impl Unit {
    /// How much of it was seen.
    pub fn share(&self) -> Share {
        Share { seen: self.clauses.iter().map(Seen::outcomes).fold(0, usize::saturating_add), of: self.clauses.len().saturating_mul(2) }
    }
}

/// Clauses of playbooks and of the libraries that they use.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Playbooks by id, then libraries by id.
    pub units: Vec<Unit>,
    /// Where each clause stands in `units`.
    index: HashMap<(Span, Key), Vec<(usize, usize)>>,
}

impl Coverage {
    /// The clauses of these playbooks, of which nothing was seen yet. `wanted` says whether a library's file is asked
    /// about as well.
    pub fn new(set: &PlaybookSet, playbooks: &[&Playbook], wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut units: Vec<Unit> = playbooks.iter().map(|p| clauses::of_playbook(p)).collect();
        // A library's clauses count once, however many playbooks use it; whether any does, all of the set say.
        let mut libraries: BTreeMap<String, Unit> = BTreeMap::new();
        for p in playbooks {
            for file in p.places.values().map(|s| s.file).filter(|f| *f != p.span.file) {
                let Some(source) = set.sources.get(file).filter(|f| wanted(&f.path)) else { continue };
                let name = library_id(&source.text).unwrap_or(&source.path).to_owned();
                libraries.entry(name).or_insert_with_key(|name| clauses::of_library(name, file, p, &set.playbooks));
            }
        }
        units.extend(libraries.into_values());
        let mut index: HashMap<(Span, Key), Vec<(usize, usize)>> = HashMap::new();
        for (u, unit) in units.iter().enumerate() {
            for (n, s) in unit.clauses.iter().enumerate() {
                index.entry((s.clause.span, s.clause.key)).or_default().push((u, n));
            }
        }
        Self { units, index }
    }

    /// Adds what a test has seen.
    pub fn add(&mut self, observed: &Observed) {
        for (at, (held, failed)) in observed {
            for (u, n) in self.index.get(at).into_iter().flatten() {
                if let Some(s) = self.units.get_mut(*u).and_then(|u| u.clauses.get_mut(*n)) {
                    s.held = s.held.saturating_add(*held);
                    s.failed = s.failed.saturating_add(*failed);
                }
            }
        }
    }

    /// The innermost clause that a place is in.
    pub fn innermost(&self, span: Span) -> Option<(Span, Key)> {
        let all = self.units.iter().filter(|u| u.file == span.file).flat_map(|u| &u.clauses).map(|s| (s.clause.span, s.clause.key));
        all.filter(|(s, _)| s.start <= span.start && span.end <= s.end).min_by_key(|(s, _)| s.end.saturating_sub(s.start))
    }

    /// How much of all was seen.
    pub fn share(&self) -> Share {
        self.units.iter().map(Unit::share).fold(Share::default(), Share::and)
    }
}

/// The id of a library's file.
pub(super) fn library_id(text: &str) -> Option<&str> {
    text.lines().find_map(|l| l.strip_prefix("library:")).map(|id| id.split('#').next().unwrap_or(id).trim().trim_matches(['"', '\'']))
}
