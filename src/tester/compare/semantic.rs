//! What differs between two sets, by id: not lines of text, but what they mean. Equal questions are equal however they
//! are written and wherever they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::playbook::PlaybookSet;
use crate::playbook::set::{Action, Arm, CardRule, HuntRule, Match, Playbook, QueryPart, Signal, Target};
use crate::script::expr::{Expr, Key, Node};
use crate::script::template::{Part, Template};
use crate::source::{FileId, Span};

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Only the new set has it.
    Added,
    /// Only the old set has it.
    Removed,
    /// Both have it.
    Changed,
}

impl How {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A part of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bump {
    /// The same version.
    None,
    /// Texts, priorities.
    Patch,
    /// Something new, or other conditions.
    Minor,
    /// Something that was there is gone.
    Major,
}

impl Bump {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// What a change of version amounts to; `None` if the new one is not later.
    pub fn between(old: &str, new: &str) -> Option<Self> {
        let parts = |v: &str| -> Option<Vec<u64>> {
            let core = v.split(['-', '+']).next().unwrap_or("");
            let mut all: Vec<u64> = core.split('.').map(|p| p.parse().ok()).collect::<Option<_>>()?;
            all.resize(3, 0);
            Some(all)
        };
        let (a, b) = (parts(old)?, parts(new)?);
        let first = a.iter().zip(&b).position(|(x, y)| x != y);
        match first {
            None => (old == new).then_some(Self::None).or(Some(Self::Patch)),
            Some(_) if b < a => None,
            Some(0) => Some(Self::Major),
            Some(1) => Some(Self::Minor),
            Some(_) => Some(Self::Patch),
        }
    }
}

/// What differs in a playbook, or in what all of them share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PartChange {
    /// `match`, `binding`, `condition`, `triage`, `card`, `hunt`, `exception`, `title`, `status`; or `signal`, `action`,
    /// `list`, `incident_type`, `library_binding`, `library_condition`, `permissions`.
    pub part: &'static str,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Whether it was added, removed or changed.
    pub how: How,
    /// What of it differs, with what the author wrote before and after where that is short.
    pub fields: Vec<Field>,
    /// What the change asks for by itself.
    pub bump: Bump,
}

impl PartChange {
    /// `condition mass_download changed`.
    pub fn words(&self) -> String {
        let id = self.id.as_ref().map_or_else(String::new, |id| format!(" {id}"));
        format!("{}{id} {}", self.part, self.how.word())
    }
}

/// A key that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What it held, as it was written.
    pub from: Option<String>,
    /// What it holds, as it is written.
    pub to: Option<String>,
}

impl Field {
    /// `priority 90 -> 95`.
    pub fn words(&self) -> String {
        match (&self.from, &self.to) {
            (None, None) => self.key.to_owned(),
            (from, to) => format!("{}: {} -> {}", self.key, from.as_deref().unwrap_or("nothing"), to.as_deref().unwrap_or("nothing")),
        }
    }
}

/// A playbook that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaybookDifference {
    /// Its id.
    pub id: Arc<str>,
    /// Whether it was added, removed or changed.
    pub how: How,
    /// The old version, if it was there.
    pub from: Option<String>,
    /// The new version, if it is there.
    pub to: Option<String>,
    /// What differs in it.
    pub parts: Vec<PartChange>,
}

/// Two sets.
#[derive(Clone, Copy)]
pub struct Sets<'a> {
    /// The old one.
    pub old: &'a PlaybookSet,
    /// The new one.
    pub new: &'a PlaybookSet,
}

fn joined<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.into_iter().collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// The ids of both, once each, in order.
fn ids<K: Ord + Clone, V>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Vec<K> {
    old.keys().chain(new.keys()).cloned().collect::<BTreeSet<K>>().into_iter().collect()
}

