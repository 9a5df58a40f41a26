//! What came, held against what was expected; and why they differ.

use std::collections::BTreeSet;

use super::blame::{self, Blame};
use super::test::{Came, Failure, Got, unlike};
use crate::card::Response;
use crate::card::response::Evidence;
use crate::diag::Diagnostic;
use crate::model::{EntityIx, Incident};
use crate::playbook::set::{CardRule, Playbook, Target};
use crate::playbook::tests::{Test, Wanted};
use crate::script::trace::{Seen, Shown};
use crate::script::{Cx, Facts};
use crate::source::{Sources, Span};

/// How many reasons one failure shows.
const REASONS: usize = 4;
/// How many facts a reason shows.
const FACTS: usize = 6;

/// What a test looked at.
pub(super) struct Looked<'c> {
    pub sources: &'c Sources,
    pub playbook: &'c Playbook,
    pub response: &'c Response,
    /// The key of `match:` that does not hold, if one does not.
    pub unmatched: Option<&'static str>,
    pub got: &'c Got,
    /// Whether the reasons are wanted as well.
    pub why: bool,
}

/// Everything that differs.
pub(super) fn check(test: &Test, cx: &mut Cx<'_>, looked: &Looked<'_>) -> Vec<Failure> {
    let Looked { playbook, response, unmatched, got, .. } = *looked;
    let mut c = Check { sources: looked.sources, playbook, cx, response, unmatched, got, why: looked.why, out: Vec::new() };
    let x = &test.expect;
    if let Some(m) = x.matched.as_ref().filter(|m| m.value != got.matched) {
        let mut d = if m.value {
            unlike(m.span, format!("`{}` does not match this incident", playbook.id), "expected to match")
        } else {
            unlike(m.span, format!("`{}` matches this incident", playbook.id), "expected not to match")
        };
        if let Some(key) = unmatched {
            d = d.at(playbook.span, format!("`{key}` of its `match:` does not hold")).help(c.what_is_there(key));
        }
        c.fail("matched", d);
    }
    if let Some(t) = &x.triage {
        let (classification, determination) = &t.value;
        let came = &response.triage;
        let same = came.classification == *classification
            && determination
                .as_ref()
                .is_none_or(|d| came.determination.as_ref().is_some_and(|c| crate::model::level::squash(c) == crate::model::level::squash(d)));
        if !same {
            let wanted = determination.as_ref().map_or_else(|| classification.to_string(), |d| format!("{classification} {d}"));
            let mut d = unlike(t.span, format!("triage is `{}`, not `{wanted}`", got.triage), format!("came: {}", got.triage));
            d = c.triage_reasons(d, *classification, determination.as_deref());
            c.fail("triage", d);
        }
    }
    if let Some(t) = x.confidence.as_ref().filter(|t| t.value != got.confidence) {
        let d = unlike(t.span, format!("the confidence of triage is {}, not {}", got.confidence, t.value), format!("came: {}", got.confidence));
        c.fail("confidence", d.help(format!("triage is `{}`: {}", got.triage, response.triage.why)));
    }
    for (key, all) in [("cards", &x.cards), ("completed", &x.completed), ("unavailable", &x.unavailable)] {
        all.iter().for_each(|w| c.there(key, w));
    }
    if let Some(only) = &x.only_cards {
        only.value.iter().for_each(|w| c.there("only_cards", w));
        let known: Vec<(&Wanted, Vec<BTreeSet<EntityIx>>)> =
            only.value.iter().filter_map(|w| Some((w, who(c.cx.facts.incident, &w.about).ok()?))).collect();
        for came in &got.cards {
            if !known.iter().any(|(w, about)| *w.card == *came.card && (about.is_empty() || exactly(c.cx.facts.incident, came, about))) {
                let d = unlike(only.span, format!("the card `{came}` is there and was not expected"), "these cards and no others");
                let diagnostic = c.there_because(d, came);
                c.out.push(Failure { key: "only_cards", diagnostic, came: Some(came.to_string()) });
            }
        }
    }
    for w in &x.no_cards {
        match who(c.cx.facts.incident, &w.about) {
            Err(text) => c.nobody("no_cards", w, &text),
            Ok(about) => {
                let came: Vec<&Came> = got.cards.iter().filter(|k| *k.card == *w.card && includes(c.cx.facts.incident, k, &about)).collect();
                if let Some(first) = came.first() {
                    let more = came.len().saturating_sub(1);
                    let and = if more > 0 { format!(", and {more} more like it") } else { String::new() };
                    let d = unlike(w.span, format!("the card `{first}` is there{and}"), "expected not to be there");
                    let d = c.there_because(d, first);
                    c.fail("no_cards", d);
                }
            }
        }
    }
    for (w, clauses) in &x.failed {
        c.failed(w, clauses);
    }
    for h in &x.hunts {
        let wanted = h.value.to_lowercase();
        if !response.hunts.iter().any(|k| k.rules.iter().any(|r| **r == *h.value) || k.title.to_lowercase().contains(&wanted)) {
            let mut d = unlike(h.span, format!("the hunt `{}` was not written", h.value), "expected");
            if let Some(rule) = playbook.hunts.get(&h.value) {
                d = d.at(rule.span, "this hunt");
            }
            let about: Vec<&str> = response.diagnostics.iter().filter(|d| d.code == crate::diag::codes::HUNT).map(|d| d.message.as_str()).collect();
            let titles: Vec<String> = response.hunts.iter().map(|h| format!("`{}`", h.title)).collect();
            d = d.help(match (about.first(), titles.is_empty()) {
                (Some(why), _) => (*why).to_owned(),
                (None, true) => "no hunt was written: a hunt comes with a card that names it, or, without `with`, with the playbook".to_owned(),
                (None, false) => format!("written were {}", titles.join(", ")),
            });
            c.fail("hunts", d);
        }
    }
    for k in &x.diagnostics {
        if !got.diagnostics.iter().any(|g| **g == *k.value) {
            let d = unlike(k.span, format!("no diagnostic `{}` came", k.value), "expected");
            let came: Vec<String> = response.diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
            let help = if came.is_empty() { "the answer has no diagnostics".to_owned() } else { format!("came: {}", came.join("; ")) };
            c.fail("diagnostics", d.help(help));
        }
    }
    c.out
}

