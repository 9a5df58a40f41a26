//! Our own format, `guided-response/incident/1`.
//!
//! What [`write`] wrote is read as exactly the same incident: an entity that says `settled: true` is one entity of its own
//! with just these aliases, and its `history` tells what was reported of each property. What signals and lists say is
//! never read; it is derived again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::builder::{AlertRef, Draft, Ref, namespaced};
use super::context::{Context, Place};
use super::hash::Keyed;
use super::json::{Entry, Json, shown, trimmed};
use super::rec::Rec;
use super::records;
use super::{Read, Refusal, Source, vocabulary};
use crate::diag::{Severity, codes, nearest};
use crate::model::kind::{PROPS, PropType};
use crate::model::{Alert, Kind, Level, Prop, PropValue, Rel, Text, Time};

pub use super::export::write;

/// The value of `schema`.
pub const SCHEMA: &str = "guided-response/incident/1";

/// Reads an incident in our own format from a tree, which may have been YAML.
pub fn from_json(json: &Json, path: &str) -> Result<Read, Refusal> {
    let mut cx = Context::new(Source::GuidedResponse);
    let Some(rec) = Rec::new(json, path) else {
        return Err(Refusal::new(codes::NOT_RECOGNISED, format!("{} stands where an incident belongs", json.kind())).path(path));
    };
    let mut n = Native::default();
    headline(&mut cx, &rec);
    cx.each(&rec.items("alerts"), |cx, json, path| n.alert(cx, json, path));
    cx.each(&rec.items("entities"), |cx, json, path| n.entity(cx, json, path));
    n.refer(&mut cx);
    cx.each(&rec.items("relations"), |cx, json, path| n.relation(cx, json, path));
    rest(&mut cx, &rec);
    cx.finish()
}

/// Keeps what has no place of its own.
pub(super) fn rest(cx: &mut Context, rec: &Rec<'_>) {
    rec.skip(&["schema", "entities", "alerts", "relations"]);
    let mut extra = std::mem::take(&mut cx.b.incident.extra);
    own_extra(cx, rec, &mut extra);
    cx.b.incident.extra = extra;
}

/// The fields of a source that have no place of their own: `extra`, and the keys that are not ours.
fn own_extra(cx: &mut Context, rec: &Rec<'_>, extra: &mut BTreeMap<String, String>) {
    extra.extend(rec.object("extra").map(|bag| bag.rest()).unwrap_or_default());
    cx.extra(rec, extra);
}

/// What an incident says of itself.
pub(super) fn headline(cx: &mut Context, rec: &Rec<'_>) {
    let i = &mut cx.b.incident;
    if let Some(source) = rec.text("source").and_then(|t| Source::parse(&t)) {
        i.source = source.word().to_owned().into();
    }
    i.id = super::id_or_digest(rec, &["id"]).into();
    i.title = rec.owned(&["title"]).into();
    i.description = rec.owned(&["description"]).into();
    i.severity = rec.text("severity").and_then(|t| Level::of_source(&t));
    i.status = vocabulary::status(&rec.owned(&["status"])).into();
    i.created = rec.time(&["created"]);
    i.first_activity = rec.time(&["first_activity", "first"]);
    i.last_activity = rec.time(&["last_activity", "last"]);
    i.classification = rec.text("classification").and_then(|t| vocabulary::classification(&t));
    i.determination = rec.text("determination").and_then(|t| vocabulary::determination(&t));
    i.assigned_to = rec.any(&["assigned_to"]).map(|t| t.into_owned());
    i.tags.extend(rec.texts("tags").into_iter().map(Into::into));
    i.absent_alerts.extend(rec.texts("absent_alerts"));
    let redirected = rec.any(&["redirected_to"]).map(|t| t.into_owned());
    super::redirect(cx, redirected, &rec.path_of("redirected_to"));
}

/// What the references of an incident stand for.
pub(super) struct Native<'j> {
    /// By id as it is written.
    known: Keyed<Text, Ref>,
    /// By id in lower case, where that is another one.
    folded: Keyed<Text, Ref>,
    /// By id in lower case.
    places: Keyed<String, Place>,
    references: Vec<Reference<'j>>,
}

