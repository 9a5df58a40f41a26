//! What became of a card for each thing that it could be about.

use super::{Became, CardsWhy, EntityWhy, Flip, Job, Shown, path};
use crate::card::build;
use crate::card::evidence::entity_ref;
use crate::card::flip;
use crate::card::response::{Card, CardSource};
use crate::eval::why::{self, CardWhy, Outcome};
use crate::model::EntityIx;
use crate::playbook::set::{CardRule, Playbook, Target};
use crate::script::{Cx, Value};

/// How many things without the card are shown for one card, unless all are asked for.
const NOT_SHOWN: usize = 5;
/// How many things are shown for one card, even if all are asked for.
const MOST: usize = 100;

impl Job<'_> {
    /// A card with what became of it; nothing where it has nothing to do with what was asked.
    pub(super) fn card(
        &mut self,
        cx: &mut Cx<'_>,
        p: &Playbook,
        rule: &CardRule,
        matched: bool,
        about: &[EntityIx],
        named: bool,
    ) -> Option<CardsWhy> {
        let mut all: Vec<Option<EntityIx>> = match &rule.target {
            Target::Incident if about.is_empty() || named => vec![None],
            Target::Incident => return None,
            Target::All(..) if about.is_empty() => vec![None],
            _ if !about.is_empty() => {
                let fits = |e: &EntityIx| cx.facts.entity(*e).is_some_and(|x| why::kinds(rule).has(x.kind));
                about.iter().filter(|e| named || fits(e)).map(|e| Some(*e)).collect()
            }
            Target::Each(..) => why::candidates(cx, rule, self.full).into_iter().map(Some).collect(),
            Target::All(..) => vec![None],
        };
        if all.is_empty() {
            if !about.is_empty() {
                return None;
            }
            // Nothing that it could be about: then the list itself is what there is to say.
            all.push(None);
        }
        let mut entities = Vec::new();
        let (mut without, mut more) = (0usize, 0usize);
        for e in all {
            let holds = self.found(cx, p, rule, e).is_some();
            let room = entities.len() < MOST && (holds || self.all || without < NOT_SHOWN);
            if !room {
                more = more.saturating_add(1);
                continue;
            }
            without = without.saturating_add(usize::from(!holds));
            entities.push(self.entity(cx, p, rule, matched, e));
        }
        let place = self.set.sources.place(rule.span);
        Some(CardsWhy {
            card: rule.id.to_string(),
            action: rule.action.id.to_string(),
            title: rule.action.title.clone(),
            phase: rule.phase,
            file: place.file.to_string(),
            line: place.line,
            list: match &rule.target {
                Target::Incident => None,
                Target::Each(name, list) | Target::All(name, list) => {
                    let source = self.set.sources.text(list.span).split_whitespace().collect::<Vec<_>>().join(" ");
                    Some(format!("{name} in {source}"))
                }
            },
            entities,
            more,
        })
    }

    /// The card of the answer that a rule gave for a thing, with its number.
    fn found(&self, cx: &Cx<'_>, p: &Playbook, rule: &CardRule, e: Option<EntityIx>) -> Option<(usize, &Card)> {
        let id = e.and_then(|e| cx.facts.entity(e)).map(|x| x.id.as_ref());
        (1usize..).zip(&self.answer.cards).find(|(_, c)| {
            let gave = c.sources.iter().any(|s| s.playbook == *p.id && s.card == *rule.id);
            gave && id.is_none_or(|id| c.entity.iter().chain(&c.entities).any(|x| x.id == id))
        })
    }

    fn entity(&mut self, cx: &mut Cx<'_>, p: &Playbook, rule: &CardRule, matched: bool, e: Option<EntityIx>) -> EntityWhy {
        let decided = match (e, &rule.target) {
            // A card on each thing of a list without anything in it: what is asked is why the list is empty.
            (None, Target::Each(_, list)) => why::unlisted(&self.set.sources, cx, list),
            _ => why::card(&self.set.sources, cx, rule, e),
        };
        let found = self.found(cx, p, rule, e).map(|(number, card)| (number, card.clone()));
        let reason = if found.is_some() { None } else { Some(reason(&decided, matched)) };
        let outcome = match &found {
            None => Became::NotShown,
            Some((_, card)) if card.availability.cause.is_none() => Became::Shown,
            Some(_) => Became::Unavailable,
        };
        let mut out = EntityWhy {
            entity: e.and_then(|e| entity_ref(cx.facts, e)),
            outcome,
            reason,
            text: String::new(),
            card: found.as_ref().map(|(number, card)| shown(*number, card, p, rule)),
            listed: decided.listed.as_ref().map(|c| self.clause(cx, c)),
            when: decided.when.as_ref().map(|c| self.clause(cx, c)),
            guards: Vec::new(),
            exception: None,
            paths: Vec::new(),
            flips: Vec::new(),
            flips_note: None,
        };
        out.text = self.sentence(cx, p, rule, &decided, &out);
        if found.is_some() {
            let target = e.map_or(Value::Incident, Value::Entity);
            let params = [target, build::params_value(&rule.params)];
            for g in &rule.action.never {
                let tree = why::expression(&self.set.sources, cx, &g.test, &params, false);
                if tree.outcome != Outcome::Pass {
                    out.guards.push(self.clause(cx, &tree));
                }
            }
            out.exception = e.and_then(|e| build::exception(cx, p, rule, e, self.context.today));
            let trees: Vec<_> = out.listed.iter().chain(&out.when).collect();
            out.paths = path::ways(&trees, out.entity.as_ref().map(|e| e.id.as_str()));
        }
        if self.flips && reason != Some("kind") {
            let asked = flip::Asked { set: self.set, playbook: p, rule, about: out.entity.as_ref().map(|e| e.id.as_str()), now: self.context.now };
            let found = self.bench.flips(asked, out.outcome == Became::NotShown);
            out.flips = found.flips.iter().map(|f| Flip { text: f.text(), patch: f.ops.clone() }).collect();
            out.flips_note = found.note;
        }
        out
    }

    /// What became of it and why, in a sentence.
    fn sentence(&self, cx: &mut Cx<'_>, p: &Playbook, rule: &CardRule, decided: &CardWhy, made: &EntityWhy) -> String {
        if let Some(card) = &made.card {
            let also: Vec<String> = card.also.iter().map(|s| format!("`{}/{}`", s.playbook, s.card)).collect();
            let merged = if also.is_empty() {
                String::new()
            } else {
                format!("; {} {} the same, so they are one card", also.join(" and "), if also.len() == 1 { "recommends" } else { "recommend" })
            };
            let held = match (&card.availability.cause, &card.availability.need) {
                (Some("policy"), Some(need)) => format!(", but unavailable: a guard of the action speaks against it: {need}"),
                (Some(_), Some(need)) => format!(", but unavailable: {need}"),
                _ => String::new(),
            };
            return format!("it is card {} of the answer{held}{merged}", card.number);
        }
        match made.reason {
            Some("match") => match why::matching(&p.matching, cx.facts).into_iter().find(|k| k.outcome != Outcome::Pass) {
                Some(k) => format!("the playbook is no candidate: {}", key_sentence(k.key, &k.wanted, &k.found)),
                None => "the playbook is no candidate".to_owned(),
            },
            Some("kind") => {
                let kind = decided.about.and_then(|e| cx.facts.entity(e)).map_or("", |e| e.kind.word());
                format!("the action `{}` does not apply to a {}", rule.action.id, kind.replace('_', " "))
            }
            Some("for") => {
                let why = decided.listed.as_ref().and_then(|l| said(l, true));
                let text = decided.listed.as_ref().map(|l| l.text.clone()).unwrap_or_default();
                why.filter(|w| *w != text).map_or(text.clone(), |w| format!("{text}: {w}"))
            }
            Some("when") => decided.when.as_ref().and_then(|w| said(w, true)).unwrap_or_else(|| "a test of it does not hold".to_owned()),
            _ => match &decided.error {
                Some(stop) => format!("it could not be decided: {}", stop.parts().1),
                None => "its sentence could not be written, so it is left out; `diagnostics` of the answer say why".to_owned(),
            },
        }
    }
}

