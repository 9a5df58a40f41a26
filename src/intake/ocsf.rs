//! OCSF findings: security (2001), vulnerability (2002), compliance (2003), detection (2004), incident (2005) and data
//! security (2006, 2007) findings of version 1.x and of the release candidates before it.

use super::builder::{Draft, Ref};
use super::context::{Context, Place};
use super::evidence::props;
use super::json::Json;
use super::rec::Rec;
use super::records::{self, Device, File, Process, User};
use super::{Read, Refusal, Source, vocabulary};
use crate::diag::{Severity, codes};
use crate::model::{Alert, Kind, Level};

/// Whether a class is a finding.
pub fn is_finding(class: i64) -> bool {
    (2001..=2007).contains(&class)
}

/// Reads one finding as an incident of its own; an incident finding lists the alerts that it is made of.
pub fn finding(json: &Json, path: &str) -> Result<Read, Refusal> {
    let mut cx = Context::new(Source::Ocsf);
    let Some(rec) = Rec::new(json, path) else { return cx.finish() };
    let class = json.get("class_uid").and_then(Json::scalar).and_then(|t| t.parse::<i64>().ok()).unwrap_or_default();
    let details = rec.object("finding_info").or_else(|| rec.object("finding"));
    let id = details.as_ref().map(|f| f.owned(&["uid"])).unwrap_or_default();
    let id = if id.is_empty() { rec.object("metadata").map(|m| m.owned(&["uid"])).unwrap_or_default() } else { id };
    let id = if id.is_empty() { format!("content-{}", json.digest()) } else { id };
    let title = details.as_ref().map(|f| f.owned(&["title"])).filter(|t| !t.is_empty()).unwrap_or_else(|| rec.owned(&["message"]));
    let i = &mut cx.b.incident;
    i.id = id.clone().into();
    i.title = title.into();
    i.description = details.as_ref().map(|f| f.owned(&["desc"])).filter(|t| !t.is_empty()).unwrap_or_else(|| rec.owned(&["desc", "message"])).into();
    if i.title.is_empty() {
        i.title.clone_from(&i.description);
    }
    i.severity = level(&rec);
    i.status = vocabulary::status(&rec.owned(&["status", "state"])).into();
    i.created = details.as_ref().and_then(|f| f.time(&["created_time_dt", "created_time"])).or_else(|| rec.time(&["time_dt", "time"]));
    if let Some(verdict) = rec.any(&["verdict"]) {
        i.classification = vocabulary::classification(&verdict);
        i.determination = vocabulary::determination(&verdict).filter(|d| d != "true_positive" && d != "false_positive");
        i.extra.insert("verdict".into(), verdict.into_owned());
    }
    i.assigned_to = rec.object("assignee").map(|u| u.owned(&["email_addr", "name"])).filter(|t| !t.is_empty());
    let listed = rec.items("finding_info_list");
    if class == 2005 && !listed.is_empty() {
        // The things of an incident finding are the incident's; which alert they came with is not said.
        for (json, path) in &listed {
            match Rec::new(json, path.as_str()) {
                Some(info) => {
                    let mut a = Alert { id: super::id_or_digest(&info, &["uid"]).into(), status: "new".into(), ..Alert::default() };
                    alert_fields(&mut a, &info);
                    product(&rec, &mut a);
                    a.severity = cx.b.incident.severity;
                    attacks(&info, &mut a);
                    cx.extra(&info, &mut a.extra);
                    cx.alert(a);
                }
                None => cx.unread(path, format!("{} stands where a finding belongs", json.kind())),
            }
        }
        entities(&mut cx, &Place::default(), &rec);
    } else {
        let mut a = Alert { id: id.into(), title: cx.b.incident.title.clone(), severity: cx.b.incident.severity, ..Alert::default() };
        a.status.clone_from(&cx.b.incident.status);
        if let Some(f) = &details {
            alert_fields(&mut a, f);
        }
        a.description.clone_from(&cx.b.incident.description);
        a.created = a.created.or(cx.b.incident.created);
        a.first = a.first.or_else(|| rec.time(&["start_time_dt", "start_time"])).or_else(|| rec.peek("time").and_then(super::rec::moment));
        a.last = a.last.or_else(|| rec.time(&["end_time_dt", "end_time"]));
        product(&rec, &mut a);
        attacks(&rec, &mut a);
        if let Some(f) = &details {
            attacks(f, &mut a);
            for (k, v) in f.rest() {
                a.extra.insert(format!("finding.{k}"), v);
            }
        }
        let place = cx.alert(a);
        entities(&mut cx, &place, &rec);
        let mut extra = std::collections::BTreeMap::new();
        super::bags(&rec, &["unmapped", "enrichments"], &mut extra);
        cx.extra(&rec, &mut extra);
        if let Some(a) = cx.b.last_alert() {
            a.extra.extend(extra);
        }
        return cx.finish();
    }
    cx.incident_extra(&rec, &["unmapped"]);
    cx.finish()
}

