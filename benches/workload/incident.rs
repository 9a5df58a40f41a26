//! Incidents as a program has them that was written for them alone: one plain type a kind, and the JSON that says the same.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::rng::Rng;
use super::words::*;

/// informational, low, medium, high, critical.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Level(pub u8);

pub const LEVELS: &[&str] = &["informational", "low", "medium", "high", "critical"];

impl Level {
    pub fn word(self) -> &'static str {
        LEVELS[self.0 as usize]
    }
}

/// The type of a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ty {
    Text,
    Int,
    Bool,
    Level,
}

/// A property's type, and how it is written.
pub trait Cell {
    const TY: Ty;
    /// As incidents have it.
    fn json(&self) -> Value;
    /// As other engines get it: a level is a number.
    fn plain(&self) -> Value {
        self.json()
    }
}

impl Cell for String {
    const TY: Ty = Ty::Text;
    fn json(&self) -> Value {
        self.as_str().into()
    }
}
impl Cell for i64 {
    const TY: Ty = Ty::Int;
    fn json(&self) -> Value {
        (*self).into()
    }
}
impl Cell for bool {
    const TY: Ty = Ty::Bool;
    fn json(&self) -> Value {
        (*self).into()
    }
}
impl Cell for Level {
    const TY: Ty = Ty::Level;
    fn json(&self) -> Value {
        self.word().into()
    }
    fn plain(&self) -> Value {
        self.0.into()
    }
}

/// An entity of one kind.
pub trait Entity: 'static {
    const KIND: Kind;
    fn all(incident: &Incident) -> &[Self]
    where
        Self: Sized;
    fn id(&self) -> &str;
    fn json(&self) -> Value;
    fn plain(&self) -> Value;
}

macro_rules! kinds {
    ($($kind:ident $list:ident $word:literal { $($field:ident: $ty:ty),+ $(,)? })+) => {
        /// The kinds of the workload.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Kind { $($kind),+ }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$kind),+];
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word),+ }
            }
            pub fn collection(self) -> &'static str {
                match self { $(Self::$kind => stringify!($list)),+ }
            }
            pub fn fields(self) -> &'static [(&'static str, Ty)] {
                match self { $(Self::$kind => &[$((stringify!($field), <$ty as Cell>::TY)),+, ("malicious", Ty::Bool)]),+ }
            }
        }

        $(
            #[derive(Clone, Debug, Default)]
            pub struct $kind { pub id: String, pub name: String, pub malicious: bool, $(pub $field: $ty),+ }

            impl Entity for $kind {
                const KIND: Kind = Kind::$kind;
                fn all(incident: &Incident) -> &[Self] {
                    &incident.$list
                }
                fn id(&self) -> &str {
                    &self.id
                }
                fn json(&self) -> Value {
                    let mut props = Map::new();
                    $(props.insert(stringify!($field).into(), self.$field.json());)+
                    let verdict = if self.malicious { "malicious" } else { "unknown" };
                    json!({ "id": self.id, "kind": $word, "name": self.name, "verdict": verdict, "properties": props })
                }
                fn plain(&self) -> Value {
                    let mut all = Map::new();
                    all.insert("id".into(), self.id.json());
                    all.insert("malicious".into(), self.malicious.json());
                    $(all.insert(stringify!($field).into(), self.$field.plain());)+
                    all.into()
                }
            }
        )+

        /// An incident.
        #[derive(Clone, Debug, Default)]
        pub struct Incident {
            pub id: String,
            pub title: String,
            pub status: String,
            pub severity: Level,
            pub tags: Vec<String>,
            pub category: String,
            /// Of all alerts, each once.
            pub techniques: Vec<String>,
            pub alerts: Vec<Alert>,
            pub relations: Vec<Relation>,
            $(pub $list: Vec<$kind>),+
        }

        impl Incident {
            /// The ids of the entities of a kind.
            pub fn ids(&self, kind: Kind) -> Vec<&str> {
                match kind { $(Kind::$kind => self.$list.iter().map(|e| e.id.as_str()).collect()),+ }
            }
            fn entities(&self) -> Vec<Value> {
                let mut all = Vec::new();
                $(all.extend(self.$list.iter().map(Entity::json));)+
                all
            }
            fn plain_entities(&self, out: &mut Map<String, Value>) {
                $(out.insert(stringify!($list).into(), self.$list.iter().map(Entity::plain).collect());)+
            }
        }
    };
}

