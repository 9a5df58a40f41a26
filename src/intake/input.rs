//! From bytes to incidents: text, tree, shape, and the file of the format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::json::{Entry, Json, Problem, Reader, shown};
use super::sentinel::{self, At};
use super::shape::{self, Shape};
use super::{Read, Refusal, Source, defender_endpoint, defender_xdr, graph, limits, native, ocsf, stix, stream};
use crate::diag::{Diagnostic, Severity, codes};
use crate::model::level::squash;

/// Reads the incidents of one input: one, an array, JSON Lines, or a page of an API. The format is recognised by its
/// shape; `hint` says it where the caller knows better.
pub fn read(bytes: &[u8], hint: Option<Source>) -> Result<Vec<Read>, Refusal> {
    let text = text(bytes)?;
    if let Some(read) = matches!(hint, None | Some(Source::GuidedResponse)).then(|| stream::read(text)).flatten() {
        return Ok(vec![read]);
    }
    read_whole(text, hint)
}

/// As [`read`], by a tree of all of it.
pub(super) fn read_whole(text: &str, hint: Option<Source>) -> Result<Vec<Read>, Refusal> {
    let reader = Reader::default();
    let (tree, _) = reader.read(text).map_err(|p| broken(&p))?;
    read_tree(tree, hint, &reader)
}

/// Reads the one incident in a value that was parsed already: in our own format, or in any other that is recognised.
pub fn read_value(value: &serde_json::Value) -> Result<Read, Refusal> {
    let reader = Reader::default();
    let tree = reader.value(value).map_err(|p| broken(&p))?;
    // What an author writes in a test need not say its format.
    let hint = match shape::of(&tree) {
        Shape::Not(..) if matches!(tree, Json::Map(_)) && tree.text("schema").is_none() => Some(Source::GuidedResponse),
        _ => None,
    };
    let mut all = read_tree(tree, hint, &reader)?;
    match (all.pop(), all.len()) {
        (Some(one), 0) => Ok(one),
        (_, more) => Err(Refusal::new(codes::NOT_RECOGNISED, format!("{} incidents stand where one belongs", more.saturating_add(1)))
            .help("give one incident, with its alerts in it")),
    }
}

/// Whether an element of a list is an incident by itself, not an alert or row that belongs together with others.
pub fn stands_alone(bytes: &[u8]) -> bool {
    let shape = tree(bytes, &Reader::default()).map(|(tree, _)| shape::of(&tree));
    matches!(shape, Ok(Shape::Native | Shape::GraphIncident | Shape::XdrIncident | Shape::Finding | Shape::Bundle))
}

/// Reads a folder of table exports: files whose names speak of incidents or alerts, others are not looked at.
pub fn read_tables(files: &[(String, Vec<u8>)]) -> Result<Vec<Read>, Refusal> {
    let reader = Reader::default();
    let wanted = |name: &str| {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
        let stem = squash(stem);
        matches!(extension.to_ascii_lowercase().as_str(), "json" | "jsonl" | "ndjson" | "") && (stem.contains("incident") || stem.contains("alert"))
    };
    let mut named: Vec<&(String, Vec<u8>)> = files.iter().filter(|(name, _)| wanted(name)).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    if named.is_empty() {
        let names: Vec<String> = files.iter().take(8).map(|(n, _)| format!("`{}`", shown(n))).collect();
        let what = if names.is_empty() { "the folder holds no JSON file".to_owned() } else { format!("the folder holds {}", names.join(", ")) };
        return Err(Refusal::new(codes::NOT_RECOGNISED, format!("{what}, and no SecurityIncident.json or SecurityAlert.json"))
            .help("export the tables SecurityIncident and SecurityAlert as JSON into one folder, or give one file"));
    }
    let total: usize = named.iter().map(|(_, b)| b.len()).fold(0, usize::saturating_add);
    if total > limits::BYTES {
        return Err(Refusal::limit(format!("the files of the folder have {total} bytes, more than {}", limits::BYTES)));
    }
    let mut elements = Vec::new();
    for (name, bytes) in named {
        let (tree, _) = tree(bytes, &reader).map_err(|mut r| {
            r.diagnostic.message = format!("{name}: {}", r.diagnostic.message);
            r
        })?;
        elements.extend(spread(tree, &format!("{name}:$")));
    }
    dispatch(elements, None, &reader)
}