fn level(rec: &Rec<'_>) -> Option<Level> {
    let by_id = match rec.text("severity_id").as_deref() {
        Some("1") => Some(Level::Informational),
        Some("2") => Some(Level::Low),
        Some("3") => Some(Level::Medium),
        Some("4") => Some(Level::High),
        Some("5" | "6") => Some(Level::Critical),
        _ => None,
    };
    let by_word = rec.text("severity").and_then(|t| Level::of_source(&t));
    by_id.or(by_word)
}

fn alert_fields(a: &mut Alert, f: &Rec<'_>) {
    let title = f.owned(&["title"]);
    if !title.is_empty() {
        a.title = title.into();
    }
    a.description = f.owned(&["desc"]).into();
    a.first = f.time(&["first_seen_time_dt", "first_seen_time"]);
    a.last = f.time(&["last_seen_time_dt", "last_seen_time"]);
    a.created = f.time(&["created_time_dt", "created_time"]);
    if let Some(analytic) = f.object("analytic") {
        a.detectors.extend(analytic.any(&["uid"]).map(|t| t.into_owned()).into_iter().map(Into::into));
        a.detectors.extend(analytic.any(&["name"]).map(|t| t.into_owned()).into_iter().map(Into::into));
        for (k, v) in analytic.rest() {
            a.extra.insert(format!("analytic.{k}"), v);
        }
    }
    let types = f.texts("types");
    a.category = types.first().cloned().unwrap_or_default().into();
    if types.len() > 1 {
        a.extra.insert("types".into(), types.join(", "));
    }
}

fn product(rec: &Rec<'_>, a: &mut Alert) {
    if let Some(p) = rec.json().get("metadata").and_then(|m| m.get("product")) {
        let (vendor, name) = (p.text("vendor_name").unwrap_or(""), p.text("name").unwrap_or(""));
        a.product =
            if vendor.is_empty() || name.starts_with(vendor) { name.to_owned().into() } else { format!("{vendor} {name}").trim().to_owned().into() };
        if let Some(feature) = p.get("feature").and_then(|f| f.text("uid").or(f.text("name"))) {
            a.detectors.push(feature.to_owned().into());
        }
    }
}

/// Techniques and tactics of `attacks`, in both of its forms.
fn attacks(rec: &Rec<'_>, a: &mut Alert) {
    for (attack, _) in rec.items("attacks") {
        let mut texts = Vec::new();
        for key in ["technique", "sub_technique"] {
            if let Some(t) = attack.get(key) {
                texts.push(t.text("uid").or(t.text("name")).unwrap_or("").to_owned());
            }
        }
        vocabulary::techniques(a, texts.iter().map(String::as_str));
        let mut tactics = Vec::new();
        for t in attack.get("tactic").into_iter().chain(match attack.get("tactics") {
            Some(Json::List(l)) => l.iter().collect::<Vec<_>>(),
            _ => Vec::new(),
        }) {
            tactics.push(t.text("name").unwrap_or("").to_owned());
        }
        vocabulary::tactics(a, tactics.iter().map(String::as_str));
    }
}

