//! What an input is, by its keys.

use super::Source;
use super::json::{Json, shown};

/// One element of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Our own.
    Native,
    /// A Graph incident.
    GraphIncident,
    /// A Graph alert.
    GraphAlert,
    /// An incident of the API before Graph.
    XdrIncident,
    /// An alert of that API.
    XdrAlert,
    /// An alert of Defender for Endpoint.
    EndpointAlert,
    /// An incident of Sentinel's management API.
    ArmIncident,
    /// An alert of it.
    ArmAlert,
    /// An entity of it.
    ArmEntity,
    /// Its answer with all entities of an incident.
    ArmEntities,
    /// A row of SecurityIncident.
    IncidentRow,
    /// A row of SecurityAlert.
    AlertRow,
    /// An OCSF finding.
    Finding,
    /// A STIX bundle.
    Bundle,
    /// Something else: what it is, and what is missing.
    Not(String, &'static str),
}

impl Shape {
    /// The format that the shape belongs to.
    pub fn source(&self) -> Option<Source> {
        Some(match self {
            Self::Native => Source::GuidedResponse,
            Self::GraphIncident | Self::GraphAlert => Source::MicrosoftGraph,
            Self::XdrIncident | Self::XdrAlert => Source::DefenderXdr,
            Self::EndpointAlert => Source::DefenderEndpoint,
            Self::ArmIncident | Self::ArmAlert | Self::ArmEntity | Self::ArmEntities => Source::SentinelArm,
            Self::IncidentRow | Self::AlertRow => Source::SentinelTables,
            Self::Finding => Source::Ocsf,
            Self::Bundle => Source::Stix,
            Self::Not(..) => return None,
        })
    }
}

const INCIDENT: &str = "give an incident or an alert; docs/operations.md lists the formats that are read";
const EVENT: &str = "a plain event carries no finding: give the alert or incident that was raised on it";

/// What an element is.
pub fn of(json: &Json) -> Shape {
    let Json::Map(entries) = json else {
        return Shape::Not(format!("{} where an incident belongs", json.kind()), INCIDENT);
    };
    let has = |k: &str| json.get(k).is_some();
    let all = |keys: &[&str]| keys.iter().all(|k| json.has(k));
    let any = |keys: &[&str]| keys.iter().any(|k| json.has(k));
    if let Some(schema) = json.text("schema") {
        if schema.starts_with("guided-response/incident/") {
            return if schema == super::native::SCHEMA {
                Shape::Native
            } else {
                Shape::Not(
                    format!("an incident in our own format of another version, `{}`", shown(schema)),
                    "this program reads `guided-response/incident/1`",
                )
            };
        }
        if schema.starts_with("guided-response/") {
            return Shape::Not(
                format!("a document of the kind `{}`", shown(schema)),
                "an answer cannot be read as an incident: give the incident that it was made from",
            );
        }
    }
    let odata = json.text("@odata.type").unwrap_or("").to_lowercase();
    let kind = json.text("type").unwrap_or("");
    if json.has("class_uid") || all(&["category_uid", "metadata"]) {
        return ocsf(json);
    }
    if kind == "bundle" && (json.has("objects") || json.text("id").is_some_and(|i| i.starts_with("bundle--"))) {
        return Shape::Bundle;
    }
    if json.text("id").is_some_and(|id| !kind.is_empty() && id.starts_with(&format!("{kind}--"))) {
        return stix_object(kind);
    }
    if odata.ends_with(".incident") {
        return Shape::GraphIncident;
    }
    if odata.ends_with("security.alert") {
        return Shape::GraphAlert;
    }
    if odata.ends_with(".alert") || all(&["vendorInformation", "azureTenantId"]) {
        return Shape::Not(
            "an alert of Microsoft Graph's first alert API (`/security/alerts`)".into(),
            "it holds no typed evidence: export from `/security/alerts_v2` or `/security/incidents?$expand=alerts`",
        );
    }
    if kind.to_lowercase().starts_with("microsoft.securityinsights/incidents")
        || (has("properties") && json.get("properties").is_some_and(|p| p.has("incidentNumber")))
    {
        return Shape::ArmIncident;
    }
    if json.text("kind").is_some() && has("properties") {
        return if json.text("kind").is_some_and(|k| k.eq_ignore_ascii_case("SecurityAlert")) { Shape::ArmAlert } else { Shape::ArmEntity };
    }
    if matches!(json.get("entities"), Some(Json::List(_))) && json.has("metaData") {
        return Shape::ArmEntities;
    }
    if kind == "SecurityIncident" || all(&["IncidentName", "IncidentNumber"]) || all(&["IncidentNumber", "AlertIds"]) {
        return Shape::IncidentRow;
    }
    if kind == "SecurityAlert"
        || any(&["SystemAlertId"])
        || (any(&["AlertName", "AlertDisplayName"]) && any(&["AlertSeverity", "Severity"]) && any(&["TimeGenerated", "StartTime"]))
    {
        return Shape::AlertRow;
    }
    if has("incidentName") || (has("incidentId") && json.has("alerts") && !has("displayName")) {
        return Shape::XdrIncident;
    }
    if has("alertId") && any(&["entities", "devices"]) && !has("machineId") {
        return Shape::XdrAlert;
    }
    if has("title") && any(&["machineId", "computerDnsName"]) && any(&["severity", "category"]) {
        return Shape::EndpointAlert;
    }
    if has("displayName") && any(&["redirectIncidentId", "incidentWebUrl"]) || all(&["displayName", "alerts", "severity"]) {
        return Shape::GraphIncident;
    }
    if has("title") && any(&["serviceSource", "mitreTechniques", "evidence"]) && any(&["createdDateTime", "severity"]) {
        return Shape::GraphAlert;
    }
    other(json, entries)
}

