//! Drafts of the kinds that several formats know: here stands, once, what identifies each of them.

use super::builder::{Draft, Ref};
use super::context::{Context, Place};
use super::net;
use crate::model::Kind;

/// A hint for ids that are text of a form: `S-1-5-21-…` and `S-1-12-1-…` identify, short ones do not.
pub fn is_strong_sid(sid: &str) -> bool {
    let sid = sid.trim().to_ascii_uppercase();
    sid.starts_with("S-1-5-21-") || sid.starts_with("S-1-12-1-")
}

/// Whether a text looks like an address or user principal name.
pub fn is_address(text: &str) -> bool {
    text.trim().split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains('@') && !text.trim().contains(char::is_whitespace))
}

/// The domain of an address, lower case.
pub fn domain_of(address: &str) -> Option<String> {
    address.trim().rsplit_once('@').map(|(_, d)| d.trim_end_matches('>').to_lowercase()).filter(|d| !d.is_empty())
}

/// The address in `Ada <ada@example.com>`, or the text itself.
pub fn bare_address(text: &str) -> &str {
    text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(a, _)| a).trim()
}

/// What a source says of an account.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// User principal name.
    pub upn: String,
    /// Object id in the directory.
    pub aad: String,
    /// Security identifier.
    pub sid: String,
    /// Account name without its domain.
    pub account: String,
    /// Its domain.
    pub domain: String,
    /// The name for people.
    pub display: String,
    /// An id that the product itself gives, e.g. an ARN; strong.
    pub own: String,
}

impl User {
    /// Whether nothing is known.
    pub fn is_blank(&self) -> bool {
        [&self.upn, &self.aad, &self.sid, &self.account, &self.display, &self.own].iter().all(|t| t.trim().is_empty())
    }

    /// Whether it is an account of the operating system, which stands for nobody.
    pub fn is_built_in(&self) -> bool {
        let domain = self.domain.trim().to_lowercase();
        let account = self.account.trim().to_lowercase();
        matches!(self.sid.trim().to_ascii_uppercase().as_str(), "S-1-5-18" | "S-1-5-19" | "S-1-5-20" | "S-1-5-7" | "S-1-0-0")
            || self.sid.to_ascii_uppercase().starts_with("S-1-5-80-")
            || self.sid.to_ascii_uppercase().starts_with("S-1-5-82-")
            || self.sid.to_ascii_uppercase().starts_with("S-1-5-90-")
            || self.sid.to_ascii_uppercase().starts_with("S-1-5-96-")
            || matches!(
                domain.as_str(),
                "nt authority"
                    | "nt service"
                    | "nt-autorität"
                    | "autorite nt"
                    | "window manager"
                    | "font driver host"
                    | "iis apppool"
                    | "nt virtual machine"
            )
            || (self.upn.is_empty()
                && self.aad.is_empty()
                && !is_strong_sid(&self.sid)
                && (matches!(
                    account.as_str(),
                    "system"
                        | "local service"
                        | "network service"
                        | "localservice"
                        | "networkservice"
                        | "anonymous logon"
                        | "root"
                        | "nobody"
                        | "daemon"
                ) || account.strip_prefix("dwm-").or(account.strip_prefix("umfd-")).is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()))))
    }
}