struct Check<'c, 'a> {
    sources: &'c Sources,
    playbook: &'c Playbook,
    cx: &'c mut Cx<'a>,
    response: &'c Response,
    unmatched: Option<&'static str>,
    got: &'c Got,
    why: bool,
    out: Vec<Failure>,
}

impl Check<'_, '_> {
    fn fail(&mut self, key: &'static str, diagnostic: Diagnostic) {
        self.out.push(Failure { key, diagnostic, came: None });
    }

    /// An entity of an expectation that the incident does not have.
    fn nobody(&mut self, key: &'static str, w: &Wanted, text: &str) {
        let facts = self.cx.facts;
        let ids: Vec<&str> = facts.incident.entities.iter().map(|e| e.id.as_ref()).collect();
        let help = match crate::diag::nearest(text, ids.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if ids.is_empty() => "the incident has no entities".to_owned(),
            None => format!("the incident has {}", listed(&ids)),
        };
        let d = unlike(w.span, format!("the incident of this test has no entity `{text}`"), "");
        self.fail(key, d.help(help));
    }

    /// A card that is expected to be there.
    fn there(&mut self, key: &'static str, w: &Wanted) {
        let incident = self.cx.facts.incident;
        let about = match who(incident, &w.about) {
            Ok(about) => about,
            Err(text) => return self.nobody(key, w, &text),
        };
        let same: Vec<&Came> = self.got.cards.iter().filter(|c| *c.card == *w.card && (about.is_empty() || exactly(incident, c, &about))).collect();
        let fits = |c: &&&Came| match key {
            "completed" => c.completed,
            "unavailable" => !c.available,
            _ => true,
        };
        if same.iter().any(|c| fits(&c)) {
            return;
        }
        if let Some(first) = same.first() {
            let what = if key == "completed" { "is not completed" } else { "is available" };
            let mut d = unlike(w.span, format!("the card `{first}` is there, but {what}"), "expected");
            if let (Some(rule), "completed") = (self.rule(w), key) {
                let action = &rule.action;
                d = match &action.done_when {
                    Some(test) => d.at(test.span, "this does not hold"),
                    None => d.help(format!("the action `{}` has no `done_when`, so that no card of it is ever completed", action.id)),
                };
            }
            return self.fail(key, d);
        }
        let d = unlike(w.span, format!("the card `{w}` is not there"), "expected");
        let one = (about.len() == 1).then(|| about.first().and_then(BTreeSet::first).copied()).flatten();
        let d = self.absent_because(d, w, one);
        self.fail(key, d);
    }