/// What an expression was written as, on one line. Its span leaves brackets at its ends out: they are put in again.
fn written_as(set: &PlaybookSet, e: &Expr) -> String {
    let Some(file) = set.sources.get(e.span.file) else { return String::new() };
    let (mut start, mut end) = (e.span.start as usize, e.span.end as usize);
    let text = |start: usize, end: usize| file.text.get(start..end).unwrap_or("");
    let open = |t: &str| t.matches(['(', '[', '{']).count();
    let close = |t: &str| t.matches([')', ']', '}']).count();
    for _ in 0..256 {
        let (n, m) = (open(text(start, end)), close(text(start, end)));
        let next = text(end, file.text.len()).find(|c: char| !c.is_whitespace());
        let before = text(0, start).rfind(|c: char| !c.is_whitespace());
        match (n > m, next, before) {
            (true, Some(at), _) if matches!(text(end, file.text.len()).as_bytes().get(at), Some(b')' | b']' | b'}')) => {
                end = end.saturating_add(at).saturating_add(1);
            }
            (false, _, Some(at)) if m > n && matches!(file.text.as_bytes().get(at), Some(b'(' | b'[' | b'{')) => start = at,
            _ => break,
        }
    }
    one_line(text(start, end))
}

/// What was written, on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Fields(Vec<Field>);

impl Fields {
    fn note(&mut self, key: &'static str, from: impl Into<String>, to: impl Into<String>) {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.0.push(Field { key, from: Some(from), to: Some(to) });
        }
    }

    fn has(&self, keys: &[&str]) -> bool {
        self.0.iter().any(|f| keys.contains(&f.key))
    }
}

impl<'a> Sets<'a> {
    /// What an expression was written as in the old set.
    pub fn old_text(&self, e: &Expr) -> String {
        written_as(self.old, e)
    }

    /// What an expression is written as in the new set.
    pub fn new_text(&self, e: &Expr) -> String {
        written_as(self.new, e)
    }

    /// Whether keys of questions can be compared: named lists are known by their position in them.
    fn comparable(&self) -> bool {
        let ids = |s: &'a PlaybookSet| s.lists.iter().map(|l| &*l.id).collect::<Vec<_>>();
        ids(self.old) == ids(self.new)
    }

    /// Whether two expressions ask something else by their own words, not by a name that they use.
    pub fn differs(&self, old: &Expr, new: &Expr) -> bool {
        let comparable = self.comparable();
        if comparable && old.key == new.key {
            return false;
        }
        // Written alike: what differs is a name that it uses, if one does.
        self.old_text(old) != self.new_text(new) || comparable && keys(old) == keys(new)
    }

    fn expression(&self, out: &mut Fields, key: &'static str, old: Option<&Expr>, new: Option<&Expr>) {
        match (old, new) {
            (Some(a), Some(b)) if !self.differs(a, b) => {}
            (None, None) => {}
            (a, b) => out.0.push(Field { key, from: a.map(|e| self.old_text(e)), to: b.map(|e| self.new_text(e)) }),
        }
    }

    fn sentence(&self, out: &mut Fields, key: &'static str, old: Option<&Template>, new: Option<&Template>) {
        let text = |set: &PlaybookSet, t: Option<&Template>| t.map_or_else(String::new, |t| written(set, t));
        out.note(key, text(self.old, old), text(self.new, new));
    }

    /// What differs in the playbooks, by id.
    pub fn playbooks(&self) -> Vec<PlaybookDifference> {
        let by_id = |s: &'a PlaybookSet| s.playbooks.iter().map(|p| (p.id.clone(), &**p)).collect::<BTreeMap<_, _>>();
        let (old, new) = (by_id(self.old), by_id(self.new));
        let mut out = Vec::new();
        for id in ids(&old, &new) {
            let (a, b) = (old.get(&id), new.get(&id));
            let (from, to) = (a.map(|p| p.version.clone()), b.map(|p| p.version.clone()));
            let (how, parts) = match (a, b) {
                (Some(a), Some(b)) => (How::Changed, self.playbook(a, b)),
                (Some(_), None) => (How::Removed, Vec::new()),
                _ => (How::Added, Vec::new()),
            };
            if how != How::Changed || !parts.is_empty() || from != to {
                out.push(PlaybookDifference { id, how, from, to, parts });
            }
        }
        out
    }

