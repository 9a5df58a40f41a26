//! What every page for people says, in the same words and the same order; the pages only choose how it looks.
//! Texts here are as the answer has them: it is the page that makes them harmless.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::card::response::{Because, Card, EntityRef, Evidence, Headline, Hunt, Names, Response, SetInfo, Status, Triage, TriageSource};
use crate::diag::{Severity, Wire};
use crate::model::{Classification, Phase, Text};

/// How many evidence lines of a clause a page shows where it cannot fold them away.
pub const EVIDENCE_SHOWN: usize = 6;
/// How many it shows where it can.
pub const EVIDENCE_FOLDED: usize = 24;
/// How many entities of one card a page shows.
pub const ENTITIES_SHOWN: usize = 8;
/// How many alerts that no signal knew, or diagnostics, a page shows.
pub const LISTED: usize = 40;

/// A text with its role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// An id, a place, a permission: to be taken literally.
    Code(String),
    /// A sentence or a part of one.
    Prose(String),
    /// A card or a query of the same page.
    Link(Anchor, String),
}

/// A place on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// A card by its number.
    Card(usize),
    /// A query by its number.
    Query(usize),
}

/// A fact about a card: a label, and lines of pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub label: &'static str,
    /// Its lines.
    pub lines: Vec<Vec<Piece>>,
}

/// A word beside a card's title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// Where it stands, other than recommended.
    Status(&'static str),
    /// Somebody should be asked first.
    AskFirst,
    /// It cannot be applied.
    Unavailable,
}

impl Badge {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Status(word) => word,
            Self::AskFirst => "ask first",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A card with its number on the page.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    /// From 1, through all phases.
    pub number: usize,
    /// The card.
    pub card: &'a Card,
}

/// The cards of a phase.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// Its name in addresses.
    pub anchor: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The question that it answers.
    pub question: &'static str,
    /// Its cards, in order.
    pub cards: Vec<Numbered<'a>>,
}

/// An answer laid out: cards and hunts have numbers that the page refers to.
pub struct View<'a> {
    /// Triage (only if it has cards), containment, investigation, remediation.
    pub sections: Vec<Section<'a>>,
    cards: BTreeMap<&'a str, Numbered<'a>>,
    hunts: BTreeMap<&'a str, (usize, &'a Hunt)>,
}

impl<'a> View<'a> {
    /// Lays out an answer.
    pub fn new(response: &'a Response) -> Self {
        let mut numbers = 1usize..;
        let mut sections = Vec::new();
        for (phase, anchor, title, question) in [
            (Phase::Triage, "triage-steps", "Triage steps", "What settles it?"),
            (Phase::Containment, "containment", "Containment", "What stops it?"),
            (Phase::Investigation, "investigation", "Investigation", "What to look at next?"),
            (Phase::Remediation, "remediation", "Remediation", "What repairs it?"),
        ] {
            let of_phase = response.cards.iter().filter(|c| c.phase == phase);
            let cards: Vec<Numbered<'a>> = of_phase.zip(&mut numbers).map(|(card, number)| Numbered { number, card }).collect();
            if phase != Phase::Triage || !cards.is_empty() {
                sections.push(Section { anchor, title, question, cards });
            }
        }
        let cards = sections.iter().flat_map(|s| &s.cards).map(|n| (n.card.id.as_str(), *n)).collect();
        let hunts = response.hunts.iter().zip(1usize..).map(|(h, n)| (h.id.as_str(), (n, h))).collect();
        Self { sections, cards, hunts }
    }

    /// A card by its number and title.
    pub fn card_named(&self, id: &str) -> Piece {
        match self.cards.get(id) {
            Some(n) => Piece::Link(Anchor::Card(n.number), format!("card {}, {}", n.number, n.card.title)),
            None => Piece::Prose(format!("a card that is not shown here ({id})")),
        }
    }