/// Everything in a finding that is a thing.
fn entities(cx: &mut Context, place: &Place, rec: &Rec<'_>) {
    let device = rec.object("device").and_then(|d| device(cx, place, &d, "device"));
    for (json, path) in rec.items("observables") {
        match Rec::new(json, path.as_str()) {
            Some(o) => observable(cx, place, &o),
            None => cx.unread(&path, format!("{} stands where an observable belongs", json.kind())),
        }
    }
    for key in ["resources", "resource"] {
        for (json, path) in rec.items(key) {
            match Rec::new(json, path.as_str()) {
                Some(r) => resource(cx, place, &r, rec),
                None => cx.unread(&path, format!("{} stands where a resource belongs", json.kind())),
            }
        }
    }
    things(cx, place, rec, device);
    if let Some(evidence) = rec.object("evidence") {
        things(cx, place, &evidence, device);
        leftover(cx, place, &evidence, "evidence");
    }
    for (json, path) in rec.items("evidences") {
        match Rec::new(json, path.as_str()) {
            Some(e) => {
                let own = e.object("device").and_then(|d| self::device(cx, place, &d, "device")).or(device);
                things(cx, place, &e, own);
                leftover(cx, place, &e, "evidence");
            }
            None => cx.unread(&path, format!("{} stands where a piece of evidence belongs", json.kind())),
        }
    }
    for (json, path) in rec.items("malware") {
        match Rec::new(json, path.as_str()) {
            Some(m) => malware(cx, place, &m, device),
            None => cx.unread(&path, format!("{} stands where malware belongs", json.kind())),
        }
    }
}

/// What of a piece of evidence is none of the things we know: kept as an entity that is like nothing else.
fn leftover(cx: &mut Context, place: &Place, rec: &Rec<'_>, what: &str) {
    let rest = rec.rest();
    if rest.is_empty() {
        return;
    }
    let mut d = Draft::new(Kind::Other);
    d.prop("source_type", what).weak("record", &format!("{}/{what}/{}", place.id, rec.json().digest())).name(1, what);
    cx.note(codes::UNMODELLED, Severity::Note, &rec.path, format!("fields of {what} are kept as `other`"));
    let r = cx.add(place, d);
    cx.keep_rest(r, rec, "");
}

/// Processes, files, addresses, users and the like, as findings and pieces of evidence name them.
fn things(cx: &mut Context, place: &Place, rec: &Rec<'_>, device: Option<Ref>) {
    let actor = rec.object("actor");
    let acting = actor.as_ref().and_then(|a| {
        let user = a.object("user").and_then(|u| user(cx, place, &u, "user"));
        let process = a.object("process").and_then(|p| process(cx, place, &p, device, "process", 0));
        for (k, v) in a.rest() {
            let to = user.or(process);
            if let Some(d) = to.and_then(|r| cx.b.draft(r)) {
                d.role("actor").field(&format!("actor.{k}"), &v);
            }
        }
        if let Some(d) = user.and_then(|r| cx.b.draft(r)) {
            d.role("actor");
        }
        user
    });
    let target = rec.object("user").and_then(|u| user(cx, place, &u, "user"));
    let process = rec.object("process").and_then(|p| process(cx, place, &p, device, "process", 0));
    if let Some(f) = rec.object("file").and_then(|f| file(cx, place, &f, device, "file"))
        && let Some(p) = process
    {
        cx.relate(place, p, "touched", f);
    }
    let mut source = None;
    for key in ["src_endpoint", "dst_endpoint"] {
        let Some(e) = rec.object(key) else { continue };
        let r = endpoint(cx, place, &e, key);
        if key == "src_endpoint" {
            source = r;
        } else if let (Some(p), Some(r)) = (process, r) {
            cx.relate(place, p, "connected_to", r);
        }
    }
    if let (Some(user), Some(ip)) = (acting.or(target), source) {
        cx.relate(place, user, "acted_from", ip);
    }
    if let Some(u) = rec.object("url") {
        let text = u.owned(&["url_string", "text"]);
        let text = if text.is_empty() { u.owned(&["hostname"]) } else { text };
        let mut d = records::url_draft(&text);
        if text.is_empty() {
            d = Draft::new(Kind::Url);
            d.weak("record", &format!("{}/{}", place.id, u.json().digest()));
        }
        declared(cx, place, d, "url", &u);
    }
    if let Some(q) = rec.object("query") {
        let name = q.owned(&["hostname"]);
        let mut d = records::domain_draft(&name);
        if name.is_empty() {
            d.weak("record", &format!("{}/{}", place.id, q.json().digest()));
        }
        declared(cx, place, d, "query", &q);
    }
    if let Some(e) = rec.object("email") {
        email(cx, place, &e);
    }
    for key in ["reg_key", "reg_value", "win_service", "job"] {
        let Some(o) = rec.object(key) else { continue };
        let changed = on_device(cx, place, &o, key, device);
        if let Some(p) = process {
            cx.relate(place, p, "changed", changed);
        }
    }
    if let Some(c) = rec.object("container") {
        container(cx, place, &c);
    }
}