    fn playbook(&self, a: &Playbook, b: &Playbook) -> Vec<PartChange> {
        let mut out = Vec::new();
        let mut texts = Fields(Vec::new());
        texts.note("title", &a.title, &b.title);
        push(&mut out, "title", None, texts, Bump::Patch);
        let mut status = Fields(Vec::new());
        status.note("status", a.status.word(), b.status.word());
        push(&mut out, "status", None, status, Bump::Patch);
        push(&mut out, "match", None, matching(&a.matching, &b.matching), Bump::Minor);
        self.names(a, b, &mut out);
        self.arms(a, b, &mut out);
        each(&mut out, "card", &cards_of(a), &cards_of(b), Bump::Major, |a, b| {
            let fields = self.card(a, b);
            let bump = if fields.has(&["action"]) {
                Bump::Major
            } else if fields.has(&["for", "when", "phase", "params", "after", "hunt"]) {
                Bump::Minor
            } else {
                Bump::Patch
            };
            (fields, bump)
        });
        each(&mut out, "hunt", &a.hunts, &b.hunts, Bump::Minor, |a, b| (self.hunt(a, b), Bump::Patch));
        let exceptions = |p: &Playbook| -> BTreeMap<Arc<str>, String> {
            p.exceptions.iter().map(|x| (x.id.clone(), format!("{:?} {:?} {} until {}", x.cards, x.who, x.reason, x.until))).collect()
        };
        each(&mut out, "exception", &exceptions(a), &exceptions(b), Bump::Minor, |a, b| {
            (Fields(if a == b { Vec::new() } else { vec![Field { key: "content", from: None, to: None }] }), Bump::Minor)
        });
        out
    }

    /// Bindings and conditions that are the playbook's own.
    fn names(&self, a: &Playbook, b: &Playbook, out: &mut Vec<PartChange>) {
        let both = (names_of(self.old, a, false), names_of(self.new, b, false));
        self.named(both, out, ["binding", "condition"]);
    }