/// How many names there is room for at once.
const NAMES: usize = 64;

impl Default for Native<'_> {
    fn default() -> Self {
        let known = Keyed::with_capacity_and_hasher(NAMES, Default::default());
        Self { known, folded: Keyed::default(), places: Keyed::default(), references: Vec::new() }
    }
}

/// What an alert names: the alert with its path, and which of its list.
struct Reference<'j> {
    place: Place,
    json: &'j Json<'j>,
    alert: (&'j Json<'j>, Rc<str>),
    at: Option<usize>,
}

impl Reference<'_> {
    fn path(&self) -> String {
        let (json, path) = &self.alert;
        let list = Rec::new(json, &**path).map(|rec| rec.path_of("entities")).unwrap_or_default();
        self.at.map_or_else(|| list.clone(), |at| format!("{list}[{at}]"))
    }
}

/// A text in lower case.
fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) { text.into() } else { text.to_lowercase().into() }
}

/// The namespace of an id that is written without one, by its form; a flag says whether it identifies by itself.
fn namespace(kind: Kind, id: &str) -> (&'static str, bool) {
    let hex = |n: usize| id.len() == n && id.bytes().all(|b| b.is_ascii_hexdigit());
    let guid = || id.len() == 36 && id.matches('-').count() == 4 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    match kind {
        Kind::User if records::is_address(id) => ("upn", true),
        Kind::User | Kind::Group if records::is_strong_sid(id) => ("sid", true),
        Kind::User | Kind::Group | Kind::Device | Kind::ServicePrincipal if guid() => ("aad", true),
        Kind::User if id.contains('\\') => ("sam", false),
        Kind::Mailbox => ("address", true),
        Kind::Ip | Kind::Nic => ("address", true),
        Kind::Url => ("url", true),
        Kind::Domain | Kind::Malware => ("name", true),
        Kind::Email | Kind::ChatMessage => ("message", true),
        Kind::File if hex(64) => ("sha256", true),
        Kind::File if hex(40) => ("sha1", true),
        Kind::File if hex(32) => ("md5", true),
        Kind::Device if hex(40) => ("product", true),
        Kind::Device if id.contains('.') => ("fqdn", true),
        Kind::CloudResource | Kind::Storage => ("resource", true),
        Kind::CloudApp | Kind::OauthApp => ("app", true),
        Kind::LogonSession => ("session", true),
        _ => ("id", true),
    }
}

/// The namespace of an id, its value there, and whether it identifies by itself.
type Named<'t> = (&'t str, &'t str, bool);

/// An id that is written with its namespace or without.
fn named(kind: Kind, id: &str) -> Named<'_> {
    match namespaced(id) {
        Some((ns, value)) => (ns, value, !matches!(ns, "sam" | "host" | "record")),
        None => {
            let (ns, strong) = namespace(kind, id);
            (ns, id, strong)
        }
    }
}

impl<'j> Native<'j> {
    /// Of several ids that differ in case only, the first one is meant where none is written just so.
    /// `given` may be the same text.
    fn learn(&mut self, id: &str, given: Option<Text>, r: Ref) {
        let id = trimmed(id);
        if let Cow::Owned(low) = lower(id) {
            let first = self.known.get(low.as_str()).copied().unwrap_or(r);
            self.folded.entry(low.into()).or_insert(first);
        }
        let id = given.filter(|given| **given == *id).unwrap_or_else(|| id.into());
        self.known.entry(id).or_insert(r);
    }

    /// The entities that the alerts name.
    pub(super) fn refer(&mut self, cx: &mut Context) {
        for reference in std::mem::take(&mut self.references) {
            if cx.full() {
                break;
            }
            self.reference(cx, &reference);
        }
    }