fn declared(cx: &mut Context, place: &Place, d: Draft, what: &str, rec: &Rec<'_>) -> Ref {
    let r = cx.add(place, d);
    cx.declare(r, what);
    cx.keep_rest(r, rec, "");
    r
}

fn user(cx: &mut Context, place: &Place, rec: &Rec<'_>, what: &str) -> Option<Ref> {
    let (uid, email, name) = (rec.owned(&["uid"]), rec.owned(&["email_addr"]), rec.owned(&["name"]));
    let mut u = User { domain: rec.owned(&["domain"]), display: rec.owned(&["full_name", "display_name"]), ..User::default() };
    if records::is_strong_sid(&uid) || uid.to_ascii_uppercase().starts_with("S-1-") {
        u.sid = uid;
    } else if records::is_address(&uid) {
        u.upn = uid;
    } else {
        u.own = uid;
    }
    if records::is_address(&email) {
        u.upn = email;
    } else if records::is_address(&name) {
        u.upn = name;
    }
    let name = rec.json().text("name").unwrap_or("");
    if !records::is_address(name) {
        u.account = name.to_owned();
    }
    let mut d = records::user_draft(cx, place, &u, &rec.json().digest());
    if u.is_blank() {
        d.weak("record", &format!("{}/{}", place.id, rec.json().digest()));
    }
    props(rec, &mut d, &[("risk", &["risk_level"])]);
    Some(declared(cx, place, d, what, rec))
}

fn device(cx: &mut Context, place: &Place, rec: &Rec<'_>, what: &str) -> Option<Ref> {
    let v = Device {
        product: rec.owned(&["uid", "agent_uid"]),
        host: rec.owned(&["hostname", "name"]),
        domain: rec.owned(&["domain"]),
        vm: rec.owned(&["instance_uid"]),
        ..Device::default()
    };
    let mut d = records::device_draft(&v);
    if v.is_blank() {
        d.weak("record", &format!("{}/{}", place.id, rec.json().digest()));
    }
    if let Some(os) = rec.object("os") {
        props(&os, &mut d, &[("os", &["name", "type"]), ("os_version", &["version", "build"])]);
    }
    props(rec, &mut d, &[("mac", &["mac"]), ("risk", &["risk_level"])]);
    let address = rec.owned(&["ip"]);
    let r = declared(cx, place, d, what, rec);
    records::device_address(cx, place, r, &address);
    Some(r)
}

fn file(cx: &mut Context, place: &Place, rec: &Rec<'_>, device: Option<Ref>, what: &str) -> Option<Ref> {
    let name = rec.owned(&["name"]);
    let whole = rec.owned(&["path"]);
    let plain = !name.trim_matches('\'').is_empty();
    let mut f = File {
        name: if plain { name } else { String::new() },
        folder: if whole.is_empty() { rec.owned(&["parent_folder"]) } else { whole },
        hashes: Vec::new(),
    };
    rec.skip(&["parent_folder"]);
    for key in ["hashes", "fingerprints"] {
        for (json, _) in rec.items(key) {
            f.hash(json.text("algorithm").unwrap_or(""), json.text("value").unwrap_or(""));
        }
    }
    let mut d = records::file_draft(&f, None);
    if f.is_blank() {
        d.weak("record", &format!("{}/{}", place.id, rec.json().digest()));
    }
    props(rec, &mut d, &[("size", &["size"]), ("file_type", &["mime_type"])]);
    if let Some(device) = device {
        d.within(device);
    }
    let r = declared(cx, place, d, what, rec);
    if let Some(device) = device {
        cx.relate(place, r, "on", device);
    }
    Some(r)
}