/// A key of `match` that does not hold, in a sentence.
pub fn key_sentence(key: &str, wanted: &[String], found: &[String]) -> String {
    let list = |all: &[String]| all.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
    let has = |what: &str| if found.is_empty() { format!("the incident has {what}") } else { format!("the incident has {}", list(found)) };
    match key {
        "severity" => format!(
            "it wants a severity of at least {}, {}",
            wanted.join(""),
            if found.is_empty() { "the incident has none".to_owned() } else { format!("the incident has {}", found.join("")) }
        ),
        "entities" => format!("it wants entities of all the kinds {}, {}", list(wanted), has("none of them")),
        _ if wanted.len() == 1 => format!("it wants the {} {}, {}", key.trim_end_matches('s'), list(wanted), has("none")),
        _ => format!("it wants any of the {key} {}, {}", list(wanted), has("none")),
    }
}

fn reason(decided: &CardWhy, matched: bool) -> &'static str {
    let failed = |c: &Option<why::Clause>| c.as_ref().is_some_and(|c| c.outcome == Outcome::Fail);
    if !matched {
        "match"
    } else if !decided.fits {
        "kind"
    } else if decided.error.is_some() {
        "error"
    } else if failed(&decided.listed) {
        "for"
    } else if failed(&decided.when) {
        "when"
    } else {
        "error"
    }
}

/// The sentence of the first clause that stands in the way and has one.
fn said(c: &why::Clause, outermost: bool) -> Option<String> {
    if c.outcome == Outcome::Pass {
        return None;
    }
    // That it is not in the list was said; which item a test was asked of, the tree says.
    let new = c.of.is_none() && (!outermost || c.how != why::How::List);
    if new && !c.text.is_empty() {
        return Some(c.text.clone());
    }
    c.below.iter().find_map(|b| said(b, false)).or_else(|| (!c.text.is_empty()).then(|| c.text.clone()))
}

fn shown(number: usize, card: &Card, p: &Playbook, rule: &CardRule) -> Shown {
    let other = |s: &&CardSource| s.playbook != *p.id || s.card != *rule.id;
    Shown { id: card.id.clone(), number, availability: card.availability.clone(), also: card.sources.iter().filter(other).cloned().collect() }
}
