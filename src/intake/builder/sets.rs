//! Which records are the same thing: sets of drafts that share strong ids.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::super::hash::Keyed;
use super::draft::{Draft, Id};
use super::namespace::Ns;
use super::{AlertRef, number};
use crate::diag::{Diagnostic, Severity, codes};
use crate::model::{Kind, Text};

/// How many conflicting sets of one id a record is compared with.
const MOST_CONFLICTS: usize = 32;

type Drafts = [(Option<AlertRef>, Draft)];

/// An order of drafts by their content.
type SortKey<'a> = (std::cmp::Reverse<usize>, &'a [Id], &'a [(u8, Text)]);

/// Sets of drafts that are one thing. Most drafts stay alone, so that what only joined sets need is kept for these alone.
pub(super) struct Sets {
    parent: Vec<u32>,
    /// How many drafts are in the set of a root.
    size: Vec<u32>,
    /// For each draft the next one of its set, around.
    next: Vec<u32>,
    /// For sets that were compared, their ids in the exclusive namespaces.
    exclusive: BTreeMap<usize, BTreeSet<Id>>,
    /// For joined sets, their best id.
    best: BTreeMap<usize, Option<Best>>,
}

/// The rank of a namespace and a value in it.
type Best = (u8, Text);

impl Sets {
    pub(super) fn new(drafts: &Drafts) -> Self {
        let all = || (0..number(drafts.len())).collect::<Vec<u32>>();
        Self { parent: all(), size: vec![1; drafts.len()], next: all(), exclusive: BTreeMap::new(), best: BTreeMap::new() }
    }

    pub(super) fn root(&self, mut n: usize) -> usize {
        while let Some(up) = self.parent.get(n).map(|up| *up as usize).filter(|up| *up != n) {
            n = up;
        }
        n
    }

    /// The drafts of a set.
    fn members(&self, root: usize) -> impl Iterator<Item = usize> {
        let after = move |n: &usize| self.next.get(*n).map(|n| *n as usize).filter(|n| *n != root);
        std::iter::successors(Some(root), after)
    }

    /// The best id of a set, as text for the ids of what lies in it.
    pub(super) fn key(&self, drafts: &Drafts, root: usize) -> Text {
        let alone = || drafts.get(root).and_then(|(_, d)| best(d));
        self.best.get(&root).map_or_else(alone, Clone::clone).map_or_else(|| "-".into(), |(_, v)| v)
    }

    /// Takes in ids that a draft was given since.
    pub(super) fn learn(&mut self, drafts: &Drafts, n: usize) {
        let Some((_, d)) = drafts.get(n) else { return };
        let root = self.root(n);
        if let Some(known) = self.exclusive.get_mut(&root) {
            known.extend(exclusive(d).cloned());
        }
        if let Some(known) = self.best.get_mut(&root) {
            *known = better(known.take(), best(d));
        }
    }

    /// Merges the drafts that share a strong id, best namespaces first, and refuses what would put two values of an
    /// exclusive namespace into one set. Drafts without strong ids merge on their weak ones. Says whether any conflict.
    pub(super) fn merge(&mut self, drafts: &Drafts, wanted: impl Fn(&Draft) -> bool, notes: &mut Vec<Diagnostic>) -> bool {
        let mut any = false;
        for (kind, ns, value, mut all) in shared_ids(drafts, wanted) {
            all.sort_by_key(|n| sort_key(drafts, *n));
            // One draft of each set that holds the value so far; beyond a few dozen that conflict nothing more is compared.
            let mut holding: Vec<usize> = Vec::new();
            for n in &all {
                let mut conflict = None;
                let mut taken = false;
                for other in holding.iter().take(MOST_CONFLICTS) {
                    let (a, b) = (self.root(*other), self.root(*n));
                    taken = a == b;
                    if !taken {
                        match self.conflict(drafts, a, b) {
                            None => {
                                self.join(drafts, a, b);
                                taken = true;
                            }
                            found => conflict = found,
                        }
                    }
                    if taken {
                        conflict = None;
                        break;
                    }
                }
                if !taken {
                    holding.push(*n);
                }
                any |= holding.len() > 1;
                if let Some((other_ns, one, two)) = conflict.filter(|(ns, ..)| *ns != Ns::SETTLED) {
                    notes.push(
                        Diagnostic::new(
                            codes::CONFLICT,
                            Severity::Warning,
                            format!(
                                "two records of a {kind} share {} `{value}` and have different {}: `{one}` and `{two}`; they stay apart",
                                ns.name(),
                                other_ns.name()
                            ),
                        )
                        .help("check the source: one of the ids is wrong, or was given to another one since"),
                    );
                }
            }
        }
        any
    }

    /// The ids of a set in the exclusive namespaces, kept from now on.
    fn compared(&mut self, drafts: &Drafts, root: usize) {
        self.exclusive.entry(root).or_insert_with(|| {
            // What was never compared was never joined.
            drafts.get(root).into_iter().flat_map(|(_, d)| exclusive(d)).cloned().collect()
        });
    }

    /// An exclusive namespace in which both sets have ids and share none, and one id of each.
    fn conflict(&mut self, drafts: &Drafts, a: usize, b: usize) -> Option<(Ns, Text, Text)> {
        self.compared(drafts, a);
        self.compared(drafts, b);
        let (one, two) = (self.exclusive.get(&a)?, self.exclusive.get(&b)?);
        let mut rest = one.iter().peekable();
        while let Some((ns, first)) = rest.next() {
            let mut shares = two.contains(&(*ns, first.clone()));
            while let Some(id) = rest.next_if(|(n, _)| n == ns) {
                shares = shares || two.contains(id);
            }
            let other = two.range((*ns, Text::default())..).next().filter(|(n, _)| n == ns);
            if let (false, Some((_, other))) = (shares, other) {
                return Some((*ns, first.clone(), other.clone()));
            }
        }
        None
    }

