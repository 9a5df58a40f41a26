//! One test of a playbook: its incident, the answer of the playbook alone, and what differs from what was expected.

use std::borrow::Cow;
use std::sync::Arc;

use crate::card::{self, Context, Response};
use crate::diag::{Diagnostic, Severity, codes, nearest};
use crate::eval;
use crate::intake::{self, Read};
use crate::model::{Incident, Time};
use crate::playbook::PlaybookSet;
use crate::playbook::set::Playbook;
use crate::playbook::tests::{Given, Test};
use crate::script::eval::Observed;
use crate::script::{Cx, Facts, NamedList};
use crate::source::Span;

use super::expect;
use serde_json::Value;

/// Reads the incidents of a file that a test names: the name of the playbook's file, and what the test says.
pub type Files<'a> = dyn Fn(&str, &str) -> Result<Vec<Read>, Box<Diagnostic>> + Sync + 'a;

/// How a test ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What differs from what was expected, in the order of the file; nothing if the test passed.
    pub failures: Vec<Failure>,
    /// What came; nothing if the incident could not be had.
    pub got: Option<Got>,
    /// How each clause came out, where that was asked for.
    pub observed: Observed,
}

/// Something that was expected and did not come, or the other way round.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The key of `expect:`; `incident` where there was none.
    pub key: &'static str,
    /// What was expected, what came, where, and why.
    pub diagnostic: Diagnostic,
    /// The card that came although no other was expected, as a test names it.
    pub came: Option<String>,
}

/// What came, in the words of `expect:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// Whether `match:` holds.
    pub matched: bool,
    /// The classification, and the determination if there is one.
    pub triage: String,
    /// 0–100.
    pub confidence: u8,
    /// The cards, each as `card_id` or `card_id entity`, in the order of the answer.
    pub cards: Vec<Came>,
    /// The ids of the hunts that were written.
    pub hunts: Vec<String>,
    /// The codes of the answer's diagnostics.
    pub diagnostics: Vec<String>,
}

/// A card that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// Its id in the playbook.
    pub card: String,
    /// The ids of what it is about.
    pub entities: Vec<String>,
    /// Whether the source says that it is done.
    pub completed: bool,
    /// Whether it can be applied.
    pub available: bool,
}

impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.card)?;
        self.entities.iter().try_for_each(|e| write!(f, " {e}"))
    }
}

/// The incident of a test, as its patches leave it.
pub fn incident(file: &str, test: &Test, files: &Files<'_>) -> Result<Read, Box<Diagnostic>> {
    let placed = |d: Diagnostic, span: Span| Box::new(Diagnostic { labels: Vec::new(), path: d.path.filter(|p| p != "$"), ..d }.at(span, ""));
    let read = |value: &Value, span: Span| intake::read_value(value).map_err(|r| placed(*r.diagnostic, span));
    let (mut value, span) = match &test.incident {
        Given::Inline(value, span) if test.patch.is_empty() => return read(value, *span),
        Given::Inline(value, span) => ((**value).clone(), *span),
        Given::File(path, span) => {
            let all = files(file, path).map_err(|d| placed(*d, *span))?;
            let n = all.len();
            let Some(one) = all.into_iter().next().filter(|_| n == 1) else {
                let d = Diagnostic::error(codes::NOT_RECOGNISED, *span, format!("a test is about one incident; this holds {n}"));
                return Err(Box::new(d.help("keep the one in a file of its own")));
            };
            if test.patch.is_empty() {
                return Ok(one);
            }
            (intake::native::write(&one.incident), *span)
        }
    };
    let all: Vec<Value> = test.patch.iter().map(|op| op.value.clone()).collect();
    if intake::patch::apply(&mut value, &all).is_err() {
        // One after another, to tell which it is.
        for op in &test.patch {
            if let Err(why) = intake::patch::apply(&mut value, std::slice::from_ref(&op.value)) {
                let d = Diagnostic::error(codes::UNREAD, op.span, format!("the incident cannot be changed so: {}", why.join("; ")));
                return Err(Box::new(d.at(span, "this incident")));
            }
        }
    }
    read(&value, span)
}

/// The day of a test: nothing that it says may change with the calendar.
pub fn today(test: &Test, incident: &Incident) -> Time {
    test.now.or(incident.last_activity).or(incident.created).unwrap_or(Time::UNIX_EPOCH)
}

/// What is wanted of a test beside whether it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    Verdict,
    /// Why it failed.
    Why,
    /// The same, and how each clause came out.
    Clauses,
}

