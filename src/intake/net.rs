//! Addresses, hosts and domains as the formats write them.

/// The host of a URL, lower case, without user, port and brackets; also of one without a scheme.
pub fn host_of(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    let rest = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
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

/// An address in its canonical form; text that is no address stays as it is, in lower case.
pub fn tidy_ip(text: &str) -> String {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V6(v6)) => v6.to_ipv4_mapped().map_or_else(|| v6.to_string(), |v4| v4.to_string()),
        Ok(v4) => v4.to_string(),
        Err(_) => bare.to_lowercase(),
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
        ] {
            assert_eq!(host_of(url).as_deref(), Some(host), "{url}");
        }
        assert_eq!(tidy_url("HTTPS://Ex.com"), "https://ex.com/");
        assert_eq!(tidy_url("Ex.com/A"), "ex.com/A");
    }
}
