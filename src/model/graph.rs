//! The graph of an incident's entities.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::incident::{EntityIx, Relation, Time};
use super::level::Basis;

/// An edge of an [`EntityGraph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeIx(pub u32);

/// What an edge holds: a relation.
pub type Edge = Relation;

/// The entities of one incident and the relations between them; edges are sorted by start, name and end.
#[derive(Clone, Debug, Default)]
pub struct EntityGraph {
    edges: Vec<Relation>,
    /// For each entity, where its edges begin; they end where those of the next one begin.
    leaving: Vec<u32>,
    /// Edges by the entity that they lead to.
    inward: Vec<EdgeIx>,
    /// For each entity, where the edges that lead to it begin in `inward`.
    arriving: Vec<u32>,
}

/// For each of so many entities how many of these come before it, and at the end how many there are.
fn starts(entities: usize, ends: impl Iterator<Item = EntityIx>) -> Vec<u32> {
    let mut count = vec![0u32; entities.saturating_add(1)];
    for e in ends {
        if let Some(n) = count.get_mut((e.0 as usize).saturating_add(1)) {
            *n = n.saturating_add(1);
        }
    }
    let mut sum = 0u32;
    for n in &mut count {
        sum = sum.saturating_add(*n);
        *n = sum;
    }
    count
}

/// The part that belongs to an entity.
fn range(starts: &[u32], e: EntityIx) -> std::ops::Range<u32> {
    let at = |n: usize| starts.get(n).copied().unwrap_or(0);
    at(e.0 as usize)..at((e.0 as usize).saturating_add(1))
}

impl EntityGraph {
    /// The graph of `entities` nodes with these relations. Relations with the same ends and name become one edge: the
    /// strongest basis wins, a guessed (`co-occurrence`) one adds nothing to one that is known.
    pub fn build(entities: usize, relations: impl IntoIterator<Item = Relation>) -> Self {
        let known = relations.into_iter().filter(|r| (r.from.0 as usize) < entities && (r.to.0 as usize) < entities);
        let edges = merged(known.collect());
        let mut inward: Vec<EdgeIx> = (0..).map(EdgeIx).take(edges.len()).collect();
        let to = |e: &EdgeIx| edges.get(e.0 as usize).map(|r| r.to);
        inward.sort_by_key(to);
        let (leaving, arriving) = (starts(entities, edges.iter().map(|r| r.from)), starts(entities, edges.iter().map(|r| r.to)));
        Self { edges, leaving, inward, arriving }
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// An edge.
    pub fn edge(&self, e: EdgeIx) -> Option<&Edge> {
        self.edges.get(e.0 as usize)
    }

    /// Every edge, in order.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeIx, &Edge)> {
        (0..).map(EdgeIx).zip(&self.edges)
    }

    /// Edges that leave an entity, in order; guessed ones only if `guessed`.
    pub fn leaving(&self, e: EntityIx, guessed: bool) -> Vec<EdgeIx> {
        range(&self.leaving, e).map(EdgeIx).filter(|x| guessed || self.is_known(*x)).collect()
    }

    /// Edges that arrive at an entity, in order; guessed ones only if `guessed`.
    pub fn arriving(&self, e: EntityIx, guessed: bool) -> Vec<EdgeIx> {
        let range = range(&self.arriving, e);
        let all = self.inward.get(range.start as usize..range.end as usize).unwrap_or_default();
        all.iter().copied().filter(|x| guessed || self.is_known(*x)).collect()
    }

    fn is_known(&self, x: EdgeIx) -> bool {
        self.edge(x).is_some_and(|r| r.basis != Basis::CoOccurrence)
    }

    /// The entities at most `hops` edges away, whichever way the edges point, in order; not the entity itself.
    pub fn within(&self, from: EntityIx, hops: usize) -> Vec<EntityIx> {
        let mut seen: BTreeSet<EntityIx> = self.search(from, hops, None).into_keys().collect();
        seen.remove(&from);
        seen.into_iter().collect()
    }

    /// The edges of a shortest path, whichever way they point; `None` when there is none.
    pub fn path(&self, from: EntityIx, to: EntityIx) -> Option<Vec<EdgeIx>> {
        let came = self.search(from, usize::MAX, Some(to));
        let mut path = Vec::new();
        let mut here = to;
        while here != from {
            let (edge, before) = came.get(&here).copied().flatten()?;
            path.push(edge);
            here = before;
        }
        path.reverse();
        Some(path)
    }

    /// Breadth first from `from`: for each entity reached, the edge and entity it was reached by.
    fn search(&self, from: EntityIx, hops: usize, stop: Option<EntityIx>) -> BTreeMap<EntityIx, Option<(EdgeIx, EntityIx)>> {
        let mut came = BTreeMap::from([(from, None)]);
        let mut queue = VecDeque::from([(from, 0usize)]);
        while let Some((here, depth)) = queue.pop_front() {
            if depth >= hops || Some(here) == stop {
                continue;
            }
            let mut steps = self.leaving(here, false);
            steps.extend(self.arriving(here, false));
            for e in steps {
                let Some(r) = self.edge(e) else { continue };
                let next = if r.from == here { r.to } else { r.from };
                if let std::collections::btree_map::Entry::Vacant(slot) = came.entry(next) {
                    slot.insert(Some((e, here)));
                    queue.push_back((next, depth.saturating_add(1)));
                }
            }
        }
        came
    }
}

/// These relations sorted by start, name and end; those that agree in all three are one.
pub fn merged(mut all: Vec<Relation>) -> Vec<Relation> {
    let key = |r: &Relation| (r.from, r.rel, r.to);
    if !all.is_sorted_by(|a, b| key(a) < key(b)) {
        all.sort_by_key(key);
        all.dedup_by(|later, kept| {
            let same = key(later) == key(kept);
            if same {
                kept.absorb(later);
            }
            same
        });
    }
    all
}

/// The earlier of two moments, where one is known.
pub fn earliest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

impl Relation {
    /// Takes in another report of the same relation.
    pub fn absorb(&mut self, other: &Relation) {
        let guessed = |b: Basis| b == Basis::CoOccurrence;
        if guessed(self.basis) != guessed(other.basis) {
            if guessed(self.basis) {
                self.clone_from(other);
            }
            return;
        }
        self.basis = self.basis.max(other.basis);
        self.first = earliest(self.first, other.first);
        self.last = self.last.max(other.last);
        for alert in &other.alerts {
            self.alerts.insert(*alert);
        }
    }
}
