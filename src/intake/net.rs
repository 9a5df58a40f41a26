//! Addresses, hosts and domains as the formats write them.

use std::borrow::Cow;

/// A URL or host as browsers read it, whatever its spelling: wide characters made plain, `\` as `/`, `[.]` and `hxxp`
/// as they were before somebody defanged them.
fn plainly(url: &str) -> Cow<'_, str> {
    use unicode_normalization::UnicodeNormalization;
    let plain = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'\\' | b'[' | b'(');
    let text = if url.bytes().all(plain) {
        Cow::Borrowed(url.trim())
    } else {
        let text: String = url.trim().nfkc().filter(|c| !crate::diag::human::hidden(*c)).map(|c| if c == '\\' { '/' } else { c }).collect();
        text.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").into()
    };
    match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("hxxp") => format!("http{}", text.get(4..).unwrap_or("")).into(),
        _ => text,
    }
}

/// The host of a URL, lower case, without user, port and brackets; also of one without a scheme.
pub fn host_of(url: &str) -> Option<String> {
    // Often it is a host already.
    if url.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_')) && !url.starts_with("hxxp") {
        return Some(url.trim_end_matches('.').to_owned()).filter(|host| !host.is_empty());
    }
    let text = plainly(url);
    // A scheme is a word before a colon that slashes follow, however many.
    let rest = match text.split_once(':') {
        Some((scheme, rest)) if rest.starts_with('/') && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) => {
            rest.trim_start_matches('/')
        }
        _ => text.trim_start_matches('/'),
    };
    let rest = rest.get(..rest_start(rest)).unwrap_or(rest);
    let rest = rest.bytes().rposition(|b| b == b'@').and_then(|at| rest.get(at.saturating_add(1)..)).unwrap_or(rest);
    let host = if let Some(v6) = rest.strip_prefix('[') {
        v6.split(']').next().unwrap_or(v6)
    } else if rest.bytes().filter(|b| *b == b':').count() == 1 {
        rest.split(':').next().unwrap_or(rest)
    } else {
        rest
    };
    let host = host.trim_end_matches('.');
    if host.bytes().all(|b| matches!(b, b'!'..=b'@' | b'['..=b'~')) {
        return Some(host.to_owned()).filter(|host| !host.is_empty());
    }
    let host = host.to_lowercase();
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some(host)
}

/// A URL in the form in which it is compared: scheme and host in lower case, `/` for an empty path.
pub fn tidy_url(url: &str) -> Cow<'_, str> {
    let url = url.trim();
    let Some((scheme, rest)) = scheme(url) else {
        let cut = rest_start(url);
        let (host, path) = url.split_at_checked(cut).unwrap_or((url, ""));
        return if is_lower(host) { url.into() } else { format!("{}{path}", host.to_lowercase()).into() };
    };
    let cut = rest_start(rest);
    let (host, path) = rest.split_at_checked(cut).unwrap_or((rest, ""));
    if is_lower(scheme) && is_lower(host) && !path.is_empty() {
        return url.into();
    }
    format!("{}://{}{}", scheme.to_lowercase(), host.to_lowercase(), if path.is_empty() { "/" } else { path }).into()
}

/// Whether lower case changes nothing, told at a glance.
fn is_lower(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase())
}

/// A URL in two, where `://` stands in it.
pub fn scheme(url: &str) -> Option<(&str, &str)> {
    let at = url.as_bytes().windows(3).position(|three| three == b"://")?;
    let (scheme, rest) = url.split_at_checked(at)?;
    Some((scheme, rest.get(3..)?))
}

/// Where the path of a URL without its scheme begins, or what stands there instead.
pub fn rest_start(text: &str) -> usize {
    text.bytes().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(text.len())
}

/// The registered domain of a host by the public suffix list: `example.co.uk` of `www.example.co.uk`.
pub fn registered_domain(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.');
    let host = if is_lower(host) { Cow::Borrowed(host) } else { host.to_lowercase().into() };
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
            ("contoso.com.", "contoso.com"),
            ("hxxp.contoso.com", "http.contoso.com"),
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
