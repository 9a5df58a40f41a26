//! The answer, exactly as `schemas/response.schema.json` has it: plain data, ready to be written in any format.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::Serialize;

use crate::diag::Wire;
use crate::model::{Classification, Incident, Level, Phase, Text};

/// The version of the document.
pub const SCHEMA: &str = "guided-response/1";

/// Guided response to one incident.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Response {
    /// The version of the document.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// The version of the program.
    pub engine: &'static str,
    /// What it is about.
    pub incident: Headline,
    /// Is it real?
    pub triage: Triage,
    /// What to do: by phase, then priority, confidence and id, with `after` respected.
    pub cards: Vec<Card>,
    /// What to search for.
    pub hunts: Vec<Hunt>,
    /// Alike incidents; filled by the history.
    pub similar: Vec<serde_json::Value>,
    /// A summary; filled by the report.
    pub summary: BTreeMap<String, serde_json::Value>,
    /// What went wrong or was left out.
    pub diagnostics: Vec<Wire>,
    /// The playbooks that gave it.
    pub playbooks: SetInfo,
    /// What people call the entities and alerts that evidence names by id; for pages, not part of the document.
    #[serde(skip)]
    pub names: Names,
}

/// What people call entities and alerts. It is worked out when a page first asks for a name: most answers are read by
/// programs.
#[derive(Clone, Debug, Default)]
pub struct Names {
    entities: Vec<(Text, Text)>,
    alerts: Vec<(Text, Text)>,
    known: OnceLock<BTreeMap<String, String>>,
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        (&self.entities, &self.alerts) == (&other.entities, &other.alerts)
    }
}

impl Names {
    /// The names in an incident.
    pub fn of(incident: &Incident) -> Self {
        Self {
            entities: incident.entities.iter().map(|e| (e.id.clone(), e.name.clone())).collect(),
            alerts: incident.alerts.iter().map(|a| (a.id.clone(), a.title.clone())).collect(),
            known: OnceLock::new(),
        }
    }

    /// The name for an id that evidence uses; where two share a name, the id is added.
    pub fn get(&self, id: &str) -> Option<&str> {
        self.known.get_or_init(|| self.all()).get(id).map(String::as_str)
    }

    fn all(&self) -> BTreeMap<String, String> {
        let entities = self.entities.iter().map(|(id, name)| (id.to_string(), name.to_string()));
        let alerts = self.alerts.iter().map(|(id, title)| (format!("alert:{id}"), format!("alert \u{201c}{title}\u{201d}")));
        let all: BTreeMap<String, String> = entities.chain(alerts).filter(|(_, name)| !name.trim().is_empty()).collect();
        let kind = |id: &str| id.split(':').next().unwrap_or("").to_owned();
        let mut count: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for (id, name) in &all {
            let n = count.entry((kind(id), name)).or_default();
            *n = n.saturating_add(1);
        }
        let several = |id: &str, name: &str| kind(id) != "alert" && count.get(&(kind(id), name)).is_some_and(|n| *n > 1);
        all.iter().map(|(id, name)| (id.clone(), if several(id, name) { format!("{name} ({id})") } else { name.clone() })).collect()
    }
}

/// The incident in a few words.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Headline {
    /// The source's id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The severity.
    pub severity: Option<Level>,
    /// The status.
    pub status: String,
    /// The format it was read from.
    pub source: String,
    /// First activity, RFC 3339.
    pub first_activity: Option<String>,
    /// Last activity, RFC 3339.
    pub last_activity: Option<String>,
    /// What kind of attack it looks like, best first; the first is primary.
    pub types: Vec<TypeScore>,
    /// How many alerts.
    pub alert_count: usize,
    /// How many entities; alerts are left out.
    pub entity_count: usize,
    /// Alerts that no signal knew.
    pub unrecognised_alerts: Vec<UnrecognisedAlert>,
}

/// An incident type with its score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TypeScore {
    /// Its id.
    pub id: String,
    /// 50–100.
    pub score: u8,
}

/// An alert that no signal knew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnrecognisedAlert {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// The triage suggestion.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Triage {
    /// What it is.
    pub classification: Classification,
    /// Of which kind, if known.
    pub determination: Option<String>,
    /// 0–100.
    pub confidence: u8,
    /// Why, in a sentence.
    pub why: String,
    /// The clauses that say so, with their evidence.
    pub because: Vec<Arc<Because>>,
    /// Who says so.
    pub source: TriageSource,
    /// What else was considered, best first.
    pub considered: Vec<Considered>,
    /// What would decide it, while it is undetermined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Who says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TriageSource {
    /// `source` (a decision that the incident already carries), `rules` or `none`.
    #[schemars(extend("enum" = ["source", "rules", "none"]))]
    pub origin: &'static str,
    /// The playbook, where rules say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// A triage that was not chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Considered {
    /// What it would be.
    pub classification: Classification,
    /// Of which kind.
    pub determination: Option<String>,
    /// 0–100.
    pub confidence: u8,
    /// Why, in a sentence.
    pub why: String,
    /// Who says so.
    pub source: TriageSource,
}