    /// The facts of a card, in the order in which somebody who applies it needs them.
    pub fn rows(&self, card: &Card) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut row = |label, lines: Vec<Vec<Piece>>| {
            if !lines.is_empty() {
                rows.push(Row { label, lines });
            }
        };
        let sentences = |texts: &[String]| texts.iter().map(|t| vec![Piece::Prose(t.clone())]).collect::<Vec<_>>();
        row("Unavailable", unavailable(card).map(|t| vec![Piece::Prose(t)]).into_iter().collect());
        row("Ask first", card.confirm_first.iter().map(|t| vec![Piece::Prose(t.clone())]).collect());
        row("After", card.after.iter().map(|id| vec![self.card_named(id)]).collect());
        row("Requires", sentences(&card.prerequisites));
        row("Needs", one_line(card.permissions.iter().cloned().map(Piece::Code).collect()));
        row("Impact", if card.impact.is_empty() { Vec::new() } else { vec![vec![Piece::Prose(card.impact.clone())]] });
        row("Effects", sentences(&card.effects));
        row("Reaches", sentences(&card.blast_radius));
        // Looking changes nothing, so there is nothing to take back.
        let undo = card.undo.clone().map(Piece::Code);
        let undo = undo.or_else(|| (card.phase != Phase::Investigation).then(|| Piece::Prose("nothing takes it back".to_owned())));
        row("Undo", undo.map(|p| vec![p]).into_iter().collect());
        row(
            "Query",
            card.hunts
                .iter()
                .filter_map(|id| self.hunts.get(id.as_str()))
                .map(|(n, h)| vec![Piece::Link(Anchor::Query(*n), format!("{n}, {}", h.title))])
                .collect(),
        );
        let mut action = vec![Piece::Code(card.action.clone())];
        action.extend(card.params.iter().map(|(name, value)| Piece::Code(format!("{name} = {}", plain(value)))));
        row("Action", vec![action]);
        row("Maps to", one_line(card.d3fend.iter().chain(&card.react).cloned().map(Piece::Code).collect()));
        let place = |s: &crate::card::response::CardSource| {
            vec![Piece::Code(format!("{}@{}", s.playbook, s.version)), Piece::Code(format!("{}:{}", s.file, s.line))]
        };
        row("Source", card.sources.iter().map(place).collect());
        rows
    }

    /// The cards on the page that a hunt belongs to.
    pub fn hunt_cards(&self, hunt: &Hunt) -> Vec<Piece> {
        hunt.cards.iter().filter(|id| self.cards.contains_key(id.as_str())).map(|id| self.card_named(id)).collect()
    }
}

fn one_line(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    if pieces.is_empty() { Vec::new() } else { vec![pieces] }
}

/// A parameter's value without quotes around a text.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The badges of a card.
pub fn badges(card: &Card) -> Vec<Badge> {
    let mut badges = Vec::new();
    match card.status {
        Status::Recommended => {}
        Status::Completed => badges.push(Badge::Status("completed")),
        Status::Running => badges.push(Badge::Status("running")),
        Status::Applied => badges.push(Badge::Status("applied")),
        Status::Dismissed => badges.push(Badge::Status("dismissed")),
    }
    if is_unavailable(card) {
        badges.push(Badge::Unavailable);
    }
    if card.confirm_first.is_some() {
        badges.push(Badge::AskFirst);
    }
    badges
}

/// Whether a card cannot be applied.
pub fn is_unavailable(card: &Card) -> bool {
    card.availability.state != "available"
}

fn unavailable(card: &Card) -> Option<String> {
    is_unavailable(card).then(|| match (card.availability.cause, &card.availability.need) {
        (Some(cause), Some(need)) => format!("{cause}: {need}"),
        (Some(cause), None) => cause.to_owned(),
        (None, Some(need)) => need.clone(),
        (None, None) => "no reason is given".to_owned(),
    })
}

/// The entities that a card is on, the first few, and how many more there are; none for a card on the incident.
pub fn targets(card: &Card) -> (Vec<&EntityRef>, usize) {
    let all: Vec<&EntityRef> = card.entity.iter().chain(&card.entities).collect();
    let more = all.len().saturating_sub(ENTITIES_SHOWN);
    (all.into_iter().take(ENTITIES_SHOWN).collect(), more)
}

/// An id as words: `true_positive` → "true positive".
pub fn words(id: &str) -> String {
    id.replace('_', " ")
}

/// What a triage says: "true positive, compromised account".
pub fn verdict(classification: Classification, determination: Option<&str>) -> String {
    let what = words(classification.word());
    determination.map_or_else(|| what.clone(), |d| format!("{what}, {}", words(d)))
}

/// Who gave a triage.
pub fn triage_source(source: &TriageSource) -> Vec<Piece> {
    match (source.origin, &source.playbook) {
        ("source", _) => vec![Piece::Prose("already decided where the incident comes from".to_owned())],
        (_, Some(playbook)) => {
            let mut pieces = vec![Piece::Code(playbook.clone())];
            pieces.extend(place(source.file.as_deref(), source.line, None).map(Piece::Code));
            pieces
        }
        ("none", None) => vec![Piece::Prose("no playbook decides it".to_owned())],
        (origin, None) => vec![Piece::Prose(origin.to_owned())],
    }
}

/// `file:line:column`, as far as it is known.
pub fn place(file: Option<&str>, line: Option<usize>, column: Option<usize>) -> Option<String> {
    let numbers = [line, column].into_iter().map_while(|n| n).map(|n| format!(":{n}")).collect::<String>();
    file.map(|f| format!("{f}{numbers}"))
}