/// Reads incidents from a tree, whatever it was written in.
pub fn read_tree(tree: Json, hint: Option<Source>, reader: &Reader) -> Result<Vec<Read>, Refusal> {
    dispatch(spread(tree, "$"), hint, reader)
}

/// The tree of an input.
fn tree<'a>(bytes: &'a [u8], reader: &Reader) -> Result<(Json<'a>, bool), Refusal> {
    reader.read(text(bytes)?).map_err(|p| broken(&p))
}

/// The text of an input.
fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    if bytes.len() > limits::BYTES {
        return Err(Refusal::limit(format!("the input has {} bytes, more than {}", bytes.len(), limits::BYTES)));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Refusal::new(codes::NOT_JSON, "line 1, column 1: the input is UTF-16, JSON is UTF-8")
            .help("save it as UTF-8; in PowerShell: `Out-File -Encoding utf8`"));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let good = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|b| **b == b'\n').count().saturating_add(1);
        let column = good.iter().rev().take_while(|b| **b != b'\n').count().saturating_add(1);
        Refusal::new(codes::NOT_JSON, format!("line {line}, column {column}: the input is not UTF-8 here")).help("save it as UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(Refusal::new(codes::NOT_JSON, "line 1, column 1: the input is empty").help("give an incident as JSON"));
    }
    Ok(text)
}

fn broken(p: &Problem) -> Refusal {
    if p.line == 0 {
        let refuse = |m: &str| if p.limit { Refusal::limit(m) } else { Refusal::new(codes::NOT_JSON, m) };
        return refuse(&p.message).path(p.path.clone());
    }
    if p.limit {
        return Refusal::limit(format!("line {}, column {}: {}", p.line, p.column, p.message)).path(p.path.clone());
    }
    let message = format!("line {}, column {}: {}", p.line, p.column, p.message);
    let help = if p.message.starts_with("duplicate key") {
        "an object may hold a key once: which of the two values is meant cannot be told"
    } else if p.message.starts_with("EOF") {
        "the input ends too early: was it cut off?"
    } else {
        "the input must be JSON, or one JSON object a line"
    };
    Refusal::new(codes::NOT_JSON, message).path(p.path.clone()).help(help)
}

/// The elements of an input with their paths: of a list, a page, or the tables of Log Analytics; else the input itself.
fn spread<'a>(tree: Json<'a>, path: &str) -> Vec<(Json<'a>, String)> {
    match tree {
        Json::List(items) => items.into_vec().into_iter().enumerate().flat_map(|(n, item)| spread_page(item, format!("{path}[{n}]"))).collect(),
        one => spread_page(one, path.to_owned()),
    }
}

fn spread_page(json: Json<'_>, path: String) -> Vec<(Json<'_>, String)> {
    let Json::Map(entries) = &json else { return vec![(json, path)] };
    // A page has its list under `value` and nothing else but the service's own words.
    let is_page = matches!(json.get("value"), Some(Json::List(_))) || (json.has("value") && entries.len() <= 3 && !json.has("type"));
    if is_page && !json.has("class_uid") {
        let mut items = Vec::new();
        if let Json::Map(entries) = json {
            for (k, v) in entries.into_vec() {
                if let (true, Json::List(list)) = (super::json::same_key(&k, "value"), v) {
                    items.extend(list.into_vec().into_iter().enumerate().map(|(n, i)| (i, format!("{path}.value[{n}]"))));
                }
            }
        }
        return items;
    }
    if let Some(Json::List(tables)) = json.get("tables") {
        let rows = table_rows(tables, &path);
        if !rows.is_empty() {
            return rows;
        }
    }
    // What a Logic App is handed: the incident, wrapped.
    if let Some(inner) = json.get("object").filter(|o| o.has("properties")) {
        return vec![(inner.clone(), format!("{path}.object"))];
    }
    if json.has("entities") && json.has("metaData") {
        if let Json::Map(entries) = json {
            for (k, v) in entries.into_vec() {
                if let (true, Json::List(list)) = (super::json::same_key(&k, "entities"), v) {
                    return list.into_vec().into_iter().enumerate().map(|(n, i)| (i, format!("{path}.entities[{n}]"))).collect();
                }
            }
        }
        return Vec::new();
    }
    vec![(json, path)]
}