/// A record of an account. `digest` stands for the record where nothing else does.
pub fn user_draft(cx: &mut Context, place: &Place, u: &User, digest: &str) -> Draft {
    let mut d = Draft::new(Kind::User);
    let account = if u.account.is_empty() { u.upn.split('@').next().unwrap_or("") } else { &u.account };
    d.lower("upn", &u.upn).prop("object_id", u.aad.clone()).prop("sid", u.sid.clone());
    d.prop("account_name", account).lower("domain", &u.domain).prop("display_name", u.display.clone());
    d.name(3, &u.display).name(2, &u.upn).name(1, &u.account);
    if u.is_built_in() {
        let name = [&u.account, &u.display, &u.sid].into_iter().find(|t| !t.is_empty()).map_or("", |t| t);
        let whole = if u.domain.is_empty() { name.to_owned() } else { format!("{}\\{name}", u.domain) };
        d.tag("built-in").scoped("sam", &whole, None).weak("record", &format!("{}/{whole}", place.id));
        return d;
    }
    if is_strong_sid(&u.sid) {
        d.strong("sid", &u.sid);
    }
    d.strong("upn", &u.upn).strong("aad", &u.aad).strong("object", &u.own);
    if !u.domain.is_empty() && !u.account.is_empty() {
        d.weak("sam", &format!("{}\\{}", u.domain, u.account));
    }
    if !d.is_identified() {
        let name = [&u.account, &u.display, &u.sid].into_iter().find(|t| !t.is_empty()).map_or("", |t| t);
        d.weak("record", &format!("{}/{name}/{digest}", place.id));
    }
    for (ns, id) in [("upn", &u.upn), ("aad", &u.aad), ("sid", &u.sid)] {
        if !id.is_empty() && !account.is_empty() && !u.domain.is_empty() && (ns != "sid" || is_strong_sid(id)) {
            cx.account(account, &u.domain, ns, id);
        }
    }
    d
}

/// A user that another record only names, by address: it is one only if some record describes it.
pub fn maybe_user(cx: &mut Context, place: &Place, upn: &str) -> Ref {
    let mut d = Draft::new(Kind::User);
    d.strong("upn", upn).tentative();
    cx.add(place, d)
}

/// What a source says of a device.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The product's device id.
    pub product: String,
    /// A name: alone, or full.
    pub host: String,
    /// Its DNS domain.
    pub domain: String,
    /// The full DNS name.
    pub fqdn: String,
    /// Object id in the directory.
    pub aad: String,
    /// Id of the virtual machine.
    pub vm: String,
    /// The cloud's resource id.
    pub resource: String,
    /// Serial number.
    pub serial: String,
}

impl Device {
    /// Whether nothing identifies it.
    pub fn is_blank(&self) -> bool {
        [&self.product, &self.host, &self.fqdn, &self.aad, &self.vm, &self.resource, &self.serial].iter().all(|t| t.trim().is_empty())
    }
}

/// A record of a device.
pub fn device_draft(v: &Device) -> Draft {
    let mut d = Draft::new(Kind::Device);
    let tidy = |t: &str| t.trim().trim_end_matches('.').to_lowercase();
    let (host, domain) = (tidy(&v.host), tidy(&v.domain));
    let is_ip = host.parse::<std::net::IpAddr>().is_ok();
    let fqdn = if v.fqdn.contains('.') {
        tidy(v.fqdn.trim_end_matches('.'))
    } else if host.contains('.') && !is_ip {
        host.clone()
    } else if !host.is_empty() && !is_ip && domain.contains('.') {
        format!("{host}.{domain}")
    } else {
        String::new()
    };
    let short = if is_ip {
        host.clone()
    } else {
        [&host, &fqdn, &tidy(&v.fqdn)].into_iter().find(|t| !t.is_empty()).map_or("", |t| t).split('.').next().unwrap_or("").to_owned()
    };
    let domain = if domain.is_empty() { fqdn.split_once('.').map_or("", |(_, d)| d).to_owned() } else { domain };
    d.strong("product", &v.product)
        .strong("fqdn", &fqdn)
        .strong("aad", &v.aad)
        .strong("vm", &v.vm)
        .strong("resource", &v.resource)
        .strong("serial", &v.serial);
    d.weak("host", &short);
    d.lower("host_name", &short).lower("fqdn", &fqdn).lower("domain", &domain).prop("object_id", v.aad.clone());
    d.prop("vm_id", v.vm.clone()).prop("resource_id", v.resource.clone());
    d.name(3, &short).name(2, &fqdn).name(1, &v.product);
    d
}

/// A device that another record names by the product's id.
pub fn device_by_product(cx: &mut Context, place: &Place, id: &str) -> Option<Ref> {
    let v = Device { product: id.trim().to_owned(), ..Device::default() };
    (!v.is_blank()).then(|| {
        let d = device_draft(&v);
        cx.add(place, d)
    })
}

