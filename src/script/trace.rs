//! What an expression looked at: the evidence under a card.

use std::collections::BTreeSet;

use super::expr::MemoId;
use crate::model::{AlertIx, EdgeIx, EntityIx, Rel};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// A property of an entity; `None` where nothing is recorded.
    Fact {
        /// Whose.
        entity: EntityIx,
        /// Its name.
        property: &'static str,
        /// What it holds, for people.
        value: Option<String>,
        /// `record`, `signal` or `list`.
        basis: &'static str,
        /// The alerts that say it.
        alerts: Vec<AlertIx>,
    },
    /// An edge that was walked.
    Edge(EdgeIx),
    /// An edge that is not there.
    NoEdge {
        /// From where it was looked for.
        entity: EntityIx,
        /// Its name.
        rel: Rel,
    },
    /// A field of an alert.
    Alert {
        /// Which.
        alert: AlertIx,
        /// Its name.
        field: &'static str,
        /// What it holds, for people.
        value: String,
    },
    /// A field of the incident.
    Incident {
        /// Its name.
        field: &'static str,
        /// What it holds, for people.
        value: String,
    },
    /// Two entities in one alert.
    Together {
        /// One.
        entity: EntityIx,
        /// The other.
        other: EntityIx,
        /// The alert.
        alert: AlertIx,
    },
}

/// What has been looked at so far, in order.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    seen: Vec<Seen>,
    visited: BTreeSet<MemoId>,
    visits: Vec<MemoId>,
}

/// A point in a trace, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    seen: usize,
    visits: usize,
}

/// What was taken back from a trace.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    seen: Vec<Seen>,
    visits: Vec<MemoId>,
}

impl Taken {
    /// Adds what was taken back elsewhere.
    pub fn and(&mut self, other: Taken) {
        self.seen.extend(other.seen);
        self.visits.extend(other.visits);
    }
}

/// How many findings one clause may show; more are left out.
const MOST: usize = 400;

impl Trace {
    /// Adds a finding.
    pub fn add(&mut self, what: Seen) {
        if self.seen.len() < MOST {
            self.seen.push(what);
        }
    }

    /// Where the findings stand now.
    pub fn mark(&self) -> Point {
        Point { seen: self.seen.len(), visits: self.visits.len() }
    }

    /// Takes back what was found since a point.
    pub fn take_back(&mut self, to: Point) -> Taken {
        let visits = self.visits.split_off(to.visits.min(self.visits.len()));
        for v in &visits {
            self.visited.remove(v);
        }
        Taken { seen: self.seen.split_off(to.seen.min(self.seen.len())), visits }
    }

    /// Puts what was taken back in again.
    pub fn put_back(&mut self, taken: Taken) {
        for f in taken.seen {
            self.add(f);
        }
        for v in taken.visits {
            self.first_visit(v);
        }
    }

    /// Whether a shared question is looked into for the first time.
    pub fn first_visit(&mut self, id: MemoId) -> bool {
        let first = self.visited.insert(id);
        if first {
            self.visits.push(id);
        }
        first
    }

    /// The findings, each once, in order.
    pub fn finish(self) -> Vec<Seen> {
        let mut known = BTreeSet::new();
        self.seen.into_iter().filter(|s| known.insert(s.clone())).collect()
    }
}
