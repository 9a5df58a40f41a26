//! STIX 2.1 bundles: incidents with what was observed, and reports of threats told as one incident. 2.0's observed data too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::builder::{Draft, Ref};
use super::context::{Context, Place};
use super::evidence::props;
use super::json::{Json, shown};
use super::rec::Rec;
use super::records::{self, File, Mail, Process, User};
use super::{Read, Refusal, Source, vocabulary};
use crate::diag::{Severity, codes};
use crate::model::{Alert, Kind, Level};

/// Types that can give the incident its headline, the first that is there.
const HEADLINES: &[&str] = &["incident", "report", "grouping", "attack-flow", "campaign", "observed-data"];
/// Types that say something about other objects and are no things.
const ABOUT: &[&str] = &[
    "relationship",
    "sighting",
    "marking-definition",
    "extension-definition",
    "language-content",
    "attack-pattern",
    "attack-action",
    "note",
    "opinion",
];

/// How many objects may refer to one another in a row.
const DEEPEST: usize = 64;

type Objects<'a> = BTreeMap<&'a str, (&'a Json<'a>, String)>;

struct Stix<'a> {
    objects: Objects<'a>,
    made: BTreeMap<String, Ref>,
    doing: BTreeSet<String>,
}

/// Reads a bundle as one incident.
pub fn bundle(json: &Json, path: &str) -> Result<Read, Refusal> {
    let mut cx = Context::new(Source::Stix);
    let Some(rec) = Rec::new(json, path) else { return cx.finish() };
    let items = rec.items("objects");
    let mut s = Stix { objects: BTreeMap::new(), made: BTreeMap::new(), doing: BTreeSet::new() };
    for (json, path) in &items {
        match (json, json.text("id"), json.text("type")) {
            (Json::Map(_), Some(id), Some(_)) => {
                s.objects.insert(id, (json, path.clone()));
            }
            (Json::Map(_), _, _) => cx.unread(path, "an object without `id` or `type`"),
            _ => cx.unread(path, format!("{} stands where an object belongs", json.kind())),
        }
    }
    let of = |kind: &str| -> Vec<(&str, &Json, String)> {
        s.objects.iter().filter(|(_, (j, _))| j.text("type") == Some(kind)).map(|(id, (j, p))| (*id, *j, p.clone())).collect()
    };
    let Some((id, head, at)) = HEADLINES.iter().find_map(|k| of(k).into_iter().next()) else {
        let types: BTreeSet<&str> = s.objects.values().filter_map(|(j, _)| j.text("type")).collect();
        let list: Vec<String> = types.iter().map(|t| format!("`{}`", shown(t))).collect();
        return Err(Refusal::new(
            codes::NOT_RECOGNISED,
            format!(
                "a STIX bundle of {}, without an incident, report, campaign, attack flow or observed data",
                if list.is_empty() { "nothing".to_owned() } else { list.join(", ") }
            ),
        )
        .path(path)
        .help("give a bundle that holds an `incident` object, or observed data"));
    };
    headline(&mut cx, head, &at, id);
    for kind in HEADLINES {
        let others: Vec<&str> =
            of(kind).into_iter().filter(|(i, _, _)| *i != id && *kind != "observed-data").map(|(i, j, _)| j.text("name").unwrap_or(i)).collect();
        if !others.is_empty() {
            cx.b.incident.extra.insert((*kind).to_owned(), others.join("; "));
        }
    }
    let observed: Vec<(String, Json, String)> = of("observed-data").into_iter().map(|(i, j, p)| (i.to_owned(), j.clone(), p)).collect();
    let actions: Vec<(String, Json, String)> = of("attack-action").into_iter().map(|(i, j, p)| (i.to_owned(), j.clone(), p)).collect();
    for (_, json, path) in &actions {
        action(&mut cx, json, path);
    }
    for (id, json, path) in &observed {
        s.observed(&mut cx, id, json, path);
    }
    s.rest(&mut cx);
    s.relations(&mut cx);
    cx.finish()
}