kinds! {
    User users "user" {
        upn: String, domain: String, display_name: String, department: String, job_title: String, account_status: String,
        risk: Level, is_domain_joined: bool, files_encrypted: i64,
    }
    Device devices "device" {
        fqdn: String, os: String, health: String, av_status: String, rbac_group: String, manufacturer: String, risk: Level, internal: bool,
        files_encrypted: i64,
    }
    Ip ips "ip" { address: String, country: String, city: String, carrier: String, asn: i64, risk: Level, internal: bool }
    Process processes "process" {
        image_name: String, image_path: String, command_line: String, detection_status: String, pid: i64, elevated: bool,
    }
    File files "file" { sha256: String, folder: String, file_type: String, publisher: String, signer: String, size: i64 }
    Url urls "url" { url: String, host: String, domain: String, port: i64 }
    Email emails "email" {
        subject: String, sender: String, sender_name: String, recipient: String, delivery_action: String, language: String,
        antispam_direction: String, attachment_count: i64, url_count: i64,
    }
}

/// An alert, with the positions of its entities in the incident's lists.
#[derive(Clone, Debug, Default)]
pub struct Alert {
    pub id: String,
    pub title: String,
    pub description: String,
    pub severity: Level,
    pub detector: String,
    pub product: String,
    pub techniques: Vec<String>,
    pub entities: Vec<(usize, usize)>,
    pub first: String,
    pub last: String,
}

impl Alert {
    /// Its entities of a kind.
    pub fn of<'a, T: Entity>(&self, incident: &'a Incident) -> impl Iterator<Item = &'a T> {
        self.entities.iter().filter(|(k, _)| *k == T::KIND as usize).map(|(_, n)| &T::all(incident)[*n])
    }
}

/// A relation, by ids.
#[derive(Clone, Debug)]
pub struct Relation {
    pub from: String,
    pub relation: &'static str,
    pub to: String,
    pub alert: String,
}

impl Incident {
    /// The document, in the product's own format.
    pub fn json(&self) -> Value {
        let ids: Vec<Vec<&str>> = Kind::ALL.iter().map(|k| self.ids(*k)).collect();
        let alerts: Vec<Value> = self
            .alerts
            .iter()
            .map(|a| {
                let entities: Vec<Value> = a.entities.iter().map(|(k, n)| json!({ "ref": ids[*k][*n] })).collect();
                json!({
                    "id": a.id, "title": a.title, "description": a.description, "severity": a.severity.word(), "detector": a.detector,
                    "product": a.product, "techniques": a.techniques, "first": a.first, "last": a.last, "entities": entities,
                })
            })
            .collect();
        let relations: Vec<Value> =
            self.relations.iter().map(|r| json!({ "from": r.from, "relation": r.relation, "to": r.to, "alerts": [r.alert] })).collect();
        json!({
            "schema": "guided-response/incident/1", "id": self.id, "title": self.title, "status": self.status, "severity": self.severity.word(),
            "tags": self.tags, "created": "2026-01-12T09:30:00Z", "alerts": alerts, "entities": self.entities(), "relations": relations,
        })
    }

    /// What other engines get: facts by kind, with nothing in it that no rule reads.
    pub fn plain(&self) -> Value {
        let mut all = Map::new();
        all.insert("title".into(), self.title.json());
        all.insert("status".into(), self.status.json());
        all.insert("severity".into(), self.severity.plain());
        all.insert("tags".into(), self.tags.clone().into());
        all.insert("category".into(), self.category.json());
        all.insert("techniques".into(), self.techniques.clone().into());
        all.insert("alert_count".into(), self.alerts.len().into());
        self.plain_entities(&mut all);
        all.into()
    }

    /// How many entities it has.
    pub fn len(&self) -> usize {
        Kind::ALL.iter().map(|k| self.ids(*k).len()).sum()
    }
}

/// Of thirty entities, how many are of each kind.
const SHARES: [usize; 7] = [4, 4, 6, 6, 4, 3, 3];

