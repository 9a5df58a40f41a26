//! The incidents API of Microsoft Defender XDR that came before Graph: flat records, one shape for all kinds.

use super::context::Context;
use super::evidence::{Scene, read, read_all};
use super::json::Json;
use super::rec::Rec;
use super::{Read, Refusal, Source, vocabulary};
use crate::model::{Alert, Level};

/// Reads an incident.
pub fn incident(json: &Json, path: &str) -> Result<Read, Refusal> {
    let mut cx = Context::new(Source::DefenderXdr);
    if let Some(rec) = Rec::new(json, path) {
        let redirected = rec.any(&["redirectIncidentId"]).map(|t| t.into_owned());
        let i = &mut cx.b.incident;
        i.id = rec.owned(&["incidentId", "id"]).into();
        i.title = rec.owned(&["incidentName", "title"]).into();
        i.description = rec.owned(&["description"]).into();
        i.severity = rec.text("severity").and_then(|t| Level::of_source(&t));
        i.status = vocabulary::status(&rec.owned(&["status"])).into();
        i.created = rec.time(&["createdTime"]);
        i.classification = rec.text("classification").and_then(|t| vocabulary::classification(&t));
        i.determination = rec.text("determination").and_then(|t| vocabulary::determination(&t));
        i.assigned_to = rec.any(&["assignedTo"]).map(|t| t.into_owned());
        i.tags.extend(rec.texts("tags").into_iter().map(Into::into));
        super::redirect(&mut cx, redirected, &rec.path_of("redirectIncidentId"));
        cx.each(&rec.items("alerts"), read_alert);
        cx.incident_extra(&rec, &[]);
    }
    cx.finish()
}

/// Reads alerts of one incident that itself is not there.
pub fn alerts(alerts: &[(&Json, String)]) -> Result<Read, Refusal> {
    super::alerts_alone(Source::DefenderXdr, alerts, &["incidentId"], &["alertId"], &["title"], read_alert)
}

fn read_alert(cx: &mut Context, json: &Json, path: &str) {
    let Some(rec) = cx.object(json, path, "an alert") else { return };
    let mut a = Alert {
        id: super::id_or_digest(&rec, &["alertId", "id"]).into(),
        title: rec.owned(&["title"]).into(),
        product: rec.owned(&["serviceSource"]).into(),
        first: rec.time(&["firstActivity"]),
        last: rec.time(&["lastActivity"]),
        created: rec.time(&["creationTime"]),
        ..super::alert_of(&rec)
    };
    a.detectors.extend(rec.any(&["detectorId"]).map(|t| t.into_owned()).into_iter().map(Into::into));
    let techniques = rec.texts("mitreTechniques");
    vocabulary::techniques(&mut a, techniques.iter().map(String::as_str));
    vocabulary::category(&mut a);
    let (devices, entities) = (rec.items("devices"), rec.items("entities"));
    cx.extra(&rec, &mut a.extra);
    let place = cx.alert(a);
    let mut sc = Scene::new(place, "entityType");
    for (json, path) in devices {
        read(cx, &mut sc, json, &path, "device");
    }
    read_all(cx, &mut sc, entities);
}