    /// Bindings and conditions of two scopes, by name.
    fn named(&self, (a, b): (Names<'_>, Names<'_>), out: &mut Vec<PartChange>, [binding, condition]: [&'static str; 2]) {
        each(out, binding, &a.bindings, &b.bindings, Bump::Patch, |a, b| {
            let mut fields = Fields(Vec::new());
            self.expression(&mut fields, "bind", Some(a), Some(b));
            (fields, Bump::Minor)
        });
        each(out, condition, &a.conditions, &b.conditions, Bump::Patch, |a, b| {
            let mut fields = Fields(Vec::new());
            let with = |c: &crate::script::Condition| c.params.iter().map(|(n, k)| format!("{n}: {k}")).collect::<Vec<_>>().join(", ");
            fields.note("with", with(a), with(b));
            self.expression(&mut fields, "if", Some(&a.body), Some(&b.body));
            let logic = !fields.0.is_empty();
            self.sentence(&mut fields, "pass", a.pass.as_ref(), b.pass.as_ref());
            self.sentence(&mut fields, "fail", a.fail.as_ref(), b.fail.as_ref());
            (fields, if logic { Bump::Minor } else { Bump::Patch })
        });
    }

    /// Arms are the same by what they say, and by which of those that say the same.
    fn arms(&self, a: &Playbook, b: &Playbook, out: &mut Vec<PartChange>) {
        let keyed = |p: &'_ Playbook| -> Vec<(String, usize)> { arm_ids(p).into_iter().zip(0..).collect() };
        let (old, new): (BTreeMap<String, usize>, BTreeMap<String, usize>) = (keyed(a).into_iter().collect(), keyed(b).into_iter().collect());
        each(out, "triage", &old, &new, Bump::Major, |x, y| {
            let mut fields = Fields(Vec::new());
            let mut logic = false;
            if let (Some(x), Some(y)) = (a.triage.get(*x), b.triage.get(*y)) {
                self.expression(&mut fields, "when", x.when.as_ref(), y.when.as_ref());
                logic = !fields.0.is_empty();
                fields.note("confidence", x.confidence.to_string(), y.confidence.to_string());
                self.sentence(&mut fields, "why", Some(&x.why), Some(&y.why));
            }
            (fields, if logic { Bump::Minor } else { Bump::Patch })
        });
        let order =
            |p: &Playbook, other: &BTreeMap<String, usize>| -> Vec<String> { arm_ids(p).into_iter().filter(|id| other.contains_key(id)).collect() };
        let mut fields = Fields(Vec::new());
        fields.note("order", order(a, &new).join(", "), order(b, &old).join(", "));
        push(out, "triage", None, fields, Bump::Minor);
    }

    /// What differs in a card.
    fn card(&self, a: &CardRule, b: &CardRule) -> Fields {
        let mut f = Fields(Vec::new());
        f.note("action", &*a.action.id, &*b.action.id);
        f.note("phase", a.phase.to_string(), b.phase.to_string());
        let (x, y) = (self.target(self.old, &a.target), self.target(self.new, &b.target));
        let same = match (&a.target, &b.target) {
            (Target::Each(m, p), Target::Each(n, q)) | (Target::All(m, p), Target::All(n, q)) => m == n && !self.differs(p, q),
            (Target::Incident, Target::Incident) => true,
            _ => false,
        };
        if !same {
            f.note("for", x, y);
        }
        self.expression(&mut f, "when", a.when.as_ref(), b.when.as_ref());
        f.note("priority", a.priority.to_string(), b.priority.to_string());
        f.note("confidence", a.confidence.to_string(), b.confidence.to_string());
        let params = |c: &CardRule| joined(c.params.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().iter().map(String::as_str));
        f.note("params", params(a), params(b));
        f.note("after", joined(a.after.iter().map(|x| &**x)), joined(b.after.iter().map(|x| &**x)));
        f.note("hunt", a.hunt.as_deref().unwrap_or("nothing"), b.hunt.as_deref().unwrap_or("nothing"));
        self.sentence(&mut f, "title", a.title.as_ref(), b.title.as_ref());
        self.sentence(&mut f, "why", Some(&a.why), Some(&b.why));
        f
    }

    fn target(&self, set: &PlaybookSet, t: &Target) -> String {
        match t {
            Target::Incident => "the incident".to_owned(),
            Target::Each(name, list) => format!("{name} in {}", written_as(set, list)),
            Target::All(name, list) => format!("all {name} in {}", written_as(set, list)),
        }
    }

    fn hunt(&self, a: &HuntRule, b: &HuntRule) -> Fields {
        let mut f = Fields(Vec::new());
        self.sentence(&mut f, "title", Some(&a.title), Some(&b.title));
        let with = |h: &HuntRule| h.with.as_ref().map_or_else(String::new, |(n, k)| format!("{n}: {k}"));
        f.note("with", with(a), with(b));
        let query = |h: &HuntRule| -> String {
            let part = |p: &QueryPart| match p {
                QueryPart::Text(t) => t.clone(),
                QueryPart::Literal(_, source) => format!("{{{source}}}"),
            };
            h.parts.iter().map(part).collect()
        };
        if query(a) != query(b) {
            f.0.push(Field { key: "query", from: None, to: None });
        }
        f
    }

    /// What differs in what all playbooks share.
    pub fn shared(&self) -> Vec<PartChange> {
        let mut out = Vec::new();
        let signals =
            |s: &PlaybookSet| -> BTreeMap<Arc<str>, Vec<(&'static str, String)>> { s.signals.iter().map(|x| (x.id.clone(), signal(s, x))).collect() };
        compared(&mut out, "signal", &signals(self.old), &signals(self.new));
        let actions = |s: &PlaybookSet| -> BTreeMap<Arc<str>, Vec<(&'static str, String)>> {
            s.actions.iter().map(|(id, x)| (id.clone(), action(s, x))).collect()
        };
        compared(&mut out, "action", &actions(self.old), &actions(self.new));
        let lists = |s: &PlaybookSet| -> BTreeMap<Arc<str>, Vec<(&'static str, String)>> {
            let of = |l: &crate::script::NamedList| {
                let mut bare = l.clone();
                bare.span = Span::top(FileId(0));
                bare.tag = None;
                vec![("kind", format!("{:?}", l.kind)), ("tag", format!("{:?}", l.tag)), ("values", format!("{bare:?}"))]
            };
            s.lists.iter().map(|l| (l.id.clone(), of(l))).collect()
        };
        compared(&mut out, "list", &lists(self.old), &lists(self.new));
        let types = |s: &PlaybookSet| -> BTreeMap<Arc<str>, Vec<(&'static str, String)>> {
            let of = |t: &crate::playbook::set::IncidentType| {
                let rule = |r: &crate::playbook::set::TypeRule| {
                    format!("{:?} {:?} {} {}", r.signals, r.techniques, r.weight, r.test.as_ref().map_or_else(String::new, |e| written_as(s, e)))
                };
                vec![("title", t.title.clone()), ("any", t.rules.iter().map(rule).collect::<Vec<_>>().join("\n"))]
            };
            s.types.iter().map(|t| (t.id.clone(), of(t))).collect()
        };
        compared(&mut out, "incident_type", &types(self.old), &types(self.new));
        let library = |s: &'a PlaybookSet| {
            let mut all = Names::default();
            for p in &s.playbooks {
                let own = names_of(s, p, true);
                all.bindings.extend(own.bindings);
                all.conditions.extend(own.conditions);
            }
            all
        };
        self.named((library(self.old), library(self.new)), &mut out, ["library_binding", "library_condition"]);
        let may = |s: &PlaybookSet| vec![("roles", format!("{:?}", s.permissions.roles)), ("users", format!("{:?}", s.permissions.users))];
        let all = |s: &PlaybookSet| BTreeMap::from([(Arc::<str>::from("permissions"), may(s))]);
        compared(&mut out, "permissions", &all(self.old), &all(self.new));
        out
    }
}

/// Bindings and conditions by name.
#[derive(Default)]
struct Names<'p> {
    bindings: BTreeMap<Arc<str>, &'p Expr>,
    conditions: BTreeMap<Arc<str>, &'p crate::script::Condition>,
}