/// "1 alert", "3 alerts".
pub fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// A moment for people: `2026-01-12T09:14:02.5Z` → "2026-01-12 09:14:02 UTC"; any other text stays.
pub fn moment(rfc3339: &str) -> String {
    let parts = rfc3339.strip_suffix('Z').and_then(|t| t.split_once('T'));
    match parts {
        Some((day, clock)) => format!("{day} {} UTC", clock.split_once('.').map_or(clock, |(whole, _)| whole)),
        None => rfc3339.to_owned(),
    }
}

/// From when to when, the day only once.
pub fn period(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let (first, last) = (first.map(moment), last.map(moment));
    match (first, last) {
        (Some(a), Some(b)) if a == b => Some(a),
        (Some(a), Some(b)) => {
            let start = a.strip_suffix(" UTC").unwrap_or(&a);
            match (a.split_once(' '), b.split_once(' ')) {
                (Some((day, _)), Some((same, clock))) if day == same => Some(format!("{start} to {clock}")),
                _ => Some(format!("{start} to {b}")),
            }
        }
        (Some(a), None) => Some(format!("from {a}")),
        (None, Some(b)) => Some(format!("until {b}")),
        (None, None) => None,
    }
}

/// Id, severity, status, source and times of an incident.
pub fn about(incident: &Headline) -> Vec<String> {
    let mut parts = vec![incident.id.clone()];
    parts.extend(incident.severity.map(|s| format!("{s} severity")));
    parts.extend([words(&incident.status)].into_iter().filter(|s| !s.is_empty()));
    parts.extend([format!("from {}", incident.source)].into_iter().filter(|_| !incident.source.is_empty()));
    parts.extend(period(incident.first_activity.as_deref(), incident.last_activity.as_deref()));
    parts
}

/// How much there is in an incident, and what it looks like.
pub fn contents(incident: &Headline) -> Vec<String> {
    let mut parts = vec![counted(incident.alert_count, "alert", "alerts"), counted(incident.entity_count, "entity", "entities")];
    let types: Vec<String> = incident.types.iter().map(|t| format!("{} ({})", words(&t.id), t.score)).collect();
    parts.push(if types.is_empty() { "no known type of attack".to_owned() } else { format!("looks like {}", types.join(", ")) });
    parts
}

/// A clause's sentence; its name where it has none.
pub fn sentence(because: &Because) -> &str {
    if because.text.is_empty() { &because.condition } else { &because.text }
}

/// The evidence of a clause that a page shows, and how much more there is.
pub fn shown(because: &Because, at_most: usize) -> (&[Evidence], usize) {
    let shown = because.evidence.get(..at_most).unwrap_or(&because.evidence);
    (shown, because.evidence.len().saturating_sub(shown.len()))
}

/// What is told where a page leaves out so many findings of a clause, or the answer does.
pub fn left_out(because: &Because, left: usize) -> Option<String> {
    match (left, because.more) {
        (0, false) => None,
        (n, false) => Some(and_more(n)),
        (n, true) => Some(format!("and at least {} more", n.saturating_add(1))),
    }
}

/// "and 3 more (use --format json)".
pub fn and_more(n: usize) -> String {
    format!("and {n} more (use --format json)")
}

/// A piece of evidence in parts: the entity, what is said of it, what that is (`None`: nothing is recorded), and how it is known.
pub struct Shown<'a> {
    /// The entity, by the name that people use.
    pub subject: &'a str,
    /// The property, or the relation.
    pub verb: &'a str,
    /// Whether it is a relation.
    pub edge: bool,
    /// The value, shortened, or the other end.
    pub object: Option<Cow<'a, str>>,
    /// Time, basis and number of alerts.
    pub how: String,
}

/// Characters of a value that evidence shows; command lines can have thousands.
const VALUE_SHOWN: usize = 160;

fn short(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(VALUE_SHOWN) {
        Some((at, _)) => Cow::Owned(format!("{}… ({} characters)", value.get(..at).unwrap_or(""), value.chars().count())),
        None => Cow::Borrowed(value),
    }
}

/// Takes a piece of evidence apart.
pub fn evidence<'a>(e: &'a Evidence, told: &Told<'a>) -> Shown<'a> {
    let how = |time: Option<String>, basis: &str, alerts: &[Text]| {
        let mut parts: Vec<String> = time.into_iter().collect();
        parts.extend([basis.to_owned()].into_iter().filter(|b| !b.is_empty() && b != "none"));
        parts.extend([counted(alerts.len(), "alert", "alerts")].into_iter().filter(|_| !alerts.is_empty()));
        parts.join(", ")
    };
    match e {
        Evidence::Property { entity, property, value, basis, alerts } => {
            let basis = if value.is_some() { basis } else { "" };
            Shown { subject: told.name(entity), verb: property, edge: false, object: value.as_deref().map(short), how: how(None, basis, alerts) }
        }
        Evidence::Edge { from, relation, to, basis, first_seen, last_seen, alerts } => {
            let time = period(first_seen.as_deref(), last_seen.as_deref());
            let object = to.as_deref().map(|t| short(told.name(t)));
            Shown { subject: told.name(from), verb: relation, edge: true, object, how: how(time, basis, alerts) }
        }
    }
}