/// A clause that speaks for something, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Because {
    /// The condition's name, or `when`, `for`, `match`.
    pub condition: String,
    /// The sentence.
    pub text: String,
    /// What was looked at: at most 20 findings.
    pub evidence: Vec<Evidence>,
    /// `true` where more was looked at than `evidence` shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// A thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Evidence {
    /// A property of an entity, alert or the incident.
    Property {
        /// `kind:key`, `alert:ID` or `incident`.
        entity: Text,
        /// Its name.
        property: &'static str,
        /// Its value; `null` where nothing is recorded.
        value: Option<String>,
        /// `record`, `signal`, `list`.
        #[schemars(extend("enum" = ["record", "signal", "list"]))]
        basis: &'static str,
        /// The alerts that say it.
        alerts: Vec<Text>,
    },
    /// An edge.
    Edge {
        /// Where it starts.
        from: Text,
        /// Its name.
        relation: &'static str,
        /// Where it leads; `null` where there is no such edge.
        to: Option<Text>,
        /// `record`, `signal`, `co-occurrence`; `none` where there is no such edge.
        #[schemars(extend("enum" = ["record", "signal", "co-occurrence", "none"]))]
        basis: &'static str,
        /// First time, RFC 3339.
        #[serde(skip_serializing_if = "Option::is_none")]
        first_seen: Option<String>,
        /// Last time, RFC 3339.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seen: Option<String>,
        /// The alerts that say it.
        alerts: Vec<Text>,
    },
}

/// An entity, named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct EntityRef {
    /// `kind:key`.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its name for people.
    pub name: String,
}

/// A recommended action.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Card {
    /// Stable across runs.
    pub id: String,
    /// Where it belongs.
    pub phase: Phase,
    /// The verb of the catalogue.
    pub action: String,
    /// The verb for people.
    pub title: String,
    /// Parameters.
    pub params: BTreeMap<String, serde_json::Value>,
    /// The entity; `null` for a card on several, or on the incident.
    pub entity: Option<EntityRef>,
    /// The entities of a card on several.
    pub entities: Vec<EntityRef>,
    /// Why, in a sentence.
    pub why: String,
    /// The clauses that say so, with their evidence.
    pub because: Vec<Arc<Because>>,
    /// 0–100.
    pub priority: u8,
    /// 0–100.
    pub confidence: u8,
    /// Where it stands.
    pub status: Status,
    /// Why somebody should be asked first.
    pub confirm_first: Option<String>,
    /// Whether it can be applied.
    pub availability: Availability,
    /// What it needs.
    pub permissions: Vec<String>,
    /// How much it disturbs: `low`, `medium`, `high`.
    #[schemars(extend("enum" = ["low", "medium", "high"]))]
    pub impact: String,
    /// What else it does.
    pub effects: Vec<String>,
    /// What must be so before.
    pub prerequisites: Vec<String>,
    /// How far it reaches, where the data tells it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blast_radius: Vec<String>,
    /// The action that takes it back; `null` when nothing does.
    pub undo: Option<String>,
    /// Ids of cards to apply before.
    pub after: Vec<String>,
    /// The hunts that belong to it.
    pub hunts: Vec<String>,
    /// D3FEND techniques.
    pub d3fend: Vec<String>,
    /// RE&CT actions.
    pub react: Vec<String>,
    /// `rules` here; `model` only for what a model adds.
    #[schemars(extend("enum" = ["rules", "model"]))]
    pub origin: &'static str,
    /// The playbook cards that gave it.
    pub sources: Vec<CardSource>,
}

/// Where a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To be done.
    Recommended,
    /// The source's typed state says that it was done.
    Completed,
    /// Under way.
    Running,
    /// Applied by a person.
    Applied,
    /// Dismissed by a person.
    Dismissed,
}

/// Whether a card can be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Availability {
    /// `available` or `unavailable`.
    #[schemars(extend("enum" = ["available", "unavailable"]))]
    pub state: &'static str,
    /// `permission`, `policy`, `exception`, `capability` or `prerequisite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["permission", "policy", "exception", "capability", "prerequisite", null]))]
    pub cause: Option<&'static str>,
    /// What is needed, or the reason, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
}

/// A card of a playbook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct CardSource {
    /// The playbook.
    pub playbook: String,
    /// The card in it.
    pub card: String,
    /// The playbook's version.
    pub version: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hunt {
    /// Stable across runs.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// `kql`.
    pub language: &'static str,
    /// The query.
    pub query: String,
    /// The cards that it belongs to.
    pub cards: Vec<String>,
    /// Its ids in the playbooks that give it; for tests, not part of the document.
    #[serde(skip)]
    pub rules: Vec<String>,
}

/// The playbooks that gave an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetInfo {
    /// Changes with every change of a file.
    pub revision: String,
    /// How many playbooks run.
    pub loaded: usize,
    /// Files that do not load, with the first reason of each.
    pub skipped: Vec<Skipped>,
}

/// A file that does not load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// Its first error.
    pub reason: String,
}