    /// A draft for an id such as `user:ada@contoso.com`.
    fn draft(cx: &mut Context, id: &str, kind: Option<Kind>, path: &str) -> Option<Draft> {
        let colon = id.bytes().position(|b| b == b':').and_then(|at| id.split_at_checked(at));
        let prefix = colon.and_then(|(k, rest)| Some((Kind::parse(k)?, rest.get(1..)?)));
        let (kind, rest) = match (kind, prefix) {
            (Some(k), Some((p, rest))) if p == k => (k, rest),
            (Some(k), _) => (k, id),
            (None, Some((p, rest))) => (p, rest),
            (None, None) => {
                let word = id.split(':').next().unwrap_or(id);
                let known: Vec<&str> = Kind::ALL.iter().map(|k| k.word()).collect();
                let hint = nearest(word, known).map(|k| format!("; did you mean `{k}:…`?")).unwrap_or_default();
                cx.unread(path, format!("`{}` does not begin with a kind of entity{hint}", shown(id)));
                return None;
            }
        };
        let mut d = Draft::new(kind);
        if prefix.is_some() {
            d.id(id);
        } else {
            d.id(&format!("{kind}:{id}"));
        }
        let named = named(kind, rest);
        Self::name(&mut d, named);
        d.name(0, rest);
        if kind == Kind::Url {
            records::url_props(&mut d, &super::net::tidy_url(rest));
        }
        if kind == Kind::Domain {
            super::builder::domain_props(&mut d, rest);
        }
        Self::told_by_id(&mut d, named);
        // The id by which the input refers to it holds too, whatever else identifies it.
        d.weak("id", id);
        Some(d)
    }

    /// What an id tells of its entity, so that conditions and guards can ask for it.
    fn told_by_id(d: &mut Draft, (ns, value, _): Named<'_>) {
        match (d.kind(), ns) {
            (Kind::Ip, _) => d.prop("address", super::net::tidy_ip(value)),
            (Kind::Mailbox, _) => d.lower("address", value),
            (Kind::User, "upn") => d.lower("upn", value).lower("domain", value.rsplit_once('@').map_or("", |(_, domain)| domain)),
            (Kind::Device, "fqdn") => d.lower("fqdn", value).lower("host_name", value.split('.').next().unwrap_or(value)),
            (Kind::Device, "host") => d.lower("host_name", value),
            (Kind::File, "sha256" | "sha1" | "md5") => d.lower(ns, value),
            (Kind::Email, "message") => d.prop("message_id", value.split('/').next().unwrap_or(value)),
            (Kind::CloudResource | Kind::Storage, "resource") => d.prop("resource_id", value),
            _ => d,
        };
    }

    /// Gives a draft one of its ids.
    fn name(d: &mut Draft, (ns, value, strong): Named<'_>) {
        let value = match d.kind() {
            Kind::Url if ns == "url" => super::net::tidy_url(value),
            Kind::Ip if ns == "address" => super::net::tidy_ip(value).into(),
            _ => Cow::Borrowed(value),
        };
        match (strong, d.kind()) {
            (true, Kind::Url) => d.exact(ns, &value),
            (true, _) => d.strong(ns, &value),
            (false, _) => d.weak(ns, &value),
        };
    }

    /// An entity that is listed.
    pub(super) fn entity(&mut self, cx: &mut Context, json: &Json, path: &str) {
        let Some(rec) = cx.object(json, path, "an entity") else { return };
        let Some(id) = rec.any(&["id"]) else {
            cx.unread(path, "an entity without an `id`");
            return;
        };
        let kind = rec.text("kind").and_then(|k| Kind::parse(&k));
        if let (Some(kind), Some(Json::Bool(true))) = (kind, rec.take("settled")) {
            self.settled(cx, &rec, &id, kind);
            return;
        }
        let Some(mut d) = Self::draft(cx, &id, kind, path) else { return };
        let kind = d.kind();
        d.name(3, rec.text("name").as_deref().unwrap_or_default()).verdict(rec.text("verdict").as_deref().unwrap_or_default());
        if let Some(status) = rec.text("remediation_status") {
            d.remediation(&status);
            if vocabulary::is_remediated(&status) {
                d.prop("was_remediated", "true");
            }
        }
        let aliases = rec.plain("aliases");
        aliases.iter().for_each(|a| Self::name(&mut d, named(kind, a)));
        said(&mut d, &rec);
        if let Some(Json::Map(properties)) = rec.peek("properties") {
            set_properties(cx, &mut d, properties, &rec);
        }
        rec.skip(NOT_READ);
        let given = d.given();
        let r = cx.add_apart(d);
        cx.declare(r, kind.word());
        cx.keep_rest(r, &rec, "");
        self.learn(&id, given, r);
        for a in &aliases {
            self.learn(&format!("{kind}:{a}"), None, r);
        }
    }

