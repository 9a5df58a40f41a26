//! From records to one incident: which records are the same thing, what it is called, and what is kept of each.
//!
//! A format file hands over drafts, one a record, with the strong ids that the record ties together. Drafts that share
//! a strong id become one entity; nothing else merges them. The result does not depend on the order of the drafts.

mod draft;
mod entity;
mod namespace;
mod sets;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub use draft::Draft;
pub use namespace::namespaced;

use self::entity::Seen;
use self::sets::Sets;
use crate::diag::{Diagnostic, Severity, codes};
use crate::model::graph::earliest;
use crate::model::kind::RELATIONS;
use crate::model::{Alert, AlertIx, Basis, Entity, EntityIx, Incident, Kind, Prop, Rel, Relation, Set, Text, Time};

/// A draft, by the order in which it was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref(u32);

/// An alert, by the order in which it was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertRef(u32);

impl Ref {
    fn at(self) -> usize {
        self.0 as usize
    }
}

impl AlertRef {
    fn at(self) -> usize {
        self.0 as usize
    }
}

/// A position; all of them are far below what it holds.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// How many devices of one name are taken for the machine of a virtual machine's record.
const MOST_NAMESAKES: usize = 8;

/// How many records there is room for at once: most incidents hold fewer, and a record is large to be moved.
const RECORDS: usize = 64;

/// How many scopes lie in one another.
const DEEPEST_SCOPE: usize = 16;

/// Lower snake case of a source's word: `InProgress`, `in progress` and `inProgress` give `in_progress`.
pub fn snake(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.trim().chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
                out.push('_');
            }
            out.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        before = c;
    }
    out.trim_end_matches('_').to_owned()
}

/// What is known of a domain from its name.
pub fn domain_props(draft: &mut Draft, host: &str) {
    if let Some(r) = super::net::registered_domain(host) {
        draft.prop("registered_domain", r);
    }
}

struct Link {
    alert: Option<AlertRef>,
    from: Ref,
    rel: Rel,
    to: Ref,
    first: Option<Time>,
    last: Option<Time>,
}

/// An alert that names what another record describes.
struct Sighting {
    alert: Option<AlertRef>,
    of: Ref,
    roles: Vec<Text>,
    held: bool,
}

/// Collects the records of one incident.
#[derive(Default)]
pub struct Builder {
    /// The incident's own fields; alerts and entities come from the records.
    pub incident: Incident,
    alerts: Vec<Alert>,
    drafts: Vec<(Option<AlertRef>, Draft)>,
    sightings: Vec<Sighting>,
    links: Vec<Link>,
    notes: Vec<Diagnostic>,
}

impl Builder {
    /// An empty incident from this format.
    pub fn new(source: &str) -> Self {
        Self { incident: Incident { source: source.into(), ..Incident::default() }, drafts: Vec::with_capacity(RECORDS), ..Self::default() }
    }

    /// Adds an alert; its entities come from records.
    pub fn alert(&mut self, alert: Alert) -> AlertRef {
        self.alerts.push(alert);
        AlertRef(number(self.alerts.len().saturating_sub(1)))
    }

    /// The alert that was handed over last, to add to.
    pub fn last_alert(&mut self) -> Option<&mut Alert> {
        self.alerts.last_mut()
    }

    /// The titles of the alerts so far.
    pub fn alert_titles(&self) -> impl Iterator<Item = &Text> {
        self.alerts.iter().map(|a| &a.title).filter(|t| !t.is_empty())
    }

    /// The ids of the alerts so far.
    pub fn alert_ids(&self) -> impl Iterator<Item = &Text> {
        self.alerts.iter().map(|a| &a.id)
    }

    /// Adds a record, seen in an alert or in the incident itself.
    pub fn entity(&mut self, alert: Option<AlertRef>, draft: Draft) -> Ref {
        self.drafts.push((alert, draft));
        Ref(number(self.drafts.len().saturating_sub(1)))
    }

