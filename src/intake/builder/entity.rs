//! One entity from all records of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use smallvec::SmallVec;

use super::draft::{Draft, Id};
use super::namespace::Ns;
use crate::model::graph::earliest;
use crate::model::{Alert, AlertIx, Entity, Kind, Map, Props, Report, Text, Time, Verdict};

/// What was done about most entities.
static NOTHING_DONE: LazyLock<Text> = LazyLock::new(|| "none".into());

/// An alert that names the entity, and the parts that it plays there.
pub(super) struct Seen<'s> {
    pub(super) alert: Option<AlertIx>,
    pub(super) roles: &'s [Text],
}

/// One entity from the records of it, and its sightings, each with the number of its group. `alias` is where aliases are
/// written before their size is known.
pub(super) fn of(
    mut drafts: Vec<(Option<AlertIx>, Draft)>,
    seen: &[(usize, Seen<'_>)],
    alerts: &[Alert],
    order: &[AlertIx],
    alias: &mut String,
) -> Entity {
    let kind = drafts.first().map_or(Kind::Other, |(_, d)| d.kind);
    let mut ids: SmallVec<[&Id; 8]> = SmallVec::new();
    ids.extend(drafts.iter().flat_map(|(_, d)| d.strong.iter().chain(&d.weak)).filter(|(ns, _)| *ns != Ns::SETTLED));
    ids.sort_unstable_by(|(a, x), (b, y)| (a.rank(), x).cmp(&(b.rank(), y)));
    ids.dedup();
    let given = drafts.iter().filter_map(|(_, d)| d.id.as_ref()).min();
    let id = given.cloned().unwrap_or_else(|| ids.first().map_or_else(|| format!("{kind}:?"), |(ns, v)| ns.id_of(kind, v)).into());
    let told = drafts.iter().map(|(_, d)| d.aliases.len()).fold(ids.len(), usize::saturating_add);
    let mut aliases: Vec<Text> = Vec::with_capacity(told);
    for (ns, v) in &ids {
        alias.clear();
        [ns.name(), ":", v].iter().for_each(|part| alias.push_str(part));
        aliases.push(alias.as_str().into());
    }
    aliases.extend(drafts.iter().flat_map(|(_, d)| d.aliases.iter().cloned()));
    let names = drafts.iter().flat_map(|(_, d)| d.names.iter().map(|(w, n)| (*w, d.at, n)));
    let name = names.max().map(|(_, _, n)| n).or(ids.first().map(|(_, v)| v)).cloned().unwrap_or_default();
    drop(ids);
    let verdict = drafts.iter().map(|(_, d)| d.verdict).filter(|v| *v != Verdict::Unknown).max().unwrap_or(Verdict::Unknown);
    let said = drafts.iter().map(|(_, d)| d.props.len().saturating_add(d.reports.len())).fold(0, usize::saturating_add);
    let mut props: Vec<Report> = Vec::with_capacity(said);
    let (mut first_seen, mut last_seen) = (None, None);
    let mut remediation: Option<(Option<Time>, Text)> = None;
    let alert_at = |ix: Option<AlertIx>| ix.and_then(|a| alerts.get(a.0 as usize));
    let mut see = |a: &Alert| {
        first_seen = earliest(first_seen, earliest(a.first, a.last));
        last_seen = last_seen.max(a.last.max(a.first));
    };
    for (alert, d) in &mut drafts {
        let seen = alert_at(*alert);
        let at = d.at.or_else(|| seen.and_then(|a| a.last.or(a.first).or(a.created)));
        props.extend(d.props.drain(..).map(|(prop, value)| Report { prop, at, alert: *alert, value }));
        props.extend(d.reports.drain(..).map(|(prop, alert, at, value)| Report {
            prop,
            at,
            alert: alert.and_then(|a| order.get(a.at())).copied(),
            value,
        }));
        if !d.remediation.is_empty() {
            remediation = remediation.max(Some((at, d.remediation.clone())));
        }
        seen.into_iter().for_each(&mut see);
    }
    seen.iter().filter_map(|(_, s)| alert_at(s.alert)).for_each(&mut see);
    let parts = drafts.iter().flat_map(|(_, d)| &d.roles).chain(seen.iter().flat_map(|(_, s)| s.roles));
    Entity {
        id,
        kind,
        name,
        aliases: aliases.into(),
        verdict,
        remediation_status: remediation.map_or_else(|| NOTHING_DONE.clone(), |(_, word)| word),
        roles: parts.cloned().collect(),
        tags: drafts.iter().flat_map(|(_, d)| d.tags.iter().cloned()).collect(),
        alerts: drafts.iter().map(|(alert, _)| *alert).chain(seen.iter().map(|(_, s)| s.alert)).flatten().collect(),
        first_seen,
        last_seen,
        props: props.into_iter().collect::<Props>(),
        fields: fields(&drafts),
        records: records(&drafts),
    }
}

/// Of the values that records give a field the greatest holds; of those in one record the last.
fn fields(drafts: &[(Option<AlertIx>, Draft)]) -> Map<Text, Text> {
    let mut all: BTreeMap<&Text, &Text> = BTreeMap::new();
    for (_, d) in drafts.iter().filter(|(_, d)| !d.fields.is_empty()) {
        let own: BTreeMap<&Text, &Text> = d.fields.iter().map(|(k, v)| (k, v)).collect();
        for (k, v) in own {
            let slot = all.entry(k).or_insert(v);
            *slot = (*slot).max(v);
        }
    }
    all.into_iter().map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// How many records of each declared type there are.
fn records(drafts: &[(Option<AlertIx>, Draft)]) -> Map<Text, u32> {
    let mut all: Vec<&Text> = match drafts {
        // Most things have one record.
        [(_, d)] if d.record.len() < 2 => return d.record.iter().map(|t| (t.clone(), 1)).collect(),
        several => several.iter().flat_map(|(_, d)| &d.record).collect(),
    };
    all.sort_unstable();
    all.chunk_by(|a, b| a == b).filter_map(|same| Some(((*same.first()?).clone(), super::number(same.len())))).collect()
}

/// Sorts entities by id; gives for each of them, as they were, where it is now.
pub(super) fn sort(made: &mut [Entity]) -> Vec<usize> {
    // The order, and whether no two carry the same id.
    let order = |made: &[Entity]| -> (Vec<usize>, bool) {
        let mut order: Vec<(&str, usize)> = made.iter().map(|e| &*e.id).zip(0..).collect();
        order.sort_unstable();
        let unique = order.is_sorted_by(|a, b| a.0 < b.0);
        (order.into_iter().map(|(_, n)| n).collect(), unique)
    };
    let (mut by_id, unique) = order(made);
    if !unique {
        unique_ids(made);
        by_id = order(made).0;
    }
    let mut places = vec![0; made.len()];
    for (to, from) in by_id.into_iter().enumerate() {
        if let Some(place) = places.get_mut(from) {
            *place = to;
        }
    }
    // They are large, and many: they change places where they lie, and each change brings one to its own.
    let mut left = places.clone();
    for n in 0..made.len() {
        while let Some(to) = left.get(n).copied().filter(|to| *to != n) {
            made.swap(n, to);
            left.swap(n, to);
        }
    }
    places
}

/// Entities that would carry the same id (their strong ids conflict) take their next one, or a number.
fn unique_ids(made: &mut [Entity]) {
    for _ in 0..4 {
        let mut count: BTreeMap<Text, usize> = BTreeMap::new();
        for e in made.iter() {
            let n = count.entry(e.id.clone()).or_default();
            *n = n.saturating_add(1);
        }
        if count.values().all(|n| *n < 2) {
            return;
        }
        let mut again: Vec<usize> = (0..made.len()).filter(|n| made.get(*n).is_some_and(|e| count.get(&e.id).is_some_and(|c| *c > 1))).collect();
        again.sort_by(|a, b| {
            let key = |n: &usize| made.get(*n).map(|e| (&e.id, &e.aliases, &e.name, &e.alerts));
            key(a).cmp(&key(b))
        });
        for (ordinal, n) in again.into_iter().enumerate() {
            let Some(e) = made.get_mut(n) else { continue };
            let mut ids: Vec<(u8, Ns, &str)> = e
                .aliases
                .iter()
                .filter_map(|a| a.split_once(':'))
                .filter_map(|(ns, v)| Some((Ns::named(ns)?, v)))
                .filter(|(ns, v)| ns.exclusive() && *ns.id_of(e.kind, v) != *e.id)
                .map(|(ns, v)| (ns.rank(), ns, v))
                .collect();
            ids.sort();
            e.id = match ids.iter().map(|(_, ns, v)| ns.id_of(e.kind, v)).find(|id| !count.contains_key(id.as_str())) {
                Some(id) => id.into(),
                None => format!("{}#{}", e.id, ordinal.saturating_add(1)).into(),
            };
        }
    }
}