fn headline(cx: &mut Context, json: &Json, path: &str, id: &str) {
    let Some(rec) = Rec::new(json, path) else { return };
    let observed = json.text("type") == Some("observed-data");
    let i = &mut cx.b.incident;
    i.id = id.to_owned().into();
    i.title = rec.owned(&["name"]).into();
    if observed {
        i.title = "Observed data".into();
    }
    i.description = rec.owned(&["description"]).into();
    i.severity = rec.text("severity").and_then(|t| Level::of_source(&t));
    i.status = vocabulary::status(&rec.owned(&["status"])).into();
    i.created = rec.time(&["published", "created"]);
    i.first_activity = rec.time(&["first_seen", "first_observed"]);
    i.last_activity = rec.time(&["last_seen", "last_observed"]);
    i.tags.extend(rec.texts("labels").into_iter().map(Into::into));
    rec.skip(&["id", "type", "spec_version", "objects"]);
    if !observed {
        cx.incident_extra(&rec, &[]);
    }
}

/// A step of an attack flow, as an alert with its technique.
fn action(cx: &mut Context, json: &Json, path: &str) {
    let Some(rec) = Rec::new(json, path) else { return };
    let mut a = Alert {
        id: rec.owned(&["id"]).into(),
        title: rec.owned(&["name"]).into(),
        description: rec.owned(&["description"]).into(),
        first: rec.time(&["execution_start"]),
        last: rec.time(&["execution_end"]),
        created: rec.time(&["created"]),
        product: "STIX".into(),
        ..Alert::default()
    };
    let technique = rec.owned(&["technique_id"]);
    vocabulary::techniques(&mut a, [technique.as_str()]);
    rec.skip(&["type", "spec_version", "extensions"]);
    cx.extra(&rec, &mut a.extra);
    cx.alert(a);
}

impl<'a> Stix<'a> {
    /// Observed data, as an alert with the things it names or (in 2.0) holds.
    fn observed(&mut self, cx: &mut Context, id: &str, json: &Json, path: &str) {
        let Some(rec) = Rec::new(json, path) else { return };
        let mut a = Alert {
            id: id.to_owned().into(),
            title: Some(rec.owned(&["name"])).filter(|t| !t.is_empty()).unwrap_or_else(|| "Observed data".into()).into(),
            first: rec.time(&["first_observed"]),
            last: rec.time(&["last_observed"]),
            created: rec.time(&["created"]),
            product: "STIX".into(),
            ..Alert::default()
        };
        let refs = rec.texts("object_refs");
        let held = rec.peek("objects").cloned();
        rec.skip(&["type", "spec_version", "objects", "id"]);
        cx.extra(&rec, &mut a.extra);
        let place = cx.alert(a);
        for r in refs {
            self.object(cx, &place, &r, path);
        }
        if let Some(Json::Map(entries)) = &held {
            // The numbers of these objects hold within this observation.
            let mut inner = Stix {
                objects: entries.iter().map(|(k, v)| (&**k, (v, format!("{path}.objects{}", super::json::step(k))))).collect(),
                made: BTreeMap::new(),
                doing: BTreeSet::new(),
            };
            let keys: Vec<String> = inner.objects.keys().map(|k| (*k).to_owned()).collect();
            for k in keys {
                inner.object(cx, &place, &k, path);
            }
        }
    }