fn ocsf(json: &Json) -> Shape {
    let class = json.get("class_uid").and_then(Json::scalar).and_then(|t| t.parse::<i64>().ok());
    if class.is_some_and(super::ocsf::is_finding) {
        return Shape::Finding;
    }
    let name = json.text("class_name").or(json.text("classname")).map(str::to_owned).or_else(|| class.and_then(class_name).map(str::to_owned));
    let what = match (name, class) {
        (Some(name), Some(class)) => format!("an OCSF event of class {} ({class}), not a finding", shown(&name)),
        (None, Some(class)) => format!("an OCSF event of class {class}, not a finding"),
        (Some(name), None) => format!("an OCSF event `{}` without a `class_uid`", shown(&name)),
        (None, None) => "an OCSF event without a `class_uid`".into(),
    };
    Shape::Not(what, "findings are read: classes 2001 to 2007, such as Detection Finding (2004) and Incident Finding (2005)")
}

fn class_name(class: i64) -> Option<&'static str> {
    Some(match class {
        1001 => "File System Activity",
        1007 => "Process Activity",
        3001 => "Account Change",
        3002 => "Authentication",
        4001 => "Network Activity",
        4002 => "HTTP Activity",
        4003 => "DNS Activity",
        4007 => "SSH Activity",
        4008 => "FTP Activity",
        4009 => "Email Activity",
        6003 => "API Activity",
        _ => return None,
    })
}

fn stix_object(kind: &str) -> Shape {
    Shape::Not(
        format!("a single STIX object of type `{}`, not a bundle", shown(kind)),
        "give a STIX bundle with an incident, observed data, a report or a campaign, and the objects that belong to it",
    )
}

/// Things that people are likely to try, told by their keys.
fn other(json: &Json, entries: &[super::json::Entry<'_>]) -> Shape {
    let all = |keys: &[&str]| keys.iter().all(|k| json.has(k));
    let not = |what: &str, help: &'static str| Shape::Not(what.to_owned(), help);
    if entries.is_empty() {
        return not("an empty object", INCIDENT);
    }
    if all(&["UtcTime", "EventID"]) {
        return not("a Sysmon event, not an alert", EVENT);
    }
    if all(&["System", "EventData"]) || all(&["Event", "EventData"]) {
        return not("an event of the Windows event log, not an alert", EVENT);
    }
    if json.has("uid") && json.has("ts") || json.get("id").is_some_and(|i| i.has("orig_h")) {
        return not("a log line of Zeek, not an alert", EVENT);
    }
    if all(&["published", "eventType", "displayMessage"]) {
        return not("an event of the Okta system log, not an alert", EVENT);
    }
    if all(&["userPrincipalName", "appDisplayName", "createdDateTime"]) {
        return not("a sign-in of the Entra sign-in log, not an alert", EVENT);
    }
    if all(&["operationName", "resourceId"]) || all(&["operationName", "caller"]) {
        return not("an event of the Azure activity log, not an alert", EVENT);
    }
    if all(&["eventVersion", "eventSource"]) || all(&["awsRegion", "eventName"]) {
        return not("an event of AWS CloudTrail, not an alert", EVENT);
    }
    if all(&["resource", "service", "type"]) && (json.has("accountId") || json.has("schemaVersion")) {
        return not(
            "a finding of Amazon GuardDuty in its own format, which is not read",
            "export it in OCSF form (Security Lake, or Security Hub's OCSF findings)",
        );
    }
    if all(&["ProductArn", "AwsAccountId"]) {
        return not("a finding of AWS Security Hub in its own format (ASFF), which is not read", "export it in OCSF form");
    }
    if all(&["action", "workflow"]) || json.has("playbook_types") {
        return not("a CACAO playbook, not an incident", INCIDENT);
    }
    if json.has("playbook") || json.has("signals") || json.has("actions") && json.has("flow") {
        return not("a playbook or description of an attack, not an incident", INCIDENT);
    }
    if json.has("error") && entries.len() <= 2 {
        return not("an error answer of an API, not an incident", "look at its message, and export again");
    }
    let keys: Vec<String> = entries.iter().take(6).map(|(k, _)| format!("`{}`", shown(k))).collect();
    let more = if entries.len() > 6 { ", …" } else { "" };
    Shape::Not(format!("an object with the keys {}{more}, which no format that is read has", keys.join(", ")), INCIDENT)
}
