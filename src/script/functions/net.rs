//! Addresses, networks, domains, URLs, paths.

use std::net::IpAddr;

use super::{table, text};
use crate::intake::net::{host_of, registered_domain};
use crate::script::network::Net;
use crate::script::value::Value;

/// The networks that nobody outside an organisation can be reached by (RFC 1918, 6598, 4193, 3927, 4291).
const PRIVATE: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "0.0.0.0/8",
    "::/128",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

fn is_private(t: &str) -> bool {
    t.parse::<IpAddr>().is_ok_and(|ip| PRIVATE.iter().filter_map(|n| Net::parse(n)).any(|n| n.holds(ip)))
}

fn last_part(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

table! { "Addresses, domains and paths":
    Text.in_network(network: Network) -> Bool, "Whether it is an address in the network.", r#""203.0.113.7".in_network("203.0.113.0/24")"# => "true", |_, a| {
        Ok(matches!((a.get(1), text(a, 0).parse::<IpAddr>()), (Some(Value::Net(n)), Ok(ip)) if n.holds(ip)).into())
    };
    Text.is_ip() -> Bool, "Whether it is an IP address.", r#""2001:db8::1".is_ip()"# => "true", |_, a| Ok(text(a, 0).parse::<IpAddr>().is_ok().into());
    Text.is_private_ip() -> Bool, "Whether it is a private, shared, link-local or loopback address. Others, multicast and reserved ones included, may be an attacker's in anonymised data.", r#""10.1.2.3".is_private_ip()"# => "true", |_, a| {
        Ok(is_private(text(a, 0)).into())
    };
    Text.host() -> Text ? true, "The host of a URL, lower case.", r#""https://Login.Example.net/a".host()"# => "\"login.example.net\"", |_, a| Ok(host_of(text(a, 0)).into());
    Text.mail_domain() -> Text ? true, "The domain of a mail address, lower case.", r#""Ada@Contoso.com".mail_domain()"# => "\"contoso.com\"", |_, a| {
        Ok(text(a, 0).rsplit_once('@').map(|(_, d)| d.to_lowercase()).into())
    };
    Text.registered_domain() -> Text ? true, "The registered domain by the public suffix list, private suffixes included.", r#""www.example.co.uk".registered_domain()"# => "\"example.co.uk\"", |_, a| {
        Ok(registered_domain(text(a, 0)).into())
    };
    Text.is_subdomain_of(domain: Text) -> Bool, "Whether it is the domain or lies below it.", r#""a.b.example".is_subdomain_of("b.example")"# => "true", |_, a| {
        let (name, domain) = (text(a, 0).to_lowercase(), text(a, 1).to_lowercase());
        Ok(name.strip_suffix(domain.as_str()).is_some_and(|rest| !domain.is_empty() && (rest.is_empty() || rest.ends_with('.'))).into())
    };
    Text.file_name() -> Text, "The last part of a path, `\\\\` or `/`.", r#""C:\\Windows\\System32\\cmd.exe".file_name()"# => "\"cmd.exe\"", |_, a| Ok(last_part(text(a, 0)).into());
    Text.folder() -> Text, "A path without its last part.", r#""/tmp/x/y.sh".folder()"# => "\"/tmp/x\"", |_, a| {
        let path = text(a, 0);
        Ok(path.strip_suffix(last_part(path)).unwrap_or("").trim_end_matches(['\\', '/']).into())
    };
    Text.extension() -> Text, "What follows the last dot of a file name, lower case; empty when there is none.", r#""Report.PDF".extension()"# => "\"pdf\"", |_, a| {
        Ok(last_part(text(a, 0)).rsplit_once('.').map_or_else(String::new, |(_, e)| e.to_lowercase()).into())
    };
}