/// An address that a device has: an entity of the incident, not of the alert, which is not about it.
pub fn device_address(cx: &mut Context, place: &Place, device: Ref, address: &str) {
    if address.trim().parse::<std::net::IpAddr>().is_ok() {
        let d = ip_draft(address);
        let ip = cx.add_apart(d);
        cx.relate(place, device, "has_ip", ip);
    }
}

/// What a source says of a file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Name, or whole path.
    pub name: String,
    /// Folder, or whole path.
    pub folder: String,
    /// Hashes by algorithm: `sha256`, `sha1`, `md5`.
    pub hashes: Vec<(String, String)>,
}

/// Whether a text is a hash of this kind.
pub fn is_hash(ns: &str, value: &str) -> bool {
    let wanted = match ns {
        "sha256" => 64,
        "sha1" => 40,
        "md5" => 32,
        _ => return false,
    };
    value.len() == wanted && value.bytes().all(|b| b.is_ascii_hexdigit())
}

impl File {
    /// Adds a hash, if it is one; says whether it was.
    pub fn hash(&mut self, algorithm: &str, value: &str) -> bool {
        let ns = match crate::model::level::squash(algorithm).as_str() {
            "sha256" => "sha256",
            "sha1" => "sha1",
            "md5" => "md5",
            _ => return false,
        };
        let value = value.trim().to_lowercase();
        let good = is_hash(ns, &value);
        if good {
            self.hashes.push((ns.to_owned(), value));
        }
        good
    }

    /// Whether nothing is known.
    pub fn is_blank(&self) -> bool {
        self.name.trim().is_empty() && self.folder.trim().is_empty() && self.hashes.is_empty()
    }

    /// Its folder and its name.
    pub fn parts(&self) -> (String, String) {
        let split = |t: &str| t.rsplit_once(['\\', '/']).map(|(a, b)| (a.to_owned(), b.to_owned()));
        let (name, folder) = (self.name.trim(), self.folder.trim());
        match (split(name), name.is_empty()) {
            (Some((f, n)), _) if !n.is_empty() => (f, n),
            (_, true) => split(folder).unwrap_or_else(|| (String::new(), folder.to_owned())),
            _ => {
                // Some sources give the whole path where others give the folder.
                let whole = split(folder).filter(|(_, last)| last.eq_ignore_ascii_case(name));
                (whole.map_or_else(|| folder.trim_end_matches(['\\', '/']).to_owned(), |(f, _)| f), name.to_owned())
            }
        }
    }

    /// The whole path, as far as it is known.
    pub fn path(&self) -> String {
        let (folder, name) = self.parts();
        if folder.is_empty() {
            return name;
        }
        let separator = if folder.contains('/') && !folder.contains('\\') { '/' } else { '\\' };
        format!("{folder}{separator}{name}")
    }
}

/// A record of a file; without a hash it is told apart by where it lies.
pub fn file_draft(f: &File, device: Option<Ref>) -> Draft {
    let mut d = Draft::new(Kind::File);
    for (ns, value) in &f.hashes {
        d.strong(ns, value).prop(ns, value.clone());
    }
    let (folder, name) = f.parts();
    d.prop("folder", folder).name(2, &name);
    let path = f.path();
    d.name(1, &path);
    d.scoped("path", &path, device);
    d
}

/// A record of a file, laid on its device.
pub fn file(cx: &mut Context, place: &Place, f: &File, device: Option<Ref>) -> Option<Ref> {
    if f.is_blank() {
        return None;
    }
    let d = file_draft(f, device);
    let r = cx.add(place, d);
    if let Some(device) = device {
        cx.relate(place, r, "on", device);
    }
    Some(r)
}

/// What a source says of a process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Process id.
    pub pid: String,
    /// When it was created, as the source writes it.
    pub created: Option<crate::model::Time>,
    /// Command line.
    pub command_line: String,
    /// Its program.
    pub image: File,
}