    fn rule(&self, w: &Wanted) -> Option<&'_ CardRule> {
        self.playbook.cards.iter().find(|c| c.id == w.card)
    }

    /// Adds why a card is not there.
    fn absent_because(&mut self, mut d: Diagnostic, w: &Wanted, about: Option<EntityIx>) -> Diagnostic {
        if !self.why {
            return d;
        }
        if let Some(key) = self.unmatched {
            return d.at(self.playbook.span, format!("does not match: `{key}` of its `match:` does not hold")).help(self.what_is_there(key));
        }
        let playbook = self.playbook;
        let Some(rule) = playbook.cards.iter().find(|c| c.id == w.card) else { return d };
        let others: Vec<&Came> = self.got.cards.iter().filter(|c| *c.card == *w.card).collect();
        let several = matches!(rule.target, Target::All(..));
        let (blames, _) = if several && !others.is_empty() { Default::default() } else { blame::card(self.sources, self.cx, rule, about) };
        d = self.blamed(d, &blames);
        if !others.is_empty() {
            let there: Vec<String> = others.iter().take(REASONS).map(|c| format!("`{c}`")).collect();
            d = d.at(rule.span, format!("is there as {}", there.join(", ")));
        } else if let (true, Some(x)) = (blames.is_empty(), self.response.diagnostics.iter().find(|x| x.card.as_deref() == Some(&*w.card))) {
            d = d.help(x.message.clone());
        }
        d
    }

    /// Adds the clauses that stand in the way, each at its place with those for whom it does, and what was looked at.
    fn blamed(&self, mut d: Diagnostic, blames: &[Blame]) -> Diagnostic {
        let facts = self.cx.facts;
        let mut looked: Vec<String> = Vec::new();
        let mut shown: Vec<(Span, &str, Vec<&str>)> = Vec::new();
        for b in blames {
            let whom = b.about.and_then(|e| facts.entity(e)).map(|e| e.id.as_ref());
            let full = shown.len() >= REASONS;
            match shown.iter_mut().find(|(span, text, _)| *span == b.span && *text == b.text) {
                Some((_, _, all)) => all.extend(whom),
                None if full => continue,
                None => shown.push((b.span, &b.text, whom.into_iter().collect())),
            }
            looked.extend(b.seen.iter().take(FACTS).map(|s| fact(facts, s)));
        }
        let several: BTreeSet<Option<EntityIx>> = blames.iter().map(|b| b.about).collect();
        for (span, text, whom) in shown {
            let whom = if several.len() > 1 && !whom.is_empty() { format!("{}: ", listed(&whom)) } else { String::new() };
            d = d.at(span, format!("{whom}{text}"));
        }
        let mut known = BTreeSet::new();
        looked.retain(|t| known.insert(t.clone()));
        if looked.is_empty() { d } else { d.help(format!("looked at: {}", listed_of(looked))) }
    }

    /// Adds why a card is there.
    fn there_because(&self, mut d: Diagnostic, came: &Came) -> Diagnostic {
        let Some(rule) = self.playbook.cards.iter().find(|c| self.why && *c.id == *came.card) else { return d };
        d = d.at(rule.span, "this card holds");
        let card = self.response.cards.iter().find(|c| {
            c.sources.iter().any(|s| s.card == came.card)
                && c.entity.iter().chain(&c.entities).map(|e| e.id.as_str()).eq(came.entities.iter().map(String::as_str))
        });
        let because = || card.into_iter().flat_map(|c| &c.because);
        let reasons: Vec<String> = because().map(|b| b.text.clone()).collect();
        let mut looked: Vec<String> = because().flat_map(|b| &b.evidence).map(evidence).collect();
        looked.truncate(FACTS);
        if reasons.is_empty() {
            return d;
        }
        let looked = if looked.is_empty() { String::new() } else { format!("; looked at: {}", listed_of(looked)) };
        d.help(format!("because {}{looked}", listed_of(reasons)))
    }

    /// Adds which arm decided, and why the expected one did not.
    fn triage_reasons(&mut self, mut d: Diagnostic, wanted: crate::model::Classification, determination: Option<&str>) -> Diagnostic {
        if !self.why {
            return d;
        }
        if let Some(key) = self.unmatched {
            return d.at(self.playbook.span, format!("does not match: `{key}` of its `match:` does not hold")).help(self.what_is_there(key));
        }
        let playbook = self.playbook;
        let came = &self.response.triage;
        if came.source.origin == "source" {
            return d.help("the incident carries a decision, which comes before what rules say");
        }
        let arm = playbook.triage.iter().find(|a| a.classification == wanted && determination.is_none_or(|x| a.determination.as_deref() == Some(x)));
        match arm {
            Some(arm) if arm.when.as_ref().is_none_or(|w| self.cx.holds(w, &[]).unwrap_or(false)) => {
                d = d.at(arm.span, "this arm holds, but an earlier one does too").help(format!("the first arm that holds decides: {}", came.why));
            }
            Some(arm) => {
                let blames = blame::arm(self.sources, self.cx, arm);
                d = self.blamed(d, &blames);
            }
            None => d = d.help(format!("no arm of its `triage:` says so; it says: {}", came.why)),
        }
        d
    }

    /// A card that is expected not to be there because of some clauses.
    fn failed(&mut self, w: &Wanted, clauses: &[crate::playbook::tests::Told<std::sync::Arc<str>>]) {
        let incident = self.cx.facts.incident;
        let about = match who(incident, &w.about) {
            Ok(about) => about,
            Err(text) => return self.nobody("failed", w, &text),
        };
        if let Some(came) = self.got.cards.iter().find(|c| *c.card == *w.card && includes(incident, c, &about)) {
            let d = unlike(w.span, format!("the card `{came}` is there"), "expected to fail");
            let d = self.there_because(d, came);
            return self.fail("failed", d);
        }
        let one = (about.len() == 1).then(|| about.first().and_then(BTreeSet::first).copied()).flatten();
        let playbook = self.playbook;
        let Some(rule) = playbook.cards.iter().find(|c| c.id == w.card) else { return };
        let mut names: BTreeSet<String> = BTreeSet::new();
        if self.unmatched.is_some() {
            names.insert("match".to_owned());
        } else {
            names = blame::card(self.sources, self.cx, rule, one).1;
        }
        for c in clauses.iter().filter(|c| !names.contains(&*c.value)) {
            let mut d = unlike(c.span, format!("the card `{w}` is not there, but not because of `{}`", c.value), "does not fail");
            if let Some(condition) = playbook.conditions.get(c.value.trim_start_matches('!')) {
                d = d.at(condition.span, "this condition");
            }
            let failing: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
            d = d.help(if failing.is_empty() { "no clause of it fails".to_owned() } else { format!("what fails is {}", failing.join(", ")) });
            self.fail("failed", d);
        }
    }

    /// What the incident has in place of what `match:` asks for.
    fn what_is_there(&self, key: &str) -> String {
        let facts = self.cx.facts;
        let all: Vec<String> = match key {
            "types" => facts.types.iter().map(|(t, n)| format!("{t} ({n})")).collect(),
            "signals" => facts.signals().iter().map(ToString::to_string).collect(),
            "techniques" => {
                facts.incident.alerts.iter().flat_map(|a| a.techniques.iter().map(ToString::to_string)).collect::<BTreeSet<_>>().into_iter().collect()
            }
            "entities" => facts.incident.entities.iter().map(|e| e.kind.to_string()).collect::<BTreeSet<_>>().into_iter().collect(),
            _ => facts.incident.severity.iter().map(ToString::to_string).collect(),
        };
        let what = if key == "types" { "incident types" } else { key };
        if all.is_empty() { format!("the incident has no {what}") } else { format!("{what} of the incident: {}", listed_of(all)) }
    }
}

