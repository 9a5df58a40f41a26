//! From records to one incident: which records are the same thing, what it is called, and what is kept of each.
//!
//! A format file hands over drafts, one a record, with the strong ids that the record ties together. Drafts that share
//! a strong id become one entity; nothing else merges them. The result does not depend on the order of the drafts.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Diagnostic, Severity, codes};
use crate::model::graph::earliest;
use crate::model::kind::{PropType, RELATIONS};
use crate::model::{
    Alert, AlertIx, Basis, Classification, Entity, EntityIx, Incident, Kind, Level, Map, Prop, PropValue, Props, Rel, Relation, Report, Set, Text,
    Time, Verdict,
};

/// A draft, by the order in which it was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref(usize);

/// An alert, by the order in which it was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertRef(usize);

/// The namespaces of ids, best first: the first one that an entity has names it. The flag says whether two values of
/// it can never be the same thing.
const NAMESPACES: &[(&str, bool)] = &[
    ("upn", false),
    ("message", true),
    ("sha256", true),
    ("product", true),
    ("address", true),
    ("url", true),
    ("name", true),
    ("resource", true),
    ("path", false),
    ("process", true),
    ("key", true),
    ("id", true),
    ("session", true),
    ("request", true),
    ("app", true),
    ("object", true),
    ("aad", true),
    ("fqdn", false),
    ("sha1", true),
    ("md5", true),
    ("sid", false),
    ("internet_message", true),
    ("serial", true),
    ("vm", true),
    ("urn", true),
    ("login", true),
    ("sam", false),
    ("host", false),
    ("record", true),
    (SETTLED, true),
];

/// The namespace of entities whose identity is settled: no two of them are one. Nothing that is read can name it.
const SETTLED: &str = "=";

/// Namespaces whose value stands alone after the kind (`user:ada@…`, not `user:upn:ada@…`).
const BARE: &[&str] =
    &["upn", "message", "product", "address", "url", "name", "resource", "path", "process", "key", "id", "session", "app", "fqdn", "sam", "host"];

/// How many devices of one name are taken for the machine of a virtual machine's record.
const MOST_NAMESAKES: usize = 8;

/// How many scopes lie in one another.
const DEEPEST_SCOPE: usize = 16;

/// How many conflicting sets of one id a record is compared with.
const MOST_CONFLICTS: usize = 32;

fn rank(ns: &str) -> usize {
    NAMESPACES.iter().position(|(n, _)| *n == ns).unwrap_or(NAMESPACES.len())
}

fn exclusive(ns: &str) -> bool {
    NAMESPACES.iter().any(|(n, e)| *n == ns && *e)
}

/// One record of one entity, before it is known which other records are the same thing.
#[derive(Clone, Debug)]
pub struct Draft {
    kind: Kind,
    strong: BTreeSet<(String, String)>,
    weak: BTreeSet<(String, String)>,
    scoped: Vec<(String, String)>,
    scope: Option<Ref>,
    tentative: bool,
    unless: Option<Ref>,
    names: BTreeSet<(u8, String)>,
    aliases: BTreeSet<String>,
    verdict: Verdict,
    remediation: String,
    roles: BTreeSet<String>,
    tags: BTreeSet<String>,
    props: Vec<(Prop, PropValue)>,
    fields: BTreeMap<String, String>,
    record: Vec<String>,
    id: Option<String>,
    at: Option<Time>,
    reports: Vec<(Prop, Option<AlertRef>, Option<Time>, PropValue)>,
    held: bool,
}