    /// Says that an alert names what a record describes that has no scoped ids: the parts that it plays, and whether
    /// the alert holds a record of it.
    pub fn sight(&mut self, alert: Option<AlertRef>, of: Ref, roles: &[Cow<'_, str>], held: bool) {
        let roles = roles.iter().filter_map(|t| draft::role(t)).collect();
        self.sightings.push(Sighting { alert, of, roles, held });
    }

    /// The kind of a record that was handed over.
    pub fn kind(&self, r: Ref) -> Option<Kind> {
        self.drafts.get(r.at()).map(|(_, d)| d.kind)
    }

    /// A record that was handed over, to add to.
    pub fn draft(&mut self, r: Ref) -> Option<&mut Draft> {
        self.drafts.get_mut(r.at()).map(|(_, d)| d)
    }

    /// Relates two records. Ends of kinds that the relation does not have are not related.
    pub fn relate(&mut self, alert: Option<AlertRef>, from: Ref, rel: &str, to: Ref, first: Option<Time>, last: Option<Time>) {
        if let Some(rel) = Rel::named(rel) {
            self.relate_by(alert, from, rel, to, first, last);
        }
    }

    /// As [`relate`](Self::relate), by a relation that was looked up.
    pub fn relate_by(&mut self, alert: Option<AlertRef>, from: Ref, rel: Rel, to: Ref, first: Option<Time>, last: Option<Time>) {
        let (Some(a), Some(b)) = (self.kind(from), self.kind(to)) else { return };
        if rel.spec().from.has(a) && rel.spec().to.has(b) {
            self.links.push(Link { alert, from, rel, to, first, last });
        }
    }

    /// Says something about the input, at a JSON path.
    pub fn note(&mut self, code: &'static str, severity: Severity, path: &str, message: impl Into<String>) {
        self.notes.push(Diagnostic::new(code, severity, message).path(path));
    }

    /// How many records there are, for the limits.
    pub fn len(&self) -> usize {
        self.drafts.len().saturating_add(self.sightings.len())
    }

    /// How many relations there are, for the limits.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Whether nothing was handed over.
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// The incident, and what there is to say about the input.
    pub fn finish(mut self) -> (Incident, Vec<Diagnostic>) {
        self.derive_domains();
        self.drafts.iter_mut().for_each(|(_, d)| d.seal());
        let groups = self.group();
        let order = self.sort_alerts();
        let (entities, place) = self.entities(groups, &order);
        let mut incident = std::mem::take(&mut self.incident);
        incident.entities = entities;
        self.name_in_alerts(&order, &place);
        incident.alerts = std::mem::take(&mut self.alerts);
        incident.relations = self.relations(&incident, &place, &order);
        drop((self.drafts, self.sightings, self.links));
        same_names(&mut incident);
        headline(&mut incident);
        let mut notes = self.notes;
        for absent in &incident.absent_alerts {
            notes.push(
                Diagnostic::new(codes::ABSENT_ALERT, Severity::Warning, format!("alert `{absent}` is named by the incident and is not in the input"))
                    .help("export the alerts of the incident as well"),
            );
        }
        for alert in &incident.alerts {
            for t in alert.techniques.iter().filter(|t| crate::model::technique::technique(t).is_none()) {
                notes.push(Diagnostic::new(
                    codes::PSEUDO_TECHNIQUE,
                    Severity::Note,
                    format!("alert `{}` names `{t}`, which the ATT&CK matrix does not have", alert.id),
                ));
            }
        }
        crate::diag::sort(&mut notes);
        (incident, notes)
    }

    /// A domain for the host of each URL.
    fn derive_domains(&mut self) {
        let (Some(host), Some(rel)) = (Prop::named("host"), Rel::named("in_domain")) else { return };
        for n in 0..self.drafts.len() {
            let Some((alert, url)) = self.drafts.get(n).filter(|(_, d)| d.kind == Kind::Url) else { continue };
            let Some(host) = url.text(host).filter(|h| h.parse::<std::net::IpAddr>().is_err() && h.contains('.')) else { continue };
            let (alert, mut domain) = (*alert, Draft::new(Kind::Domain));
            domain.strong("name", host).name(1, host);
            domain_props(&mut domain, host);
            let domain = self.entity(alert, domain);
            self.relate_by(alert, Ref(number(n)), rel, domain, None, None);
        }
    }

    /// Sorts the alerts by id; for each alert as it was handed over, where it is now.
    fn sort_alerts(&mut self) -> Vec<AlertIx> {
        let mut by_id: Vec<(u32, Alert)> = (0..).zip(std::mem::take(&mut self.alerts)).collect();
        by_id.sort_by(|(_, a), (_, b)| (&a.id, a.first, &a.title).cmp(&(&b.id, b.first, &b.title)));
        let mut order = vec![AlertIx(0); by_id.len()];
        for (position, (n, _)) in (0..).map(AlertIx).zip(&by_id) {
            if let Some(slot) = order.get_mut(*n as usize) {
                *slot = position;
            }
        }
        self.alerts = by_id.into_iter().map(|(_, a)| a).collect();
        order
    }

    /// Which drafts are one thing: sets of draft numbers, without those that stand for nothing.
    fn group(&mut self) -> Vec<Vec<usize>> {
        let mut sets = Sets::new(&self.drafts);
        // What has a scope is told apart by it, so scopes are settled first.
        let conflicts = sets.merge(&self.drafts, |d| d.scoped.is_empty(), &mut self.notes);
        let only_device = self.only_devices(&sets);
        // What scopes something may itself have a scope (a pod its namespace, that its cluster): the outer ones come first.
        let depth = |mut n: usize| -> usize {
            let mut depth = 0_usize;
            while let Some(up) = self.drafts.get(n).and_then(|(_, d)| d.scope).filter(|_| depth < DEEPEST_SCOPE) {
                depth = depth.saturating_add(1);
                n = up.at();
            }
            depth
        };
        let mut scoped: Vec<(usize, usize)> =
            (0..self.drafts.len()).filter(|n| self.drafts.get(*n).is_some_and(|(_, d)| !d.scoped.is_empty())).map(|n| (depth(n), n)).collect();
        scoped.sort_unstable();
        for (_, n) in &scoped {
            self.settle_scope(*n, &mut sets, &only_device);
        }
        self.place_processes(&sets, &only_device);
        // Where nothing was scoped, and nothing that conflicted could have been settled since, all is merged that can be.
        if conflicts || !scoped.is_empty() {
            sets.merge(&self.drafts, |_| true, &mut self.notes);
        }
        sets.settle(&self.drafts)
    }

    /// Gives a record its scoped ids, now that what scopes it has its id.
    fn settle_scope(&mut self, n: usize, sets: &mut Sets, only_device: &[Option<usize>]) {
        let Some((alert, draft)) = self.drafts.get(n) else { return };
        let lone = alert.and_then(|a| *only_device.get(a.at())?).filter(|_| draft.scope.is_none());
        // A file without a folder, such as an attachment, need not lie on the device.
        let lies = draft.kind != Kind::File || draft.props.iter().any(|(p, _)| p.spec().name == "folder");
        if let Some(device) = lone
            && !draft.tentative
            && lies
            && let Some(rel) = Rel::named(if draft.kind == Kind::File { "on" } else { "ran_on" })
            && rel.spec().from.has(draft.kind)
        {
            self.links.push(Link { alert: *alert, from: Ref(number(n)), rel, to: Ref(number(device)), first: None, last: None });
        }
        let scope = draft.scope.map(|s| sets.root(s.at())).or(lone);
        // Where no device is known, the same path or process id in two alerts need not be the same thing.
        let loose = || Text::from(alert.and_then(|a| self.alerts.get(a.at())).map_or_else(|| "-".to_owned(), |a| format!("alert {}", a.id)));
        let prefix = scope.map_or_else(loose, |root| sets.key(&self.drafts, root));
        if let Some((_, draft)) = self.drafts.get_mut(n) {
            let ids = draft.scoped.iter().map(|(ns, v)| (*ns, Text::from(format!("{prefix}/{v}"))));
            if draft.strong.is_empty() || draft.kind == Kind::Process {
                draft.strong.extend(ids);
                draft.seal();
            } else {
                draft.aliases.extend(ids.map(|(ns, v)| Text::from(format!("{}:{v}", ns.name()))));
            }
        }
        sets.learn(&self.drafts, n);
    }

    /// A process that nothing tells apart ran, all the same, on the only device of its alert.
    fn place_processes(&mut self, sets: &Sets, only_device: &[Option<usize>]) {
        let Some(rel) = Rel::named("ran_on") else { return };
        let placed: BTreeSet<Ref> = self.links.iter().filter(|l| l.rel == rel).map(|l| l.from).collect();
        let loose = |d: &Draft| d.kind == Kind::Process && d.scoped.is_empty() && !d.tentative && !d.is_settled();
        let drafts = (0..).map(Ref).zip(&self.drafts).filter(|(r, (_, d))| loose(d) && !placed.contains(r)).map(|(r, (alert, _))| (*alert, r));
        let sighted = self.sightings.iter().filter(|s| self.drafts.get(s.of.at()).is_some_and(|(_, d)| loose(d))).map(|s| (s.alert, s.of));
        let links: Vec<Link> = drafts
            .chain(sighted)
            .filter_map(|(alert, from)| {
                let device = (*only_device.get(alert?.at())?)?;
                Some(Link { alert, from, rel, to: Ref(number(sets.root(device))), first: None, last: None })
            })
            .collect();
        self.links.extend(links);
    }

    /// For each alert in which just one device is named, a draft of it.
    fn only_devices(&self, sets: &Sets) -> Vec<Option<usize>> {
        let is_device = |r: Ref| self.drafts.get(r.at()).is_some_and(|(_, d)| d.kind == Kind::Device && !d.tentative);
        let drafts = (0..).map(Ref).zip(&self.drafts).map(|(r, (alert, _))| (*alert, r));
        let sighted = self.sightings.iter().map(|s| (s.alert, s.of));
        let mut found: Vec<(AlertRef, usize)> =
            drafts.chain(sighted).filter(|(_, r)| is_device(*r)).filter_map(|(alert, r)| Some((alert?, sets.root(r.at())))).collect();
        found.sort_unstable();
        found.dedup();
        let mut only = vec![None; self.alerts.len()];
        for of_alert in found.chunk_by(|a, b| a.0 == b.0) {
            if let [(alert, device)] = of_alert
                && let Some(slot) = only.get_mut(alert.at())
            {
                *slot = Some(*device);
            }
        }
        only
    }

    /// The entities of the groups, sorted by id, and for each draft the entity that it became.
    fn entities(&mut self, groups: Vec<Vec<usize>>, order: &[AlertIx]) -> (Vec<Entity>, Vec<Option<EntityIx>>) {
        let mut group_of: Vec<Option<usize>> = vec![None; self.drafts.len()];
        for (g, group) in groups.iter().enumerate() {
            for n in group {
                if let Some(slot) = group_of.get_mut(*n) {
                    *slot = Some(g);
                }
            }
        }
        let position = |alert: Option<AlertRef>| alert.and_then(|a| order.get(a.at())).copied();
        let mut sighted: Vec<(usize, Seen<'_>)> =
            self.sightings.iter().filter_map(|s| Some(((*group_of.get(s.of.at())?)?, Seen { alert: position(s.alert), roles: &s.roles }))).collect();
        sighted.sort_by_key(|(g, _)| *g);
        let mut sighted = sighted.as_slice();
        let mut entities: Vec<Entity> = Vec::with_capacity(groups.len());
        let mut alias = String::with_capacity(96);
        for (g, group) in groups.into_iter().enumerate() {
            let mut drafts: Vec<(Option<AlertIx>, Draft)> = Vec::with_capacity(group.len());
            for n in group {
                drafts.extend(self.drafts.get_mut(n).map(|(alert, d)| (position(*alert), d.take())));
            }
            let own = sighted.iter().take_while(|(of, _)| *of == g).count();
            let (seen, others) = sighted.split_at_checked(own).unwrap_or_default();
            sighted = others;
            entities.push(entity::of(drafts, seen, &self.alerts, order, &mut alias));
        }
        let place_of = entity::sort(&mut entities);
        (entities, group_of.into_iter().map(|g| Some(EntityIx(number(*place_of.get(g?)?)))).collect())
    }

    /// Tells each alert which entities it names, in which parts.
    fn name_in_alerts(&mut self, order: &[AlertIx], place: &[Option<EntityIx>]) {
        let at = |alert: Option<AlertRef>, r: Ref| Some((*order.get(alert?.at())?, (*place.get(r.at())?)?));
        let drafts = (0..).map(Ref).zip(&self.drafts).map(|(r, (alert, d))| (*alert, r, &d.roles, d.held || !d.record.is_empty()));
        let sighted = self.sightings.iter().map(|s| (s.alert, s.of, &s.roles, s.held));
        let mut named: Vec<(AlertIx, EntityIx, &[Text], bool)> = drafts
            .chain(sighted)
            .filter_map(|(alert, r, roles, held)| at(alert, r).map(|(alert, entity)| (alert, entity, roles.as_slice(), held)))
            .collect();
        named.sort_by_key(|(alert, entity, ..)| (*alert, *entity));
        for of_alert in named.chunk_by(|a, b| a.0 == b.0) {
            let Some(alert) = of_alert.first().and_then(|(a, ..)| self.alerts.get_mut(a.0 as usize)) else { continue };
            let of_entities = of_alert.chunk_by(|a, b| a.1 == b.1);
            alert.named = of_alert.iter().filter(|(.., held)| *held).map(|(_, entity, ..)| *entity).collect();
            let parts =
                |all: &[(AlertIx, EntityIx, &[Text], bool)]| -> Set<Text> { all.iter().flat_map(|(_, _, roles, _)| roles.iter().cloned()).collect() };
            alert.entities = of_entities.filter_map(|all| Some((all.first()?.1, parts(all)))).collect();
        }
    }

    fn relations(&self, incident: &Incident, place: &[Option<EntityIx>], order: &[AlertIx]) -> Vec<Relation> {
        let mut all: Vec<Relation> = Vec::with_capacity(self.links.len());
        for link in &self.links {
            let (Some(Some(from)), Some(Some(to))) = (place.get(link.from.at()), place.get(link.to.at())) else { continue };
            if from == to {
                continue;
            }
            let alert = link.alert.and_then(|a| order.get(a.at())).copied();
            let seen = alert.and_then(|a| incident.alert(a));
            all.push(Relation {
                from: *from,
                rel: link.rel,
                to: *to,
                basis: Basis::Record,
                first: link.first.or_else(|| seen.and_then(|a| a.first)),
                last: link.last.or(link.first).or_else(|| seen.and_then(|a| a.last.or(a.first))),
                alerts: alert.into_iter().collect(),
            });
        }
        crate::model::graph::merged(all)
    }
}

/// A virtual machine and a device that carry the same name.
fn same_names(incident: &mut Incident) {
    let Some(rel) = Rel::named("same_name") else { return };
    if !incident.entities.iter().any(|e| e.kind == Kind::CloudResource) {
        return;
    }
    let mut found = Vec::new();
    let known: BTreeSet<(EntityIx, EntityIx)> = incident.relations.iter().filter(|r| r.rel == rel).map(|r| (r.from, r.to)).collect();
    let mut devices: BTreeMap<String, Vec<(EntityIx, &Entity)>> = BTreeMap::new();
    for (ix, d) in incident.entities().filter(|(_, e)| e.kind == Kind::Device) {
        if let Some(name) = d.text("host_name") {
            devices.entry(name.to_lowercase()).or_default().push((ix, d));
        }
    }
    for (vm, v) in incident.entities().filter(|(_, e)| e.kind == Kind::CloudResource) {
        let what = format!("{} {}", crate::model::level::squash(v.text("resource_type").unwrap_or("")), v.id);
        if !["virtualmachine", "virtualmachines/", "instance"].iter().any(|w| what.contains(w)) || v.id.contains("/networkinterfaces/") {
            continue;
        }
        // A name that many carry tells nothing.
        let same = devices.get(&v.name.to_lowercase()).filter(|all| all.len() <= MOST_NAMESAKES);
        for (device, d) in same.into_iter().flatten().filter(|(d, _)| !known.contains(&(vm, *d))) {
            let alerts: Set<AlertIx> = v.alerts.iter().chain(&d.alerts).copied().collect();
            let seen = || alerts.iter().filter_map(|a| incident.alert(*a));
            found.push(Relation {
                from: vm,
                rel,
                to: *device,
                basis: Basis::Record,
                first: v.first_seen.or_else(|| seen().filter_map(|a| a.first).min()),
                last: v.last_seen.or_else(|| seen().filter_map(|a| a.last.or(a.first)).max()),
                alerts,
            });
        }
    }
    if !found.is_empty() {
        incident.relations.extend(found);
        incident.relations.sort();
    }
}

/// What the incident lacks and its alerts tell: severity, times.
fn headline(incident: &mut Incident) {
    for title in std::iter::once(&mut incident.title).chain(incident.alerts.iter_mut().map(|a| &mut a.title)) {
        let bare = title.trim_matches(|c: char| c.is_whitespace() || crate::diag::human::hidden(c));
        if bare.len() < title.len() {
            *title = bare.into();
        }
    }
    incident.severity = incident.severity.or_else(|| incident.alerts.iter().filter_map(|a| a.severity).max());
    let first = incident.alerts.iter().filter_map(|a| a.first.or(a.last).or(a.created)).min();
    let last = incident.alerts.iter().filter_map(|a| a.last.or(a.first).or(a.created)).max();
    incident.first_activity = earliest(incident.first_activity, first).or(incident.created);
    incident.last_activity = incident.last_activity.max(last).or(incident.first_activity);
    if incident.classification.is_none()
        && let Some((one, others)) = incident.alerts.split_first()
        && one.classification.is_some()
        && others.iter().all(|a| (a.classification, &a.determination) == (one.classification, &one.determination))
    {
        incident.classification = one.classification;
        incident.determination = incident.determination.take().or_else(|| one.determination.clone());
    }
    debug_assert!(incident.relations.iter().all(|r| (r.rel.0 as usize) < RELATIONS.len()), "relations come from the table");
}