/// The entities that an expectation names: for each name, those that are known by it. An error is a name that nobody has.
pub(super) fn who(incident: &Incident, about: &str) -> Result<Vec<BTreeSet<EntityIx>>, String> {
    let words: Vec<&str> = about.split_whitespace().collect();
    let mut all = Vec::new();
    let mut at = 0usize;
    while at < words.len() {
        // An id may hold blanks itself: the longest name that somebody has.
        let found = (at.saturating_add(1)..=words.len()).rev().find_map(|end| {
            let name = words.get(at..end)?.join(" ");
            let known: BTreeSet<EntityIx> =
                incident.entities().filter(|(_, e)| e.id.eq_ignore_ascii_case(&name) || e.is_known_as(&name)).map(|(ix, _)| ix).collect();
            (!known.is_empty()).then_some((end, known))
        });
        let Some((end, known)) = found else { return Err(words.get(at..).unwrap_or_default().join(" ")) };
        all.push(known);
        at = end;
    }
    Ok(all)
}

fn entities(incident: &Incident, came: &Came) -> Vec<EntityIx> {
    incident.entities().filter(|(_, e)| came.entities.iter().any(|id| **id == *e.id)).map(|(ix, _)| ix).collect()
}

/// Whether a card is about these and nothing else.
fn exactly(incident: &Incident, came: &Came, about: &[BTreeSet<EntityIx>]) -> bool {
    includes(incident, came, about) && entities(incident, came).iter().all(|e| about.iter().any(|names| names.contains(e)))
}

