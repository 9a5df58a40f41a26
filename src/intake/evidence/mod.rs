//! Records of entities as Microsoft's products write them: Graph evidence, Sentinel entities, the flat records of the
//! older APIs. They differ in the names of their fields, which are read by whatever name they carry.

mod cloud;
mod endpoint;
mod identity;
mod kubernetes;
mod mail;
mod network;

use std::collections::{BTreeMap, BTreeSet};

use super::builder::{Draft, Ref};
use super::context::{Context, Place};
use super::json::{Json, shown};
use super::rec::Rec;
use crate::diag::{Severity, codes};
use crate::model::Kind;
use crate::model::level::squash;

/// How many records may lie in one another, or refer to one another in a row.
const DEEPEST: usize = 64;

/// The records of one alert while they are read.
#[derive(Default)]
pub struct Scene<'a> {
    /// The alert.
    pub place: Place,
    /// The device that the alert itself names, for records that name none.
    pub device: Option<Ref>,
    /// The types that the source declares are read from this key.
    pub type_key: &'static str,
    definitions: BTreeMap<String, (&'a Json<'a>, String)>,
    made: BTreeMap<String, Ref>,
    doing: BTreeSet<String>,
}

/// One record.
pub struct Item<'a> {
    /// Its fields.
    pub rec: Rec<'a>,
    /// Its type, as one lower-case word without `evidence`.
    pub word: String,
    /// The type as the source writes it, if the record carries one.
    pub declared: Option<String>,
    id: Option<String>,
}

/// The type of a record as one word: `#microsoft.graph.security.ipEvidence` is `ip`.
pub fn word_of(declared: &str) -> String {
    let tail = declared.rsplit(['.', '#', '/']).next().unwrap_or(declared);
    let whole = squash(tail);
    whole.strip_suffix("evidence").map(str::to_owned).unwrap_or(whole)
}

impl<'a> Scene<'a> {
    /// For an alert whose records carry their type in this key.
    pub fn new(place: Place, type_key: &'static str) -> Self {
        Self { place, type_key, ..Self::default() }
    }

    /// Takes in which record each `$id` stands for; ids hold within one alert only.
    pub fn define(&mut self, json: &'a Json<'a>, path: &str) {
        match json {
            Json::List(items) => items.iter().enumerate().for_each(|(n, i)| self.define(i, &format!("{path}[{n}]"))),
            Json::Map(entries) => {
                if let Some(id) = json.get("$id").and_then(|v| v.scalar().map(|t| t.into_owned())) {
                    self.definitions.entry(id).or_insert((json, path.to_owned()));
                }
                entries.iter().for_each(|(k, v)| self.define(v, &format!("{path}{}", super::json::step(k))));
            }
            _ => {}
        }
    }

    /// Whether an object is a record with a type of its own, or stands for one.
    pub fn is_record(&self, json: &Json) -> bool {
        json.text("$ref").is_some()
            || json.text("@odata.type").is_some_and(|t| t.to_ascii_lowercase().ends_with("evidence"))
            || (!self.type_key.is_empty() && self.type_key != "kind" && json.text(self.type_key).is_some())
    }

    /// The record at a key, wherever it stands: nested, or referred to.
    pub fn look(&self, rec: &Rec<'a>, key: &str) -> Option<&'a Json<'a>> {
        match rec.peek(key) {
            Some(json @ Json::Map(_)) => match json.text("$ref") {
                Some(id) => self.definitions.get(id).map(|(j, _)| *j),
                None => Some(json),
            },
            _ => {
                let id = rec.peek(&format!("{key}EntityId")).and_then(Json::scalar)?;
                let json = self.definitions.get(&id.to_lowercase()).map(|(j, _)| *j)?;
                json.get("properties").or(Some(json))
            }
        }
    }

    /// Takes in one record under an id of the source's own, for [`referred`](Self::referred).
    pub fn define_as(&mut self, id: &str, json: &'a Json<'a>, path: &str) {
        self.definitions.entry(id.to_lowercase()).or_insert((json, path.to_owned()));
    }
}

