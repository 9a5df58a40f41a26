//! Accounts, groups, service principals and applications.

use super::{Item, Scene, props};
use crate::intake::builder::{Draft, Ref};
use crate::intake::context::Context;
use crate::intake::rec::Rec;
use crate::intake::records::{self, User};
use crate::model::Kind;

/// What a record says of an account, whichever product wrote it.
pub fn account_of(rec: &Rec<'_>) -> User {
    let mut u = User {
        upn: rec.owned(&["userPrincipalName", "upn"]),
        aad: rec.owned(&["azureAdUserId", "aadUserId", "aadId"]),
        sid: rec.owned(&["userSid", "sid"]),
        account: rec.owned(&["accountName", "samAccountName", "userName"]),
        domain: rec.owned(&["domainName", "ntDomain", "userDomainName", "dnsDomain"]),
        display: rec.owned(&["displayName"]),
        own: rec.owned(&["activeDirectoryObjectGuid", "objectGuid"]),
    };
    // `Name` is the account in some products and the name for people in others.
    let name = rec.owned(&["name"]);
    let suffix = rec.owned(&["upnSuffix"]);
    if !name.is_empty() {
        if records::is_address(&name) {
            if u.upn.is_empty() {
                u.upn.clone_from(&name);
            }
        } else if !u.account.is_empty() || name.contains(char::is_whitespace) {
            if u.display.is_empty() {
                u.display = name;
            }
        } else {
            if u.upn.is_empty() && !suffix.is_empty() {
                u.upn = format!("{name}@{suffix}");
            }
            u.account = name;
        }
    }
    if u.upn.is_empty() && !suffix.is_empty() && !u.account.is_empty() && !u.account.contains([' ', '@', '\\']) {
        u.upn = format!("{}@{suffix}", u.account);
    }
    if let Some((domain, account)) = u.account.clone().split_once('\\') {
        domain.clone_into(&mut u.domain);
        account.clone_into(&mut u.account);
    }
    // A local account may be called like somebody's address: with a SID or domain of its own it is not that somebody.
    if records::is_address(&u.account) && u.upn.is_empty() && u.sid.is_empty() && u.domain.is_empty() {
        u.upn = std::mem::take(&mut u.account);
    }
    if !u.upn.is_empty() && !records::is_address(&u.upn) {
        // A UPN without a domain identifies nobody.
        if u.account.is_empty() {
            u.account.clone_from(&u.upn);
        }
        u.upn.clear();
    }
    u
}

/// An account: Graph nests it as `userAccount`, the others write its fields flat.
pub fn user<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let inner = item.rec.object("userAccount");
    let rec = inner.as_ref().unwrap_or(&item.rec);
    let u = account_of(rec);
    let mut d = records::user_draft(cx, &sc.place, &u, &item.digest());
    if u.is_blank() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    props(rec, &mut d, &[("tenant", &["aadTenantId", "tenantId"]), ("department", &["department"]), ("job_title", &["jobTitle"])]);
    props(rec, &mut d, &[("is_domain_joined", &["isDomainJoined"]), ("risk", &["riskLevel", "riskScore"]), ("account_status", &["accountStatus"])]);
    let r = item.begin(cx, sc, d);
    if let Some(device) = item.nested(cx, sc, &["host"], "host").or(sc.device)
        && let Some(d) = cx.b.draft(r)
    {
        d.within(device);
    }
    if let Some(inner) = &inner {
        cx.keep_rest(r, inner, "");
    }
    Some(r)
}

/// An account nested without a type, such as a process's `userAccount`.
pub fn nested_account<'a>(cx: &mut Context, sc: &mut Scene<'a>, rec: &Rec<'a>, device: Option<Ref>) -> Option<Ref> {
    let u = account_of(rec);
    if u.is_blank() {
        return None;
    }
    let mut d = records::user_draft(cx, &sc.place, &u, &rec.json().digest());
    if let Some(device) = device {
        d.within(device);
    }
    let r = cx.add(&sc.place, d);
    cx.keep_rest(r, rec, "");
    Some(r)
}

/// A security group.
pub fn group<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::Group);
    let sid = rec.owned(&["sid"]);
    let id = rec.owned(&["securityGroupId", "objectGuid"]);
    if records::is_strong_sid(&sid) {
        d.strong("sid", &sid);
    }
    d.strong("aad", &id).strong("object", &rec.owned(&["activeDirectoryObjectGuid"])).prop("sid", sid).prop("object_id", id);
    props(rec, &mut d, &[("display_name", &["displayName", "securityGroupName"]), ("distinguished_name", &["distinguishedName"])]);
    let name = rec.owned(&["friendlyName"]);
    d.prop("friendly_name", name.clone()).name(2, &name);
    for key in ["displayName", "securityGroupName", "distinguishedName"] {
        d.name(3, &rec.owned(&[key]));
    }
    if !d.is_identified() {
        let dn = rec.owned(&["distinguishedName"]);
        d.weak("record", &format!("{}/{dn}/{}", sc.place.id, item.digest()));
    }
    item.begin(cx, sc, d)
}

/// A service principal, or a Kubernetes service account.
pub fn principal<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::ServicePrincipal);
    let object = rec.owned(&["servicePrincipalObjectId", "objectId"]);
    let app = rec.owned(&["appId"]);
    let name = rec.owned(&["servicePrincipalName", "displayName", "name"]);
    d.strong("object", &object).prop("object_id", object).prop("app_id", app.clone()).prop("display_name", name.clone()).name(2, &name);
    // One application has a principal in each tenant.
    let tenant = rec.owned(&["tenantId"]);
    d.prop("tenant", tenant.clone());
    if !app.is_empty() {
        d.strong("app", &if tenant.is_empty() { app.clone() } else { format!("{app}/{tenant}") }).name(1, &app);
    }
    let r = item.begin(cx, sc, d);
    if let Some(namespace) = item.nested(cx, sc, &["namespace"], "kubernetesnamespace") {
        cx.relate(&sc.place, r, "runs_in", namespace);
        if let Some(d) = cx.b.draft(r) {
            d.scoped("name", &name, Some(namespace));
        }
    } else if cx.b.draft(r).is_some_and(|d| !d.is_identified()) {
        let weak = format!("{}/{name}/{}", sc.place.id, item.digest());
        if let Some(d) = cx.b.draft(r) {
            d.weak("record", &weak);
        }
    }
    r
}

/// An application that was, or may be, consented to.
pub fn oauth_app<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::OauthApp);
    let (app, object, name) = (rec.owned(&["appId", "oAuthAppId"]), rec.owned(&["objectId", "oAuthObjectId"]), rec.owned(&["displayName", "name"]));
    d.strong("app", &app).strong("object", &object).prop("app_id", app).prop("object_id", object);
    d.prop("display_name", name.clone()).name(2, &name);
    props(
        rec,
        &mut d,
        &[("publisher", &["publisher"]), ("publisher_verified", &["publisherVerified", "isPublisherVerified"]), ("risk", &["riskLevel", "risk"])],
    );
    let permissions = item.list(&["permissions", "scopes"]);
    d.list("permissions", permissions);
    if !d.is_identified() {
        d.weak("record", &format!("{}/{name}/{}", sc.place.id, item.digest()));
    }
    item.begin(cx, sc, d)
}