/// The names of a playbook that a library declares, or that it declares itself.
fn names_of<'p>(set: &PlaybookSet, p: &'p Playbook, library: bool) -> Names<'p> {
    let from_library = |name: &Arc<str>| {
        let file = p.places.get(name).and_then(|span| set.sources.get(span.file));
        file.is_some_and(|f| f.text.lines().any(|l| l.starts_with("library:")))
    };
    Names {
        bindings: p.bindings.iter().filter(|(n, _)| from_library(n) == library).map(|(n, e)| (n.clone(), &**e)).collect(),
        conditions: p.conditions.iter().filter(|(n, _)| from_library(n) == library).map(|(n, c)| (n.clone(), &**c)).collect(),
    }
}

fn cards_of(p: &Playbook) -> BTreeMap<Arc<str>, &CardRule> {
    p.cards.iter().map(|c| (c.id.clone(), c)).collect()
}

/// What an arm of a triage says, `true_positive phishing`; with a number where several say the same.
pub fn arm_ids(p: &Playbook) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let word = |a: &Arm| a.determination.as_ref().map_or_else(|| a.classification.to_string(), |d| format!("{} {d}", a.classification));
    p.triage
        .iter()
        .map(|a| {
            let id = word(a);
            let n = seen.entry(id.clone()).or_default();
            *n = n.saturating_add(1);
            if *n == 1 { id } else { format!("{id} #{n}") }
        })
        .collect()
}

fn written(set: &PlaybookSet, t: &Template) -> String {
    let part = |p: &Part| match p {
        Part::Text(t) => t.to_string(),
        Part::Value(e) => format!("{{{}}}", set.sources.text(e.span)),
    };
    one_line(&t.parts.iter().map(part).collect::<String>())
}

fn matching(a: &Match, b: &Match) -> Fields {
    let mut f = Fields(Vec::new());
    let words = |all: &BTreeSet<Arc<str>>| joined(all.iter().map(|x| &**x));
    f.note("types", words(&a.types), words(&b.types));
    f.note("signals", words(&a.signals), words(&b.signals));
    f.note("techniques", joined(a.techniques.iter().map(String::as_str)), joined(b.techniques.iter().map(String::as_str)));
    f.note("entities", joined(a.entities.iter().map(|k| k.word())), joined(b.entities.iter().map(|k| k.word())));
    let level = |m: &Match| m.severity.map_or("any", |l| l.word());
    f.note("severity", level(a), level(b));
    f
}

/// What a signal says and how it is known, key by key, without places.
fn signal(set: &PlaybookSet, s: &Signal) -> Vec<(&'static str, String)> {
    let test = |e: &Option<Expr>| e.as_ref().map_or_else(String::new, |e| written_as(set, e));
    let rules: Vec<String> = s
        .rules
        .iter()
        .map(|r| format!("{:?} {:?} {:?} {:?} {:?} {}", r.detectors, r.families, r.titles, r.products, r.categories, test(&r.test)))
        .collect();
    let says: Vec<String> = s
        .says
        .iter()
        .map(|x| format!("{:?} {:?} {:?} {:?} {:?} {}", x.relations, x.roles, x.verdicts, x.properties, x.tags, test(&x.test)))
        .collect();
    vec![("title", s.title.clone()), ("any", rules.join("\n")), ("says", says.join("\n"))]
}