/// A record of a process: known by device, id and creation time; without the time it is one of its alert only.
pub fn process_draft(place: &Place, p: &Process, digest: &str, device: Option<Ref>) -> Draft {
    let mut d = Draft::new(Kind::Process);
    let (folder, name) = p.image.parts();
    match p.created.filter(|_| !p.pid.is_empty()) {
        Some(at) => {
            d.scoped("process", &format!("{}@{at}", p.pid), device);
        }
        None => {
            d.weak("record", &format!("{}/{}/{digest}", place.id, if p.pid.is_empty() { &name } else { &p.pid }));
        }
    }
    d.prop("pid", pid(&p.pid)).prop("command_line", p.command_line.clone()).prop("image_name", name.clone());
    if !folder.is_empty() {
        d.prop("image_path", p.image.path());
    }
    if let Some(at) = p.created {
        d.prop("created", at.to_string());
    }
    let label = match (name.is_empty(), p.pid.is_empty()) {
        (false, false) => format!("{name} ({})", p.pid),
        (false, true) => name,
        (true, false) => format!("process {}", p.pid),
        (true, true) => p.command_line.clone(),
    };
    d.name(1, &label);
    d
}

/// A process id in decimal, also of one that is written in hexadecimal.
pub fn pid(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix("0x").and_then(|h| i64::from_str_radix(h, 16).ok()) {
        Some(n) => n.to_string(),
        None => text.to_owned(),
    }
}

/// A record of an address.
pub fn ip_draft(address: &str) -> Draft {
    let mut d = Draft::new(Kind::Ip);
    let tidy = net::tidy_ip(address);
    d.strong("address", &tidy).prop("address", tidy.clone()).name(1, &tidy);
    d
}

/// A record of a URL.
pub fn url_draft(url: &str) -> Draft {
    let mut d = Draft::new(Kind::Url);
    let tidy = net::tidy_url(url);
    url_props(&mut d, &tidy);
    d.exact("url", &tidy).name(1, &tidy);
    d
}

/// What is known of a URL from its text.
pub fn url_props(d: &mut Draft, url: &str) {
    d.prop("url", url);
    if let Some(host) = net::host_of(url) {
        if let Some(registered) = net::registered_domain(&host) {
            d.prop("registered_domain", registered.clone()).prop("domain", registered);
        }
        d.prop("host", host);
    }
    let authority = net::scheme(url).map_or(url, |(_, r)| r);
    let authority = authority.get(..net::rest_start(authority)).unwrap_or("");
    if let Some((_, port)) = authority.rsplit_once(':').filter(|(_, p)| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())) {
        d.prop("port", port);
    }
}

/// A record of a DNS name.
pub fn domain_draft(name: &str) -> Draft {
    let mut d = Draft::new(Kind::Domain);
    let name = name.trim().trim_end_matches('.').to_lowercase();
    d.strong("name", &name).name(1, &name);
    super::builder::domain_props(&mut d, &name);
    d
}

/// A record of a mailbox.
pub fn mailbox_draft(address: &str) -> Draft {
    let mut d = Draft::new(Kind::Mailbox);
    d.strong("address", address).lower("address", address).name(1, &address.trim().to_lowercase());
    d
}

/// What a source says of a message.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// Network message id, or another id of it.
    pub id: String,
    /// Message-ID header.
    pub internet_id: String,
    /// Recipient's address.
    pub recipient: String,
    /// The sender that the reader sees.
    pub sender: String,
    /// The sender's display name.
    pub sender_name: String,
    /// The address that handed it over.
    pub sender_ip: String,
    /// Subject.
    pub subject: String,
    /// Its direction, as the source words it.
    pub direction: String,
    /// Where it lies.
    pub location: String,
    /// What was done with it.
    pub action: String,
    /// When it was received.
    pub received: Option<crate::model::Time>,
}