/// The incident with this number, of about so many entities.
pub fn incident(number: usize, entities: usize) -> Incident {
    let mut rng = Rng::new(1 + entities as u64, number as u64);
    let r = &mut rng;
    let mut i = Incident { id: format!("INC-{number}"), category: r.pick(CATEGORIES).into(), ..Incident::default() };
    let large = entities > 40;
    let mut count = |share: usize| {
        let n = entities * share / 30;
        if large { n.max(1) } else { (n + r.below(3)).saturating_sub(1).max(1) }
    };
    let counts: Vec<usize> = SHARES.iter().map(|s| count(*s)).collect();
    i.title = format!("{} {}", r.pick(TITLES), r.pick(SCOPES));
    i.status = r.pick_skewed(STATES).into();
    i.severity = Level(r.between(0, 4) as u8);
    let labels = r.below(3);
    i.tags = r.several(LABELS, labels).into_iter().map(Into::into).collect();
    i.users = (0..counts[0]).map(|n| user(r, n)).collect();
    i.devices = (0..counts[1]).map(|n| device(r, n)).collect();
    i.ips = (0..counts[2]).map(|n| ip(r, n)).collect();
    i.processes = (0..counts[3]).map(|n| process(r, n)).collect();
    i.files = (0..counts[4]).map(|_| file(r)).collect();
    i.urls = (0..counts[5]).map(|n| url(r, n)).collect();
    let upns: Vec<String> = i.users.iter().map(|u| u.upn.clone()).collect();
    i.emails = (0..counts[6]).map(|_| email(r, &upns)).collect();
    let alerts = if large { 6 + entities / 26 } else { r.between(6, 14) };
    i.alerts = (0..alerts).map(|n| alert(r, n, number)).collect();
    for at in 0..alerts.div_ceil(2) {
        i.alerts[at].detector = format!("wl.{}", i.category);
    }
    // Every entity is in an alert; some are in two.
    for (kind, count) in counts.iter().enumerate() {
        for n in 0..*count {
            for _ in 0..1 + usize::from(r.percent(25)) {
                let at = r.below(alerts);
                if !i.alerts[at].entities.contains(&(kind, n)) {
                    i.alerts[at].entities.push((kind, n));
                }
            }
        }
    }
    i.alerts.iter_mut().for_each(|a| a.entities.sort_unstable());
    let mut techniques: Vec<String> = i.alerts.iter().flat_map(|a| a.techniques.iter().cloned()).collect();
    techniques.sort();
    techniques.dedup();
    i.techniques = techniques;
    i.relations = relations(r, &i);
    i
}

fn text(r: &mut Rng, all: &[&str]) -> String {
    r.pick_skewed(all).to_owned()
}

fn level(r: &mut Rng) -> Level {
    Level(r.between(0, 4).min(r.between(0, 4)) as u8)
}

fn user(r: &mut Rng, n: usize) -> User {
    let (first, last, domain) = (r.pick(FIRST), r.pick(LAST), r.pick_skewed(DOMAINS));
    let upn = format!("{first}.{last}{n}@{domain}");
    User {
        id: format!("user:{upn}"),
        name: format!("{first} {last}"),
        malicious: r.percent(4),
        upn,
        domain: domain.into(),
        display_name: format!("{first} {last}"),
        department: text(r, DEPARTMENTS),
        job_title: text(r, JOBS),
        account_status: text(r, STATUSES),
        risk: level(r),
        is_domain_joined: r.percent(60),
        files_encrypted: r.below(2000) as i64,
    }
}

fn device(r: &mut Rng, n: usize) -> Device {
    let name = format!("{}-{}{n}", if r.percent(60) { "pc" } else { "srv" }, r.hex(4));
    let fqdn = format!("{name}.{}", r.pick_skewed(DOMAINS));
    Device {
        id: format!("device:{fqdn}"),
        name,
        malicious: r.percent(4),
        fqdn,
        os: text(r, SYSTEMS),
        health: text(r, HEALTH),
        av_status: text(r, ANTIVIRUS),
        rbac_group: text(r, DEPARTMENTS),
        manufacturer: text(r, MAKERS),
        risk: level(r),
        internal: r.percent(70),
        files_encrypted: r.below(5000) as i64,
    }
}

fn ip(r: &mut Rng, n: usize) -> Ip {
    let address = format!("203.{}.{}.{}", n / 250 % 250, r.below(250), 1 + n % 250);
    Ip {
        id: format!("ip:{address}"),
        name: address.clone(),
        malicious: r.percent(10),
        address,
        country: text(r, COUNTRIES),
        city: text(r, CITIES),
        carrier: text(r, CARRIERS),
        asn: r.between(1000, 60_000) as i64,
        risk: level(r),
        internal: r.percent(40),
    }
}

fn process(r: &mut Rng, n: usize) -> Process {
    let image = text(r, PROGRAMS);
    let path = format!(r"{}\{image}", r.pick_skewed(FOLDERS));
    let few = r.between(1, 3);
    let arguments = r.several(ARGUMENTS, few).join(" ");
    Process {
        id: format!("process:{}-{n}", r.hex(8)),
        name: image.clone(),
        malicious: r.percent(6),
        command_line: format!("\"{path}\" {arguments} {}", r.hex(12)),
        image_name: image,
        image_path: path,
        detection_status: text(r, DETECTIONS),
        pid: r.between(100, 40_000) as i64,
        elevated: r.percent(25),
    }
}

