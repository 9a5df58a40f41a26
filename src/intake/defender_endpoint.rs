//! The alert API of Microsoft Defender for Endpoint: one machine, one user, and flat evidence.

use super::context::Context;
use super::evidence::{Scene, read_all};
use super::json::Json;
use super::rec::Rec;
use super::records::{self, Device, User};
use super::{Read, Refusal, Source, vocabulary};
use crate::model::Alert;

/// Reads alerts of one incident.
pub fn alerts(alerts: &[(&Json, String)]) -> Result<Read, Refusal> {
    super::alerts_alone(Source::DefenderEndpoint, alerts, &["incidentId"], &["id", "alertId"], &["title", "alertTitle"], read_alert)
}

fn read_alert(cx: &mut Context, json: &Json, path: &str) {
    let Some(rec) = cx.object(json, path, "an alert") else { return };
    let mut a = Alert {
        id: super::id_or_digest(&rec, &["id", "alertId"]).into(),
        title: rec.owned(&["title", "alertTitle"]).into(),
        product: "Microsoft Defender for Endpoint".into(),
        first: rec.time(&["firstEventTime"]),
        last: rec.time(&["lastEventTime"]),
        created: rec.time(&["alertCreationTime", "createdTime"]),
        ..super::alert_of(&rec)
    };
    a.detectors.extend(rec.any(&["detectorId"]).map(|t| t.into_owned()).into_iter().map(Into::into));
    let techniques = rec.texts("mitreTechniques");
    vocabulary::techniques(&mut a, techniques.iter().map(String::as_str));
    vocabulary::category(&mut a);
    let evidence = rec.items("evidence");
    let v = Device { product: rec.owned(&["machineId"]), host: rec.owned(&["computerDnsName"]), ..Device::default() };
    let related = rec.object("relatedUser");
    let logged_on = rec.items("loggedOnUsers");
    super::bags(&rec, &["additionalData"], &mut a.extra);
    rec.skip(&["@odata.context"]);
    let group = rec.owned(&["rbacGroupName"]);
    cx.extra(&rec, &mut a.extra);
    let place = cx.alert(a);
    let mut sc = Scene::new(place.clone(), "entityType");
    if !v.is_blank() {
        let mut d = records::device_draft(&v);
        d.prop("rbac_group", group);
        let device = cx.add(&place, d);
        sc.device = Some(device);
        for (json, path) in &logged_on {
            match Rec::new(json, path.as_str()) {
                Some(u) => cx.logon(&place, device, &u.owned(&["domainName"]), &u.owned(&["accountName"]), false),
                None => cx.unread(path, format!("{} stands where an account belongs", json.kind())),
            }
        }
    }
    if let Some(related) = related {
        let u = User { account: related.owned(&["userName", "accountName"]), domain: related.owned(&["domainName"]), ..User::default() };
        match sc.device {
            Some(device) if !u.is_built_in() && !u.domain.is_empty() && !u.account.is_empty() => {
                cx.logon(&place, device, &u.domain, &u.account, true)
            }
            _ if u.is_blank() => {}
            _ => {
                let d = records::user_draft(cx, &place, &u, &related.json().digest());
                cx.add(&place, d);
            }
        }
    }
    read_all(cx, &mut sc, evidence);
}