    fn known(&self, id: &str) -> Option<Ref> {
        let id = trimmed(id);
        self.known.get(id).copied().or_else(|| {
            let low = lower(id);
            self.folded.get(&*low).or_else(|| self.known.get(&*low)).copied()
        })
    }

    /// The entity that a reference stands for; one that is not listed is made from its id.
    fn find(&mut self, cx: &mut Context, place: &Place, id: &str, path: impl Fn() -> String) -> Option<Ref> {
        if let Some(r) = self.known(id) {
            return Some(r);
        }
        let d = Self::draft(cx, id, None, &path())?;
        let r = cx.add(place, d);
        self.learn(id, None, r);
        Some(r)
    }

    /// An entity as [`write`] wrote it: nothing is derived, and it is no other one that is listed.
    fn settled(&mut self, cx: &mut Context, rec: &Rec<'_>, id: &str, kind: Kind) {
        let mut d = Draft::new(kind);
        d.settle(id).name(3, &rec.owned(&["name"])).verdict(&rec.owned(&["verdict"])).remediation(&rec.owned(&["remediation_status"]));
        let aliases = rec.plain("aliases");
        for a in &aliases {
            d.known_as(a);
        }
        said(&mut d, rec);
        let history = rec.object("history");
        if let Some(Json::Map(all)) = rec.object("properties").map(|p| p.json()) {
            for (name, value) in all {
                let path = format!("{}.properties.{name}", rec.path);
                let Some(prop) = Prop::named(name).filter(|p| p.spec().kinds.has(kind)) else {
                    cx.unread(&path, format!("a {kind} has no property `{}`", shown(name)));
                    continue;
                };
                let Some(value) = typed(value, prop.spec().ty) else {
                    if !value.is_blank() {
                        cx.unread(&path, format!("{} stands where the property `{name}` belongs", value.kind()));
                    }
                    continue;
                };
                let reports = history.as_ref().map(|h| self.history(h, name, prop)).unwrap_or_default();
                if holds(prop, &reports) == Some(&value) {
                    reports.into_iter().for_each(|(alert, at, v)| {
                        d.report(prop, alert, at, v);
                    });
                } else {
                    // It was set since: what was reported before counts no more.
                    let (alert, at) = reports.last().map_or((None, None), |(alert, at, _)| (*alert, *at));
                    d.report(prop, alert, at, value);
                }
            }
        }
        rec.skip(NOT_READ);
        let records = rec.object("records").map(|r| r.rest()).unwrap_or_default();
        let r = cx.add_apart(d);
        for (what, count) in records {
            for _ in 0..count.parse::<u32>().unwrap_or(1) {
                if cx.full() {
                    return;
                }
                cx.declare(r, &what);
            }
        }
        cx.keep_rest(r, rec, "");
        self.learn(id, None, r);
        for a in &aliases {
            self.learn(&format!("{kind}:{a}"), None, r);
        }
    }

    /// What was reported of a property, oldest first.
    fn history(&self, history: &Rec<'_>, name: &str, prop: Prop) -> Vec<Told> {
        let mut all: Vec<Told> = Vec::new();
        for (json, path) in history.items(name) {
            let Some(rec) = Rec::new(json, path) else { continue };
            let Some(value) = rec.take("value").and_then(|v| typed(v, prop.spec().ty)) else { continue };
            let alert = rec.text("alert").map(|id| self.places.get(&*lower(&id)).and_then(|p| p.alert));
            // A report of an alert that is not there is none.
            if let Some(alert) = alert.map_or(Some(None), |a| a.map(Some)) {
                all.push((alert, rec.time(&["at"]), value));
            }
        }
        all
    }

