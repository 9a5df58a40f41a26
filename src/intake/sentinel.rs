//! Microsoft Sentinel: rows of its tables SecurityIncident and SecurityAlert, and the objects of its management API.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::Draft;
use super::context::{Context, Place};
use super::evidence::{Scene, read_all};
use super::json::{Json, Reader, shown};
use super::rec::Rec;
use super::records::{self, Device};
use super::{Read, Refusal, Source, vocabulary};
use crate::diag::{Severity, codes};
use crate::model::{Alert, Kind, Level, Time};

/// Columns that hold JSON as text.
const FOLDED: &[&str] = &[
    "Entities",
    "ExtendedProperties",
    "ExtendedLinks",
    "AlertIds",
    "Techniques",
    "SubTechniques",
    "Tactics",
    "Labels",
    "Owner",
    "AdditionalData",
    "Comments",
    "Tasks",
    "RelatedAnalyticRuleIds",
    "BookmarkIds",
    "RemediationSteps",
    "CustomDetails",
    "Analytic Rule Ids",
    "Custom Details",
    "properties",
];

/// A part of an input that could not be unfolded.
pub struct Folded {
    path: String,
    message: String,
}

/// Turns the text columns of a row that hold JSON into what they hold.
pub fn unfold(row: &mut Json, path: &str, reader: &Reader, failed: &mut Vec<Folded>) {
    let Json::Map(entries) = row else { return };
    for (key, value) in entries.iter_mut() {
        if !FOLDED.iter().any(|f| super::json::same_key(f, key)) {
            continue;
        }
        let at = format!("{path}{}", super::json::step(key));
        if let Json::Text(text) = value {
            let trimmed = text.trim();
            if trimmed.starts_with(['[', '{']) {
                match reader.read(trimmed).map(|(inner, _)| inner.into_owned()) {
                    Ok(inner) => *value = inner,
                    Err(p) => failed.push(Folded {
                        path: at.clone(),
                        message: format!("the JSON in this text cannot be read: {}, column {}", p.message, p.column),
                    }),
                }
            }
        }
        // ExtendedProperties hold JSON once more.
        if let Json::Map(_) = value {
            unfold(value, &at, reader, failed);
        }
    }
}

/// A row or object with its path.
pub type At<'a> = (&'a Json<'a>, String);