    /// What no observation named: the alert that the bundle itself is.
    fn rest(&mut self, cx: &mut Context) {
        let left: Vec<String> = self
            .objects
            .iter()
            .filter(|(id, (j, _))| {
                let kind = j.text("type").unwrap_or("");
                !self.made.contains_key(**id) && !HEADLINES.contains(&kind) && !ABOUT.contains(&kind)
            })
            .map(|(id, _)| (*id).to_owned())
            .collect();
        let mut a = Alert {
            id: cx.b.incident.id.clone(),
            title: cx.b.incident.title.clone(),
            created: cx.b.incident.created,
            product: "STIX".into(),
            ..Alert::default()
        };
        a.severity = cx.b.incident.severity;
        for (json, _) in self.objects.values().filter(|(j, _)| j.text("type") == Some("attack-pattern")) {
            let ids: Vec<&str> = match json.get("external_references") {
                Some(Json::List(refs)) => {
                    refs.iter().filter(|r| r.text("source_name").is_some_and(|n| n.contains("mitre"))).filter_map(|r| r.text("external_id")).collect()
                }
                _ => Vec::new(),
            };
            if ids.is_empty() {
                vocabulary::techniques(&mut a, json.text("name"));
            } else {
                vocabulary::techniques(&mut a, ids);
            }
            if let Some(Json::List(phases)) = json.get("kill_chain_phases") {
                let names: Vec<&str> = phases
                    .iter()
                    .filter(|p| p.text("kill_chain_name").is_some_and(|n| n.starts_with("mitre")))
                    .filter_map(|p| p.text("phase_name"))
                    .collect();
                vocabulary::tactics(&mut a, names);
            }
        }
        if left.is_empty() && a.techniques.is_empty() && a.extra.is_empty() {
            return;
        }
        let place = cx.alert(a);
        for id in left {
            if cx.full() {
                return;
            }
            self.object(cx, &place, &id, "$");
        }
    }

    /// Reads an object by its id, once.
    fn object(&mut self, cx: &mut Context, place: &Place, id: &str, path: &str) -> Option<Ref> {
        if let Some(r) = self.made.get(id) {
            return Some(*r);
        }
        let Some((json, at)) = self.objects.get(id).cloned() else {
            cx.unread(path, format!("`{}` is named and is not in the bundle", shown(id)));
            return None;
        };
        let rec = Rec::new(json, at)?;
        let kind = rec.owned(&["type"]);
        if HEADLINES.contains(&kind.as_str()) || ABOUT.contains(&kind.as_str()) {
            return None;
        }
        if self.doing.len() >= DEEPEST {
            cx.unread(path, format!("objects refer to one another more than {DEEPEST} deep; the chain is cut here"));
            return None;
        }
        if !self.doing.insert(id.to_owned()) {
            return None;
        }
        let r = self.read(cx, place, &rec, &kind, id);
        self.doing.remove(id);
        if let Some(r) = r {
            cx.declare(r, &kind);
            rec.skip(&["id", "spec_version"]);
            cx.keep_rest(r, &rec, "");
            self.made.insert(id.to_owned(), r);
        }
        r
    }

    fn refer(&mut self, cx: &mut Context, place: &Place, rec: &Rec<'_>, key: &str) -> Vec<Ref> {
        rec.texts(key).iter().filter_map(|id| self.object(cx, place, id, &rec.path)).collect()
    }

