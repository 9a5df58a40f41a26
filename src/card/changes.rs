//! What differs between two answers to one incident: for `run --watch` and for the comparison of two sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::response::{Because, Card, EntityRef, Evidence, Hunt, Response, Triage};
use crate::diag::human::visible;
use crate::model::{Classification, Phase};

/// What differs between an old and a new answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Changes {
    /// What the triage said and says, if anything of it differs.
    pub triage: Option<TriageChange>,
    /// Cards that only the new answer has, in its order.
    pub added: Vec<CardRef>,
    /// Cards that only the old answer has, in its order.
    pub removed: Vec<CardRef>,
    /// Cards that both have and that differ, in the order of the new answer.
    pub changed: Vec<CardChange>,
    /// Titles of hunts that only the new answer has.
    pub hunts_added: Vec<String>,
    /// Titles of hunts that only the old answer has.
    pub hunts_removed: Vec<String>,
    /// Titles of hunts whose query differs.
    pub hunts_changed: Vec<String>,
}

/// What the triage said and says.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TriageChange {
    /// The old one.
    pub from: Said,
    /// The new one.
    pub to: Said,
    /// What differs: `classification`, `determination`, `confidence`, `why`, `because`, `evidence`.
    pub fields: Vec<FieldChange>,
}

/// A triage in short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Said {
    /// What the incident is.
    pub classification: Classification,
    /// Of which kind.
    pub determination: Option<String>,
    /// 0–100.
    pub confidence: u8,
}

impl Said {
    /// The triage of an answer.
    pub fn of(triage: &Triage) -> Self {
        Self { classification: triage.classification, determination: triage.determination.clone(), confidence: triage.confidence }
    }

    /// `true positive (phishing), confidence 80`; plain text for one line.
    pub fn words(&self) -> String {
        let class = self.classification.word().replace('_', " ");
        let kind = self.determination.as_deref().map_or_else(String::new, |d| format!(" ({})", plain(d).replace('_', " ")));
        format!("{class}{kind}, confidence {}", self.confidence)
    }
}

impl TriageChange {
    /// Whether classification or determination differ, not the confidence or a text alone.
    pub fn reclassified(&self) -> bool {
        (self.from.classification, &self.from.determination) != (self.to.classification, &self.to.determination)
    }
}

/// A card in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct CardRef {
    /// The card's id.
    pub id: String,
    /// Where it belongs.
    pub phase: Phase,
    /// The verb of the catalogue.
    pub action: String,
    /// The verb for people.
    pub title: String,
    /// What it is about; nothing for the incident.
    pub targets: Vec<EntityRef>,
    /// 0–100.
    pub priority: u8,
    /// Why, in a sentence.
    pub why: String,
    /// The playbook cards that gave it, as `playbook/card`.
    pub sources: Vec<String>,
}

impl CardRef {
    /// A card in short.
    pub fn of(card: &Card) -> Self {
        Self {
            id: card.id.clone(),
            phase: card.phase,
            action: card.action.clone(),
            title: card.title.clone(),
            targets: card.entity.iter().chain(&card.entities).cloned().collect(),
            priority: card.priority,
            why: card.why.clone(),
            sources: sources(card),
        }
    }

    /// `Isolate device on lab-07 (device:lab-07)`; plain text for one line.
    pub fn words(&self) -> String {
        let named = |e: &EntityRef| {
            if e.name.is_empty() || e.id.ends_with(&e.name) { plain(&e.id) } else { format!("{} ({})", plain(&e.name), plain(&e.id)) }
        };
        let on = match self.targets.as_slice() {
            [] => "on the incident".to_owned(),
            [one] => format!("on {}", named(one)),
            [first, rest @ ..] => format!("on {} and {} more", named(first), rest.len()),
        };
        format!("{} {on}", plain(&self.title))
    }
}

/// A card that both answers have and that differs.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct CardChange {
    /// The card as it is now.
    pub card: CardRef,
    /// What differs.
    pub fields: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FieldChange {
    /// Its name in the answer; `evidence` where the clauses say the same on other grounds.
    pub field: &'static str,
    /// What it held.
    pub from: Value,
    /// What it holds.
    pub to: Value,
}