fn file(r: &mut Rng) -> File {
    let sha256 = r.hex(64);
    File {
        id: format!("file:{sha256}"),
        name: text(r, PROGRAMS),
        malicious: r.percent(10),
        sha256,
        folder: text(r, FOLDERS),
        file_type: text(r, FILE_TYPES),
        publisher: text(r, PUBLISHERS),
        signer: text(r, PUBLISHERS),
        size: r.below(1_000_000).min(r.below(1_000_000)) as i64,
    }
}

fn url(r: &mut Rng, n: usize) -> Url {
    let domain = text(r, SITES);
    let host = format!("{}.{domain}", r.pick_skewed(HOSTS));
    let url = format!("https://{host}/{}{n}", r.hex(10));
    Url { id: format!("url:{url}"), name: url.clone(), malicious: r.percent(20), url, host, domain, port: r.pick_skewed(PORTS) }
}

fn email(r: &mut Rng, users: &[String]) -> Email {
    let id = format!("<{}@mail.example>", r.hex(24));
    let inside = r.percent(50);
    let subject = format!("{} {}", r.pick_skewed(SUBJECTS), r.below(10_000));
    Email {
        id: format!("email:{id}"),
        name: subject.clone(),
        malicious: r.percent(20),
        subject,
        sender: if inside { users[r.below(users.len())].clone() } else { format!("{}@{}", r.pick(FIRST), r.pick(SITES)) },
        sender_name: text(r, LAST),
        recipient: users[r.below(users.len())].clone(),
        delivery_action: text(r, DELIVERY),
        language: text(r, LANGUAGES),
        antispam_direction: text(r, DIRECTIONS),
        attachment_count: r.below(6).min(r.below(6)) as i64,
        url_count: r.below(20).min(r.below(20)) as i64,
    }
}

fn alert(r: &mut Rng, n: usize, number: usize) -> Alert {
    let techniques = r.between(0, 2);
    let title = text(r, TITLES);
    Alert {
        id: format!("al-{number}-{n}"),
        description: format!("{title}: seen {} times within {} minutes, first in {}.", r.between(1, 40), r.between(1, 90), r.pick(SCOPES)),
        title,
        severity: Level(r.between(0, 4) as u8),
        detector: format!("det.{}", r.below(400)),
        product: text(r, PRODUCTS),
        techniques: r.several(TECHNIQUES, techniques).into_iter().map(Into::into).collect(),
        entities: Vec::new(),
        first: format!("2026-01-{:02}T{:02}:{:02}:00Z", 10 + r.below(3), r.below(24), r.below(60)),
        last: format!("2026-01-{:02}T{:02}:{:02}:00Z", 13 + r.below(3), r.below(24), r.below(60)),
    }
}

/// From which kind a relation leads to which.
const RELATIONS: &[(Kind, &str, Kind)] = &[
    (Kind::User, "logged_on", Kind::Device),
    (Kind::User, "signed_in_from", Kind::Ip),
    (Kind::User, "clicked", Kind::Url),
    (Kind::Device, "has_ip", Kind::Ip),
    (Kind::Process, "ran_on", Kind::Device),
    (Kind::Process, "image", Kind::File),
    (Kind::Process, "connected_to", Kind::Ip),
    (Kind::Process, "ran_as", Kind::User),
    (Kind::File, "on", Kind::Device),
    (Kind::Email, "links_to", Kind::Url),
    (Kind::Email, "carries", Kind::File),
    (Kind::Email, "from_ip", Kind::Ip),
];

/// About four relations for three entities.
fn relations(r: &mut Rng, i: &Incident) -> Vec<Relation> {
    let ids: Vec<Vec<&str>> = Kind::ALL.iter().map(|k| i.ids(*k)).collect();
    let alert_of: HashMap<(usize, usize), &Alert> = i.alerts.iter().flat_map(|a| a.entities.iter().map(move |e| (*e, a))).collect();
    let mut known = HashSet::new();
    let mut out: Vec<Relation> = Vec::new();
    let wanted = i.len() * 4 / 3;
    for _ in 0..wanted * 4 {
        if out.len() == wanted {
            break;
        }
        let (from, relation, to) = r.pick(RELATIONS);
        let (a, b) = (r.below(ids[from as usize].len()), r.below(ids[to as usize].len()));
        if known.insert((from, a, relation, b)) {
            let alert = alert_of[&(from as usize, a)].id.clone();
            out.push(Relation { from: ids[from as usize][a].into(), relation, to: ids[to as usize][b].into(), alert });
        }
    }
    out
}