    fn read(&mut self, cx: &mut Context, place: &Place, rec: &Rec<'_>, kind: &str, id: &str) -> Option<Ref> {
        let value = rec.owned(&["value"]);
        Some(match kind {
            "indicator" => return self.indicator(cx, place, rec),
            "ipv4-addr" | "ipv6-addr" => {
                let d = records::ip_draft(&value);
                cx.add(place, d)
            }
            "domain-name" => {
                let d = records::domain_draft(&value);
                let r = cx.add(place, d);
                for to in self.refer(cx, place, rec, "resolves_to_refs") {
                    cx.relate(place, r, "resolves_to", to);
                }
                r
            }
            "url" => {
                let d = records::url_draft(&value);
                cx.add(place, d)
            }
            "mac-addr" => {
                let mut d = Draft::new(Kind::Nic);
                d.strong("address", &value).lower("address", &value).name(1, &value);
                cx.add(place, d)
            }
            "email-addr" => {
                let mut d = records::mailbox_draft(&value);
                d.name(2, &rec.owned(&["display_name"]));
                let r = cx.add(place, d);
                for owner in self.refer(cx, place, rec, "belongs_to_ref") {
                    cx.relate(place, owner, "owns", r);
                }
                r
            }
            "email-message" => self.message(cx, place, rec),
            "file" => {
                let d = self.file_draft(rec);
                cx.add(place, d)
            }
            "process" => self.process(cx, place, rec),
            "user-account" => {
                let (user, login) = (rec.owned(&["user_id"]), rec.owned(&["account_login"]));
                let mut u = User { display: rec.owned(&["display_name"]), ..User::default() };
                for text in [&user, &login] {
                    if records::is_address(text) {
                        u.upn.clone_from(text);
                    } else if text.to_ascii_uppercase().starts_with("S-1-") {
                        u.sid.clone_from(text);
                    } else if !text.is_empty() {
                        u.account.clone_from(text);
                    }
                }
                let d = records::user_draft(cx, place, &u, &rec.json().digest());
                cx.add(place, d)
            }
            "windows-registry-key" => {
                let mut d = Draft::new(Kind::RegistryKey);
                let key = rec.owned(&["key"]);
                d.scoped("key", &key, None).prop("key", key.clone()).name(1, &key);
                cx.add(place, d)
            }
            "x509-certificate" => {
                let mut d = Draft::new(Kind::Certificate);
                let serial = rec.owned(&["serial_number"]);
                let issuer = rec.owned(&["issuer"]);
                d.strong("serial", &format!("{issuer}/{serial}")).prop("issuer", issuer);
                props(rec, &mut d, &[("subject", &["subject"]), ("expires", &["validity_not_after"])]);
                d.name(1, &serial);
                cx.add(place, d)
            }
            "network-traffic" => {
                let mut d = Draft::new(Kind::Connection);
                d.weak("record", id).prop("protocol", rec.texts("protocols").join("/"));
                props(rec, &mut d, &[("source_port", &["src_port"]), ("destination_port", &["dst_port"])]);
                d.name(1, "network traffic");
                let r = cx.add(place, d);
                for from in self.refer(cx, place, rec, "src_ref") {
                    cx.relate(place, r, "from_ip", from);
                }
                for to in self.refer(cx, place, rec, "dst_ref") {
                    cx.relate(place, r, "connected_to", to);
                }
                r
            }
            "malware" => {
                let mut d = Draft::new(Kind::Malware);
                let name = rec.owned(&["name"]);
                if name.is_empty() {
                    d.weak("record", id);
                }
                d.strong("name", &name).name(1, &name).verdict("malicious");
                props(rec, &mut d, &[("is_family", &["is_family"])]);
                let r = cx.add(place, d);
                for found in self.refer(cx, place, rec, "sample_refs") {
                    cx.relate(place, r, "found_in", found);
                }
                r
            }
            _ => {
                let mut d = Draft::new(Kind::Other);
                let name = rec.owned(&["name", "value", "path", "product"]);
                d.prop("source_type", kind).weak("record", id).name(1, if name.is_empty() { id } else { &name });
                cx.note(
                    codes::UNMODELLED,
                    Severity::Note,
                    &rec.path,
                    format!("an object of type `{}` is kept as `other`, with all its fields", shown(kind)),
                );
                cx.add(place, d)
            }
        })
    }

    fn file_draft(&self, rec: &Rec<'_>) -> Draft {
        let directory = rec.json().text("parent_directory_ref").and_then(|id| self.objects.get(id)).and_then(|(j, _)| j.text("path"));
        let mut f = File { name: rec.owned(&["name"]), folder: directory.unwrap_or("").to_owned(), hashes: Vec::new() };
        if let Some(hashes) = rec.object("hashes")
            && let Json::Map(entries) = hashes.json()
        {
            for (k, v) in entries {
                f.hash(k, v.scalar().as_deref().unwrap_or(""));
            }
        }
        let mut d = records::file_draft(&f, None);
        if f.is_blank() {
            d.weak("record", rec.json().text("id").unwrap_or(&rec.path));
        }
        props(rec, &mut d, &[("size", &["size"]), ("file_type", &["mime_type"])]);
        d
    }