impl FieldChange {
    /// `priority 90 -> 95`; plain text for one line.
    pub fn words(&self) -> String {
        // Of two lists, what only one of them holds.
        if let (Value::Array(a), Value::Array(b)) = (&self.from, &self.to) {
            let only = |this: &[Value], other: &[Value]| Value::Array(this.iter().filter(|v| !other.contains(v)).cloned().collect());
            let (gone, new) = (only(a, b), only(b, a));
            let some = |v: &Value| v.as_array().is_some_and(|all| !all.is_empty());
            return match (some(&gone), some(&new)) {
                (true, true) => format!("{} no longer {}, now {}", self.field, shown(&gone), shown(&new)),
                (true, false) => format!("{} no longer {}", self.field, shown(&gone)),
                (false, true) => format!("{} now also {}", self.field, shown(&new)),
                (false, false) => format!("{} in another order", self.field),
            };
        }
        format!("{} {} -> {}", self.field, shown(&self.from), shown(&self.to))
    }

    /// Whether it is a sentence for people, not something that is decided.
    pub fn is_text(&self) -> bool {
        matches!(self.field, "why" | "title" | "because" | "effects" | "prerequisites")
    }
}

/// What differs between two answers to the same incident. Cards are the same by their id: action, targets and
/// parameters. Where a card stands in a file, and the version of its playbook, is no difference.
pub fn between(old: &Response, new: &Response) -> Changes {
    let (before, after) = (by_id(&old.cards), by_id(&new.cards));
    let mut out = Changes { triage: triage(&old.triage, &new.triage), ..Changes::default() };
    for card in &new.cards {
        match before.get(card.id.as_str()) {
            None => out.added.push(CardRef::of(card)),
            Some(was) => {
                let fields = fields((was, &before, old), (card, &after, new));
                if !fields.is_empty() {
                    out.changed.push(CardChange { card: CardRef::of(card), fields });
                }
            }
        }
    }
    out.removed = old.cards.iter().filter(|c| !after.contains_key(c.id.as_str())).map(CardRef::of).collect();
    hunts(&old.hunts, &new.hunts, &mut out);
    out
}

impl Changes {
    /// Whether both answers say the same.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Everything on one line: what the triage became, and how many cards and hunts differ.
    pub fn line(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if let Some(t) = &self.triage {
            parts.push(if t.from == t.to { "triage text changed".to_owned() } else { format!("triage {} -> {}", t.from.words(), t.to.words()) });
        }
        let counts = [
            (self.added.len(), "card", "added"),
            (self.removed.len(), "card", "removed"),
            (self.changed.len(), "card", "changed"),
            (self.hunts_added.len(), "hunt", "added"),
            (self.hunts_removed.len(), "hunt", "removed"),
            (self.hunts_changed.len(), "hunt", "changed"),
        ];
        parts.extend(counts.iter().filter(|(n, ..)| *n > 0).map(|(n, what, how)| format!("{n} {what}{} {how}", if *n == 1 { "" } else { "s" })));
        if parts.is_empty() { "nothing changed".to_owned() } else { parts.join("; ") }
    }

    /// A line for each thing that differs: `+` is new, `-` is gone, `~` differs. Empty if nothing does.
    pub fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(t) = &self.triage {
            if t.from != t.to {
                out.push(format!("~ triage: {} -> {}", t.from.words(), t.to.words()));
            }
            let rest = t.fields.iter().filter(|f| !matches!(f.field, "classification" | "determination" | "confidence"));
            out.extend(rest.map(|f| format!("~ triage: {}", f.words())));
        }
        out.extend(self.added.iter().map(|c| format!("+ {}: {}", c.words(), plain(&c.why))));
        out.extend(self.removed.iter().map(|c| format!("- {}", c.words())));
        for c in &self.changed {
            let fields: Vec<String> = c.fields.iter().map(FieldChange::words).collect();
            out.push(format!("~ {}: {}", c.card.words(), fields.join("; ")));
        }
        for (sign, all) in [("+", &self.hunts_added), ("-", &self.hunts_removed), ("~", &self.hunts_changed)] {
            out.extend(all.iter().map(|t| format!("{sign} hunt: {}", plain(t))));
        }
        out
    }
}