/// Reads every record of a list; what is no object is a diagnostic.
pub fn read_all<'a>(cx: &mut Context, sc: &mut Scene<'a>, items: Vec<(&'a Json<'a>, String)>) {
    for (json, path) in items {
        if cx.full() {
            return;
        }
        read(cx, sc, json, &path, "");
    }
}

/// Reads a record, or finds the one that a `$ref` stands for. `expected` is its type where it carries none.
pub fn read<'a>(cx: &mut Context, sc: &mut Scene<'a>, json: &'a Json<'a>, path: &str, expected: &str) -> Option<Ref> {
    if json.is_blank() {
        return None;
    }
    let Some(rec) = Rec::new(json, path.to_owned()) else {
        cx.unread(path, format!("{} stands where a record of an entity belongs", json.kind()));
        return None;
    };
    if let Some(id) = rec.text("$ref") {
        return referred(cx, sc, &id, path, expected);
    }
    let id = rec.text("$id").map(|t| t.into_owned()).or_else(|| Some(path.to_owned()));
    if let Some(r) = id.as_ref().and_then(|id| sc.made.get(id)) {
        return Some(*r);
    }
    if sc.doing.len() >= DEEPEST {
        cx.unread(path, format!("records refer to one another more than {DEEPEST} deep; the chain is cut here"));
        return None;
    }
    if let Some(id) = &id
        && !sc.doing.insert(id.clone())
    {
        cx.unread(path, format!("the record `{}` refers to itself", shown(id)));
        return None;
    }
    let declared = if rec.has("@odata.type") {
        rec.text("@odata.type")
    } else if sc.type_key.is_empty() {
        None
    } else {
        rec.text(sc.type_key)
    };
    let declared = declared.map(|t| t.into_owned()).filter(|t| !t.is_empty());
    let word = declared.as_deref().map_or_else(|| expected.to_owned(), word_of);
    if word.is_empty() {
        cx.unread(path, format!("a record of an entity without a type (`{}`)", if sc.type_key.is_empty() { "@odata.type" } else { sc.type_key }));
        // It is kept all the same: its fields may tell a reader what it is.
    }
    // The properties of an entity of the management API lie one level deeper.
    let rec = match (rec.object("properties"), sc.type_key) {
        (Some(inner), "kind") => {
            rec.skip(&["id", "name", "type", "kind"]);
            inner
        }
        _ => rec,
    };
    let item = Item { rec, word, declared, id: id.clone() };
    let r = dispatch(cx, sc, &item);
    if let Some(id) = &id {
        sc.doing.remove(id);
    }
    if let Some(r) = r {
        // Records that nobody expected in this one are records all the same.
        for key in item.rec.unread(|json| sc.is_record(json)) {
            for (json, path) in item.rec.items(&key) {
                if let Some(inner) = read(cx, sc, json, &path, "") {
                    cx.relate(&sc.place, r, "touched", inner);
                }
            }
        }
        cx.keep_rest(r, &item.rec, "");
    }
    r
}

/// The record that an id stands for.
pub fn referred<'a>(cx: &mut Context, sc: &mut Scene<'a>, id: &str, path: &str, expected: &str) -> Option<Ref> {
    if let Some(r) = sc.made.get(id) {
        return Some(*r);
    }
    let Some((json, at)) = sc.definitions.get(id).cloned() else {
        cx.unread(path, format!("`{}` refers to a record that the alert does not hold", shown(id)));
        return None;
    };
    // A reference to a reference leads nowhere, or in a circle.
    if json.text("$ref").is_some() {
        cx.unread(path, format!("`{}` refers to a record that only refers to another one", shown(id)));
        return None;
    }
    read(cx, sc, json, &at, expected)
}

impl<'a> Item<'a> {
    /// Hands a record over with what every record may say: verdict, roles, tags, remediation, time.
    pub fn begin(&self, cx: &mut Context, sc: &mut Scene<'a>, mut d: Draft) -> Ref {
        base(&self.rec, &mut d);
        let r = cx.add(&sc.place, d);
        if let Some(t) = &self.declared {
            cx.declare(r, t);
        }
        if let Some(id) = &self.id {
            sc.made.insert(id.clone(), r);
        }
        r
    }