/// The set with what its named lists hold in a test.
pub fn with_lists<'s>(set: &'s PlaybookSet, test: &Test) -> Result<Cow<'s, PlaybookSet>, Box<Diagnostic>> {
    if test.lists.is_empty() {
        return Ok(Cow::Borrowed(set));
    }
    let mut lists = set.lists.clone();
    for (id, (values, span)) in &test.lists {
        let Some(list) = lists.iter_mut().find(|l| l.id == *id) else {
            let d = Diagnostic::error(codes::UNKNOWN_REF, *span, format!("there is no list `{id}`"));
            return Err(Box::new(d.did_you_mean(*span, nearest(id, set.lists.iter().map(|l| &*l.id)), "declare it in a file of `lists:`")));
        };
        let texts: Vec<&str> = values.iter().map(String::as_str).collect();
        let (made, wrong) = NamedList::compile(id, list.kind, &texts, list.tag.as_deref(), list.span);
        if let Some(v) = wrong.first().and_then(|n| values.get(*n)) {
            return Err(Box::new(Diagnostic::error(codes::PATTERN, *span, format!("`{v}` is not an address or network"))));
        }
        *list = Arc::new(made);
    }
    Ok(Cow::Owned(PlaybookSet { lists, ..set.clone() }))
}

/// Runs a test: asks the playbook alone, and compares.
pub fn run(set: &PlaybookSet, playbook: &Playbook, test: &Test, files: &Files<'_>, wish: Wish) -> Outcome {
    let file = set.sources.get(playbook.span.file).map_or("", |f| &*f.path);
    let had = with_lists(set, test).and_then(|set| Ok((set, incident(file, test, files)?)));
    match had {
        Ok((set, read)) => {
            let (facts, failed) = eval::facts(&set, &read.incident, test.now);
            compare(&set, playbook, test, &Over { facts: &facts, failed, input: read.diagnostics.clone() }, wish)
        }
        Err(d) => Outcome { failures: vec![Failure { key: "incident", diagnostic: *d, came: None }], got: None, observed: Observed::new() },
    }
}

/// What a playbook is asked over.
pub struct Over<'a> {
    /// The facts of the incident.
    pub facts: &'a Facts<'a>,
    /// What failed on the way to them.
    pub failed: Vec<Diagnostic>,
    /// What there is to say about the incident's text.
    pub input: Vec<Diagnostic>,
}

/// Asks the playbook over facts that are known, and compares with what the test expects.
pub fn compare(set: &PlaybookSet, playbook: &Playbook, test: &Test, over: &Over<'_>, wish: Wish) -> Outcome {
    let facts = over.facts;
    let only = Some(playbook.id.to_string());
    let context = Context { now: test.now, today: today(test, facts.incident), actor: None, input: over.input.clone(), only };
    let mut cx = Cx::new(facts, set.questions);
    if wish == Wish::Clauses {
        cx.observe();
    }
    let response = card::answer(set, &mut cx, over.failed.clone(), &context);
    let observed = cx.observed();
    let unmatched = eval::unmatched(&playbook.matching, facts);
    let got = got(playbook, &response, unmatched.is_none());
    let looked = expect::Looked { sources: &set.sources, playbook, response: &response, unmatched, got: &got, why: wish != Wish::Verdict };
    let failures = expect::check(test, &mut cx, &looked);
    Outcome { failures, got: Some(got), observed }
}

/// The answer in the words of `expect:`.
fn got(playbook: &Playbook, response: &Response, matched: bool) -> Got {
    let t = &response.triage;
    let mut cards = Vec::new();
    for c in &response.cards {
        for s in c.sources.iter().filter(|s| *s.playbook == *playbook.id) {
            cards.push(Came {
                card: s.card.clone(),
                entities: c.entity.iter().chain(&c.entities).map(|e| e.id.clone()).collect(),
                completed: c.status == card::response::Status::Completed,
                available: c.availability.state == "available",
            });
        }
    }
    let mut diagnostics: Vec<String> = response.diagnostics.iter().map(|d| d.code.to_owned()).collect();
    diagnostics.dedup();
    let mut hunts: Vec<String> = response.hunts.iter().flat_map(|h| h.rules.iter().cloned()).collect();
    hunts.sort();
    hunts.dedup();
    Got {
        matched,
        triage: t.determination.as_ref().map_or_else(|| t.classification.to_string(), |d| format!("{} {d}", t.classification)),
        confidence: t.confidence,
        cards,
        hunts,
        diagnostics,
    }
}

/// A failed expectation as a diagnostic.
pub(super) fn unlike(span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
    Diagnostic::new(codes::EXPECTED, Severity::Error, message).at(span, label)
}