/// Text of an incident or author for one line of a terminal.
pub fn plain(text: &str) -> String {
    visible(text).replace('\n', " ")
}

/// A value of a field for people, in one line and not too long.
fn shown(value: &Value) -> String {
    const MOST: usize = 120;
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(t) => format!("\"{}\"", plain(t)),
        Value::Array(all) if all.is_empty() => "nothing".to_owned(),
        Value::Array(all) => all.iter().map(|v| v.as_str().map_or_else(|| plain(&v.to_string()), plain)).collect::<Vec<_>>().join(", "),
        other => plain(&other.to_string()),
    };
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn by_id(cards: &[Card]) -> BTreeMap<&str, &Card> {
    cards.iter().map(|c| (c.id.as_str(), c)).collect()
}

fn sources(card: &Card) -> Vec<String> {
    let mut all: Vec<String> = card.sources.iter().map(|s| format!("{}/{}", s.playbook, s.card)).collect();
    all.dedup();
    all
}

struct Differences(Vec<FieldChange>);

impl Differences {
    fn note(&mut self, field: &'static str, from: impl Serialize, to: impl Serialize) {
        let value = |v: Result<Value, serde_json::Error>| v.unwrap_or(Value::Null);
        let (from, to) = (value(serde_json::to_value(from)), value(serde_json::to_value(to)));
        if from != to {
            self.0.push(FieldChange { field, from, to });
        }
    }

    /// The clauses; where they say the same, what they rest on and the other does not.
    fn because(&mut self, from: &[Arc<Because>], to: &[Arc<Because>]) {
        let texts = |all: &[Arc<Because>]| all.iter().map(|b| b.text.clone()).collect::<Vec<_>>();
        if texts(from) != texts(to) {
            return self.note("because", texts(from), texts(to));
        }
        let all = |b: &[Arc<Because>]| b.iter().flat_map(|b| &b.evidence).map(evidence).collect::<Vec<_>>();
        let (a, b) = (all(from), all(to));
        let only = |this: &[String], other: &[String]| this.iter().filter(|e| !other.contains(e)).cloned().collect::<Vec<_>>();
        self.note("evidence", only(&a, &b), only(&b, &a));
    }
}

fn evidence(e: &Evidence) -> String {
    match e {
        Evidence::Property { entity, property, value, .. } => format!("{entity} {property} {}", value.as_deref().unwrap_or("not recorded")),
        Evidence::Edge { from, relation, to, .. } => format!("{from} {relation} {}", to.as_deref().unwrap_or("nothing")),
    }
}

fn triage(from: &Triage, to: &Triage) -> Option<TriageChange> {
    let mut d = Differences(Vec::new());
    d.note("classification", from.classification, to.classification);
    d.note("determination", &from.determination, &to.determination);
    d.note("confidence", from.confidence, to.confidence);
    d.note("why", &from.why, &to.why);
    d.because(&from.because, &to.because);
    (!d.0.is_empty()).then(|| TriageChange { from: Said::of(from), to: Said::of(to), fields: d.0 })
}

/// A card with the cards and the answer that it stands in.
type Placed<'a> = (&'a Card, &'a BTreeMap<&'a str, &'a Card>, &'a Response);

fn fields((a, before, old): Placed<'_>, (b, after, new): Placed<'_>) -> Vec<FieldChange> {
    let mut d = Differences(Vec::new());
    d.note("phase", a.phase, b.phase);
    d.note("priority", a.priority, b.priority);
    d.note("confidence", a.confidence, b.confidence);
    d.note("status", a.status, b.status);
    d.note("availability", available(a), available(b));
    d.note("confirm_first", &a.confirm_first, &b.confirm_first);
    d.note("title", &a.title, &b.title);
    d.note("why", &a.why, &b.why);
    d.because(&a.because, &b.because);
    d.note("after", named(a, before), named(b, after));
    // A hunt whose query differs is told once, not again with each of its cards.
    d.note("hunts", titles(a, old), titles(b, new));
    d.note("permissions", &a.permissions, &b.permissions);
    d.note("impact", &a.impact, &b.impact);
    d.note("effects", &a.effects, &b.effects);
    d.note("prerequisites", &a.prerequisites, &b.prerequisites);
    d.note("blast_radius", &a.blast_radius, &b.blast_radius);
    d.note("undo", &a.undo, &b.undo);
    d.note("d3fend", &a.d3fend, &b.d3fend);
    d.note("react", &a.react, &b.react);
    d.note("sources", sources(a), sources(b));
    d.0
}