impl Draft {
    /// A record of an entity of this kind.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            strong: BTreeSet::new(),
            weak: BTreeSet::new(),
            scoped: Vec::new(),
            scope: None,
            tentative: false,
            unless: None,
            names: BTreeSet::new(),
            aliases: BTreeSet::new(),
            verdict: Verdict::Unknown,
            remediation: String::new(),
            roles: BTreeSet::new(),
            tags: BTreeSet::new(),
            props: Vec::new(),
            fields: BTreeMap::new(),
            record: Vec::new(),
            id: None,
            at: None,
            reports: Vec::new(),
            held: false,
        }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The declared type of the record; a draft without one was only named by a field of another record. A record that
    /// holds further typed objects which only describe it (a file its hashes) is declared once for each.
    pub fn declared(&mut self, source_type: &str) -> &mut Self {
        self.record.push(source_type.to_owned());
        self
    }

    /// The id that the author of the record gave it; it names the entity, whatever other ids there are.
    pub fn id(&mut self, id: &str) -> &mut Self {
        self.id = Some(id.trim().to_owned()).filter(|id| !id.is_empty());
        self
    }

    /// Says that this is one entity of its own: it is no other one that is settled, whatever ids they share.
    pub fn settle(&mut self, id: &str) -> &mut Self {
        self.exact(SETTLED, id).id(id)
    }

    fn is_settled(&self) -> bool {
        self.strong.iter().any(|(ns, _)| ns == SETTLED)
    }

    /// One of the ids of a settled entity, as `namespace:value`.
    pub fn known_as(&mut self, alias: &str) -> &mut Self {
        if let Some((ns, value)) = alias.split_once(':').filter(|(ns, _)| is_namespace(ns) && !matches!(*ns, "sam" | "host" | "record" | "path")) {
            self.exact(ns, value);
        }
        self.aliases.insert(alias.to_owned());
        self
    }

    /// What was reported of a property, when, and by which alert.
    pub fn report(&mut self, prop: Prop, alert: Option<AlertRef>, at: Option<Time>, value: PropValue) -> &mut Self {
        self.reports.push((prop, alert, at, value));
        self
    }

    /// Says that the alert holds a record of it, and does not only name it.
    pub fn held(&mut self) -> &mut Self {
        self.held = true;
        self
    }

    /// Another record of the same thing: its ids, and nothing that it says.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut d = Self::new(self.kind);
        (d.strong, d.weak, d.scoped, d.scope, d.id) = (self.strong.clone(), self.weak.clone(), self.scoped.clone(), self.scope, self.id.clone());
        d
    }

    /// Whether any id names it, strong or weak.
    pub fn is_identified(&self) -> bool {
        !self.strong.is_empty() || !self.weak.is_empty() || !self.scoped.is_empty()
    }

    /// A strong id in which case matters: the path of a URL.
    pub fn exact(&mut self, ns: &str, value: &str) -> &mut Self {
        if let Some(v) = clean(value) {
            self.strong.insert((ns.to_owned(), v));
        }
        self
    }

    /// A strong id: two records that share it are one thing. Lower-cased and trimmed; blank is no id.
    pub fn strong(&mut self, ns: &str, value: &str) -> &mut Self {
        if let Some(v) = tidy(value) {
            self.strong.insert((ns.to_owned(), v));
        }
        self
    }

    /// An id that names the record where it has no strong one: records without any strong id that share it are one.
    pub fn weak(&mut self, ns: &str, value: &str) -> &mut Self {
        if let Some(v) = tidy(value) {
            self.weak.insert((ns.to_owned(), v));
        }
        self
    }

    /// An id that is strong within a scope: the entity `scope`, or the only device of the alert.
    pub fn scoped(&mut self, ns: &str, value: &str, scope: Option<Ref>) -> &mut Self {
        if let Some(v) = tidy(value) {
            self.scoped.push((ns.to_owned(), v));
            self.scope = scope.or(self.scope);
        }
        self
    }

    /// What the scoped ids are scoped by, where that is known only later.
    pub fn within(&mut self, scope: Ref) -> &mut Self {
        self.scope = Some(scope);
        self
    }

    /// The draft makes no entity of its own: it stands for one that another record describes, if there is one.
    pub fn tentative(&mut self) -> &mut Self {
        self.tentative = true;
        self
    }

    /// The draft holds only if that tentative one stands for nothing.
    pub fn unless(&mut self, other: Ref) -> &mut Self {
        self.unless = Some(other);
        self
    }

    /// A name for people; the highest weight wins.
    pub fn name(&mut self, weight: u8, name: &str) -> &mut Self {
        let name = name.trim();
        if !name.is_empty() {
            self.names.insert((weight, name.to_owned()));
        }
        self
    }

    /// Another id that identifies it without merging it.
    pub fn alias(&mut self, ns: &str, value: &str) -> &mut Self {
        if let Some(v) = tidy(value) {
            self.aliases.insert(format!("{ns}:{v}"));
        }
        self
    }

    /// The verdict, in the source's words; unknown words are no verdict.
    pub fn verdict(&mut self, text: &str) -> &mut Self {
        let word = match crate::model::level::squash(text).as_str() {
            "nothreatsfound" | "clean" | "benign" => Some(Verdict::NoThreatsFound),
            other => Verdict::parse(other),
        };
        // That nothing was found says more than that nothing is known, and less than a suspicion.
        self.verdict = match (self.verdict, word.unwrap_or(Verdict::Unknown)) {
            (Verdict::Unknown, other) | (other, Verdict::Unknown) => other,
            (a, b) => a.max(b),
        };
        self
    }

    /// The remediation status, in the source's words.
    pub fn remediation(&mut self, text: &str) -> &mut Self {
        let word = snake(text);
        if !matches!(word.as_str(), "" | "none" | "unknown") {
            self.remediation = word;
        }
        self
    }

    /// A part that it plays in the alert.
    pub fn role(&mut self, text: &str) -> &mut Self {
        let word = snake(text);
        if !matches!(word.as_str(), "" | "unknown") {
            self.roles.insert(word);
        }
        self
    }

    /// A tag.
    pub fn tag(&mut self, text: &str) -> &mut Self {
        if !text.trim().is_empty() {
            self.tags.insert(text.trim().to_owned());
        }
        self
    }

    /// A property by name; its value is turned into the declared type, and kept as a field where that fails.
    pub fn prop(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        let text = value.trim();
        if text.is_empty() {
            return self;
        }
        let Some(prop) = Prop::named(name).filter(|p| p.spec().kinds.has(self.kind)) else { return self.field(name, text) };
        let typed = match prop.spec().ty {
            PropType::Text => Some(PropValue::Text(text.to_owned().into())),
            PropType::Int => text.parse().ok().map(PropValue::Int),
            PropType::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(PropValue::Bool(true)),
                "false" | "no" | "0" => Some(PropValue::Bool(false)),
                _ => None,
            },
            PropType::Level => Level::of_source(text).map(PropValue::Level),
            PropType::Time => crate::model::time::time(text).map(PropValue::Time),
            PropType::Texts => Some(PropValue::Texts([text.into()].into())),
        };
        match typed {
            Some(v) => self.props.push((prop, v)),
            None => {
                self.field(name, text);
            }
        }
        self
    }

    /// A property that is lower-cased first: addresses, hosts, hashes.
    pub fn lower(&mut self, name: &str, value: &str) -> &mut Self {
        self.prop(name, value.to_lowercase())
    }

    /// A property that holds a list.
    pub fn list(&mut self, name: &str, values: Vec<String>) -> &mut Self {
        if let Some(prop) = Prop::named(name).filter(|p| p.spec().ty == PropType::Texts && p.spec().kinds.has(self.kind))
            && !values.is_empty()
        {
            self.props.push((prop, PropValue::Texts(values.into_iter().map(Text::from).collect())));
        }
        self
    }

    /// A field that no property models.
    pub fn field(&mut self, name: &str, value: &str) -> &mut Self {
        if !value.trim().is_empty() {
            self.fields.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// When the record was made.
    pub fn at(&mut self, at: Option<Time>) -> &mut Self {
        self.at = at.or(self.at);
        self
    }
}

fn tidy(value: &str) -> Option<String> {
    clean(value).map(|v| v.to_lowercase()).filter(|v| v != "00000000-0000-0000-0000-000000000000")
}

fn clean(value: &str) -> Option<String> {
    let v: String = value.trim().chars().filter(|c| !crate::diag::human::hidden(*c)).collect();
    (!v.is_empty()).then_some(v)
}

/// Whether ids are kept in a namespace of this name.
pub fn is_namespace(ns: &str) -> bool {
    ns != SETTLED && rank(ns) < NAMESPACES.len()
}

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

/// Collects the records of one incident.
#[derive(Default)]
pub struct Builder {
    /// The incident's own fields; alerts and entities come from the records.
    pub incident: Incident,
    alerts: Vec<Alert>,
    drafts: Vec<(Option<AlertRef>, Draft)>,
    links: Vec<Link>,
    notes: Vec<Diagnostic>,
}

impl Builder {
    /// An empty incident from this format.
    pub fn new(source: &str) -> Self {
        Self { incident: Incident { source: source.to_owned().into(), ..Incident::default() }, ..Self::default() }
    }

    /// Adds an alert; its entities come from records.
    pub fn alert(&mut self, alert: Alert) -> AlertRef {
        self.alerts.push(alert);
        AlertRef(self.alerts.len().saturating_sub(1))
    }

    /// The alert that was handed over last, to add to.
    pub fn last_alert(&mut self) -> Option<&mut Alert> {
        self.alerts.last_mut()
    }

    /// The titles of the alerts so far.
    pub fn alert_titles(&self) -> Vec<String> {
        self.alerts.iter().map(|a| a.title.to_string()).filter(|t| !t.is_empty()).collect()
    }

    /// The ids of the alerts so far.
    pub fn alert_ids(&self) -> Vec<String> {
        self.alerts.iter().map(|a| a.id.to_string()).collect()
    }

    /// Adds a record, seen in an alert or in the incident itself.
    pub fn entity(&mut self, alert: Option<AlertRef>, draft: Draft) -> Ref {
        self.drafts.push((alert, draft));
        Ref(self.drafts.len().saturating_sub(1))
    }

    /// A record that was handed over, to add to.
    pub fn draft(&mut self, r: Ref) -> Option<&mut Draft> {
        self.drafts.get_mut(r.0).map(|(_, d)| d)
    }

    /// Relates two records. Ends of kinds that the relation does not have are not related.
    pub fn relate(&mut self, alert: Option<AlertRef>, from: Ref, rel: &str, to: Ref, first: Option<Time>, last: Option<Time>) {
        let (Some(rel), Some(a), Some(b)) = (Rel::named(rel), self.drafts.get(from.0), self.drafts.get(to.0)) else { return };
        if rel.spec().from.has(a.1.kind) && rel.spec().to.has(b.1.kind) {
            self.links.push(Link { alert, from, rel, to, first, last });
        }
    }

    /// Says something about the input, at a JSON path.
    pub fn note(&mut self, code: &'static str, severity: Severity, path: &str, message: impl Into<String>) {
        self.notes.push(Diagnostic::new(code, severity, message).path(path));
    }

    /// How many records there are, for the limits.
    pub fn len(&self) -> usize {
        self.drafts.len()
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
        let alert_order = self.order_alerts();
        let groups = self.group();
        let mut incident = std::mem::take(&mut self.incident);
        let (entities, place) = self.entities(&groups, &alert_order);
        incident.entities = entities;
        incident.alerts = self.sorted_alerts(&alert_order, &place);
        self.relations(&mut incident, &place, &alert_order);
        same_names(&mut incident);
        headline(&mut incident);
        for absent in &incident.absent_alerts {
            self.notes.push(
                Diagnostic::new(codes::ABSENT_ALERT, Severity::Warning, format!("alert `{absent}` is named by the incident and is not in the input"))
                    .help("export the alerts of the incident as well"),
            );
        }
        for alert in &incident.alerts {
            for t in alert.techniques.iter().filter(|t| crate::model::technique::technique(t).is_none()) {
                self.notes.push(Diagnostic::new(
                    codes::PSEUDO_TECHNIQUE,
                    Severity::Note,
                    format!("alert `{}` names `{t}`, which the ATT&CK matrix does not have", alert.id),
                ));
            }
        }
        let mut notes = self.notes;
        crate::diag::sort(&mut notes);
        (incident, notes)
    }

    /// A domain for the host of each URL.
    fn derive_domains(&mut self) {
        let hosts: Vec<(Ref, Option<AlertRef>, String)> = self
            .drafts
            .iter()
            .enumerate()
            .filter(|(_, (_, d))| d.kind == Kind::Url)
            .filter_map(|(n, (alert, d))| {
                let host = d.props.iter().find(|(p, _)| p.spec().name == "host").map(|(_, v)| v.to_string())?;
                (host.parse::<std::net::IpAddr>().is_err() && host.contains('.')).then_some((Ref(n), *alert, host))
            })
            .collect();
        for (url, alert, host) in hosts {
            let mut domain = Draft::new(Kind::Domain);
            domain.strong("name", &host).name(1, &host);
            domain_props(&mut domain, &host);
            let domain = self.entity(alert, domain);
            self.relate(alert, url, "in_domain", domain, None, None);
        }
    }

    /// For each alert, its position when sorted by id.
    fn order_alerts(&self) -> Vec<AlertIx> {
        let mut by_id: Vec<usize> = (0..self.alerts.len()).collect();
        by_id.sort_by(|a, b| self.alerts.get(*a).map(|x| (&x.id, x.first, &x.title)).cmp(&self.alerts.get(*b).map(|x| (&x.id, x.first, &x.title))));
        let mut order = vec![AlertIx(0); self.alerts.len()];
        for (position, n) in by_id.into_iter().enumerate() {
            if let Some(slot) = order.get_mut(n) {
                *slot = AlertIx(u32::try_from(position).unwrap_or(u32::MAX));
            }
        }
        order
    }

    /// Which drafts are one thing: sets of draft numbers, without those that stand for nothing.
    fn group(&mut self) -> Vec<Vec<usize>> {
        let mut sets = Sets::new(&self.drafts);
        // What has a scope is told apart by it, so scopes are settled first.
        sets.merge(&self.drafts, |d| d.scoped.is_empty(), &mut self.notes);
        let only_device = self.only_devices(&sets);
        // What scopes something may itself have a scope (a pod its namespace, that its cluster): the outer ones come first.
        let depth = |mut n: usize| -> usize {
            let mut depth = 0_usize;
            while let Some(up) = self.drafts.get(n).and_then(|(_, d)| d.scope).filter(|_| depth < DEEPEST_SCOPE) {
                depth = depth.saturating_add(1);
                n = up.0;
            }
            depth
        };
        let mut order: Vec<(usize, usize)> =
            (0..self.drafts.len()).filter(|n| self.drafts.get(*n).is_some_and(|(_, d)| !d.scoped.is_empty())).map(|n| (depth(n), n)).collect();
        order.sort_unstable();
        for (_, n) in order {
            let Some((alert, draft)) = self.drafts.get(n) else { continue };
            let lone = alert.and_then(|a| only_device.get(&a).copied()).filter(|_| draft.scope.is_none());
            // A file without a folder, such as an attachment, need not lie on the device.
            let lies = draft.kind != Kind::File || draft.props.iter().any(|(p, _)| p.spec().name == "folder");
            if let Some(device) = lone
                && !draft.tentative
                && lies
                && let Some(rel) = Rel::named(if draft.kind == Kind::File { "on" } else { "ran_on" })
                && rel.spec().from.has(draft.kind)
            {
                self.links.push(Link { alert: *alert, from: Ref(n), rel, to: Ref(device), first: None, last: None });
            }
            let scope = draft.scope.map(|s| sets.root(s.0)).or(lone);
            // Where no device is known, the same path or process id in two alerts need not be the same thing.
            let loose = || alert.and_then(|a| self.alerts.get(a.0)).map_or_else(|| "-".to_owned(), |a| format!("alert {}", a.id));
            let prefix = scope.map_or_else(loose, |root| sets.key(root));
            let ids: Vec<(String, String)> = draft.scoped.iter().map(|(ns, v)| (ns.clone(), format!("{prefix}/{v}"))).collect();
            if let Some((_, draft)) = self.drafts.get_mut(n) {
                if draft.strong.is_empty() || draft.kind == Kind::Process {
                    draft.strong.extend(ids);
                } else {
                    draft.aliases.extend(ids.iter().map(|(ns, v)| format!("{ns}:{v}")));
                }
            }
            sets.learn(&self.drafts, n);
        }
        self.place_processes(&sets, &only_device);
        sets.merge(&self.drafts, |_| true, &mut self.notes);
        sets.settle(&self.drafts)
    }

    /// A process that nothing tells apart ran, all the same, on the only device of its alert.
    fn place_processes(&mut self, sets: &Sets, only_device: &BTreeMap<AlertRef, usize>) {
        let Some(rel) = Rel::named("ran_on") else { return };
        let placed: BTreeSet<usize> = self.links.iter().filter(|l| l.rel == rel).map(|l| l.from.0).collect();
        for (n, (alert, draft)) in self.drafts.iter().enumerate() {
            let loose = draft.kind == Kind::Process && draft.scoped.is_empty() && !draft.tentative && !draft.is_settled() && !placed.contains(&n);
            if let (true, Some(device)) = (loose, alert.and_then(|a| only_device.get(&a))) {
                self.links.push(Link { alert: *alert, from: Ref(n), rel, to: Ref(sets.root(*device)), first: None, last: None });
            }
        }
    }

    /// Alerts in which just one device is named, with the number of a draft of it.
    fn only_devices(&self, sets: &Sets) -> BTreeMap<AlertRef, usize> {
        let mut found: BTreeMap<AlertRef, BTreeSet<usize>> = BTreeMap::new();
        for (n, (alert, draft)) in self.drafts.iter().enumerate() {
            if let Some(alert) = alert
                && draft.kind == Kind::Device
                && !draft.tentative
            {
                found.entry(*alert).or_default().insert(sets.root(n));
            }
        }
        found.into_iter().filter(|(_, all)| all.len() == 1).filter_map(|(a, all)| Some((a, *all.first()?))).collect()
    }

    /// The entities of the groups, sorted by id, and for each draft the entity that it became.
    fn entities(&self, groups: &[Vec<usize>], alert_order: &[AlertIx]) -> (Vec<Entity>, Vec<Option<EntityIx>>) {
        let mut made: Vec<(Entity, &Vec<usize>)> = Vec::new();
        let mut alerts: Vec<(AlertIx, &Alert)> = alert_order.iter().copied().zip(&self.alerts).collect();
        alerts.sort_by_key(|(ix, _)| *ix);
        for group in groups {
            let drafts: Vec<(Option<AlertIx>, &Draft)> =
                group.iter().filter_map(|n| self.drafts.get(*n)).map(|(alert, d)| (alert.and_then(|a| alert_order.get(a.0).copied()), d)).collect();
            made.push((entity_of(&drafts, &alerts, alert_order), group));
        }
        unique_ids(&mut made);
        made.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        let mut place = vec![None; self.drafts.len()];
        for (ix, (_, group)) in (0u32..).map(EntityIx).zip(&made) {
            for n in group.iter() {
                if let Some(slot) = place.get_mut(*n) {
                    *slot = Some(ix);
                }
            }
        }
        (made.into_iter().map(|(e, _)| e).collect(), place)
    }

    fn sorted_alerts(&mut self, order: &[AlertIx], place: &[Option<EntityIx>]) -> Vec<Alert> {
        let mut alerts: Vec<(AlertIx, Alert)> = order.iter().copied().zip(std::mem::take(&mut self.alerts)).collect();
        alerts.sort_by_key(|(ix, _)| *ix);
        let mut alerts: Vec<Alert> = alerts.into_iter().map(|(_, a)| a).collect();
        let mut named: Vec<(BTreeMap<EntityIx, BTreeSet<Text>>, BTreeSet<EntityIx>)> = vec![Default::default(); alerts.len()];
        for (n, (alert, draft)) in self.drafts.iter().enumerate() {
            let (Some(alert), Some(Some(entity))) = (alert.and_then(|a| order.get(a.0)), place.get(n)) else { continue };
            if let Some((roles, held)) = named.get_mut(alert.0 as usize) {
                roles.entry(*entity).or_default().extend(draft.roles.iter().map(|r| r.as_str().into()));
                if draft.held || !draft.record.is_empty() {
                    held.insert(*entity);
                }
            }
        }
        for (alert, (roles, held)) in alerts.iter_mut().zip(named) {
            alert.entities = roles.into_iter().map(|(e, roles)| (e, roles.into_iter().collect())).collect();
            alert.named = held.into_iter().collect();
        }
        alerts
    }

    fn relations(&self, incident: &mut Incident, place: &[Option<EntityIx>], order: &[AlertIx]) {
        let mut merged: BTreeMap<(EntityIx, Rel, EntityIx), Relation> = BTreeMap::new();
        for link in &self.links {
            let (Some(Some(from)), Some(Some(to))) = (place.get(link.from.0), place.get(link.to.0)) else { continue };
            if from == to {
                continue;
            }
            let alert = link.alert.and_then(|a| order.get(a.0)).copied();
            let seen = alert.and_then(|a| incident.alert(a));
            let relation = Relation {
                from: *from,
                rel: link.rel,
                to: *to,
                basis: Basis::Record,
                first: link.first.or_else(|| seen.and_then(|a| a.first)),
                last: link.last.or(link.first).or_else(|| seen.and_then(|a| a.last.or(a.first))),
                alerts: alert.into_iter().collect(),
            };
            match merged.get_mut(&(*from, link.rel, *to)) {
                Some(known) => known.absorb(relation),
                None => {
                    merged.insert((*from, link.rel, *to), relation);
                }
            }
        }
        incident.relations = merged.into_values().collect();
    }
}

/// One entity from the records of it.
fn entity_of(drafts: &[(Option<AlertIx>, &Draft)], alerts: &[(AlertIx, &Alert)], order: &[AlertIx]) -> Entity {
    let kind = drafts.first().map_or(Kind::Other, |(_, d)| d.kind);
    let mut ids: Vec<(usize, &(String, String))> =
        drafts.iter().flat_map(|(_, d)| d.strong.iter().chain(&d.weak)).filter(|id| id.0 != SETTLED).map(|id| (rank(&id.0), id)).collect();
    ids.sort();
    ids.dedup();
    let given = drafts.iter().filter_map(|(_, d)| d.id.as_ref()).min();
    let id = given.cloned().unwrap_or_else(|| ids.first().map_or_else(|| format!("{kind}:?"), |(_, (ns, v))| id_text(kind, ns, v)));
    let mut aliases: BTreeSet<String> = ids.iter().map(|(_, (ns, v))| format!("{ns}:{v}")).collect();
    aliases.extend(drafts.iter().flat_map(|(_, d)| d.aliases.iter().cloned()));
    let mut names: Vec<(u8, Option<Time>, &String)> = drafts.iter().flat_map(|(_, d)| d.names.iter().map(|(w, n)| (*w, d.at, n))).collect();
    names.sort();
    let name = names.last().map_or_else(|| ids.first().map_or_else(String::new, |(_, (_, v))| v.clone()), |(_, _, n)| (*n).clone());
    let mut entity = Entity {
        id: id.into(),
        kind,
        name: name.into(),
        aliases: aliases.into_iter().map(Text::from).collect(),
        verdict: drafts.iter().map(|(_, d)| d.verdict).filter(|v| *v != Verdict::Unknown).max().unwrap_or(Verdict::Unknown),
        remediation_status: "none".into(),
        roles: drafts.iter().flat_map(|(_, d)| &d.roles).map(|t| Text::from(t.as_str())).collect(),
        tags: drafts.iter().flat_map(|(_, d)| &d.tags).map(|t| Text::from(t.as_str())).collect(),
        alerts: drafts.iter().filter_map(|(alert, _)| *alert).collect(),
        first_seen: None,
        last_seen: None,
        props: Props::default(),
        fields: Map::default(),
        records: Map::default(),
    };
    let (mut fields, mut records, mut props) = (BTreeMap::<&str, &str>::new(), BTreeMap::<&str, u32>::new(), Vec::new());
    let mut remediations = BTreeSet::new();
    for (alert, d) in drafts {
        for (k, v) in &d.fields {
            let slot = fields.entry(k).or_insert(v);
            *slot = (*slot).max(v);
        }
        for t in &d.record {
            let count = records.entry(t).or_default();
            *count = count.saturating_add(1);
        }
        let seen = alert.and_then(|a| alerts.get(a.0 as usize)).map(|(_, a)| *a);
        let at = d.at.or_else(|| seen.and_then(|a| a.last.or(a.first).or(a.created)));
        for (p, value) in &d.props {
            props.push(Report { prop: *p, at, alert: *alert, value: value.clone() });
        }
        for (p, alert, at, value) in &d.reports {
            let alert = alert.and_then(|a| order.get(a.0)).copied();
            props.push(Report { prop: *p, at: *at, alert, value: value.clone() });
        }
        if !d.remediation.is_empty() {
            remediations.insert((at, d.remediation.clone()));
        }
        if let Some(a) = seen {
            entity.first_seen = earliest(entity.first_seen, earliest(a.first, a.last));
            entity.last_seen = entity.last_seen.max(a.last.max(a.first));
        }
    }
    if let Some((_, word)) = remediations.last() {
        entity.remediation_status = word.as_str().into();
    }
    entity.props = props.into_iter().collect();
    entity.fields = fields.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
    entity.records = records.into_iter().map(|(k, n)| (k.into(), n)).collect();
    entity
}

fn id_text(kind: Kind, ns: &str, value: &str) -> String {
    if BARE.contains(&ns) { format!("{kind}:{value}") } else { format!("{kind}:{ns}:{value}") }
}

/// Entities that would carry the same id (their strong ids conflict) take their next one, or a number.
fn unique_ids(made: &mut [(Entity, &Vec<usize>)]) {
    for _ in 0..4 {
        let mut count: BTreeMap<Text, usize> = BTreeMap::new();
        for (e, _) in made.iter() {
            let n = count.entry(e.id.clone()).or_default();
            *n = n.saturating_add(1);
        }
        if count.values().all(|n| *n < 2) {
            return;
        }
        let mut again: Vec<usize> = (0..made.len()).filter(|n| made.get(*n).is_some_and(|(e, _)| count.get(&e.id).is_some_and(|c| *c > 1))).collect();
        again.sort_by(|a, b| {
            let key = |n: &usize| made.get(*n).map(|(e, _)| (e.id.clone(), e.aliases.clone(), e.name.clone(), e.alerts.clone()));
            key(a).cmp(&key(b))
        });
        for (ordinal, n) in again.into_iter().enumerate() {
            let Some((e, _)) = made.get_mut(n) else { continue };
            let mut ids: Vec<(usize, String, String)> = e
                .aliases
                .iter()
                .filter_map(|a| a.split_once(':'))
                .map(|(ns, v)| (rank(ns), ns.to_owned(), v.to_owned()))
                .filter(|(r, ns, v)| *r < NAMESPACES.len() && exclusive(ns) && *id_text(e.kind, ns, v) != *e.id)
                .collect();
            ids.sort();
            e.id = match ids.iter().map(|(_, ns, v)| id_text(e.kind, ns, v)).find(|id| !count.contains_key(id.as_str())) {
                Some(id) => id.into(),
                None => format!("{}#{}", e.id, ordinal.saturating_add(1)).into(),
            };
        }
    }
}

/// A virtual machine and a device that carry the same name.
fn same_names(incident: &mut Incident) {
    let Some(rel) = Rel::named("same_name") else { return };
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
    incident.relations.extend(found);
    incident.relations.sort();
}

/// What the incident lacks and its alerts tell: severity, times.
fn headline(incident: &mut Incident) {
    incident.title = incident.title.trim_matches(|c: char| c.is_whitespace() || crate::diag::human::hidden(c)).to_owned().into();
    for alert in &mut incident.alerts {
        alert.title = alert.title.trim_matches(|c: char| c.is_whitespace() || crate::diag::human::hidden(c)).to_owned().into();
    }
    incident.severity = incident.severity.or_else(|| incident.alerts.iter().filter_map(|a| a.severity).max());
    let first = incident.alerts.iter().filter_map(|a| a.first.or(a.last).or(a.created)).min();
    let last = incident.alerts.iter().filter_map(|a| a.last.or(a.first).or(a.created)).max();
    incident.first_activity = earliest(incident.first_activity, first).or(incident.created);
    incident.last_activity = incident.last_activity.max(last).or(incident.first_activity);
    let decided: BTreeSet<(Option<Classification>, Option<String>)> =
        incident.alerts.iter().map(|a| (a.classification, a.determination.clone())).collect();
    if incident.classification.is_none()
        && decided.len() == 1
        && let Some((Some(c), d)) = decided.into_iter().next()
    {
        incident.classification = Some(c);
        incident.determination = incident.determination.take().or(d);
    }
    debug_assert!(incident.relations.iter().all(|r| (r.rel.0 as usize) < RELATIONS.len()), "relations come from the table");
}

/// An order of drafts by their content.
type SortKey<'a> = (std::cmp::Reverse<usize>, &'a BTreeSet<(String, String)>, &'a BTreeSet<(u8, String)>);

/// Sets of drafts that are one thing.
struct Sets {
    parent: Vec<usize>,
    members: BTreeMap<usize, Vec<usize>>,
    /// For each set, its values in the exclusive namespaces.
    exclusive: BTreeMap<usize, BTreeMap<String, BTreeSet<String>>>,
    /// For each set, its best id.
    best: BTreeMap<usize, (usize, String)>,
}

impl Sets {
    fn new(drafts: &[(Option<AlertRef>, Draft)]) -> Self {
        let mut sets = Self {
            parent: (0..drafts.len()).collect(),
            members: (0..drafts.len()).map(|n| (n, vec![n])).collect(),
            exclusive: BTreeMap::new(),
            best: BTreeMap::new(),
        };
        (0..drafts.len()).for_each(|n| sets.learn(drafts, n));
        sets
    }

    /// Takes in the ids of a draft, for what is known of its set.
    fn learn(&mut self, drafts: &[(Option<AlertRef>, Draft)], n: usize) {
        let Some((_, d)) = drafts.get(n) else { return };
        let root = self.root(n);
        for (ns, v) in d.strong.iter().filter(|(ns, _)| exclusive(ns)) {
            self.exclusive.entry(root).or_default().entry(ns.clone()).or_default().insert(v.clone());
        }
        if let Some(best) = d.strong.iter().chain(&d.weak).map(|(ns, v)| (rank(ns), v)).min()
            && self.best.get(&root).is_none_or(|known| (best.0, best.1) < (known.0, &known.1))
        {
            self.best.insert(root, (best.0, best.1.clone()));
        }
    }

    fn root(&self, mut n: usize) -> usize {
        while let Some(up) = self.parent.get(n).copied().filter(|up| *up != n) {
            n = up;
        }
        n
    }

    /// The best id of a set, as text for the ids of what lies in it.
    fn key(&self, root: usize) -> String {
        self.best.get(&root).map_or_else(|| "-".to_owned(), |(_, v)| v.clone())
    }

    /// Merges the drafts that share a strong id, best namespaces first, and refuses what would put two values of an
    /// exclusive namespace into one set. Drafts without strong ids merge on their weak ones.
    fn merge(&mut self, drafts: &[(Option<AlertRef>, Draft)], mut wanted: impl FnMut(&Draft) -> bool, notes: &mut Vec<Diagnostic>) {
        let mut holders: BTreeMap<(usize, Kind, String, String), Vec<usize>> = BTreeMap::new();
        for (n, (_, d)) in drafts.iter().enumerate().filter(|(_, (_, d))| wanted(d)) {
            let (ids, weak) = if d.strong.is_empty() { (&d.weak, 1000) } else { (&d.strong, 0) };
            for (ns, v) in ids {
                let order = if exclusive(ns) { rank(ns) } else { rank(ns).saturating_add(100) };
                holders.entry((order.saturating_add(weak), d.kind, ns.clone(), v.clone())).or_default().push(n);
            }
        }
        for ((_, kind, ns, value), mut all) in holders {
            all.sort_by(|a, b| self.sort_key(drafts, *a).cmp(&self.sort_key(drafts, *b)));
            // One draft of each set that holds the value so far; beyond a few dozen that conflict nothing more is compared.
            let mut holding: Vec<usize> = Vec::new();
            for n in &all {
                let mut conflict = None;
                let mut taken = false;
                for other in holding.iter().take(MOST_CONFLICTS) {
                    let (a, b) = (self.root(*other), self.root(*n));
                    taken = a == b;
                    if !taken {
                        match self.conflict(a, b) {
                            None => {
                                self.join(a, b);
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
                if let Some((other_ns, one, two)) = conflict.filter(|(ns, ..)| ns != SETTLED) {
                    notes.push(
                        Diagnostic::new(
                            codes::CONFLICT,
                            Severity::Warning,
                            format!(
                                "two records of a {kind} share {ns} `{value}` and have different {other_ns}: `{one}` and `{two}`; they stay apart"
                            ),
                        )
                        .help("check the source: one of the ids is wrong, or was given to another one since"),
                    );
                }
            }
        }
    }

    /// An order of drafts that depends on their content only.
    fn sort_key<'a>(&self, drafts: &'a [(Option<AlertRef>, Draft)], n: usize) -> Option<SortKey<'a>> {
        drafts.get(n).map(|(_, d)| (std::cmp::Reverse(d.strong.len()), &d.strong, &d.names))
    }

    fn conflict(&self, a: usize, b: usize) -> Option<(String, String, String)> {
        let (one, two) = (self.exclusive.get(&a)?, self.exclusive.get(&b)?);
        one.iter().find_map(|(ns, left)| {
            let right = two.get(ns)?;
            left.is_disjoint(right).then(|| (ns.clone(), left.first().map_or("", |v| v).to_owned(), right.first().map_or("", |v| v).to_owned()))
        })
    }

    /// Joins two sets: the smaller one moves.
    fn join(&mut self, a: usize, b: usize) {
        let size = |n: usize| self.members.get(&n).map_or(0, Vec::len);
        let (keep, gone) = if (size(a), std::cmp::Reverse(a)) >= (size(b), std::cmp::Reverse(b)) { (a, b) } else { (b, a) };
        if let Some(slot) = self.parent.get_mut(gone) {
            *slot = keep;
        }
        let moved = self.members.remove(&gone).unwrap_or_default();
        self.members.entry(keep).or_default().extend(moved);
        for (ns, values) in self.exclusive.remove(&gone).unwrap_or_default() {
            self.exclusive.entry(keep).or_default().entry(ns).or_default().extend(values);
        }
        if let Some(best) = self.best.remove(&gone)
            && self.best.get(&keep).is_none_or(|known| best < *known)
        {
            self.best.insert(keep, best);
        }
    }

    /// The sets that are entities: at least one draft in it is not tentative, and its `unless` stands for nothing.
    fn settle(&self, drafts: &[(Option<AlertRef>, Draft)]) -> Vec<Vec<usize>> {
        let real = |root: usize| {
            self.members.get(&root).into_iter().flatten().filter_map(|n| drafts.get(*n)).any(|(_, d)| !d.tentative && d.unless.is_none())
        };
        self.members
            .iter()
            .filter_map(|(root, all)| {
                let kept: Vec<usize> =
                    all.iter().copied().filter(|n| drafts.get(*n).is_some_and(|(_, d)| d.unless.is_none_or(|u| !real(self.root(u.0))))).collect();
                let any = kept.iter().filter_map(|n| drafts.get(*n)).any(|(_, d)| !d.tentative);
                let _ = root;
                any.then_some(kept)
            })
            .collect()
    }
}