fn process(cx: &mut Context, place: &Place, rec: &Rec<'_>, device: Option<Ref>, what: &str, depth: usize) -> Option<Ref> {
    let image = rec.object("file");
    let name = rec.owned(&["name"]);
    let peek = |k: &str| image.as_ref().and_then(|f| f.json().text(k)).unwrap_or("").to_owned();
    let p = Process {
        pid: rec.owned(&["pid"]),
        created: rec.time(&["created_time_dt", "created_time"]),
        command_line: rec.owned(&["cmd_line"]),
        image: File { name: if name.is_empty() { peek("name") } else { name }, folder: peek("path"), hashes: Vec::new() },
    };
    let d = records::process_draft(place, &p, &rec.json().digest(), device);
    let parent = rec.object("parent_process");
    let account = rec.object("user");
    let r = declared(cx, place, d, what, rec);
    if let Some(device) = device {
        cx.relate(place, r, "ran_on", device);
    }
    if let Some(f) = image.and_then(|f| file(cx, place, &f, device, "file")) {
        cx.relate(place, r, "image", f);
    }
    if let Some(u) = account.and_then(|u| user(cx, place, &u, "user")) {
        cx.relate(place, r, "ran_as", u);
    }
    if let Some(parent) = parent.filter(|_| depth < 32)
        && let Some(up) = process(cx, place, &parent, device, "process", depth.saturating_add(1))
    {
        cx.relate(place, r, "child_of", up);
    }
    Some(r)
}

fn endpoint(cx: &mut Context, place: &Place, rec: &Rec<'_>, what: &str) -> Option<Ref> {
    let (ip, host) = (rec.owned(&["ip"]), rec.owned(&["hostname", "domain", "name"]));
    let mut d = if !ip.is_empty() {
        records::ip_draft(&ip)
    } else if host.contains('.') {
        records::domain_draft(&host)
    } else {
        let mut d = Draft::new(Kind::Other);
        d.prop("source_type", what)
            .weak("record", &format!("{}/{what}/{}", place.id, rec.json().digest()))
            .name(1, if host.is_empty() { what } else { &host });
        d
    };
    if let Some(location) = rec.object("location")
        && !ip.is_empty()
    {
        props(&location, &mut d, &[("city", &["city"]), ("region", &["region"]), ("carrier", &["isp"])]);
        if let Some(c) = location.text("country") {
            d.prop("country", c.to_uppercase());
        }
    }
    d.role(if what == "src_endpoint" { "source" } else { "destination" });
    if !ip.is_empty() && !host.is_empty() {
        d.field("hostname", &host);
    }
    let r = declared(cx, place, d, what, rec);
    Some(r)
}

fn email(cx: &mut Context, place: &Place, rec: &Rec<'_>) {
    let to = rec.texts("to");
    let m = records::Mail {
        id: rec.owned(&["uid"]),
        internet_id: rec.owned(&["message_uid"]),
        recipient: rec.any(&["smtp_to"]).map(|t| t.into_owned()).or_else(|| to.first().cloned()).unwrap_or_default(),
        sender: rec.owned(&["from", "smtp_from"]),
        subject: rec.owned(&["subject"]),
        sender_ip: rec.owned(&["x_originating_ip"]),
        ..records::Mail::default()
    };
    let d = records::mail_draft(place, &m, &rec.json().digest());
    let r = declared(cx, place, d, "email", rec);
    records::mail_links(cx, place, r, &m);
}