    /// The nested record at the first of these keys; the management API gives its id instead.
    pub fn nested(&self, cx: &mut Context, sc: &mut Scene<'a>, keys: &[&str], expected: &str) -> Option<Ref> {
        if let Some(key) = keys.iter().find(|k| matches!(self.rec.peek(k), Some(Json::Map(_)))) {
            let path = self.rec.path_of(key);
            let json = self.rec.take(key)?;
            return read(cx, sc, json, &path, expected);
        }
        let (key, id) = keys.iter().find_map(|k| {
            let key = format!("{k}EntityId");
            self.rec.text(&key).map(|id| (key, id))
        })?;
        referred(cx, sc, &id.to_lowercase(), &self.rec.path_of(&key), expected)
    }

    /// The nested records of the list at the first of these keys; plain texts are left for the caller.
    pub fn nested_all(&self, cx: &mut Context, sc: &mut Scene<'a>, keys: &[&str], expected: &str) -> Vec<Ref> {
        let holds = |k: &&&str| match self.rec.peek(k) {
            Some(Json::List(items)) => items.iter().any(|i| matches!(i, Json::Map(_))),
            Some(Json::Map(_)) => true,
            _ => false,
        };
        if let Some(key) = keys.iter().find(holds) {
            return self.rec.items(key).into_iter().filter_map(|(json, path)| read(cx, sc, json, &path, expected)).collect();
        }
        for key in keys {
            let single = key.strip_suffix("es").filter(|s| s.ends_with("ss")).or(key.strip_suffix('s')).unwrap_or(key);
            let list = format!("{single}EntityIds");
            let ids = self.rec.texts(&list);
            if !ids.is_empty() {
                let path = self.rec.path_of(&list);
                return ids.iter().filter_map(|id| referred(cx, sc, &id.to_lowercase(), &path, expected)).collect();
            }
        }
        Vec::new()
    }

    /// What stands for the record where it has no id.
    pub fn digest(&self) -> String {
        self.rec.json().digest()
    }

    /// Texts at the first of these keys that has some.
    pub fn list(&self, keys: &[&str]) -> Vec<String> {
        keys.iter().map(|k| self.rec.texts(k)).find(|l| !l.is_empty()).unwrap_or_default()
    }
}

/// Sets properties from fields: for each the property's name and the names that sources give the field.
pub fn props(rec: &Rec<'_>, d: &mut Draft, table: &[(&str, &[&str])]) {
    for (prop, keys) in table {
        if let Some(v) = rec.any(keys) {
            d.prop(prop, &v);
        }
    }
}

/// What every record may say.
fn base(rec: &Rec<'_>, d: &mut Draft) {
    for key in ["verdict", "LastVerdict"] {
        if let Some(v) = rec.text(key) {
            d.verdict(&v);
        }
    }
    if matches!(rec.peek("ThreatAnalysisSummary"), Some(Json::List(_))) {
        for (summary, _) in rec.items("ThreatAnalysisSummary") {
            if let Some(v) = summary.text("Verdict") {
                d.verdict(v);
            }
        }
    }
    if let Some(v) = rec.any(&["remediationStatus", "remediationState"]) {
        d.remediation(&v);
        if super::vocabulary::is_remediated(&v) {
            d.prop("was_remediated", "true");
        }
    }
    for role in rec.texts("roles") {
        d.role(&role);
    }
    for tag in rec.texts("tags") {
        d.tag(&tag);
    }
    if matches!(rec.peek("tags"), Some(Json::List(_))) && d.kind() == Kind::Device {
        for (tag, _) in rec.items("tags") {
            if let Some(name) = tag.text("TagName").or_else(|| tag.text("name")) {
                d.tag(name);
            }
        }
    }
    // In Sentinel's records of files and processes this is when the file or process was made, not the report.
    if !matches!(d.kind(), Kind::File | Kind::Process) {
        d.at(rec.time(&["createdDateTime", "CreatedTimeUtc", "evidenceCreationTime"]));
    } else {
        d.at(rec.time(&["createdDateTime", "evidenceCreationTime"]));
    }
    if let Some(name) = rec.any(&["friendlyName"]) {
        d.name(0, &name);
    }
    rec.skip(&["$id", "@odata.type", "entityType"]);
    if rec.has("Type") && d.kind() != Kind::Workload {
        rec.skip(&["Type"]);
    }
}