/// Rows of Log Analytics as objects.
fn table_rows<'a>(tables: &[Json<'a>], path: &str) -> Vec<(Json<'a>, String)> {
    let mut out = Vec::new();
    for (t, table) in tables.iter().enumerate() {
        let (Some(Json::List(columns)), Some(Json::List(rows))) = (table.get("columns"), table.get("rows")) else { continue };
        let names: Vec<Cow<'a, str>> = columns.iter().map(|c| c.text("name").unwrap_or("").to_owned().into()).collect();
        for (r, row) in rows.iter().enumerate() {
            let Json::List(cells) = row else { continue };
            let mut entries: Vec<Entry<'a>> = names.iter().zip(cells.iter()).map(|(n, c)| (n.clone(), c.clone())).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            out.push((Json::Map(entries.into_boxed_slice()), format!("{path}.tables[{t}].rows[{r}]")));
        }
    }
    out
}

/// What an element is where the caller says which format it belongs to: the nearest shape of that format.
fn hinted(json: &Json, source: Source) -> Shape {
    let seen = shape::of(json);
    if seen.source() == Some(source) || !matches!(json, Json::Map(_)) {
        return seen;
    }
    match source {
        Source::GuidedResponse => Shape::Native,
        Source::MicrosoftGraph if json.has("alerts") || json.has("displayName") => Shape::GraphIncident,
        Source::MicrosoftGraph => Shape::GraphAlert,
        Source::DefenderXdr if json.has("alerts") || json.has("incidentName") => Shape::XdrIncident,
        Source::DefenderXdr => Shape::XdrAlert,
        Source::DefenderEndpoint => Shape::EndpointAlert,
        Source::SentinelArm if json.get("properties").is_some_and(|p| p.has("alertDisplayName") || p.has("systemAlertId")) => Shape::ArmAlert,
        Source::SentinelArm if json.has("kind") => Shape::ArmEntity,
        Source::SentinelArm => Shape::ArmIncident,
        Source::SentinelTables if json.has("IncidentNumber") || json.has("AlertIds") => Shape::IncidentRow,
        Source::SentinelTables => Shape::AlertRow,
        Source::Ocsf => Shape::Finding,
        Source::Stix => Shape::Bundle,
    }
}

