//! Microsoft Graph security, v1.0: incidents with or without their alerts, alerts alone.

use super::context::Context;
use super::evidence::{Scene, read_all};
use super::json::{Json, shown};
use super::rec::Rec;
use super::{Read, Refusal, Source, vocabulary};
use crate::diag::{Severity, codes};
use crate::model::{Alert, Level};

/// Reads an incident.
pub fn incident(json: &Json, path: &str) -> Result<Read, Refusal> {
    let mut cx = Context::new(Source::MicrosoftGraph);
    if let Some(rec) = Rec::new(json, path) {
        headline(&mut cx, &rec);
        cx.each(&rec.items("alerts"), read_alert);
        cx.incident_extra(&rec, &[]);
    }
    cx.finish()
}

/// Reads alerts that belong to one incident, which itself is not there.
pub fn alerts(alerts: &[(&Json, String)]) -> Result<Read, Refusal> {
    super::alerts_alone(Source::MicrosoftGraph, alerts, &["incidentId"], &["id", "providerAlertId"], &["title"], read_alert)
}

fn headline(cx: &mut Context, rec: &Rec<'_>) {
    let redirected = rec.any(&["redirectIncidentId"]).map(|t| t.into_owned());
    let i = &mut cx.b.incident;
    i.id = rec.owned(&["id", "incidentId"]).into();
    i.title = rec.owned(&["displayName", "title", "incidentName"]).into();
    i.description = rec.owned(&["description"]).into();
    i.severity = rec.text("severity").and_then(|t| Level::of_source(&t));
    i.status = vocabulary::status(&rec.owned(&["status"])).into();
    i.created = rec.time(&["createdDateTime"]);
    i.classification = rec.text("classification").and_then(|t| vocabulary::classification(&t));
    i.determination = rec.text("determination").and_then(|t| vocabulary::determination(&t));
    i.assigned_to = rec.any(&["assignedTo"]).map(|t| t.into_owned());
    for key in ["customTags", "tags", "systemTags"] {
        i.tags.extend(rec.texts(key).into_iter().map(Into::into));
    }
    rec.skip(&["@odata.type", "@odata.context", "@odata.etag"]);
    super::redirect(cx, redirected, &rec.path_of("redirectIncidentId"));
}

/// Reads an alert with its evidence.
fn read_alert(cx: &mut Context, json: &Json, path: &str) {
    let Some(rec) = cx.object(json, path, "an alert") else { return };
    let mut a = Alert {
        id: super::id_or_digest(&rec, &["id", "providerAlertId"]).into(),
        title: rec.owned(&["title"]).into(),
        product: rec.owned(&["productName", "serviceSource"]).into(),
        first: rec.time(&["firstActivityDateTime"]),
        last: rec.time(&["lastActivityDateTime"]),
        created: rec.time(&["createdDateTime"]),
        ..super::alert_of(&rec)
    };
    for key in ["detectorId", "alertPolicyId"] {
        a.detectors.extend(rec.any(&[key]).map(|t| t.into_owned()).into_iter().map(Into::into));
    }
    let techniques = rec.texts("mitreTechniques");
    vocabulary::techniques(&mut a, techniques.iter().map(String::as_str));
    vocabulary::category(&mut a);
    let incident = rec.peek("incidentId").and_then(Json::scalar);
    if let Some(id) = incident.filter(|id| !cx.b.incident.id.is_empty() && **id != *cx.b.incident.id) {
        cx.note(
            codes::UNREAD,
            Severity::Note,
            &rec.path_of("incidentId"),
            format!("the alert says that it belongs to incident `{}`; it is read as part of `{}`", shown(&id), shown(&cx.b.incident.id.clone())),
        );
    }
    let evidence = rec.items("evidence");
    rec.skip(&["@odata.type", "@odata.context", "evidence"]);
    super::bags(&rec, &["additionalData", "customDetails"], &mut a.extra);
    cx.extra(&rec, &mut a.extra);
    let place = cx.alert(a);
    let mut sc = Scene::new(place, "");
    read_all(cx, &mut sc, evidence);
}