    /// Joins two sets: the smaller one moves.
    fn join(&mut self, drafts: &Drafts, a: usize, b: usize) {
        let size = |n: usize| self.size.get(n).copied().unwrap_or(0);
        let both = size(a).saturating_add(size(b));
        let (keep, gone) = if (size(a), std::cmp::Reverse(a)) >= (size(b), std::cmp::Reverse(b)) { (a, b) } else { (b, a) };
        let best_of = |sets: &mut Self, n: usize| sets.best.remove(&n).unwrap_or_else(|| drafts.get(n).and_then(|(_, d)| best(d)));
        let joined = better(best_of(self, keep), best_of(self, gone));
        self.best.insert(keep, joined);
        if let Some(slot) = self.parent.get_mut(gone) {
            *slot = number(keep);
        }
        if let Some(slot) = self.size.get_mut(keep) {
            *slot = both;
        }
        let (after_keep, after_gone) = (self.next.get(keep).copied(), self.next.get(gone).copied());
        for (n, after) in [(keep, after_gone), (gone, after_keep)] {
            if let (Some(slot), Some(after)) = (self.next.get_mut(n), after) {
                *slot = after;
            }
        }
        let ids = self.exclusive.remove(&gone).unwrap_or_default();
        self.exclusive.entry(keep).or_default().extend(ids);
    }

    /// The sets that are entities: at least one draft in it is not tentative, and its `unless` stands for nothing.
    pub(super) fn settle(&self, drafts: &Drafts) -> Vec<Vec<usize>> {
        let real = |root: usize| self.members(root).filter_map(|n| drafts.get(n)).any(|(_, d)| !d.tentative && d.unless.is_none());
        let is_root = |n: &usize| self.parent.get(*n).is_some_and(|up| *up as usize == *n);
        (0..drafts.len())
            .filter(is_root)
            .filter_map(|root| {
                // Most stand alone, and for something.
                if self.next.get(root).is_some_and(|next| *next as usize == root)
                    && drafts.get(root).is_some_and(|(_, d)| !d.tentative && d.unless.is_none())
                {
                    return Some(vec![root]);
                }
                let kept: Vec<usize> =
                    self.members(root).filter(|n| drafts.get(*n).is_some_and(|(_, d)| d.unless.is_none_or(|u| !real(self.root(u.at()))))).collect();
                let any = kept.iter().filter_map(|n| drafts.get(*n)).any(|(_, d)| !d.tentative);
                any.then_some(kept)
            })
            .collect()
    }
}

/// The ids that several drafts hold, best namespaces first, with these drafts.
fn shared_ids(drafts: &Drafts, wanted: impl Fn(&Draft) -> bool) -> Vec<(Kind, Ns, Text, Vec<usize>)> {
    // The first draft that holds an id, or which of the ids held by several it is.
    enum Held {
        Once(usize),
        Often(usize),
    }
    let mut seen: Keyed<(Kind, bool, Ns, &str), Held> = Keyed::with_capacity_and_hasher(drafts.len(), Default::default());
    let mut often: Vec<(Kind, bool, Ns, Text, Vec<usize>)> = Vec::new();
    for (n, (_, d)) in drafts.iter().enumerate().filter(|(_, (_, d))| wanted(d)) {
        let weak = d.strong.is_empty();
        for (ns, v) in if weak { &d.weak } else { &d.strong } {
            match seen.entry((d.kind, weak, *ns, v)) {
                Entry::Vacant(slot) => {
                    slot.insert(Held::Once(n));
                }
                Entry::Occupied(mut slot) => match slot.get() {
                    Held::Once(first) => {
                        often.push((d.kind, weak, *ns, v.clone(), vec![*first, n]));
                        slot.insert(Held::Often(often.len().saturating_sub(1)));
                    }
                    Held::Often(at) => {
                        if let Some((.., all)) = often.get_mut(*at) {
                            all.push(n);
                        }
                    }
                },
            }
        }
    }
    often.sort_by(|a, b| {
        let order = |(kind, weak, ns, ..): &(Kind, bool, Ns, Text, Vec<usize>)| (*weak, !ns.exclusive(), ns.rank(), *kind, *ns);
        order(a).cmp(&order(b)).then_with(|| a.3.cmp(&b.3))
    });
    often.into_iter().map(|(kind, _, ns, v, all)| (kind, ns, v, all)).collect()
}

/// An order of drafts that depends on their content only.
fn sort_key(drafts: &Drafts, n: usize) -> Option<SortKey<'_>> {
    drafts.get(n).map(|(_, d)| (std::cmp::Reverse(d.strong.len()), &*d.strong, &*d.names))
}

fn exclusive(d: &Draft) -> impl Iterator<Item = &Id> {
    d.strong.iter().filter(|(ns, _)| ns.exclusive())
}

fn best(d: &Draft) -> Option<Best> {
    d.strong.iter().chain(&d.weak).map(|(ns, v)| (ns.rank(), v)).min().map(|(rank, v)| (rank, v.clone()))
}

/// The better of two that may be absent.
fn better(a: Option<Best>, b: Option<Best>) -> Option<Best> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
