//! Cloud applications, resources, storage, sign-ins and code hosts.

use super::identity::nested_account;
use super::{Item, Scene, props};
use crate::intake::builder::{Draft, Ref};
use crate::intake::context::Context;
use crate::intake::records;
use crate::model::Kind;

/// A cloud application that many use. Its number in the catalogue of cloud applications identifies it.
pub fn application<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::CloudApp);
    let (saas, app) = (rec.owned(&["saasAppId", "saasId"]), rec.owned(&["appId"]));
    let id = if saas.is_empty() { app.clone() } else { saas.clone() };
    let instance = rec.owned(&["instanceId", "appInstanceId"]);
    // An instance of its own, where the source numbers them.
    let whole = if instance.is_empty() || instance == "0" { id.clone() } else { format!("{id}/{instance}") };
    let name = rec.owned(&["displayName", "appName", "name"]);
    d.strong("app", if id.is_empty() { "" } else { &whole }).prop("app_id", app).prop("saas_app_id", saas).prop("display_name", name.clone());
    d.name(2, &name).name(1, &rec.owned(&["instanceName"]));
    if id.is_empty() {
        d.weak("name", &name).weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    item.begin(cx, sc, d)
}

/// A resource of a cloud provider.
pub fn resource<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let id = rec.owned(&["resourceId", "amazonResourceId", "fullResourceName", "arn", "azureResourceId"]);
    let (name, kind) = (rec.owned(&["resourceName", "name"]), rec.owned(&["resourceType"]));
    let provider = match item.word.as_str() {
        "azureresource" => "azure",
        "amazonresource" | "awsresource" => "aws",
        "googlecloudresource" | "gcpresource" => "gcp",
        _ if id.starts_with('/') => "azure",
        _ if id.starts_with("arn:") => "aws",
        _ => "",
    };
    let mut d = records::resource_draft(&id, &name, &kind, provider);
    props(rec, &mut d, &[("location", &["location"]), ("subscription", &["subscriptionId", "amazonAccountId", "projectId"])]);
    if !d.is_identified() {
        d.weak("record", &format!("{}/{name}/{}", sc.place.id, item.digest()));
    }
    item.begin(cx, sc, d)
}

/// A blob, or a container of blobs.
pub fn storage<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::Storage);
    let (url, name) = (rec.owned(&["url"]), rec.owned(&["name"]));
    if !url.is_empty() {
        let url = crate::intake::net::tidy_url(&url);
        d.exact("url", &url).prop("url", url);
    }
    d.name(2, &name);
    props(rec, &mut d, &[("content_type", &["contentType"]), ("location", &["location"])]);
    if !d.is_identified() {
        d.weak("record", &format!("{}/{name}/{}", sc.place.id, item.digest()));
    }
    let r = item.begin(cx, sc, d);
    if let Some(outer) = item.nested(cx, sc, &["blobContainer"], "blobcontainer") {
        cx.relate(&sc.place, r, "in", outer);
    }
    if let Some(outer) = item.nested(cx, sc, &["storageResource"], "azureresource") {
        cx.relate(&sc.place, r, "in", outer);
    }
    r
}

/// A shared-access signature.
pub fn sas_token<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::SasToken);
    let hash = rec.owned(&["signatureHash"]);
    if hash.is_empty() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    d.strong("key", &hash).prop("hash", hash.clone()).name(1, &hash);
    d.list("permissions", item.list(&["permissions"]));
    props(rec, &mut d, &[("protocol", &["protocol"]), ("start", &["startDateTime"]), ("expires", &["expiryDateTime"])]);
    let r = item.begin(cx, sc, d);
    if let Some(outer) = item.nested(cx, sc, &["storageResource"], "azureresource") {
        cx.relate(&sc.place, r, "in", outer);
    }
    r
}

/// A sign-in: its session, or the request alone.
pub fn logon<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::LogonSession);
    let (session, request) = (rec.owned(&["sessionId"]), rec.owned(&["requestId"]));
    d.strong("session", &session).strong("request", &request);
    d.prop("session_id", session.clone()).prop("request_id", request.clone());
    d.name(2, &session).name(1, &request);
    if !d.is_identified() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    let table: &[(&str, &[&str])] =
        &[("agent", &["userAgent"]), ("browser", &["browser"]), ("operating_system", &["operatingSystem"]), ("protocol", &["protocol"])];
    props(rec, &mut d, table);
    if let Some(at) = rec.time(&["startUtcDateTime", "startTimeUtc"]) {
        d.prop("start", at.to_string());
    }
    let r = item.begin(cx, sc, d);
    let user = match rec.object("userAccount") {
        Some(account) => nested_account(cx, sc, &account, None),
        None => item.nested(cx, sc, &["account"], "user"),
    };
    if let Some(user) = user {
        cx.relate(&sc.place, user, "has_session", r);
    }
    for ip in item.nested_all(cx, sc, &["ipAddress", "ip"], "ip") {
        cx.relate(&sc.place, r, "from_ip", ip);
    }
    if let Some(device) = item.nested(cx, sc, &["device", "host"], "device") {
        cx.relate(&sc.place, r, "session_on", device);
    }
    r
}

/// A code repository, its organisation or its user.
pub fn repository<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::Repository);
    let url = rec.owned(&["webUrl", "baseUrl"]);
    let login = rec.owned(&["login"]);
    for key in ["repoId", "orgId", "userId"] {
        let id = rec.owned(&[key]);
        if !id.is_empty() {
            d.strong("id", &format!("{}/{id}", item.word));
        }
    }
    d.prop("url", url).prop("login", login.clone());
    d.name(2, &login).name(3, &rec.owned(&["displayName", "name"]));
    if !d.is_identified() {
        if login.is_empty() {
            d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
        } else {
            d.strong("login", &format!("{}/{login}", item.word));
        }
    }
    item.begin(cx, sc, d)
}