fn action(set: &PlaybookSet, a: &Action) -> Vec<(&'static str, String)> {
    let text = |e: &Expr| written_as(set, e);
    let guards: Vec<String> = a.never.iter().map(|g| format!("{} {}", text(&g.test), written(set, &g.why))).collect();
    vec![
        ("title", a.title.clone()),
        ("description", a.description.clone()),
        ("phase", a.phase.to_string()),
        ("kinds", a.kinds.to_string()),
        ("permissions", a.permissions.join(", ")),
        ("impact", a.impact.to_owned()),
        ("undo", a.undo.as_deref().unwrap_or("nothing").to_owned()),
        ("params", format!("{:?}", a.params)),
        ("never", guards.join("; ")),
        ("done_when", a.done_when.as_ref().map_or_else(|| "nothing".to_owned(), text)),
        ("prerequisites", a.prerequisites.join("; ")),
        ("effects", a.effects.join("; ")),
        ("d3fend", a.d3fend.join(", ")),
        ("react", a.react.join(", ")),
    ]
}

/// Keys whose values are told as they are; others only that they differ.
const TOLD: &[&str] =
    &["title", "description", "phase", "kinds", "permissions", "impact", "undo", "never", "done_when", "effects", "prerequisites", "d3fend", "react"];

fn compared(
    out: &mut Vec<PartChange>,
    part: &'static str,
    old: &BTreeMap<Arc<str>, Vec<(&'static str, String)>>,
    new: &BTreeMap<Arc<str>, Vec<(&'static str, String)>>,
) {
    each(out, part, old, new, Bump::Minor, |a, b| {
        let mut fields = Fields(Vec::new());
        for ((key, x), (_, y)) in a.iter().zip(b) {
            if x != y {
                let told = |t: &String| TOLD.contains(key).then(|| t.clone());
                fields.0.push(Field { key, from: told(x), to: told(y) });
            }
        }
        (fields, Bump::Minor)
    });
}

fn push(out: &mut Vec<PartChange>, part: &'static str, id: Option<String>, fields: Fields, bump: Bump) {
    if !fields.0.is_empty() {
        out.push(PartChange { part, id, how: How::Changed, fields: fields.0, bump });
    }
}

/// Each thing of one kind that differs, by id. What is removed asks for `gone`, what is added for a minor version.
fn each<K: Ord + Clone + ToString, V>(
    out: &mut Vec<PartChange>,
    part: &'static str,
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    gone: Bump,
    compare: impl Fn(&V, &V) -> (Fields, Bump),
) {
    for id in ids(old, new) {
        let one = |how, bump| PartChange { part, id: Some(id.to_string()), how, fields: Vec::new(), bump };
        match (old.get(&id), new.get(&id)) {
            (Some(a), Some(b)) => {
                let (fields, bump) = compare(a, b);
                push(out, part, Some(id.to_string()), fields, bump);
            }
            (Some(_), None) => out.push(one(How::Removed, gone)),
            _ => out.push(one(How::Added, Bump::Minor)),
        }
    }
}

/// The names that an expression uses, with those that they use.
pub fn names(e: &Expr) -> BTreeSet<Arc<str>> {
    let mut all = BTreeSet::new();
    e.each(&mut |x| match &x.node {
        Node::Binding(name, _) => {
            all.insert(name.clone());
        }
        Node::Clause(c, _) => {
            all.insert(c.name.clone());
        }
        _ => {}
    });
    all
}

/// The names that an expression uses, each with the key of what it stands for.
fn keys(e: &Expr) -> BTreeSet<(Arc<str>, Key)> {
    let mut all = BTreeSet::new();
    e.each(&mut |x| match &x.node {
        Node::Binding(name, body) => {
            all.insert((name.clone(), body.key));
        }
        Node::Clause(c, _) => {
            all.insert((c.name.clone(), c.body.key));
        }
        _ => {}
    });
    all
}

#[cfg(test)]
mod tests {
    use super::Bump;

    #[test]
    fn a_version_says_what_changed() {
        assert_eq!(Bump::between("1.4.0", "1.4.0"), Some(Bump::None));
        assert_eq!(Bump::between("1.4.0", "1.4.1"), Some(Bump::Patch));
        assert_eq!(Bump::between("1.4.9", "1.5.0"), Some(Bump::Minor));
        assert_eq!(Bump::between("1.4", "2.0.0"), Some(Bump::Major));
        assert_eq!(Bump::between("1.4.0", "1.3.9"), None);
        assert_eq!(Bump::between("1.4.0-rc1", "1.4.0"), Some(Bump::Patch));
    }
}