fn dispatch<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    match item.word.as_str() {
        "user" | "account" | "useraccount" => identity::user(cx, sc, item),
        "securitygroup" | "group" => Some(identity::group(cx, sc, item)),
        "serviceprincipal" | "kubernetesserviceaccount" | "k8sserviceaccount" => Some(identity::principal(cx, sc, item)),
        "oauthapplication" | "oauthapp" => Some(identity::oauth_app(cx, sc, item)),
        "device" | "host" | "machine" => endpoint::device(cx, sc, item),
        "iotdevice" => endpoint::iot_device(cx, sc, item),
        "nic" => Some(network::nic(cx, sc, item)),
        "file" => endpoint::file(cx, sc, item),
        "filehash" => endpoint::file_hash(cx, sc, item),
        "process" => Some(endpoint::process(cx, sc, item)),
        "registrykey" | "registry" | "registryvalue" => Some(endpoint::registry(cx, sc, item)),
        "malware" => Some(endpoint::malware(cx, sc, item)),
        "hostlogonsession" => Some(endpoint::logon_session(cx, sc, item)),
        "analyzedmessage" | "mailmessage" | "email" | "emailmessage" | "submissionmail" => Some(mail::message(cx, sc, item)),
        "mailbox" => mail::mailbox(cx, sc, item),
        "mailcluster" => Some(mail::cluster(cx, sc, item)),
        "mailboxconfiguration" => Some(mail::configuration(cx, sc, item)),
        "teamsmessage" => Some(mail::chat(cx, sc, item)),
        "ip" | "ipaddress" => network::ip(cx, sc, item),
        "url" => network::url(cx, sc, item),
        "dns" | "dnsresolution" | "dnsresolve" | "domain" => network::dns(cx, sc, item),
        "networkconnection" => Some(network::connection(cx, sc, item)),
        "cloudapplication" => Some(cloud::application(cx, sc, item)),
        "azureresource" | "amazonresource" | "googlecloudresource" | "awsresource" | "gcpresource" | "cloudresource" => {
            Some(cloud::resource(cx, sc, item))
        }
        "blob" | "blobcontainer" => Some(cloud::storage(cx, sc, item)),
        "sastoken" => Some(cloud::sas_token(cx, sc, item)),
        "cloudlogonsession" | "cloudlogonrequest" => Some(cloud::logon(cx, sc, item)),
        "githuborganization" | "githubrepo" | "githubuser" => Some(cloud::repository(cx, sc, item)),
        "kubernetescluster" | "k8scluster" => Some(kubernetes::cluster(cx, sc, item)),
        "kubernetesnamespace" | "k8snamespace" => Some(kubernetes::namespace(cx, sc, item)),
        "kubernetescontroller" | "k8scontroller" | "k8sdeployment" | "kubernetesservice" | "k8sservice" => Some(kubernetes::workload(cx, sc, item)),
        "kubernetespod" | "k8spod" | "pod" => Some(kubernetes::pod(cx, sc, item)),
        "kubernetessecret" | "k8ssecret" => Some(kubernetes::secret(cx, sc, item)),
        "container" => Some(kubernetes::container(cx, sc, item)),
        "containerimage" | "containerregistry" => Some(kubernetes::image(cx, sc, item)),
        _ => Some(other(cx, sc, item)),
    }
}

/// A record that no kind models: kept with its type and all its fields.
pub fn other<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let mut d = Draft::new(Kind::Other);
    let source_type = item.declared.clone().unwrap_or_else(|| item.word.clone());
    d.prop("source_type", source_type.clone());
    d.weak("record", &format!("{}/{}/{}", sc.place.id, item.word, item.digest()));
    let label = item.rec.any(&["displayName", "friendlyName", "name", "title"]);
    d.name(1, label.as_deref().unwrap_or(&source_type));
    if let Some(label) = label {
        d.prop("friendly_name", &label);
    }
    if item.declared.is_some() {
        cx.note(
            codes::UNMODELLED,
            Severity::Note,
            &item.rec.path,
            format!("a record of type `{}` is kept as `other`, with all its fields", shown(&source_type)),
        );
    }
    item.begin(cx, sc, d)
}