/// Reads rows of both tables: alerts join the incidents that name them.
pub fn tables(incidents: &[At<'_>], alerts: &[At<'_>], failed: &[Folded]) -> Result<Vec<Read>, Refusal> {
    let mut by_alert: BTreeMap<String, Vec<&At<'_>>> = BTreeMap::new();
    for row in alerts {
        by_alert.entry(alert_key(row.0)).or_default().push(row);
    }
    let mut by_incident: BTreeMap<String, Vec<&At<'_>>> = BTreeMap::new();
    for row in incidents {
        by_incident.entry(incident_key(row.0)).or_default().push(row);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut reads = Vec::new();
    for rows in by_incident.values() {
        let mut cx = Context::new(Source::SentinelTables);
        let Some(last) = latest(rows, &["LastModifiedTime", "TimeGenerated"]) else { continue };
        let Some(rec) = Rec::new(last.0, last.1.as_str()) else { continue };
        headline(&mut cx, &rec);
        let wanted: Vec<String> = rec.texts("AlertIds").iter().map(|t| t.to_lowercase()).collect();
        rec.skip(&["Type"]);
        cx.incident_extra(&rec, &[]);
        for id in wanted {
            match by_alert.get(&id) {
                Some(rows) => {
                    read_rows(&mut cx, rows);
                    taken.insert(id);
                }
                None => {
                    cx.b.incident.absent_alerts.insert(id);
                }
            }
        }
        reads.push(cx);
    }
    let left: Vec<(&String, &Vec<&At<'_>>)> = by_alert.iter().filter(|(id, _)| !taken.contains(*id)).collect();
    if reads.is_empty() {
        // Alerts without incident rows: those that name one incident belong together.
        let mut groups: BTreeMap<String, Vec<&Vec<&At<'_>>>> = BTreeMap::new();
        for (id, rows) in left {
            let named = rows.iter().find_map(|(json, _)| json.get("ExtendedProperties")?.get("IncidentId")?.scalar().map(|t| t.into_owned()));
            groups.entry(named.unwrap_or_else(|| id.clone())).or_default().push(rows);
        }
        for (id, alerts) in groups {
            let mut cx = Context::new(Source::SentinelTables);
            cx.b.incident.id = id.into();
            cx.b.incident.status = "active".into();
            alerts.iter().for_each(|rows| read_rows(&mut cx, rows));
            cx.b.incident.title = cx.b.alert_titles().min().cloned().unwrap_or_default();
            reads.push(cx);
        }
    } else if let (false, Some(cx)) = (left.is_empty(), reads.first_mut()) {
        let some: Vec<String> = left.iter().take(5).map(|(id, _)| format!("`{}`", shown(id))).collect();
        cx.note(
            codes::UNREAD,
            Severity::Note,
            left.first().and_then(|(_, rows)| rows.first()).map_or("$", |(_, p)| p),
            format!("{} alerts that no incident of the input names are left out: {}", left.len(), some.join(", ")),
        );
    }
    if let Some(cx) = reads.first_mut() {
        report(cx, failed);
    }
    reads.into_iter().map(Context::finish).collect()
}

fn report(cx: &mut Context, failed: &[Folded]) {
    for f in failed {
        cx.unread(&f.path, f.message.clone());
    }
}

fn alert_key(json: &Json) -> String {
    match json.get("SystemAlertId").and_then(Json::scalar) {
        Some(id) => id.to_lowercase(),
        None => format!("content-{}", json.digest()),
    }
}

fn incident_key(json: &Json) -> String {
    ["IncidentName", "IncidentNumber", "IncidentUrl"]
        .iter()
        .find_map(|k| json.get(k).and_then(Json::scalar))
        .map_or_else(|| json.digest(), |t| t.to_lowercase())
}

/// The row that was written last; rows of one time are told apart by their content.
fn latest<'r, 'a>(rows: &[&'r At<'a>], keys: &[&str]) -> Option<&'r At<'a>> {
    let when = |json: &Json| -> Option<Time> { keys.iter().find_map(|k| super::rec::moment(json.get(k)?)) };
    rows.iter().copied().max_by_key(|(json, _)| (when(json), if rows.len() > 1 { json.digest() } else { String::new() }))
}

/// All rows of one alert: the last one gives the headline, every one its entities.
fn read_rows(cx: &mut Context, rows: &[&At<'_>]) {
    let Some(last) = latest(rows, &["TimeGenerated", "ProcessingEndTime"]) else { return };
    let Some(rec) = Rec::new(last.0, last.1.as_str()) else { return };
    rec.skip(&["Entities", "Type"]);
    let place = read_alert(cx, &rec);
    let mut none = true;
    for (json, path) in rows {
        let Some(rec) = Rec::new(json, path.as_str()) else { continue };
        none &= !rec.has("Entities");
        read_entities(cx, &place, &rec, "Entities");
    }
    if none {
        compromised(cx, &place, last.0);
    }
}

/// The entities of one row; `$id`s hold within it.
fn read_entities(cx: &mut Context, place: &Place, rec: &Rec<'_>, key: &str) {
    let path = rec.path_of(key);
    match rec.peek(key) {
        Some(list @ Json::List(_)) => {
            let mut sc = Scene::new(place.clone(), "Type");
            sc.define(list, &path);
            read_all(cx, &mut sc, rec.items(key));
        }
        // JSON that could not be read has been reported where it was unfolded.
        Some(Json::Text(text)) if text.trim().starts_with(['[', '{']) => {}
        Some(Json::Text(text)) => cx.unread(&path, format!("`{}` stands where a list of entities belongs", shown(text))),
        Some(one) => {
            let mut sc = Scene::new(place.clone(), "Type");
            sc.define(one, &path);
            read_all(cx, &mut sc, vec![(one, path)]);
        }
        None => {}
    }
}

/// The one thing that an alert without entities names.
fn compromised(cx: &mut Context, place: &Place, json: &Json) {
    let Some(name) = json.text("CompromisedEntity").filter(|t| !t.is_empty() && !t.contains(char::is_whitespace)) else { return };
    let mut d = if records::is_address(name) {
        let mut d = Draft::new(Kind::User);
        d.strong("upn", name).lower("upn", name).name(2, name);
        d
    } else if name.parse::<std::net::IpAddr>().is_ok() {
        records::ip_draft(name)
    } else if name.starts_with('/') {
        records::resource_draft(name, "", "", "azure")
    } else if name.contains('\\') {
        let (domain, account) = name.split_once('\\').unwrap_or(("", name));
        let u = records::User { account: account.to_owned(), domain: domain.to_owned(), ..records::User::default() };
        records::user_draft(cx, place, &u, "")
    } else {
        records::device_draft(&Device { host: name.to_owned(), ..Device::default() })
    };
    d.role("compromised_entity");
    cx.add(place, d);
}

/// What both forms of an incident hold, under whichever name.
fn headline(cx: &mut Context, rec: &Rec<'_>) {
    let i = &mut cx.b.incident;
    i.id = rec.owned(&["IncidentName", "name", "IncidentNumber"]).into();
    i.title = rec.owned(&["Title"]).into();
    i.description = rec.owned(&["Description"]).into();
    i.severity = rec.text("Severity").and_then(|t| Level::of_source(&t));
    i.status = vocabulary::status(&rec.owned(&["Status"])).into();
    i.created = rec.time(&["CreatedTime", "createdTimeUtc"]);
    i.first_activity = rec.time(&["FirstActivityTime", "firstActivityTimeUtc"]);
    i.last_activity = rec.time(&["LastActivityTime", "lastActivityTimeUtc"]);
    i.classification = rec.text("Classification").and_then(|t| vocabulary::classification(&t));
    i.determination = rec.text("ClassificationReason").and_then(|t| vocabulary::determination(&t));
    if let Some(owner) = rec.object("Owner") {
        i.assigned_to = owner.any(&["userPrincipalName", "email", "assignedTo"]).map(|t| t.into_owned());
        for (k, v) in owner.rest() {
            i.extra.insert(format!("Owner.{k}"), v);
        }
    }
    if matches!(rec.peek("Labels"), Some(Json::List(_))) {
        for (label, path) in rec.items("Labels") {
            match label.text("labelName").map(str::to_owned).or_else(|| label.scalar().map(|t| t.into_owned())) {
                Some(name) => {
                    cx.b.incident.tags.insert(name.into());
                }
                None => cx.unread(&path, "a label without a name"),
            }
        }
    }
}

/// An alert of a row, or of the management API.
fn read_alert(cx: &mut Context, rec: &Rec<'_>) -> Place {
    let mut a = Alert {
        id: super::id_or_digest(rec, &["SystemAlertId", "name"]).to_lowercase().into(),
        title: rec.owned(&["DisplayName", "AlertName", "alertDisplayName", "friendlyName"]).into(),
        description: rec.owned(&["Description"]).into(),
        severity: rec.any(&["AlertSeverity", "Severity"]).and_then(|t| Level::of_source(&t)),
        status: vocabulary::status(&rec.owned(&["Status"])).into(),
        product: rec.owned(&["ProductName", "ProviderName"]).into(),
        first: rec.time(&["StartTime", "StartTimeUtc"]),
        last: rec.time(&["EndTime", "EndTimeUtc"]),
        created: rec.time(&["TimeGenerated"]),
        ..Alert::default()
    };
    let properties = rec.peek("ExtendedProperties").or_else(|| rec.peek("additionalData")).cloned().unwrap_or(Json::Null);
    let named = |key: &str| properties.get(key).and_then(Json::scalar).map(|t| t.into_owned());
    a.category = named("Category").unwrap_or_default().into();
    a.classification = named("Classification").and_then(|t| vocabulary::classification(&t));
    a.determination = named("Determination").and_then(|t| vocabulary::determination(&t));
    detectors(&mut a, rec, &properties);
    let techniques: Vec<String> = ["Techniques", "SubTechniques"].iter().flat_map(|k| rec.texts(k)).collect();
    let words: Vec<&str> = techniques.iter().flat_map(|t| t.split([',', ';'])).collect();
    vocabulary::techniques(&mut a, words);
    let tactics = rec.texts("Tactics");
    vocabulary::tactics(&mut a, tactics.iter().map(String::as_str));
    vocabulary::category(&mut a);
    super::bags(rec, &["ExtendedProperties", "additionalData"], &mut a.extra);
    cx.extra(rec, &mut a.extra);
    cx.alert(a)
}

/// Detector ids, most specific first: the product's detector, the analytic rule, the alert type.
fn detectors(a: &mut Alert, rec: &Rec<'_>, properties: &Json) {
    let mut add = |text: &str| {
        let text = text.trim().trim_matches('"');
        if !text.is_empty() && !a.detectors.iter().any(|d| **d == *text) {
            a.detectors.push(text.into());
        }
    };
    if let Some(id) = properties.get("DetectorId").and_then(Json::scalar) {
        add(&id);
    }
    if let Some(ids) = properties.get("Analytic Rule Ids") {
        let mut all = Vec::new();
        ids.flatten("", &mut all);
        all.iter().flat_map(|(_, v)| v.split(',')).for_each(|id| add(id.trim().trim_matches(['[', ']'])));
    }
    let kind = rec.owned(&["AlertType"]);
    // An analytic rule's alerts carry `<workspace>_<rule>`.
    if let Some((_, rule)) = kind.rsplit_once('_').filter(|(_, r)| r.len() == 36 && r.matches('-').count() == 4) {
        add(rule);
    }
    add(&kind);
}

/// Reads objects of the management API: incidents, alerts and entities.
pub fn arm(incidents: &[At<'_>], alerts: &[At<'_>], entities: &[At<'_>]) -> Result<Vec<Read>, Refusal> {
    let mut reads = Vec::new();
    let lone = incidents.len() == 1;
    for (json, path) in incidents {
        let mut cx = Context::new(Source::SentinelArm);
        let Some(outer) = Rec::new(json, path.as_str()) else { continue };
        let properties = outer.object("properties");
        let rec = properties.as_ref().unwrap_or(&outer);
        headline(&mut cx, rec);
        cx.b.incident.id = Some(outer.owned(&["name"])).filter(|t| !t.is_empty()).unwrap_or_else(|| super::id_or_digest(&outer, &["id"])).into();
        let (own_alerts, own_entities) = (rec.items("alerts"), rec.items("relatedEntities"));
        let expected = rec.peek("additionalData").and_then(|d| d.get("alertsCount")).and_then(Json::scalar).and_then(|t| t.parse::<usize>().ok());
        outer.skip(&["type", "etag", "kind"]);
        cx.incident_extra(rec, &["additionalData"]);
        cx.incident_extra(&outer, &[]);
        let (mut all, mut more) = (own_alerts, own_entities);
        if lone {
            all.extend(alerts.iter().map(|(j, p)| (*j, p.clone())));
            more.extend(entities.iter().map(|(j, p)| (*j, p.clone())));
        }
        if let Some(n) = expected.filter(|n| *n > all.len()) {
            cx.note(
                codes::ABSENT_ALERT,
                Severity::Note,
                &rec.path_of("additionalData"),
                format!("the incident has {n} alerts, of which the input holds {}", all.len()),
            );
        }
        arm_parts(&mut cx, &all, &more);
        reads.push(cx.finish()?);
    }
    if !lone && (!alerts.is_empty() || !entities.is_empty()) {
        let mut cx = Context::new(Source::SentinelArm);
        cx.b.incident.status = "active".into();
        arm_parts(&mut cx, alerts, entities);
        cx.b.incident.title = cx.b.alert_titles().min().cloned().unwrap_or_default();
        cx.b.incident.id = cx.b.alert_ids().min().cloned().unwrap_or_else(|| {
            let mut all: Vec<String> = entities.iter().map(|(j, _)| j.digest()).collect();
            all.sort();
            format!("content-{}", blake3::hash(all.join(",").as_bytes()).to_hex().chars().take(8).collect::<String>()).into()
        });
        reads.push(cx.finish()?);
    }
    Ok(reads)
}

/// Alerts and entities of one incident. Which alert an entity came with is said only where there is one alert.
fn arm_parts(cx: &mut Context, alerts: &[At<'_>], entities: &[At<'_>]) {
    let mut places = Vec::new();
    for (json, path) in alerts {
        if cx.full() {
            return;
        }
        let Some(outer) = cx.object(json, path, "an alert") else { continue };
        let Some(rec) = outer.object("properties") else {
            places.push(read_alert(cx, &outer));
            continue;
        };
        rec.skip(&["Entities"]);
        let place = read_alert(cx, &rec);
        if rec.peek("Entities").is_some() {
            read_entities(cx, &place, &rec, "Entities");
        } else if entities.is_empty() {
            compromised(cx, &place, rec.json());
        }
        places.push(place);
    }
    let place = match places.as_slice() {
        [one] => one.clone(),
        _ => Place::default(),
    };
    let mut sc = Scene::new(place, "kind");
    for (json, path) in entities {
        for key in ["id", "name"] {
            if let Some(id) = json.text(key) {
                sc.define_as(id, json, path);
            }
        }
    }
    let all = entities.iter().map(|(j, p)| (*j, p.clone())).collect();
    read_all(cx, &mut sc, all);
}
