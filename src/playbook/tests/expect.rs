//! What a test expects.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes, nearest};
use crate::model::Classification;
use crate::playbook::keys;
use crate::playbook::read::Reader;
use crate::playbook::set::Playbook;
use crate::playbook::yaml::Node;
use crate::source::{Scalar, Span};

/// Something with its place.
#[derive(Clone, Debug)]
pub struct Told<T> {
    /// What is expected.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

/// What must come out; of what is not given, anything may.
#[derive(Clone, Debug)]
pub struct Expect {
    /// All of it.
    pub span: Span,
    /// Whether `match:` holds.
    pub matched: Option<Told<bool>>,
    /// The classification, and the determination where one is given.
    pub triage: Option<Told<(Classification, Option<String>)>>,
    /// How certain triage is, 0–100.
    pub confidence: Option<Told<u8>>,
    /// These cards at least.
    pub cards: Vec<Wanted>,
    /// These cards and no others.
    pub only_cards: Option<Told<Vec<Wanted>>>,
    /// None of these cards.
    pub no_cards: Vec<Wanted>,
    /// These cards, which the source says are done.
    pub completed: Vec<Wanted>,
    /// These cards, which cannot be applied.
    pub unavailable: Vec<Wanted>,
    /// These cards are not there, because these clauses fail.
    pub failed: Vec<(Wanted, Vec<Told<Arc<str>>>)>,
    /// These hunts: ids of the playbook, or parts of their titles.
    pub hunts: Vec<Told<Arc<str>>>,
    /// These codes among the answer's diagnostics.
    pub diagnostics: Vec<Told<Arc<str>>>,
}

/// A card as a test names it: `card_id`, or `card_id entity`.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The card's id in the playbook.
    pub card: Arc<str>,
    /// What it is about: ids or aliases with blanks between them; empty for whatever it is about.
    pub about: String,
    /// Where it is written.
    pub span: Span,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.card)?;
        if self.about.is_empty() { Ok(()) } else { write!(f, " {}", self.about) }
    }
}

/// The words of `failed:` that are no names of conditions.
pub const PARTS: &[&str] = &["match", "for", "when"];

/// Reads `expect:`; nothing if something is wrong with it.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, playbook: &Playbook) -> Option<Expect> {
    let errors = reader.out.len();
    let fields = reader.keys(node, "`expect`", keys::EXPECT);
    let mut r = Expected { reader, playbook };
    let mut cards = |key: &str| fields.get(key).map(|n| r.cards(n, key));
    let (cards, only_cards, no_cards) = (cards("cards"), cards("only_cards"), cards("no_cards"));
    let only_cards = only_cards.and_then(|all| Some(Told { value: all, span: fields.get("only_cards")?.span }));
    let (completed, unavailable) =
        (fields.get("completed").map(|n| r.cards(n, "completed")), fields.get("unavailable").map(|n| r.cards(n, "unavailable")));
    let triage = fields.get("triage").and_then(|n| r.triage(n));
    let confidence = fields.get("confidence").and_then(|n| {
        let value = r.reader.number(n, "`confidence`", 0..=100).and_then(|v| u8::try_from(v).ok())?;
        Some(Told { value, span: n.span })
    });
    let matched = fields.get("matched").and_then(|n| Some(Told { value: r.reader.flag(n, "`matched`")?, span: n.span }));
    let failed = fields.get("failed").map(|n| r.failed(n)).unwrap_or_default();
    let hunts = fields.get("hunts").map(|n| r.texts(n, "hunts")).unwrap_or_default();
    for h in &hunts {
        r.hunt(h);
    }
    let diagnostics = fields.get("diagnostics").map(|n| r.texts(n, "diagnostics")).unwrap_or_default();
    for d in &diagnostics {
        if !codes::ALL.iter().any(|c| c.id == &*d.value) {
            let help = nearest(&d.value, codes::ALL.iter().map(|c| c.id))
                .map_or_else(|| "codes are written as in GR802".to_owned(), |k| format!("did you mean `{k}`?"));
            r.reader.error_help(codes::UNKNOWN_REF, d.span, format!("there is no code `{}`", d.value), help);
        }
    }
    if matched.as_ref().is_some_and(|m| !m.value)
        && let Some((key, n)) = ["triage", "cards", "only_cards", "completed", "unavailable"].iter().find_map(|k| Some((k, fields.get(k)?)))
    {
        let message = format!("a playbook that does not match gives nothing: `{key}` cannot be expected beside `matched: false`");
        r.reader.error(codes::WRONG_SHAPE, n.span, message);
    }
    let reader = r.reader;
    if reader.out.get(errors..).is_some_and(|new| new.iter().any(|d| d.severity == crate::diag::Severity::Error)) {
        return None;
    }
    if node.entries().is_empty() {
        let d = Diagnostic::warning(codes::WRONG_SHAPE, node.span, "this test expects nothing, so it cannot fail");
        reader.report(d.help("say what must come out, as in `triage:` or `cards:`; `engine test --update` does not add anything"));
    }
    Some(Expect {
        span: node.span,
        matched,
        triage,
        confidence,
        cards: cards.unwrap_or_default(),
        only_cards,
        no_cards: no_cards.unwrap_or_default(),
        completed: completed.unwrap_or_default(),
        unavailable: unavailable.unwrap_or_default(),
        failed,
        hunts,
        diagnostics,
    })
}