    /// An alert; the entities that it names are remembered.
    pub(super) fn alert(&mut self, cx: &mut Context, json: &'j Json<'j>, path: &str) {
        let Some(rec) = cx.object(json, path.to_owned(), "an alert") else { return };
        let mut a = Alert {
            id: super::id_or_digest(&rec, &["id"]).into(),
            title: rec.shared(&["title"]),
            detectors: rec.plain("detector").into_iter().chain(rec.plain("detectors")).map(Text::from).collect(),
            product: rec.shared(&["product"]),
            first: rec.time(&["first"]),
            last: rec.time(&["last"]),
            created: rec.time(&["created"]),
            ..super::alert_of(&rec)
        };
        let (techniques, tactics) = (rec.plain("techniques"), rec.plain("tactics"));
        vocabulary::techniques(&mut a, techniques.iter().map(|t| &**t));
        vocabulary::tactics(&mut a, tactics.iter().map(|t| &**t));
        vocabulary::category(&mut a);
        let entities = rec.list("entities");
        rec.skip(&["signals", "entities"]);
        let mut extra = std::mem::take(&mut a.extra);
        own_extra(cx, &rec, &mut extra);
        a.extra = extra;
        let place = cx.alert(a);
        self.places.insert(place.id.to_lowercase(), place.clone());
        if let Some((all, is_list)) = entities {
            let path: Rc<str> = path.into();
            let reference = |(at, named)| Reference { place: place.clone(), json: named, alert: (json, path.clone()), at: is_list.then_some(at) };
            self.references.extend(all.iter().enumerate().map(reference));
        }
    }

    /// An entity that an alert names.
    fn reference(&mut self, cx: &mut Context, reference: &Reference<'j>) {
        let json = reference.json;
        let (id, roles, held) = match (json, Rec::new(json, "")) {
            (Json::Text(id), _) => (Cow::Borrowed(&**id), Vec::new(), false),
            (_, Some(rec)) => (rec.any(&["ref", "id"]).unwrap_or_default(), rec.plain("roles"), rec.take("record") == Some(&Json::Bool(true))),
            _ => {
                cx.unread(&reference.path(), format!("{} stands where a reference to an entity belongs", json.kind()));
                return;
            }
        };
        if id.is_empty() {
            cx.unread(&reference.path(), "a reference without a `ref`");
            return;
        }
        // One more record of the same thing, with the parts that it plays in this alert.
        if let Some(listed) = self.find(cx, &reference.place, &id, || reference.path()) {
            cx.sight(&reference.place, listed, &roles, held);
        }
    }

    /// A relation between two entities.
    pub(super) fn relation(&mut self, cx: &mut Context, json: &Json, path: &str) {
        let Some(rec) = cx.object(json, path, "a relation") else { return };
        let text = |key: &str| rec.text(key).unwrap_or_default();
        let (from, name, to) = (text("from"), text("relation"), text("to"));
        let Some(rel) = Rel::named(&name) else {
            let hint =
                nearest(&name, crate::model::kind::RELATIONS.iter().map(|r| r.name)).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            cx.unread(path, format!("`{}` is no relation{hint}", shown(&name)));
            return;
        };
        let nowhere = Place::default();
        let at = || path.to_owned();
        let (Some(a), Some(b)) = (self.find(cx, &nowhere, &from, at), self.find(cx, &nowhere, &to, at)) else { return };
        let (first, last) = (rec.time(&["first", "first_seen"]), rec.time(&["last", "last_seen"]));
        let fits = match (cx.b.kind(a), cx.b.kind(b)) {
            (Some(a), Some(b)) => rel.spec().from.has(a) && rel.spec().to.has(b),
            _ => false,
        };
        if !fits {
            cx.unread(path, format!("`{}` cannot lead from `{}` to `{}`", shown(&name), shown(&from), shown(&to)));
            return;
        }
        let mut alone = true;
        let alerts = rec.list("alerts").map(|(all, _)| all).unwrap_or_default();
        for alert in alerts.iter().filter_map(Json::scalar).filter(|t| !t.is_empty()) {
            alone = false;
            match self.places.get(&*lower(&alert)) {
                Some(place) => cx.b.relate_by(place.alert, a, rel, b, first, last),
                None => {
                    cx.unread(path, format!("the alert `{}` of a relation is not in the incident", shown(&alert)));
                    cx.b.relate_by(None, a, rel, b, first, last);
                }
            }
        }
        if alone {
            cx.b.relate_by(None, a, rel, b, first, last);
        }
    }
}

