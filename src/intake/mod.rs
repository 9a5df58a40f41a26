//! JSON as each source writes it, turned into one incident. One file a format; identity is settled in [`builder`].

pub mod builder;
mod context;
mod defender_endpoint;
mod defender_xdr;
mod evidence;
mod export;
mod graph;
mod hash;
mod input;
pub mod json;
pub mod limits;
pub mod native;
pub mod net;
mod ocsf;
pub mod patch;
mod rec;
mod records;
mod scan;
pub mod schema;
mod sentinel;
mod shape;
mod stix;
mod stream;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use input::{read, read_tables, read_value, stands_alone};

use crate::diag::{Diagnostic, Severity, codes};
use crate::model::{Alert, Incident, Level};

use crate::model::level::words;

words! {
    /// A format that incidents are read from.
    Source {
        /// Our own.
        GuidedResponse = "guided-response",
        /// Microsoft Graph security, v1.0: incidents and alerts.
        MicrosoftGraph = "microsoft-graph",
        /// The incidents API of Microsoft Defender XDR that came before Graph.
        DefenderXdr = "defender-xdr",
        /// The alert API of Microsoft Defender for Endpoint.
        DefenderEndpoint = "defender-endpoint",
        /// Microsoft Sentinel's management API.
        SentinelArm = "sentinel-arm",
        /// Microsoft Sentinel's tables SecurityIncident and SecurityAlert.
        SentinelTables = "sentinel-tables",
        /// OCSF findings.
        Ocsf = "ocsf",
        /// STIX 2.1 bundles.
        Stix = "stix",
    }
}

/// One incident that was read, and what there is to say about the input.
#[derive(Clone, Debug)]
pub struct Read {
    /// The incident.
    pub incident: Incident,
    /// Remarks, sorted.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why nothing was read.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The reason: `NOT_JSON`, `NOT_RECOGNISED` or `INPUT_LIMIT`.
    pub diagnostic: Box<Diagnostic>,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { diagnostic: Box::new(Diagnostic::new(code, Severity::Error, message)) }
    }

    fn limit(message: impl Into<String>) -> Self {
        Self::new(codes::INPUT_LIMIT, message).help("split the input, or export less of it")
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    fn path(mut self, path: impl Into<String>) -> Self {
        self.diagnostic.path = Some(path.into());
        self
    }
}

/// The id of a record, or one that is made from its content.
fn id_or_digest(rec: &rec::Rec<'_>, keys: &[&str]) -> String {
    let id = rec.owned(keys);
    if id.is_empty() { format!("content-{}", rec.json().digest()) } else { id }
}

/// Reads alerts of one incident that itself is not there; the keys give the ids of the incident and of an alert, and its
/// title.
fn alerts_alone(
    source: Source,
    alerts: &[(&json::Json, String)],
    incident: &[&str],
    alert: &[&str],
    title: &[&str],
    read: fn(&mut context::Context, &json::Json, &str),
) -> Result<Read, Refusal> {
    let mut cx = context::Context::new(source);
    incident_of_alerts(&mut cx, alerts, incident, alert, title);
    cx.each(alerts, read);
    cx.finish()
}

/// What sources call alike of an alert.
fn alert_of(rec: &rec::Rec<'_>) -> Alert {
    Alert {
        description: rec.shared(&["description"]),
        severity: rec.text("severity").and_then(|t| Level::of_source(&t)),
        status: vocabulary::status(&rec.owned(&["status"])).into(),
        category: rec.shared(&["category"]),
        classification: rec.text("classification").and_then(|t| vocabulary::classification(&t)),
        determination: rec.text("determination").and_then(|t| vocabulary::determination(&t)),
        ..Alert::default()
    }
}

/// What an incident is called of which only alerts are there: by the incident that they name, else by the alert.
fn incident_of_alerts(cx: &mut context::Context, alerts: &[(&json::Json, String)], incident: &[&str], alert: &[&str], title: &[&str]) {
    let Some(rec) = alerts.first().and_then(|(json, path)| rec::Rec::new(json, path.as_str())) else { return };
    let named = rec.owned(incident);
    cx.b.incident.id = if named.is_empty() { id_or_digest(&rec, alert).into() } else { named.into() };
    // The title does not depend on the order of the alerts.
    cx.b.incident.title = alerts
        .iter()
        .filter_map(|(json, path)| rec::Rec::new(json, path.as_str()))
        .map(|r| r.owned(title))
        .filter(|t| !t.is_empty())
        .min()
        .unwrap_or_default()
        .into();
    cx.b.incident.status = "active".into();
}

/// Says that an incident was merged into another one.
fn redirect(cx: &mut context::Context, to: Option<String>, path: &str) {
    let Some(to) = to.filter(|t| t != "0") else { return };
    cx.note(
        codes::REDIRECTED,
        Severity::Note,
        path,
        format!("incident `{}` was merged into `{}`, which holds its alerts now", json::shown(&cx.b.incident.id.clone()), json::shown(&to)),
    );
    cx.b.incident.redirected_to = Some(to);
}

/// Free-form objects of a source, whose entries become extra fields under their own names.
fn bags(rec: &rec::Rec<'_>, keys: &[&str], extra: &mut std::collections::BTreeMap<String, String>) {
    for key in keys {
        let Some(bag) = rec.object(key) else { continue };
        for (k, v) in bag.rest() {
            let taken = extra.contains_key(&k) || rec.has(&k);
            extra.insert(if taken { format!("{key}.{k}") } else { k }, v);
        }
    }
}
