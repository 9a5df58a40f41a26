//! What a new playbook is about: kinds, signals and actions that go together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::{Kind, Phase};
use crate::playbook::set::{Action, PlaybookSet};

/// What a new playbook is about.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Its title.
    pub title: String,
    /// The kind of entity that its cards are about.
    pub kind: Kind,
    /// The signals that it asks for.
    pub signals: Vec<String>,
    /// The incident types that it asks for, where there are no signals.
    pub types: Vec<String>,
    pub(super) cards: Vec<CardSeed>,
}

/// A card of a new playbook.
#[derive(Clone, Debug)]
pub(super) struct CardSeed {
    pub phase: &'static str,
    pub id: &'static str,
    pub action: String,
    pub hint: &'static str,
    pub why: &'static str,
    pub priority: u8,
    /// Whether it is recommended for all, not only for those that look bad.
    pub always: bool,
    /// Whether it is about the incident.
    pub incident: bool,
}

/// The kinds that playbooks are mostly about, first choice first.
const KINDS: &[Kind] = &[
    Kind::User,
    Kind::Device,
    Kind::Email,
    Kind::File,
    Kind::Process,
    Kind::Ip,
    Kind::Url,
    Kind::Mailbox,
    Kind::CloudResource,
    Kind::Pod,
    Kind::OauthApp,
    Kind::ServicePrincipal,
    Kind::Domain,
];

/// Signals that a playbook asks for at first.
const SIGNALS: usize = 4;

/// What a playbook on an incident with these kinds, signals and types is about; without any, an example.
pub fn seed(set: &PlaybookSet, kinds: &BTreeMap<Kind, BTreeSet<String>>, signals: &[String], types: &[String], title: &str) -> Seed {
    // A kind that a signal speaks of comes first, so that the cards have something to be about.
    let spoken = |k: &&Kind| kinds.get(k).is_some_and(|s| !s.is_empty());
    let kind = KINDS.iter().find(spoken).or_else(|| KINDS.iter().find(|k| kinds.contains_key(k))).copied();
    let kind = kind.or_else(|| kinds.keys().next().copied()).unwrap_or(Kind::User);
    let own: Vec<String> = kinds.get(&kind).into_iter().flatten().take(SIGNALS).cloned().collect();
    let signals = if own.is_empty() { signals.iter().take(SIGNALS).cloned().collect() } else { own };
    Seed { title: title.to_owned(), kind, signals, types: types.iter().take(1).cloned().collect(), cards: cards(set, kind) }
}

fn cards(set: &PlaybookSet, kind: Kind) -> Vec<CardSeed> {
    let sections = [
        (Phase::Containment, "containment", "contain", "What stops it. `engine actions` lists the verbs.", "stop it first", 90, false),
        (Phase::Investigation, "investigation", "look_closer", "What to look at next.", "look at what else happened", 60, true),
        (Phase::Remediation, "remediation", "repair", "What repairs it, once it is stopped.", "repair what was done", 40, false),
    ];
    // A beginner's first choice: named after the kind, mild, and with a way back. What disturbs much wants a reason
    // against it as well.
    let chosen = |phase: Phase, own: &dyn Fn(&Action) -> bool| -> Option<String> {
        let all = set.actions.values().filter(|a| a.phase == phase && own(a) && a.params.values().all(|p| p.default.is_some()));
        // What only takes another action back is no beginning.
        let all = all.filter(|a| !set.actions.values().any(|other| other.undo.as_deref() == Some(&*a.id)));
        let rank = |a: &Action| (!a.id.starts_with(&format!("{kind}.")), a.impact == "high", phase == Phase::Containment && a.undo.is_none());
        all.min_by_key(|a| (rank(a), a.id.clone())).map(|a| a.id.to_string())
    };
    sections
        .into_iter()
        .filter_map(|(phase, section, id, hint, why, priority, always)| {
            let own = chosen(phase, &|a| a.kinds.has(kind));
            let incident = own.is_none();
            let action = own.or_else(|| chosen(phase, &|a| a.incident))?;
            Some(CardSeed { phase: section, id, action, hint, why, priority, always, incident })
        })
        .collect()
}

impl Seed {
    /// The example that a playbook begins with when no incident is given: a signal that the set knows, on an entity.
    pub fn example(set: &PlaybookSet) -> Self {
        let known = set.signals.iter().any(|s| &*s.id == "url_clicked");
        let signals: Vec<String> = if known { vec!["url_clicked".to_owned()] } else { Vec::new() };
        let kinds = BTreeMap::from([(Kind::User, signals.iter().cloned().collect())]);
        seed(set, &kinds, &signals, &[], "What it is about, in a few words")
    }

    /// An incident that the example matches, with an entity that something speaks against.
    pub fn incident(&self, set: &PlaybookSet) -> Value {
        let id = self.entity();
        let mut alert = json!({ "id": "a-1", "title": "An example alert", "severity": "medium", "first": "2026-01-12T09:00:00Z", "last": "2026-01-12T09:10:00Z", "entities": [{ "ref": id }] });
        let wanted = set.signals.iter().find(|s| self.signals.iter().any(|w| **w == *s.id));
        // A rule that asks for nothing but the detector.
        let detector =
            wanted.and_then(|s| s.rules.iter().find(|r| r.titles.is_empty() && r.products.is_empty() && r.test.is_none())?.detectors.first());
        if let (Some(detector), Some(map)) = (detector, alert.as_object_mut()) {
            map.insert("detector".to_owned(), Value::from(detector.as_str()));
        }
        json!({ "schema": "guided-response/incident/1", "id": "INC-1", "title": "An example", "severity": "medium", "alerts": [alert], "entities": [{ "id": id, "verdict": "suspicious" }] })
    }

    /// The entity of the example.
    pub fn entity(&self) -> &'static str {
        match self.kind {
            Kind::User => "user:ada@example.com",
            Kind::Device => "device:pc-1.example.com",
            Kind::Email => "email:m-1",
            Kind::Ip => "ip:198.51.100.7",
            Kind::Url => "url:https://bad.example/a",
            Kind::Domain => "domain:bad.example",
            Kind::Mailbox => "mailbox:ada@example.com",
            _ => "user:ada@example.com",
        }
    }

    /// The card that needs something to speak against its entity, and the condition that says so.
    pub fn guarded(&self) -> Vec<(String, String)> {
        self.cards.iter().filter(|c| !c.always && !c.incident).map(|c| (c.id.to_owned(), "looks_bad".to_owned())).collect()
    }
}