/// A report of a property: the alert that made it, when, and the value.
type Told = (Option<AlertRef>, Option<Time>, PropValue);

/// Keys of an entity that repeat what others say, and those that are read elsewhere.
const NOT_READ: &[&str] =
    &["kind", "signals", "alerts", "first_seen", "last_seen", "malicious", "suspicious", "records", "settled", "history", "properties"];

/// Tags, parts and fields of an entity.
fn said(d: &mut Draft, rec: &Rec<'_>) {
    rec.plain("tags").iter().for_each(|t| {
        d.tag(t);
    });
    rec.plain("roles").iter().for_each(|t| {
        d.role(t);
    });
    for (k, v) in rec.object("fields").map(|f| f.rest()).unwrap_or_default() {
        d.field(&k, &v);
    }
}

/// What these reports of a property say now; of `was_…` whether any says yes.
fn holds(prop: Prop, reports: &[Told]) -> Option<&PropValue> {
    let ever = reports.iter().map(|(_, _, v)| v).find(|v| prop.spec().name.starts_with("was_") && **v == PropValue::Bool(true));
    ever.or(reports.last().map(|(_, _, v)| v))
}

/// A value of a property as it is written by [`write`].
fn typed(value: &Json, ty: PropType) -> Option<PropValue> {
    Some(match (ty, value) {
        (PropType::Int, Json::Int(n)) => PropValue::Int(*n),
        (PropType::Bool, Json::Bool(b)) => PropValue::Bool(*b),
        (PropType::Texts, Json::List(all)) => PropValue::Texts(
            all.iter().filter_map(|x| if let Json::Text(t) = x { Some(Text::from(&**t)) } else { x.scalar().map(Text::from) }).collect(),
        ),
        (PropType::Text, Json::Text(t)) => PropValue::Text((**t).into()),
        (PropType::Text | PropType::Texts, one) => {
            let text = Text::from(one.scalar()?);
            if ty == PropType::Text { PropValue::Text(text) } else { PropValue::Texts([text].into()) }
        }
        (PropType::Level, one) => PropValue::Level(Level::of_source(&one.scalar()?)?),
        (PropType::Time, one) => PropValue::Time(super::rec::moment(one)?),
        (PropType::Int, one) => PropValue::Int(one.scalar()?.parse().ok()?),
        (PropType::Bool, one) => PropValue::Bool(one.scalar()?.parse().ok()?),
    })
}

fn set_properties(cx: &mut Context, d: &mut Draft, entries: &[Entry<'_>], rec: &Rec<'_>) {
    let path_of = |name: &str| rec.object("properties").map_or_else(String::new, |properties| properties.path_of(name));
    d.expect(entries.len());
    for (name, value) in entries {
        if value.is_blank() {
            continue;
        }
        let known = Prop::named(name).filter(|p| p.spec().kinds.has(d.kind()));
        let Some(prop) = known else {
            let of_kind = PROPS.iter().filter(|p| p.kinds.has(d.kind())).map(|p| p.name);
            let hint = nearest(name, of_kind).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            cx.note(
                codes::UNMODELLED,
                Severity::Note,
                &path_of(name),
                format!("a {} has no property `{}`, so it is kept as a field{hint}", d.kind(), shown(name)),
            );
            let mut all = Vec::new();
            value.flatten(name, &mut all);
            all.iter().for_each(|(k, v)| {
                d.field(k, v);
            });
            continue;
        };
        match (value, prop.spec().ty) {
            (Json::List(items), PropType::Texts) => {
                d.list(name, items.iter().filter_map(Json::scalar).map(|t| t.into_owned()).collect());
            }
            (Json::Text(t), _) => {
                d.set(prop, trimmed(t));
            }
            (Json::Int(n), PropType::Int) => {
                d.hold(prop, PropValue::Int(*n));
            }
            (Json::Bool(b), PropType::Bool) => {
                d.hold(prop, PropValue::Bool(*b));
            }
            (one, _) => match one.scalar() {
                Some(t) => {
                    d.set(prop, &t);
                }
                None => cx.unread(&path_of(name), format!("{} stands where the property `{name}` belongs", one.kind())),
            },
        }
    }
}
