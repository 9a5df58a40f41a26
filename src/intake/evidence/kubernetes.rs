//! Kubernetes and containers. Names hold within what the record lies in: a pod within its namespace, that within its cluster.

use super::{Item, Scene, props};
use crate::intake::builder::{Draft, Ref};
use crate::intake::context::Context;
use crate::intake::records;
use crate::model::Kind;

/// Names a record within what it lies in, or within its alert.
fn named<'a>(cx: &mut Context, sc: &Scene<'a>, r: Ref, name: &str, outer: Option<Ref>, digest: &str) {
    let weak = format!("{}/{name}/{digest}", sc.place.id);
    let Some(d) = cx.b.draft(r) else { return };
    match outer {
        Some(outer) if !name.is_empty() => {
            d.scoped("name", name, Some(outer));
        }
        _ => {
            d.weak("record", &weak);
        }
    }
}

/// A cluster.
pub fn cluster<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let name = rec.owned(&["name"]);
    let mut d = Draft::new(Kind::Cluster);
    d.name(1, &name);
    props(rec, &mut d, &[("platform", &["platform"])]);
    if let Some(id) = rec.peek("cloudResource").and_then(|j| ["resourceId", "amazonResourceId", "fullResourceName"].iter().find_map(|k| j.text(k))) {
        d.strong("resource", id);
    } else if !name.is_empty() {
        d.strong("name", &name);
    } else {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    let r = item.begin(cx, sc, d);
    if let Some(outer) = item.nested(cx, sc, &["cloudResource"], "cloudresource") {
        cx.relate(&sc.place, r, "in", outer);
    }
    r
}

/// A namespace.
pub fn namespace<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let name = item.rec.owned(&["name"]);
    let mut d = Draft::new(Kind::Namespace);
    d.name(1, &name);
    let r = item.begin(cx, sc, d);
    let outer = item.nested(cx, sc, &["cluster"], "kubernetescluster");
    if let Some(outer) = outer {
        cx.relate(&sc.place, r, "in", outer);
    }
    named(cx, sc, r, &name, outer, &item.digest());
    r
}

/// A controller or a service.
pub fn workload<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let name = rec.owned(&["name"]);
    let mut d = Draft::new(Kind::Workload);
    d.name(1, &name);
    let r = item.begin(cx, sc, d);
    let outer = item.nested(cx, sc, &["namespace"], "kubernetesnamespace");
    if let Some(outer) = outer {
        cx.relate(&sc.place, r, "runs_in", outer);
    }
    let kind = if item.word.contains("service") {
        "service".to_owned()
    } else {
        rec.json().text("type").filter(|t| !t.to_lowercase().contains("k8s")).unwrap_or("controller").to_lowercase()
    };
    let scoped = if name.is_empty() { String::new() } else { format!("{kind}/{name}") };
    named(cx, sc, r, &scoped, outer, &item.digest());
    for key in ["clusterIP", "externalIPs"] {
        for ip in item.nested_all(cx, sc, &[key], "ip") {
            cx.relate(&sc.place, r, "has_ip", ip);
        }
    }
    r
}

/// A pod with its containers, controller, service account and address.
pub fn pod<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let name = item.rec.owned(&["name"]);
    let mut d = Draft::new(Kind::Pod);
    d.name(1, &name);
    let r = item.begin(cx, sc, d);
    let outer = item.nested(cx, sc, &["namespace"], "kubernetesnamespace");
    if let Some(outer) = outer {
        cx.relate(&sc.place, r, "runs_in", outer);
    }
    named(cx, sc, r, &name, outer, &item.digest());
    if let Some(controller) = item.nested(cx, sc, &["controller"], "kubernetescontroller") {
        cx.relate(&sc.place, r, "runs_in", controller);
    }
    if let Some(account) = item.nested(cx, sc, &["serviceAccount"], "kubernetesserviceaccount") {
        cx.relate(&sc.place, r, "uses", account);
    }
    for ip in item.nested_all(cx, sc, &["podIp"], "ip") {
        cx.relate(&sc.place, r, "has_ip", ip);
    }
    for address in item.list(&["podIp"]) {
        records::device_address(cx, &sc.place, r, &address);
    }
    for key in ["containers", "ephemeralContainers", "initContainers"] {
        for container in item.nested_all(cx, sc, &[key], "container") {
            cx.relate(&sc.place, container, "in", r);
        }
    }
    r
}

/// A container.
pub fn container<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::Container);
    let (id, name) = (rec.owned(&["containerId"]), rec.owned(&["name"]));
    d.strong("id", &id).name(2, &name).name(1, &id);
    props(rec, &mut d, &[("privileged", &["isPrivileged"])]);
    d.list("arguments", item.list(&["args"])).list("command", item.list(&["command"]));
    let image = rec.peek("image").and_then(|j| j.text("imageId").map(str::to_owned));
    d.prop("image_name", image.unwrap_or_default());
    let r = item.begin(cx, sc, d);
    let pod = item.nested(cx, sc, &["pod"], "kubernetespod");
    if let Some(pod) = pod {
        cx.relate(&sc.place, r, "in", pod);
    }
    if id.is_empty() {
        named(cx, sc, r, &name, pod, &item.digest());
    }
    if let Some(image) = item.nested(cx, sc, &["image"], "containerimage") {
        cx.relate(&sc.place, r, "uses", image);
    }
    r
}

/// An image, or the registry that images come from.
pub fn image<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::Image);
    let id = rec.owned(&["imageId", "name"]);
    let registry = if item.word == "containerregistry" { rec.owned(&["registry", "name"]) } else { String::new() };
    if let Some((_, digest)) = id.split_once("@sha256:") {
        d.prop("digest", format!("sha256:{digest}"));
    }
    d.prop("digest", rec.owned(&["digest"]));
    d.strong("id", &id).strong("name", &registry).name(1, &id).name(1, &registry);
    if !d.is_identified() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    let r = item.begin(cx, sc, d);
    if let Some(by_digest) = item.nested(cx, sc, &["digestImage"], "containerimage") {
        cx.relate(&sc.place, r, "in", by_digest);
    }
    if item.word == "containerimage"
        && let Some(registry) = item.nested(cx, sc, &["registry"], "containerregistry")
    {
        cx.relate(&sc.place, r, "in", registry);
    }
    r
}

/// A secret.
pub fn secret<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let name = item.rec.owned(&["name"]);
    let mut d = Draft::new(Kind::Secret);
    d.name(1, &name);
    let r = item.begin(cx, sc, d);
    let outer = item.nested(cx, sc, &["namespace"], "kubernetesnamespace");
    if let Some(outer) = outer {
        cx.relate(&sc.place, r, "in", outer);
    }
    named(cx, sc, r, &name, outer, &item.digest());
    r
}