    fn process(&mut self, cx: &mut Context, place: &Place, rec: &Rec<'_>) -> Ref {
        let image = self.refer(cx, place, rec, "image_ref");
        let name = rec.json().text("image_ref").and_then(|id| self.objects.get(id)).and_then(|(j, _)| j.text("name")).unwrap_or("").to_owned();
        let p = Process {
            pid: rec.owned(&["pid"]),
            created: rec.time(&["created_time", "created"]),
            command_line: rec.owned(&["command_line"]),
            image: File { name, ..File::default() },
        };
        let d = records::process_draft(place, &p, &rec.json().digest(), None);
        let r = cx.add(place, d);
        for image in image {
            cx.relate(place, r, "image", image);
        }
        for parent in self.refer(cx, place, rec, "parent_ref") {
            cx.relate(place, r, "child_of", parent);
        }
        for user in self.refer(cx, place, rec, "creator_user_ref") {
            cx.relate(place, r, "ran_as", user);
        }
        for traffic in self.refer(cx, place, rec, "opened_connection_refs") {
            cx.relate(place, r, "touched", traffic);
        }
        r
    }

    fn message(&mut self, cx: &mut Context, place: &Place, rec: &Rec<'_>) -> Ref {
        let address = |id: Option<&str>| id.and_then(|id| self.objects.get(id)).and_then(|(j, _)| j.text("value")).unwrap_or("").to_owned();
        let to = rec.texts("to_refs");
        let from = rec.json().text("from_ref").or(rec.json().text("sender_ref"));
        let m = Mail {
            internet_id: rec.owned(&["message_id"]),
            recipient: address(to.first().map(String::as_str)),
            sender: address(from),
            subject: rec.owned(&["subject"]),
            received: rec.time(&["date"]),
            ..Mail::default()
        };
        let d = records::mail_draft(place, &m, &rec.json().digest());
        let r = cx.add(place, d);
        records::mail_links(cx, place, r, &m);
        for key in ["from_ref", "sender_ref"] {
            self.refer(cx, place, rec, key);
        }
        for id in &to {
            if let Some(to) = self.object(cx, place, id, &rec.path) {
                cx.relate(place, r, "sent_to", to);
            }
        }
        if let Json::List(parts) = rec.json().get("body_multipart").unwrap_or(&Json::Null) {
            let refs: Vec<&str> = parts.iter().filter_map(|p| p.text("body_raw_ref")).collect();
            for id in refs {
                if let Some(file) = self.object(cx, place, id, &rec.path) {
                    cx.relate(place, r, "carries", file);
                }
            }
        }
        r
    }

    /// An indicator stands for the things that its pattern compares with.
    fn indicator(&mut self, cx: &mut Context, place: &Place, rec: &Rec<'_>) -> Option<Ref> {
        let pattern = rec.owned(&["pattern"]);
        let mut types = rec.texts("indicator_types");
        types.extend(rec.texts("labels"));
        let verdict = if types.iter().any(|t| t == "malicious-activity" || t == "compromised") {
            "malicious"
        } else if types.iter().any(|t| t == "anomalous-activity") {
            "suspicious"
        } else if types.iter().any(|t| t == "benign") {
            "no_threats_found"
        } else {
            "unknown"
        };
        let name = rec.owned(&["name"]);
        let mut first = None;
        for mut d in compared(&pattern) {
            d.verdict(verdict).field("indicator", &name);
            let r = cx.add(place, d);
            first = first.or(Some(r));
        }
        if first.is_none() {
            let mut d = Draft::new(Kind::Other);
            d.prop("source_type", "indicator").weak("record", rec.json().text("id").unwrap_or(&rec.path)).name(1, &name).verdict(verdict);
            cx.note(codes::UNMODELLED, Severity::Note, &rec.path, "a pattern that names nothing we know is kept as `other`");
            first = Some(cx.add(place, d));
        }
        if let Some(d) = first.and_then(|r| cx.b.draft(r)) {
            d.field("pattern", &pattern).field("indicator_types", &types.join(", "));
        }
        first
    }