/// A record of a message.
pub fn mail_draft(place: &Place, m: &Mail, digest: &str) -> Draft {
    let mut d = Draft::new(Kind::Email);
    let (recipient, sender) = (bare_address(&m.recipient), bare_address(&m.sender));
    d.prop("message_id", m.id.clone()).prop("internet_message_id", m.internet_id.clone());
    d.lower("recipient", recipient).lower("sender", sender).prop("sender_name", m.sender_name.clone());
    d.prop("sender_ip", if m.sender_ip.is_empty() { String::new() } else { net::tidy_ip(&m.sender_ip) });
    d.prop("subject", m.subject.clone());
    d.prop("antispam_direction", crate::model::level::squash(&known(&m.direction)))
        .prop("delivery_location", known(&m.location))
        .prop("delivery_action", known(&m.action));
    if let Some(domain) = domain_of(sender) {
        d.prop("domain", domain);
    }
    if let Some(at) = m.received {
        d.prop("received", at.to_string());
    }
    if let Some(delivered) = super::vocabulary::delivered(&m.location, &m.action) {
        d.prop("delivered", delivered.to_string());
        if delivered {
            d.prop("was_delivered", "true");
        }
    }
    d.name(2, &m.subject).name(1, &m.id);
    if m.id.is_empty() {
        // A Message-ID is the sender's to choose, and one for all recipients.
        if m.internet_id.is_empty() {
            d.weak("record", &format!("{}/{}/{digest}", place.id, recipient.to_lowercase()));
        } else {
            d.strong("internet_message", &format!("{}/{}", m.internet_id, recipient.to_lowercase()));
        }
    } else if !m.internet_id.is_empty() {
        d.alias("internet_message", &m.internet_id);
    }
    d
}

/// Relates a message to its sender, its recipient and the address it came from.
pub fn mail_links(cx: &mut Context, place: &Place, r: Ref, m: &Mail) {
    let (recipient, sender) = (bare_address(&m.recipient), bare_address(&m.sender));
    if !m.id.is_empty() {
        cx.mail(r, &m.id, is_address(recipient).then(|| recipient.to_owned()));
    }
    if is_address(recipient) {
        let d = mailbox_draft(recipient);
        let mailbox = cx.add(place, d);
        cx.relate_at(place, r, "sent_to", mailbox, m.received);
        let owner = maybe_user(cx, place, recipient);
        cx.relate(place, owner, "owns", mailbox);
    }
    if is_address(sender) {
        sent_by(cx, place, r, m, sender, recipient);
    }
    if m.sender_ip.trim().trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
        let d = ip_draft(&m.sender_ip);
        let ip = cx.add(place, d);
        cx.relate_at(place, r, "from_ip", ip, m.received);
    }
}

/// The sender: a user of ours where some record describes one, or where sender and recipient share a domain; else a mailbox.
fn sent_by(cx: &mut Context, place: &Place, mail: Ref, m: &Mail, sender: &str, recipient: &str) {
    let user = maybe_user(cx, place, sender);
    cx.relate_at(place, mail, "sent_by", user, m.received);
    let inside = domain_of(sender).is_some_and(|d| domain_of(recipient).as_ref() == Some(&d));
    if inside || crate::model::level::squash(&m.direction) == "intraorg" {
        let mut d = Draft::new(Kind::User);
        d.strong("upn", sender).lower("upn", sender).name(3, &m.sender_name).name(2, &sender.to_lowercase());
        if let Some(domain) = domain_of(sender) {
            d.prop("domain", domain);
        }
        let real = cx.add(place, d);
        cx.relate_at(place, mail, "sent_by", real, m.received);
    } else {
        let mut d = mailbox_draft(sender);
        d.name(2, &m.sender_name).unless(user);
        let outside = cx.add(place, d);
        cx.relate_at(place, mail, "sent_by", outside, m.received);
    }
}

/// A word of the source in lower snake case; `unknown` is no word.
pub fn known(text: &str) -> String {
    super::vocabulary::status(text)
}

/// A record of a resource in a cloud, by the provider's id.
pub fn resource_draft(id: &str, name: &str, kind: &str, provider: &str) -> Draft {
    let mut d = Draft::new(Kind::CloudResource);
    let last = id.rsplit(['/', ':']).next().unwrap_or(id);
    d.strong("resource", id).prop("resource_id", id).prop("resource_type", kind).prop("provider", provider);
    d.name(3, name).name(1, last);
    if let Some(subscription) = id.to_lowercase().strip_prefix("/subscriptions/").and_then(|r| r.split('/').next().map(str::to_owned)) {
        d.prop("subscription", subscription);
    }
    d
}
