//! Addresses, hosts and domains as the formats write them.

/// A URL or host as browsers read it, whatever its spelling: wide characters made plain, `\` as `/`, `[.]` and `hxxp`
/// as they were before somebody defanged them.
fn plainly(url: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let plain = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'\\' | b'[' | b'(');
    let text = if url.bytes().all(plain) {
        url.trim().to_owned()
    } else {
        let text: String = url.trim().nfkc().filter(|c| !crate::diag::human::hidden(*c)).map(|c| if c == '\\' { '/' } else { c }).collect();
        text.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":")
    };
    match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("hxxp") => format!("http{}", text.get(4..).unwrap_or("")),
        _ => text,
    }
}

/// The host of a URL, lower case, without user, port and brackets; also of one without a scheme.
pub fn host_of(url: &str) -> Option<String> {
    let text = plainly(url);
    // A scheme is a word before a colon that slashes follow, however many.
    let rest = match text.split_once(':') {
        Some((scheme, rest)) if rest.starts_with('/') && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) => {
            rest.trim_start_matches('/')
        }
        _ => text.trim_start_matches('/'),
    };
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, r)| r);
    let host = if let Some(v6) = rest.strip_prefix('[') {
        v6.split(']').next().unwrap_or(v6)
    } else if rest.matches(':').count() == 1 {
        rest.split(':').next().unwrap_or(rest)
    } else {
        rest
    };
    let host = host.trim_end_matches('.').to_lowercase();
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some(host)
}

/// A URL in the form in which it is compared: scheme and host in lower case, `/` for an empty path.
pub fn tidy_url(url: &str) -> String {
    let url = url.trim();
    let Some((scheme, rest)) = url.split_once("://") else {
        let cut = rest_start(url);
        let (host, path) = url.split_at_checked(cut).unwrap_or((url, ""));
        return format!("{}{path}", host.to_lowercase());
    };
    let cut = rest_start(rest);
    let (host, path) = rest.split_at_checked(cut).unwrap_or((rest, ""));
    format!("{}://{}{}", scheme.to_lowercase(), host.to_lowercase(), if path.is_empty() { "/" } else { path })
}

fn rest_start(text: &str) -> usize {
    text.find(['/', '?', '#']).unwrap_or(text.len())
}

/// The registered domain of a host by the public suffix list: `example.co.uk` of `www.example.co.uk`.
pub fn registered_domain(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.').to_lowercase();
    if host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    psl::domain_str(&host).map(str::to_owned)
}

/// An address in its canonical form, without brackets, zone and port; one that carries an IPv4 address (mapped, or
/// translated by NAT64) is that address. Text that is no address stays as it is, in lower case.
pub fn tidy_ip(text: &str) -> String {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.split('%').next().unwrap_or(bare);
    let parsed = match bare.parse::<IpAddr>() {
        // There is one way only to write these.
        Ok(IpAddr::V4(_)) => return bare.to_owned(),
        other => other.ok(),
    };
    let parsed = parsed.or_else(|| text.parse::<SocketAddr>().ok().map(|s| s.ip()));
    match parsed {
        Some(IpAddr::V6(v6)) => match v6.octets() {
            [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => Ipv4Addr::new(a, b, c, d).to_string(),
            _ => v6.to_ipv4_mapped().map_or_else(|| v6.to_string(), |v4| v4.to_string()),
        },
        Some(v4) => v4.to_string(),
        None => text.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_every_spelling() {
        for (url, host) in [
            ("https://A.Example.com/x?y", "a.example.com"),
            ("a.example.com", "a.example.com"),
            ("http://u:p@h.example:8080/", "h.example"),
            ("http://[2001:db8::1]:80/", "2001:db8::1"),
            ("hxxps://contoso[.]com/x", "contoso.com"),
            ("https:\\\\contoso.com\\x", "contoso.com"),
            ("https:/contoso.com/x", "contoso.com"),
            ("https://ｃontoso.com/", "contoso.com"),
            ("contoso.com:443", "contoso.com"),
        ] {
            assert_eq!(host_of(url).as_deref(), Some(host), "{url}");
        }
        assert_eq!(tidy_url("HTTPS://Ex.com"), "https://ex.com/");
        assert_eq!(tidy_url("Ex.com/A"), "ex.com/A");
    }

    #[test]
    fn addresses_are_one_in_every_spelling() {
        for (text, tidy) in [
            ("[2001:DB8::1]", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("10.0.0.1:443", "10.0.0.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("64:ff9b::a00:1", "10.0.0.1"),
            ("010.0.0.1", "010.0.0.1"),
        ] {
            assert_eq!(tidy_ip(text), tidy, "{text}");
        }
    }
}
