//! A playbook: its head and its `match:`; the rest is in [`super::scope`] and [`super::cards`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cards::Book;
use super::catalogue::{kind_word, signal_ids, technique};
use super::keys;
use super::later::{Later, later, now};
use super::names::{Declared, Kept};
use super::read::{Fields, Reader};
use super::scope::{Around, Scope, scope};
use super::set::{Arm, CardRule, Gate, Match, Playbook, Rules, Status};
use super::text::level_of;
use super::yaml::Node;
use crate::diag::{Diagnostic, Severity, codes, nearest};
use crate::script::Questions;
use crate::source::{Scalar, Span};

/// Compiles a playbook; what is wrong is reported.
pub(crate) fn compile(reader: &mut Reader<'_>, d: &Declared<'_>, around: &Around, questions: &mut Questions) -> Playbook {
    let before = errors(reader);
    let fields = reader.keys(d.node, "a playbook", keys::PLAYBOOK);
    playbook(reader, d, &fields, around, |reader| {
        let rules = rules(reader, d.id_span, &fields, around, questions, before);
        (rules.gate(), now(rules))
    })
}

/// A playbook that is as it ships, and so is all that it builds on: its rules are compiled when they are first asked.
pub(crate) fn shipped(reader: &mut Reader<'_>, d: &Declared<'_>, kept: Kept, around: &Arc<Around>, questions: &Questions) -> Playbook {
    let (around, mut questions, span) = (around.clone(), questions.later(), d.id_span);
    let fields = Fields::checked(d.node);
    playbook(reader, d, &fields, &around.clone(), |_| {
        let rules = later(move || match kept.node() {
            Some(node) => rules(&mut Reader::quiet(), span, &Fields::checked(node), &around, &mut questions, 0),
            None => Rules::default(),
        });
        (None, rules)
    })
}

/// The head of a playbook; the rules are made in their turn, so that what is wrong comes in order.
fn playbook(
    reader: &mut Reader<'_>,
    d: &Declared<'_>,
    fields: &Fields<'_>,
    around: &Around,
    rules: impl FnOnce(&mut Reader<'_>) -> (Option<Gate>, Later<Rules>),
) -> Playbook {
    if let Some(n) = fields.get("format") {
        reader.number(n, "`format`", 1..=1);
    }
    let mut word = |key: &str| fields.get(key).and_then(|n| reader.text(n, format_args!("`{key}`")));
    let (title, version, status) = (word("title"), word("version"), word("status"));
    for key in ["owner", "description"] {
        word(key);
    }
    if let Some(v) = version
        && !(v.text.split('.').count() == 3 && v.text.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())))
    {
        reader.error_help(codes::WRONG_SHAPE, v.span, format!("`{}` is not a version", v.text), "versions are written as in 1.4.0");
    }
    let words: Vec<&str> = Status::ALL.iter().map(|s| s.word()).collect();
    let status = status.and_then(|s| reader.word(s, "a status", &words)).and_then(Status::parse).unwrap_or(Status::Experimental);
    for key in ["tags", "references"] {
        if let Some(n) = fields.get(key) {
            reader.texts(n, format_args!("`{key}`"));
        }
    }
    let matching = fields.get("match").map(|n| matching(reader, n, around)).unwrap_or_default();
    let (gate, rules) = rules(reader);
    Playbook {
        id: d.id.as_str().into(),
        version: version.map(|s| s.text.to_string()).unwrap_or_default(),
        title: title.map(|s| s.text.to_string()).unwrap_or_default(),
        status,
        span: d.id_span,
        matching,
        gate,
        rules,
    }
}

/// What a playbook says where its `match:` holds; `before` is how many errors there were before it.
fn rules(reader: &mut Reader<'_>, id: Span, fields: &Fields<'_>, around: &Around, questions: &mut Questions, before: usize) -> Rules {
    let mut base = Scope::default();
    // Libraries of which a part does not load.
    let mut torn: Vec<&Scalar> = Vec::new();
    for s in fields.get("use").map(|n| reader.texts(n, "`use`")).unwrap_or_default() {
        match around.libraries.get(&*s.text) {
            Some(library) => {
                if !library.known.is_empty() {
                    torn.push(s);
                }
                base.take(reader, s.span, library);
            }
            None => {
                let near = nearest(&s.text, around.libraries.keys().map(|k| &**k));
                let d = Diagnostic::error(codes::UNKNOWN_REF, s.span, format!("there is no library `{}`", s.text));
                reader.report(d.did_you_mean(s.inner(), near, "declare it in a `library:` file"));
            }
        }
    }
    let scope = scope(reader, base, fields, &around.names, questions);
    let mut book = Book { reader, around, scope: &scope, questions, ids: BTreeMap::new() };
    let arms = fields.get("triage").map(|n| book.reader.list(n, "`triage`")).unwrap_or_default();
    let triage: Vec<Arm> = arms.iter().filter_map(|n| book.arm(n)).collect();
    let hunts = book.hunts(fields);
    let nodes = book.declared_cards(fields);
    let declared = nodes.len();
    let cards: Vec<CardRule> = nodes.into_iter().filter_map(|(n, phase)| book.card(n, phase, &hunts)).collect();
    book.circles(&cards);
    let exceptions = fields.get("exceptions").map(|n| book.reader.list(n, "`exceptions`")).unwrap_or_default();
    let exceptions = exceptions.iter().filter_map(|n| book.exception(n)).collect();
    // What is missing in a library was told there; a playbook that lacks a card because of it must not run without it.
    let own = |name| scope.places.get(name).is_some_and(|s: &Span| s.file == id.file);
    let lost = triage.len() < arms.len() || cards.len() < declared || hunts.values().any(|h| h.parts.is_empty()) || scope.known.keys().any(own);
    if let (true, Some(library)) = (lost && errors(reader) == before, torn.first()) {
        let message = format!("something that this playbook uses does not load in the library `{}`", library.text);
        reader.error_help(codes::UNKNOWN_REF, library.span, message, "mend the library; until then this playbook does not run");
    }
    Rules { bindings: scope.bindings, conditions: scope.clauses, places: scope.places, triage, cards, hunts, exceptions }
}

fn errors(reader: &Reader<'_>) -> usize {
    reader.out.iter().filter(|d| d.severity == Severity::Error).count()
}

fn matching(reader: &mut Reader<'_>, node: &Node, around: &Around) -> Match {
    let fields = reader.keys(node, "`match`", keys::MATCH);
    let mut types = BTreeSet::new();
    for s in fields.get("types").map(|n| reader.texts(n, "`types`")).unwrap_or_default() {
        if around.types.contains(&*s.text) {
            types.insert(s.text.clone());
        } else {
            let near = nearest(&s.text, around.types.iter().map(|t| &**t));
            let d = Diagnostic::error(codes::UNKNOWN_REF, s.span, format!("there is no incident type `{}`", s.text));
            reader.report(d.did_you_mean(s.inner(), near, "declare it in a file of `incident_types:`"));
        }
    }
    let techniques = fields.get("techniques").map(|n| reader.texts(n, "`techniques`")).unwrap_or_default();
    let entities = fields.get("entities").map(|n| reader.texts(n, "`entities`")).unwrap_or_default();
    Match {
        types,
        signals: fields.get("signals").map(|n| signal_ids(reader, n, &around.names)).unwrap_or_default(),
        techniques: techniques.into_iter().filter_map(|s| technique(reader, s)).collect(),
        entities: entities.into_iter().filter_map(|s| kind_word(reader, s)).collect(),
        severity: fields.get("severity").and_then(|n| level_of(reader, n)),
    }
}