struct Expected<'r, 'a> {
    reader: &'r mut Reader<'a>,
    playbook: &'r Playbook,
}

impl Expected<'_, '_> {
    fn texts(&mut self, node: &Node, key: &str) -> Vec<Told<Arc<str>>> {
        let all = self.reader.texts(node, format_args!("`{key}`"));
        all.into_iter().map(|s| Told { value: s.text.clone(), span: s.span }).collect()
    }

    fn cards(&mut self, node: &Node, key: &str) -> Vec<Wanted> {
        self.reader.texts(node, format_args!("`{key}`")).into_iter().filter_map(|s| self.card(s)).collect()
    }

    /// `card_id`, or `card_id entity`.
    fn card(&mut self, s: &Scalar) -> Option<Wanted> {
        let text = s.text.trim();
        let (id, about) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let Some(rule) = self.playbook.cards.iter().find(|c| &*c.id == id) else {
            let known = self.playbook.cards.iter().map(|c| &*c.id);
            let help =
                nearest(id, known).map_or_else(|| "a card is written `card_id`, or `card_id entity`".to_owned(), |k| format!("did you mean `{k}`?"));
            self.reader.error_help(codes::UNKNOWN_REF, s.span, format!("there is no card `{id}` in this playbook"), help);
            return None;
        };
        if !about.is_empty() && matches!(rule.target, crate::playbook::set::Target::Incident) {
            self.reader.error_help(
                codes::WRONG_KIND,
                s.span,
                format!("the card `{id}` is about the incident, not about an entity"),
                format!("write `{id}` alone"),
            );
            return None;
        }
        Some(Wanted { card: rule.id.clone(), about: about.trim().to_owned(), span: s.span })
    }

    /// `classification`, or `classification determination`.
    fn triage(&mut self, node: &Node) -> Option<Told<(Classification, Option<String>)>> {
        let s = self.reader.text(node, "`triage`")?;
        let text = s.text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let words: Vec<&str> = Classification::ALL.iter().map(|c| c.word()).collect();
        let Some(value) = Classification::ALL.iter().copied().find(|c| c.word() == word) else {
            let help = nearest(word, words.iter().copied())
                .map_or_else(|| format!("it is one of {}, and a determination may follow it", words.join(", ")), |k| format!("did you mean `{k}`?"));
            self.reader.error_help(codes::UNKNOWN_WORD, s.span, format!("`{word}` is not a classification"), help);
            return None;
        };
        let determination = Some(rest.trim()).filter(|r| !r.is_empty()).map(str::to_owned);
        Some(Told { value: (value, determination), span: s.span })
    }

    /// `{ card: [clauses] }`
    fn failed(&mut self, node: &Node) -> Vec<(Wanted, Vec<Told<Arc<str>>>)> {
        let mut all = Vec::new();
        for (card, n) in self.reader.ids(node, "`failed`") {
            let clauses = self.texts(n, "failed");
            for c in &clauses {
                let name = c.value.trim_start_matches('!');
                if !PARTS.contains(&name) && !self.playbook.conditions.contains_key(name) {
                    let known = self.playbook.conditions.keys().map(|k| &**k).chain(PARTS.iter().copied());
                    let help = nearest(name, known).map_or_else(
                        || "clauses are named conditions, `when`, `for` (nothing in the card's list) or `match`".to_owned(),
                        |k| format!("did you mean `{k}`?"),
                    );
                    self.reader.error_help(codes::UNKNOWN_REF, c.span, format!("there is no condition `{name}` in this playbook"), help);
                }
            }
            if let Some(card) = self.card(card) {
                all.push((card, clauses));
            }
        }
        all
    }

    /// A word alone is an id; anything else is a part of a title.
    fn hunt(&mut self, h: &Told<Arc<str>>) {
        let known = self.playbook.hunts.keys().any(|k| *k == h.value);
        if !known && crate::script::lower::is_name(&h.value) && h.value.contains('_') {
            let help = nearest(&h.value, self.playbook.hunts.keys().map(|k| &**k))
                .map_or_else(|| "hunts are named by their id, or by a part of their title".to_owned(), |k| format!("did you mean `{k}`?"));
            self.reader.error_help(codes::UNKNOWN_REF, h.span, format!("there is no hunt `{}` in this playbook", h.value), help);
        }
    }
}