/// Whether a card is about these, and perhaps others.
fn includes(incident: &Incident, came: &Came, about: &[BTreeSet<EntityIx>]) -> bool {
    let mine = entities(incident, came);
    about.iter().all(|names| mine.iter().any(|e| names.contains(e)))
}

/// A thing that was looked at, in one line.
fn fact(facts: &Facts<'_>, seen: &Seen) -> String {
    let id = |e: EntityIx| facts.entity(e).map_or("", |x| x.id.as_ref());
    let alert = |a: crate::model::AlertIx| facts.incident.alert(a).map_or("", |x| x.id.as_ref());
    match seen.shown(facts) {
        Shown::Fact { entity, property, value, .. } => format!("{} {property} = {}", id(entity), value.as_deref().unwrap_or("not recorded")),
        Shown::Edge(x) => facts.graph.edge(x).map_or_else(String::new, |r| format!("{} {} {}", id(r.from), r.rel.spec().name, id(r.to))),
        Shown::NoEdge { entity, rel } => format!("{} has no `{}`", id(entity), rel.spec().name),
        Shown::Alert { alert: a, field, value } => format!("alert {} {field} = {value}", alert(a)),
        Shown::Incident { field, value } => format!("incident {field} = {value}"),
        Shown::Together { entity, other, alert: a } => format!("{} and {} in alert {}", id(entity), id(other), alert(a)),
    }
}

/// The same, as an answer has it.
fn evidence(e: &Evidence) -> String {
    match e {
        Evidence::Property { entity, property, value, .. } => format!("{entity} {property} = {}", value.as_deref().unwrap_or("not recorded")),
        Evidence::Edge { from, relation, to: Some(to), .. } => format!("{from} {relation} {to}"),
        Evidence::Edge { from, relation, to: None, .. } => format!("{from} has no `{relation}`"),
    }
}

fn listed(all: &[&str]) -> String {
    listed_of(all.iter().map(|t| (*t).to_owned()).collect())
}

/// The first of some texts, and how many more there are.
fn listed_of(all: Vec<String>) -> String {
    const SHOWN: usize = 8;
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
