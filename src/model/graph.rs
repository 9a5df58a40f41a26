//! The graph of an incident's entities. The only place that knows petgraph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::Direction;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

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
    graph: DiGraph<(), Relation>,
}

fn node(e: EntityIx) -> NodeIndex {
    NodeIndex::new(e.0 as usize)
}

fn edge_ix(e: EdgeIndex) -> EdgeIx {
    EdgeIx(u32::try_from(e.index()).unwrap_or(u32::MAX))
}

impl EntityGraph {
    /// The graph of `entities` nodes with these relations. Relations with the same ends and name become one edge: the
    /// strongest basis wins, a guessed (`co-occurrence`) one adds nothing to one that is known.
    pub fn build(entities: usize, relations: impl IntoIterator<Item = Relation>) -> Self {
        let relations = relations.into_iter();
        let mut known = Vec::with_capacity(relations.size_hint().1.unwrap_or_default());
        known.extend(relations.filter(|r| (r.from.0 as usize) < entities && (r.to.0 as usize) < entities));
        let edges = merged(known);
        let mut graph = DiGraph::with_capacity(entities, edges.len());
        for _ in 0..entities {
            graph.add_node(());
        }
        for r in edges {
            graph.add_edge(node(r.from), node(r.to), r);
        }
        Self { graph }
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.graph.edge_count()
    }

    /// An edge.
    pub fn edge(&self, e: EdgeIx) -> Option<&Edge> {
        self.graph.edge_weight(EdgeIndex::new(e.0 as usize))
    }

    /// Every edge, in order.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeIx, &Edge)> {
        self.graph.edge_references().map(|e| (edge_ix(e.id()), e.weight()))
    }

    /// Edges that leave an entity, in order; guessed ones only if `guessed`.
    pub fn leaving(&self, e: EntityIx, guessed: bool) -> Vec<EdgeIx> {
        self.around(e, Direction::Outgoing, guessed)
    }

    /// Edges that arrive at an entity, in order; guessed ones only if `guessed`.
    pub fn arriving(&self, e: EntityIx, guessed: bool) -> Vec<EdgeIx> {
        self.around(e, Direction::Incoming, guessed)
    }

    fn around(&self, e: EntityIx, way: Direction, guessed: bool) -> Vec<EdgeIx> {
        let wanted = self.graph.edges_directed(node(e), way).filter(|e| guessed || e.weight().basis != Basis::CoOccurrence);
        let mut found: Vec<EdgeIx> = wanted.map(|e| edge_ix(e.id())).collect();
        found.sort_unstable();
        found
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
