//! Addresses, URLs, names, connections and network interfaces.

use super::{Item, Scene, props};
use crate::intake::builder::{Draft, Ref};
use crate::intake::context::Context;
use crate::intake::json::Json;
use crate::intake::rec::Rec;
use crate::intake::{net, records};
use crate::model::Kind;

/// Where an address is: Graph's `location`, Sentinel's `Location`.
pub fn geo(rec: &Rec<'_>, d: &mut Draft) {
    let table: &[(&str, &[&str])] =
        &[("city", &["city"]), ("region", &["state", "region"]), ("asn", &["asn"]), ("carrier", &["carrier", "isp", "organization"])];
    props(rec, d, table);
    if let Some(code) = rec.any(&["countryCode", "countryLetterCode", "country"]) {
        d.prop("country", code.to_uppercase());
    }
    if let (Some(lat), Some(long)) = (rec.text("latitude"), rec.text("longitude")) {
        d.prop("latitude_longitude", format!("{lat},{long}"));
    }
}

/// An address.
pub fn ip<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let rec = &item.rec;
    let address = rec.owned(&["ipAddress", "address"]);
    let mut d = records::ip_draft(&address);
    if address.is_empty() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    let location = rec.object("location");
    if let Some(location) = &location {
        geo(location, &mut d);
    }
    if let Some(code) = rec.text("countryLetterCode") {
        d.prop("country", code.to_uppercase());
    }
    props(rec, &mut d, &[("risk", &["riskScore"])]);
    let r = item.begin(cx, sc, d);
    if let Some(location) = &location {
        cx.keep_rest(r, location, "location");
    }
    Some(r)
}

/// A URL.
pub fn url<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let url = item.rec.owned(&["url"]);
    let d = if url.is_empty() {
        let mut d = Draft::new(Kind::Url);
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
        d
    } else {
        records::url_draft(&url)
    };
    Some(item.begin(cx, sc, d))
}

/// A DNS name and what it resolved to.
pub fn dns<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let name = item.rec.owned(&["domainName", "name", "domain"]);
    let mut d = records::domain_draft(&name);
    if name.is_empty() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    let r = item.begin(cx, sc, d);
    for ip in item.nested_all(cx, sc, &["ipAddresses", "ipAddress"], "ip") {
        cx.relate(&sc.place, r, "resolves_to", ip);
    }
    for address in item.list(&["ipAddresses", "ipAddress"]) {
        let d = records::ip_draft(&address);
        let ip = cx.add(&sc.place, d);
        cx.relate(&sc.place, r, "resolves_to", ip);
    }
    // The server that answered and the host that asked are addresses of their own.
    for key in ["dnsServerIp", "hostIpAddress"] {
        if matches!(item.rec.peek(key), Some(Json::Map(_))) {
            item.nested(cx, sc, &[key], "ip");
        }
    }
    Some(r)
}

/// A network connection.
pub fn connection<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let end = |key: &str| match sc.look(rec, key) {
        Some(json) => Rec::new(json, "").map(|r| r.owned(&["ipAddress", "address"])).unwrap_or_default(),
        None => rec.owned(&[key]),
    };
    let (from, to) = (end("sourceAddress"), end("destinationAddress"));
    let (from_port, to_port, protocol) = (rec.owned(&["sourcePort"]), rec.owned(&["destinationPort"]), rec.owned(&["protocol"]));
    let mut d = Draft::new(Kind::Connection);
    d.weak("record", &format!("{}/{}:{from_port}>{}:{to_port}/{protocol}", sc.place.id, net::tidy_ip(&from), net::tidy_ip(&to)));
    d.prop("source_port", from_port).prop("destination_port", to_port.clone()).prop("protocol", protocol);
    d.name(1, &format!("{} → {}:{to_port}", net::tidy_ip(&from), net::tidy_ip(&to)));
    let r = item.begin(cx, sc, d);
    for (key, text, rel) in [("sourceAddress", from, "from_ip"), ("destinationAddress", to, "connected_to")] {
        let ip = match item.nested(cx, sc, &[key], "ip") {
            Some(ip) => Some(ip),
            None if text.parse::<std::net::IpAddr>().is_ok() => {
                let d = records::ip_draft(&text);
                Some(cx.add(&sc.place, d))
            }
            None => None,
        };
        if let Some(ip) = ip {
            cx.relate(&sc.place, r, rel, ip);
        }
    }
    r
}

/// A network interface.
pub fn nic<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::Nic);
    let mac = rec.owned(&["macAddress"]).to_lowercase().replace('-', ":");
    if mac.is_empty() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    d.strong("address", &mac).prop("address", mac.clone()).prop("mac", mac.clone()).name(1, &mac);
    d.list("vlans", item.list(&["vlans"]));
    let r = item.begin(cx, sc, d);
    for ip in item.nested_all(cx, sc, &["ipAddress"], "ip") {
        cx.relate(&sc.place, r, "has_ip", ip);
    }
    for address in item.list(&["ipAddress"]) {
        let d = records::ip_draft(&address);
        let ip = cx.add(&sc.place, d);
        cx.relate(&sc.place, r, "has_ip", ip);
    }
    r
}