/// A registry key or value, a service or a job.
fn on_device(cx: &mut Context, place: &Place, rec: &Rec<'_>, what: &str, device: Option<Ref>) -> Ref {
    let kind = match what {
        "reg_key" => Kind::RegistryKey,
        "reg_value" => Kind::RegistryValue,
        "win_service" => Kind::Service,
        _ => Kind::ScheduledTask,
    };
    let mut d = Draft::new(kind);
    let (path, name) = (rec.owned(&["path"]), rec.owned(&["name"]));
    let whole = [path.as_str(), name.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\\");
    d.scoped("key", &whole, device).prop("key", path).prop("value_name", name).name(1, &whole);
    if whole.is_empty() {
        d.weak("record", &format!("{}/{what}/{}", place.id, rec.json().digest()));
    }
    props(rec, &mut d, &[("value_data", &["data"]), ("value_type", &["type"]), ("command_line", &["cmd_line"])]);
    let r = declared(cx, place, d, what, rec);
    if let Some(device) = device {
        cx.relate(place, r, "ran_on", device);
    }
    r
}

fn container(cx: &mut Context, place: &Place, rec: &Rec<'_>) {
    let (id, name) = (rec.owned(&["uid"]), rec.owned(&["name"]));
    let mut d = Draft::new(Kind::Container);
    d.strong("id", &id).name(2, &name).name(1, &id);
    if id.is_empty() {
        d.weak("record", &format!("{}/{name}/{}", place.id, rec.json().digest()));
    }
    let image = rec.object("image");
    let r = declared(cx, place, d, "container", rec);
    if let Some(image) = image {
        let id = image.owned(&["uid", "name"]);
        let mut d = Draft::new(Kind::Image);
        d.strong("id", &id).name(1, &image.owned(&["name"])).name(0, &id);
        if id.is_empty() {
            d.weak("record", &format!("{}/{}", place.id, image.json().digest()));
        }
        let image = declared(cx, place, d, "image", &image);
        cx.relate(place, r, "uses", image);
    }
}

fn malware(cx: &mut Context, place: &Place, rec: &Rec<'_>, device: Option<Ref>) {
    let name = rec.owned(&["name"]);
    let mut d = Draft::new(Kind::Malware);
    d.strong("name", &name).name(1, &name);
    if name.is_empty() {
        d.weak("record", &format!("{}/{}", place.id, rec.json().digest()));
    }
    let path = rec.owned(&["path"]);
    let mut found = Vec::new();
    if !path.is_empty() {
        let f = File { name: path, ..File::default() };
        found.extend(records::file(cx, place, &f, device));
    }
    for (json, path) in rec.items("files") {
        if let Some(f) = Rec::new(json, path.as_str()) {
            found.extend(file(cx, place, &f, device, "file"));
        }
    }
    let r = declared(cx, place, d, "malware", rec);
    for f in found {
        cx.relate(place, r, "found_in", f);
    }
}

/// A resource that a finding is about.
fn resource(cx: &mut Context, place: &Place, rec: &Rec<'_>, finding: &Rec<'_>) {
    let (uid, name, kind) = (rec.owned(&["uid"]), rec.owned(&["name"]), rec.owned(&["type"]));
    let word = crate::model::level::squash(&kind);
    let cloud = finding.json().get("cloud").and_then(|c| c.text("provider")).unwrap_or("").to_lowercase();
    let account = finding
        .json()
        .get("cloud")
        .and_then(|c| c.text("account_uid").or_else(|| c.get("account").and_then(|a| a.text("uid"))))
        .unwrap_or("")
        .to_owned();
    let mut d = if records::is_address(&uid) || word == "user" && records::is_address(&name) {
        let mut d = Draft::new(Kind::User);
        let upn = if records::is_address(&uid) { &uid } else { &name };
        d.strong("upn", upn).lower("upn", upn).name(2, &name);
        d
    } else {
        let mut d = records::resource_draft(&uid, &name, &kind, &cloud);
        props(rec, &mut d, &[("location", &["region"])]);
        d.prop("subscription", account);
        if !d.is_identified() {
            d.weak("record", &format!("{}/{name}/{}", place.id, rec.json().digest()));
        }
        d
    };
    for label in rec.texts("labels") {
        d.tag(&label);
    }
    if let Some(role) = rec.text("role") {
        d.role(&role);
    }
    declared(cx, place, d, "resource", rec);
}

/// An observable: a value with a type. Those that are no thing of a kind stay as `other`.
fn observable(cx: &mut Context, place: &Place, rec: &Rec<'_>) {
    let type_id = rec.json().get("type_id").and_then(Json::scalar).and_then(|t| t.parse::<i64>().ok()).unwrap_or(-1);
    let (name, kind, value) = (rec.owned(&["name"]), rec.owned(&["type"]), rec.owned(&["value"]));
    rec.skip(&["type_id"]);
    let file_of_hash = |algorithms: &[&str]| {
        let mut f = File::default();
        algorithms.iter().any(|a| f.hash(a, &value)).then(|| records::file_draft(&f, None))
    };
    let known = if value.is_empty() {
        None
    } else {
        // A value without a type may still name the attribute that it was taken from.
        let machine = match name.to_lowercase().as_str() {
            "device.hostname" => type_id == 0 || type_id == 1,
            "hostname" | "host.name" => type_id == 0,
            _ => false,
        };
        match type_id {
            _ if machine && value != name => Some(records::device_draft(&Device { host: value.clone(), ..Device::default() })),
            1 if value.contains('.') && !value.contains(char::is_whitespace) && value.parse::<std::net::IpAddr>().is_err() => {
                Some(records::domain_draft(&value))
            }
            2 => Some(records::ip_draft(&value)),
            3 => {
                let mut d = Draft::new(Kind::Nic);
                let mac = value.to_lowercase().replace('-', ":");
                d.strong("address", &mac).prop("address", mac.clone()).name(1, &mac);
                Some(d)
            }
            4 | 21 => {
                let mut u = User::default();
                if records::is_address(&value) {
                    u.upn.clone_from(&value)
                } else {
                    u.account.clone_from(&value)
                };
                Some(records::user_draft(cx, place, &u, &rec.json().digest()))
            }
            5 => Some(records::mailbox_draft(&value)),
            6 | 23 => Some(records::url_draft(&value)),
            7 | 24 => Some(records::file_draft(&File { name: value.clone(), ..File::default() }, None)),
            8 => file_of_hash(&["sha256", "sha1", "md5"]),
            9 | 25 => {
                let p = Process { image: File { name: value.clone(), ..File::default() }, ..Process::default() };
                Some(records::process_draft(place, &p, &rec.json().digest(), None))
            }
            10 if value.contains(':') || value.contains('/') => Some(records::resource_draft(&value, "", "", "")),
            20 => Some(records::device_draft(&Device { host: value.clone(), ..Device::default() })),
            27 => {
                let mut d = Draft::new(Kind::Container);
                d.weak("record", &format!("{}/{value}", place.id)).name(1, &value);
                Some(d)
            }
            28 => {
                let mut d = Draft::new(Kind::RegistryKey);
                d.scoped("key", &value, None).prop("key", value.clone()).name(1, &value);
                Some(d)
            }
            _ => None,
        }
    };
    let mut d = known.unwrap_or_else(|| {
        let mut d = Draft::new(Kind::Other);
        let label = if kind.is_empty() { "observable".to_owned() } else { kind.clone() };
        d.prop("source_type", label).name(1, &format!("{name} {value}")).weak("record", &format!("{}/{name}={value}", place.id));
        d.field("name", &name).field("value", &value);
        d
    });
    if d.kind() != Kind::Other {
        d.field("observable", &name);
    } else if !kind.is_empty() && type_id > 0 && type_id != 99 {
        cx.note(codes::UNMODELLED, Severity::Note, &rec.path, format!("an observable of type `{}` is kept as `other`", super::json::shown(&kind)));
    }
    if let Some(reputation) = rec.object("reputation") {
        if let Some(score) = reputation.text("score_id").or(reputation.text("score")) {
            let word = match score.as_ref() {
                "1" | "2" | "3" | "4" => "no_threats_found",
                "7" | "8" => "suspicious",
                "9" | "10" => "malicious",
                other => other,
            };
            d.verdict(word);
        }
        for (k, v) in reputation.rest() {
            d.field(&format!("reputation.{k}"), &v);
        }
    }
    declared(cx, place, d, &if kind.is_empty() { format!("observable {type_id}") } else { kind }, rec);
}