/// `available`, or what stands against it.
fn available(card: &Card) -> String {
    let a = &card.availability;
    let need = a.need.as_deref().map_or_else(String::new, |n| format!(": {n}"));
    let cause = a.cause.map_or_else(String::new, |c| format!(", {c}"));
    format!("{}{cause}{need}", a.state)
}

/// The cards that come before, by what they do and to what.
fn named(card: &Card, all: &BTreeMap<&str, &Card>) -> Vec<String> {
    let about = |c: &&Card| {
        let on: Vec<&str> = c.entity.iter().chain(&c.entities).map(|e| e.id.as_str()).collect();
        format!("{} {}", c.action, if on.is_empty() { "incident".to_owned() } else { on.join(" ") })
    };
    card.after.iter().map(|id| all.get(id.as_str()).map_or_else(|| id.clone(), about)).collect()
}

fn titles(card: &Card, response: &Response) -> Vec<String> {
    let mut all: Vec<String> = response.hunts.iter().filter(|h| card.hunts.contains(&h.id)).map(|h| h.title.clone()).collect();
    all.sort();
    all
}

/// Hunts are the same by their query; what is left with the same title differs in its query.
fn hunts(old: &[Hunt], new: &[Hunt], out: &mut Changes) {
    let mut gone: Vec<&Hunt> = old.iter().filter(|h| !new.iter().any(|n| n.id == h.id && n.title == h.title)).collect();
    for hunt in new.iter().filter(|n| !old.iter().any(|h| h.id == n.id && h.title == n.title)) {
        match gone.iter().position(|h| h.title == hunt.title || h.id == hunt.id) {
            Some(n) => {
                gone.remove(n);
                out.hunts_changed.push(hunt.title.clone());
            }
            None => out.hunts_added.push(hunt.title.clone()),
        }
    }
    out.hunts_removed = gone.into_iter().map(|h| h.title.clone()).collect();
}

#[cfg(test)]
mod tests {
    use super::between;
    use crate::card::render::sample;
    use crate::model::Classification;

    #[test]
    fn an_answer_does_not_differ_from_itself() {
        let one = sample::response();
        let none = between(&one, &one);
        assert!(none.is_empty() && none.lines().is_empty());
        assert_eq!(none.line(), "nothing changed");
    }

    #[test]
    fn each_difference_is_told_once() {
        let old = sample::response();
        let mut new = old.clone();
        new.triage.classification = Classification::Undetermined;
        let gone = new.cards.remove(0);
        let kept = new.cards[0].id.clone();
        new.cards[0].priority = 3;
        new.cards[0].sources[0].line += 7;
        new.cards[1].id = "new".into();
        new.hunts[0].query.push(' ');
        new.hunts[0].id = "other".into();
        let found = between(&old, &new);
        assert_eq!(found.added.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["new"]);
        assert_eq!(found.removed.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), [gone.id.as_str(), old.cards[2].id.as_str()]);
        let changed = found.changed.iter().find(|c| c.card.id == kept).unwrap();
        assert_eq!(changed.fields.iter().map(|f| f.field).collect::<Vec<_>>(), ["priority"]);
        assert!(found.triage.as_ref().unwrap().reclassified());
        assert_eq!((found.hunts_added.len(), found.hunts_removed.len(), found.hunts_changed.len()), (0, 0, 1));
        assert!(found.line().contains("1 card added; 2 cards removed"), "{}", found.line());
    }

    #[test]
    fn what_an_attacker_wrote_stays_on_its_line() {
        let mut old = sample::hostile();
        let new = old.clone();
        old.cards.clear();
        old.hunts.clear();
        let found = between(&old, &new);
        assert!(!found.added.is_empty());
        for line in found.lines().iter().chain([&found.line()]) {
            assert!(!line.contains('\n') && !line.chars().any(crate::diag::human::hidden), "{line:?}");
        }
    }
}