/// Remembers which clause stands where, so that a page shows its evidence once.
pub struct Told<'a> {
    shown: BTreeMap<(&'a str, &'a str), Vec<(&'a Because, String)>>,
    names: &'a Names,
}

impl<'a> Told<'a> {
    /// Nothing was shown of this answer yet.
    pub fn new(response: &'a Response) -> Self {
        Self { shown: BTreeMap::new(), names: &response.names }
    }

    /// Nothing was shown yet of what these names are for.
    pub fn named(names: &'a Names) -> Self {
        Self { shown: BTreeMap::new(), names }
    }

    /// What people call an entity or alert.
    fn name(&self, id: &'a str) -> &'a str {
        self.names.get(id).unwrap_or(id)
    }

    /// Where the same clause with the same evidence was shown before; otherwise it is noted as shown `here`.
    pub fn before(&mut self, because: &'a Because, here: &str) -> Option<String> {
        if because.evidence.is_empty() {
            return None;
        }
        let alike = self.shown.entry((&because.condition, &because.text)).or_default();
        if let Some((_, place)) = alike.iter().find(|(b, _)| *b == because) {
            return Some(place.clone());
        }
        alike.push((because, here.to_owned()));
        None
    }
}

/// What the words beside evidence mean.
pub const LEGEND: &str =
    "Evidence is marked with how it is known: record, the source's own data holds it; signal, an alert says it; list, one of your lists holds it.";

/// What a phase without cards says.
pub const NOTHING: &str = "No playbook recommends an action here.";

/// What the section of alerts that no signal knew says.
pub const UNRECOGNISED: &str = "No signal knows these alerts, so no playbook could use what they say. Read them yourself.";

/// The word before a diagnostic: "warning GR512".
pub fn diagnostic_word(d: &Wire) -> String {
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    format!("{severity} {}", d.code)
}

/// Where a diagnostic points: the file, or the path in the incident, and the card.
pub fn diagnostic_place(d: &Wire) -> Vec<String> {
    let mut parts: Vec<String> = place(d.file.as_deref(), d.line, d.column).into_iter().collect();
    parts.extend(d.path.clone());
    parts.extend(match (&d.playbook, &d.card) {
        (Some(p), Some(c)) => Some(format!("{p}, {c}")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    });
    parts
}

/// Who made the answer: "42 playbooks loaded, revision 9f2c1a".
pub fn closing(engine: &str, set: &SetInfo) -> String {
    let mut parts = vec![counted(set.loaded, "playbook loaded", "playbooks loaded")];
    parts.extend([format!("revision {}", set.revision)].into_iter().filter(|_| !set.revision.is_empty()));
    parts.extend([counted(set.skipped.len(), "file skipped", "files skipped")].into_iter().filter(|_| !set.skipped.is_empty()));
    parts.push(format!("engine {engine}"));
    parts.join(", ")
}

/// What a triage without a decision still needs, as a heading.
pub fn missing_heading(triage: &Triage) -> &'static str {
    if triage.classification == Classification::Undetermined { "What would decide it" } else { "Still missing" }
}

#[cfg(test)]
mod tests {
    use super::{counted, moment, period};

    #[test]
    fn times_are_short_and_other_text_stays() {
        assert_eq!(moment("2026-01-12T09:14:02.1234567Z"), "2026-01-12 09:14:02 UTC");
        assert_eq!(moment("yesterday"), "yesterday");
        assert_eq!(period(Some("2026-01-12T09:14:02Z"), Some("2026-01-12T11:00:00Z")).unwrap(), "2026-01-12 09:14:02 to 11:00:00 UTC");
        assert_eq!(period(Some("2026-01-12T09:14:02Z"), Some("2026-01-13T11:00:00Z")).unwrap(), "2026-01-12 09:14:02 to 2026-01-13 11:00:00 UTC");
        assert_eq!(period(Some("2026-01-12T09:14:02Z"), Some("2026-01-12T09:14:02Z")).unwrap(), "2026-01-12 09:14:02 UTC");
        assert_eq!(period(None, None), None);
    }

    #[test]
    fn counts_agree() {
        assert_eq!(counted(1, "alert", "alerts"), "1 alert");
        assert_eq!(counted(0, "alert", "alerts"), "0 alerts");
    }
}