fn dispatch(mut elements: Vec<(Json, String)>, hint: Option<Source>, reader: &Reader) -> Result<Vec<Read>, Refusal> {
    if elements.is_empty() {
        return Err(Refusal::new(codes::NOT_RECOGNISED, "the input is an empty list, without an incident or alert")
            .help("export again: the query may have found nothing"));
    }
    let shapes: Vec<Shape> = elements.iter().map(|(j, _)| hint.map_or_else(|| shape::of(j), |s| hinted(j, s))).collect();
    if shapes.iter().all(|s| s.source().is_none()) {
        return Err(not_recognised(&elements, &shapes));
    }
    let mut failed = Vec::new();
    for ((json, path), shape) in elements.iter_mut().zip(&shapes) {
        match shape {
            Shape::IncidentRow | Shape::AlertRow => sentinel::unfold(json, path, reader, &mut failed),
            _ => {}
        }
    }
    let mut lost: Vec<Diagnostic> = Vec::new();
    for (json, path) in elements.iter_mut().filter(|_| reader.has_long()) {
        let mut long = Vec::new();
        json.cut_long(&mut path.clone(), &mut long);
        for (path, length) in long {
            let message = format!("a text of {length} bytes was cut to {}", limits::TEXT);
            lost.push(Diagnostic::new(codes::INPUT_LIMIT, Severity::Warning, message).path(path));
        }
    }
    let mut groups: BTreeMap<u8, Vec<At<'_>>> = BTreeMap::new();
    for ((json, path), shape) in elements.iter().zip(&shapes) {
        match shape {
            Shape::Not(what, _) => lost.push(Diagnostic::new(codes::UNREAD, Severity::Warning, format!("left out: {what}")).path(path.clone())),
            shape => groups.entry(order(shape)).or_default().push((json, path.clone())),
        }
    }
    let take = |shape: Shape| groups.get(&order(&shape)).map_or(&[][..], Vec::as_slice);
    let mut reads: Vec<Read> = Vec::new();
    for (one, read) in [
        (Shape::Native, native::from_json as fn(&Json, &str) -> Result<Read, Refusal>),
        (Shape::GraphIncident, graph::incident),
        (Shape::XdrIncident, defender_xdr::incident),
        (Shape::Finding, ocsf::finding),
        (Shape::Bundle, stix::bundle),
    ] {
        for (json, path) in take(one).iter().take(limits::INCIDENTS.saturating_add(1)) {
            reads.push(read(json, path)?);
        }
    }
    for (shape, read) in [
        (Shape::GraphAlert, graph::alerts as fn(&[At<'_>]) -> Result<Read, Refusal>),
        (Shape::XdrAlert, defender_xdr::alerts),
        (Shape::EndpointAlert, defender_endpoint::alerts),
    ] {
        for group in by_incident(take(shape)).values() {
            reads.push(read(group)?);
        }
    }
    let (incidents, alerts) = (take(Shape::IncidentRow), take(Shape::AlertRow));
    if !incidents.is_empty() || !alerts.is_empty() {
        reads.extend(sentinel::tables(incidents, alerts, &failed)?);
    }
    let (incidents, alerts, entities) = (take(Shape::ArmIncident), take(Shape::ArmAlert), take(Shape::ArmEntity));
    if !incidents.is_empty() || !alerts.is_empty() || !entities.is_empty() {
        reads.extend(sentinel::arm(incidents, alerts, entities)?);
    }
    if reads.len() > limits::INCIDENTS {
        return Err(Refusal::limit(format!("the input holds more than {} incidents", limits::INCIDENTS)));
    }
    if let Some(first) = reads.first_mut() {
        first.diagnostics.extend(lost.into_iter().take(limits::NOTES));
        crate::diag::sort(&mut first.diagnostics);
    }
    Ok(reads)
}

fn order(shape: &Shape) -> u8 {
    match shape {
        Shape::Native => 0,
        Shape::GraphIncident => 1,
        Shape::GraphAlert => 2,
        Shape::XdrIncident => 3,
        Shape::XdrAlert => 4,
        Shape::EndpointAlert => 5,
        Shape::ArmIncident => 6,
        Shape::ArmAlert => 7,
        Shape::ArmEntity | Shape::ArmEntities => 8,
        Shape::IncidentRow => 9,
        Shape::AlertRow => 10,
        Shape::Finding => 11,
        Shape::Bundle => 12,
        Shape::Not(..) => 13,
    }
}

/// Alerts by the incident that they name; one that names none stands alone.
fn by_incident<'a>(alerts: &[At<'a>]) -> BTreeMap<String, Vec<At<'a>>> {
    let mut groups: BTreeMap<String, Vec<At<'a>>> = BTreeMap::new();
    for (json, path) in alerts {
        let named = json.get("incidentId").and_then(Json::scalar).filter(|t| *t != "0").map(|t| format!("i{t}"));
        let own = || {
            ["id", "alertId", "providerAlertId"]
                .iter()
                .find_map(|k| json.get(k).and_then(Json::scalar))
                .map_or_else(|| json.digest(), |t| t.into_owned())
        };
        groups.entry(named.unwrap_or_else(|| format!("a{}", own()))).or_default().push((json, path.clone()));
    }
    groups
}

fn not_recognised(elements: &[(Json, String)], shapes: &[Shape]) -> Refusal {
    let (what, help) = match shapes.first() {
        Some(Shape::Not(what, help)) => (what.clone(), *help),
        _ => (String::from("something that no format describes"), ""),
    };
    let path = elements.first().map_or("$", |(_, p)| p.as_str());
    let message = if elements.len() > 1 {
        format!("the input holds no incident and no alert: {} elements, the first is {what}", elements.len())
    } else {
        format!("this is {what}")
    };
    Refusal::new(codes::NOT_RECOGNISED, message).path(path).help(help)
}