    /// Relationships between things; those that we have no relation for are told in the incident's extra fields.
    fn relations(&mut self, cx: &mut Context) {
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (json, _) in self.objects.values().filter(|(j, _)| j.text("type") == Some("relationship")) {
            let (Some(from), Some(to), Some(kind)) = (json.text("source_ref"), json.text("target_ref"), json.text("relationship_type")) else {
                continue;
            };
            let (a, b) = (self.made.get(from), self.made.get(to));
            let name = match kind {
                "resolves-to" => "resolves_to",
                "communicates-with" | "beacons-to" | "exfiltrates-to" => "connected_to",
                "originates-from" => "from_ip",
                "owns" | "belongs-to" => "owns",
                _ => "",
            };
            if let (Some(a), Some(b), false) = (a, b, name.is_empty()) {
                cx.relate(&Place::default(), *a, name, *b);
            }
            let called = |id: &str| self.objects.get(id).and_then(|(j, _)| j.text("name")).map_or_else(|| id.to_owned(), |n| shown(n).into_owned());
            told.insert(format!("{} {kind} {}", called(from), called(to)));
        }
        if !told.is_empty() {
            let text = cx.cut(told.into_iter().collect::<Vec<_>>().join("; "), "$", "relationships");
            cx.b.incident.extra.insert("relationships".into(), text);
        }
    }
}

/// The things that a pattern compares with, by its equalities.
fn compared(pattern: &str) -> Vec<Draft> {
    static FORM: OnceLock<Option<regex::Regex>> = OnceLock::new();
    let form = FORM.get_or_init(|| regex::Regex::new(r"([a-z][a-z0-9-]*):([A-Za-z0-9_.\-]+(?:'[A-Za-z0-9-]+')?)\s*=\s*'((?:[^'\\]|\\.)*)'").ok());
    let Some(form) = form else { return Vec::new() };
    let mut found = Vec::new();
    let hashed = pattern.contains("hashes");
    for c in form.captures_iter(pattern) {
        let part = |n: usize| c.get(n).map_or("", |m| m.as_str());
        let value = part(3).replace("\\'", "'").replace("\\\\", "\\");
        let d = match (part(1), part(2)) {
            ("ipv4-addr" | "ipv6-addr", "value") => records::ip_draft(&value),
            ("domain-name", "value") => records::domain_draft(&value),
            ("url", "value") => records::url_draft(&value),
            ("email-addr", "value") => records::mailbox_draft(&value),
            ("email-message", "from_ref.value" | "sender_ref.value") => records::mailbox_draft(&value),
            ("file", path) if path.starts_with("hashes") => {
                let mut f = File::default();
                let algorithm = path.trim_start_matches("hashes").trim_matches(['.', '\'']);
                if !f.hash(algorithm, &value) {
                    continue;
                }
                records::file_draft(&f, None)
            }
            ("file", "name") if !hashed => records::file_draft(&File { name: value, ..File::default() }, None),
            ("windows-registry-key", "key") => {
                let mut d = Draft::new(Kind::RegistryKey);
                d.scoped("key", &value, None).prop("key", value.clone()).name(1, &value);
                d
            }
            _ => continue,
        };
        found.push(d);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_what_they_compare_with() {
        let kinds = |p: &str| compared(p).iter().map(Draft::kind).collect::<Vec<_>>();
        assert_eq!(kinds("[domain-name:value = 'www.example.com' OR ipv4-addr:value = '203.0.113.7']"), [Kind::Domain, Kind::Ip]);
        assert_eq!(kinds("[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']"), [Kind::File]);
        assert_eq!(kinds("[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4' AND file:name = 'a.exe']"), [Kind::File]);
        assert!(kinds("[process:command_line LIKE '%x%']").is_empty());
    }
}
