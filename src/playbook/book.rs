//! Playbooks and libraries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::{kind_word, signal_ids, technique};
use super::compile::{Declared, Names};
use super::keys;
use super::read::{Fields, Reader};
use super::set::{Action, Arm, CardRule, Exception, HuntRule, Match, Playbook, Target};
use super::text::{bool_expression, expression, level_of, query, template};
use super::yaml::Node;
use crate::diag::{codes, nearest};
use crate::model::{Classification, Kind, Kinds, Phase};
use crate::script::lower::{global_names, is_name};
use crate::script::{Condition, Env, Expr, Questions, Template, Ty};
use crate::source::{Scalar, Snippet, Span};

/// What a playbook may refer to.
pub(crate) struct Around<'a> {
    pub names: &'a Names,
    pub actions: &'a BTreeMap<Arc<str>, Arc<Action>>,
    pub declared_actions: &'a BTreeSet<&'a str>,
    pub types: &'a BTreeSet<&'a str>,
    pub libraries: &'a BTreeMap<&'a str, Scope>,
}

/// What `bind:` and `conditions:` declare, compiled.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    bindings: BTreeMap<Arc<str>, Arc<Expr>>,
    clauses: BTreeMap<Arc<str>, Arc<Condition>>,
    /// Names that did not compile.
    known: BTreeMap<Arc<str>, String>,
    /// Where each name is declared.
    places: BTreeMap<Arc<str>, Span>,
}

impl Scope {
    /// Takes in what a library declares; a name that two of them declare is reported.
    fn take(&mut self, reader: &mut Reader<'_>, at: Span, library: &Scope) {
        for (name, place) in &library.places {
            if let Some(old) = self.places.get(name).filter(|old| *old != place) {
                let d = crate::diag::Diagnostic::error(codes::DUPLICATE_ID, at, format!("two libraries declare `{name}`"))
                    .at(*old, "here")
                    .at(*place, "and here");
                reader.report(d);
            }
        }
        let other = library.clone();
        self.bindings.extend(other.bindings);
        self.clauses.extend(other.clauses);
        self.known.extend(other.known);
        self.places.extend(other.places);
    }

    fn env<'e>(&'e self, names: &'e Names, locals: Vec<(Arc<str>, Ty)>) -> Env<'e> {
        Env { locals, bindings: &self.bindings, clauses: &self.clauses, known: &self.known, ..names.env() }
    }
}

/// Compiles a library, once for all playbooks that use it.
pub(crate) fn library(reader: &mut Reader<'_>, node: &Node, names: &Names, questions: &mut Questions) -> Scope {
    let fields = reader.keys(node, "a library", keys::LIBRARY);
    scope(reader, Scope::default(), &fields, names, questions)
}

/// Compiles a playbook; what is wrong is reported.
pub(crate) fn compile(reader: &mut Reader<'_>, d: &Declared<'_>, around: &Around<'_>, questions: &mut Questions) -> Option<Playbook> {
    let fields = reader.keys(d.node, "a playbook", keys::PLAYBOOK);
    if let Some(n) = fields.get("format") {
        reader.number(n, "`format`", 1..=1);
    }
    let mut word = |key: &str| fields.get(key).and_then(|n| reader.text(n, &format!("`{key}`")));
    let (title, version, status) = (word("title"), word("version"), word("status"));
    for key in ["owner", "description"] {
        word(key);
    }
    if let Some(v) = version
        && !(v.text.split('.').count() == 3 && v.text.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())))
    {
        reader.error_help(codes::WRONG_SHAPE, v.span, format!("`{}` is not a version", v.text), "versions are written as in 1.4.0");
    }
    if let Some(s) = status {
        reader.word(s, "a status", &["experimental", "test", "stable", "deprecated"]);
    }
    for key in ["tags", "references"] {
        if let Some(n) = fields.get(key) {
            reader.texts(n, &format!("`{key}`"));
        }
    }
    let matching = fields.get("match").map(|n| matching(reader, n, around)).unwrap_or_default();
    let mut base = Scope::default();
    for s in fields.get("use").map(|n| reader.texts(n, "`use`")).unwrap_or_default() {
        match around.libraries.get(&*s.text) {
            Some(library) => base.take(reader, s.span, library),
            None => {
                let help = nearest(&s.text, around.libraries.keys().copied())
                    .map_or_else(|| "declare it in a `library:` file".to_owned(), |k| format!("did you mean `{k}`?"));
                reader.error_help(codes::UNKNOWN_REF, s.span, format!("there is no library `{}`", s.text), help);
            }
        }
    }
    let scope = scope(reader, base, &fields, around.names, questions);
    let mut book = Book { reader, around, scope: &scope, questions };
    let triage = fields.get("triage").map(|n| book.reader.list(n, "`triage`")).unwrap_or_default().iter().filter_map(|n| book.arm(n)).collect();
    let hunts = book.hunts(&fields);
    let mut cards = Vec::new();
    for (key, phase) in [("containment", Phase::Containment), ("investigation", Phase::Investigation), ("remediation", Phase::Remediation)] {
        for n in fields.get(key).map(|n| book.reader.list(n, &format!("`{key}`"))).unwrap_or_default() {
            if let Some((card, id)) = book.card(n, phase, &hunts) {
                if let Some(old) = cards.iter().find(|(c, _): &&(CardRule, Span)| c.id == card.id) {
                    let d = crate::diag::Diagnostic::error(codes::DUPLICATE_ID, id, format!("two cards are called `{}`", card.id))
                        .at(old.1, "first here");
                    book.reader.report(d);
                }
                cards.push((card, id));
            }
        }
    }
    book.order(&cards, &fields);
    let ids: BTreeSet<Arc<str>> = cards.iter().map(|(c, _)| c.id.clone()).collect();
    let exceptions = fields.get("exceptions").map(|n| book.reader.list(n, "`exceptions`")).unwrap_or_default();
    let exceptions = exceptions.iter().filter_map(|n| book.exception(n, &ids)).collect();
    let tests = fields.get("tests").map(|n| book.reader.list(n, "`tests`")).unwrap_or_default();
    for t in tests {
        book.reader.keys(t, "a test", keys::TEST);
    }
    Some(Playbook {
        id: d.id.as_str().into(),
        version: version.map(|s| s.text.to_string()).unwrap_or_default(),
        title: title.map(|s| s.text.to_string()).unwrap_or_default(),
        status: status.map_or_else(|| "experimental".to_owned(), |s| s.text.to_string()),
        span: d.id_span,
        matching,
        triage,
        cards: cards.into_iter().map(|(c, _)| c).collect(),
        hunts,
        exceptions,
        tests: tests.len(),
        bindings: scope.bindings.clone(),
        conditions: scope.clauses.clone(),
    })
}

fn matching(reader: &mut Reader<'_>, node: &Node, around: &Around<'_>) -> Match {
    let fields = reader.keys(node, "`match`", keys::MATCH);
    let mut types = BTreeSet::new();
    for s in fields.get("types").map(|n| reader.texts(n, "`types`")).unwrap_or_default() {
        if around.types.contains(&*s.text) {
            types.insert(s.text.clone());
        } else {
            let help = nearest(&s.text, around.types.iter().copied())
                .map_or_else(|| "declare it in a file of `incident_types:`".to_owned(), |k| format!("did you mean `{k}`?"));
            reader.error_help(codes::UNKNOWN_REF, s.span, format!("there is no incident type `{}`", s.text), help);
        }
    }
    let techniques = fields.get("techniques").map(|n| reader.texts(n, "`techniques`")).unwrap_or_default();
    let entities = fields.get("entities").map(|n| reader.texts(n, "`entities`")).unwrap_or_default();
    Match {
        types,
        signals: fields.get("signals").map(|n| signal_ids(reader, n, around.names)).unwrap_or_default(),
        techniques: techniques.into_iter().filter_map(|s| technique(reader, s)).collect(),
        entities: entities.into_iter().filter_map(|s| kind_word(reader, s)).collect(),
        severity: fields.get("severity").and_then(|n| level_of(reader, n)),
    }
}

/// Parameters with their types.
type Locals = Vec<(Arc<str>, Ty)>;

enum Decl<'n> {
    Bind(&'n Node),
    Condition(&'n Node),
}

/// Compiles `bind:` and `conditions:` on top of what libraries declare, each after what it uses.
fn scope(reader: &mut Reader<'_>, mut scope: Scope, fields: &Fields<'_>, names: &Names, questions: &mut Questions) -> Scope {
    let mut declared: Vec<(&Scalar, Decl<'_>)> = Vec::new();
    let binds = fields.get("bind").map(|n| reader.ids(n, "`bind`")).unwrap_or_default();
    let conditions = fields.get("conditions").map(|n| reader.ids(n, "`conditions`")).unwrap_or_default();
    for (name, decl) in binds.into_iter().map(|(s, n)| (s, Decl::Bind(n))).chain(conditions.into_iter().map(|(s, n)| (s, Decl::Condition(n)))) {
        if !is_name(&name.text) || global_names().any(|g| g == &*name.text) {
            let why = if is_name(&name.text) {
                "it is the name of something that every playbook has"
            } else {
                "names are snake case and not words that Rhai keeps for itself"
            };
            reader.error_help(codes::BAD_ID, name.span, format!("`{}` cannot be a name", name.text), why);
            scope.known.insert(name.text.clone(), String::new());
            continue;
        }
        if let Some(old) = scope.places.get(&name.text) {
            let d =
                crate::diag::Diagnostic::error(codes::DUPLICATE_ID, name.span, format!("`{}` is declared twice", name.text)).at(*old, "first here");
            reader.report(d);
            continue;
        }
        scope.places.insert(name.text.clone(), name.span);
        declared.push((name, decl));
    }
    let position: BTreeMap<&str, usize> = declared.iter().enumerate().map(|(n, (s, _))| (&*s.text, n)).collect();
    let uses: Vec<BTreeSet<usize>> = declared
        .iter()
        .map(|(_, d)| {
            let text = match d {
                Decl::Bind(n) => n.scalar().map(|s| s.text.clone()),
                Decl::Condition(n) => n.get("if").and_then(Node::scalar).map(|s| s.text.clone()),
            };
            words(text.as_deref().unwrap_or("")).into_iter().filter_map(|w| position.get(w).copied()).collect()
        })
        .collect();
    let (order, cycle) = super::order::sorted(&uses);
    for n in &cycle {
        if let Some((name, _)) = declared.get(*n) {
            let others: Vec<String> =
                cycle.iter().filter(|m| *m != n).filter_map(|m| declared.get(*m)).map(|(s, _)| format!("`{}`", s.text)).collect();
            let message = if others.is_empty() {
                format!("`{}` uses itself", name.text)
            } else {
                format!("`{}` and {} use one another", name.text, others.join(", "))
            };
            reader.error(codes::CYCLE, name.span, message);
            scope.known.insert(name.text.clone(), String::new());
        }
    }
    for n in order {
        let Some((name, decl)) = declared.get(n) else { continue };
        let done = match decl {
            Decl::Bind(node) => reader
                .expression(node, &format!("`{}`", name.text))
                .and_then(|s| expression(reader, Snippet::whole(s), scope.env(names, Vec::new()), questions))
                .map(|e| {
                    scope.bindings.insert(name.text.clone(), Arc::new(e));
                }),
            Decl::Condition(node) => condition(reader, name, node, &scope, names, questions).map(|c| {
                scope.clauses.insert(name.text.clone(), Arc::new(c));
            }),
        };
        if done.is_none() {
            scope.known.insert(name.text.clone(), String::new());
        }
    }
    scope
}

fn condition(reader: &mut Reader<'_>, name: &Scalar, node: &Node, scope: &Scope, names: &Names, questions: &mut Questions) -> Option<Condition> {
    let fields = reader.keys(node, "a condition", keys::CONDITION);
    let params = parameters(reader, fields.get("with"))?;
    let locals: Vec<(Arc<str>, Ty)> = params.iter().map(|(n, k)| (n.clone(), Ty::entity(*k))).collect();
    let body = bool_expression(reader, fields.raw("if")?, "`if`", scope.env(names, locals.clone()), questions)?;
    let mut sentence = |key: &str| -> Option<Option<Template>> {
        match fields.get(key) {
            Some(n) => template(reader, n, &format!("`{key}`"), scope.env(names, locals.clone()), questions).map(Some),
            None => Some(None),
        }
    };
    let (pass, fail) = (sentence("pass")?, sentence("fail")?);
    Some(Condition { name: name.text.clone(), body, params, pass, fail, span: name.span })
}

/// `with: user`, or `with: { user: user, device: device }`.
fn parameters(reader: &mut Reader<'_>, node: Option<&Node>) -> Option<Vec<(Arc<str>, Kind)>> {
    let Some(node) = node else { return Some(Vec::new()) };
    if let Some(s) = node.scalar() {
        return kind_word(reader, s).map(|k| vec![(s.text.clone(), k)]);
    }
    let mut all = Vec::new();
    for (name, n) in reader.ids(node, "`with`") {
        let kind = reader.text(n, "a kind").and_then(|s| kind_word(reader, s))?;
        if !is_name(&name.text) {
            reader.error_help(
                codes::BAD_ID,
                name.span,
                format!("`{}` cannot be a name", name.text),
                "names are snake case and not words that Rhai keeps for itself",
            );
            return None;
        }
        all.push((name.text.clone(), kind));
    }
    Some(all)
}

/// The words of an expression that may be names: not behind a dot, not in a text but where it holds `${…}`.
fn words(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text;
    let mut dotted = false;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("/*") || rest.starts_with("//") {
            rest = crate::script::parse::skip_blanks(rest, 0).and_then(|at| rest.get(at..)).unwrap_or("");
            continue;
        }
        let end = match c {
            '"' | '`' => crate::script::parse::token_end(rest, 0),
            c if c.is_alphanumeric() || c == '_' => crate::script::parse::token_end(rest, 0),
            c => c.len_utf8(),
        };
        let (word, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = tail;
        match c {
            '"' => dotted = false,
            '`' => {
                dotted = false;
                for held in crate::script::parse::held(word) {
                    all.extend(words(held));
                }
            }
            // Two dots are a range: what follows may be a name.
            '.' => dotted = !dotted,
            c if c.is_alphanumeric() || c == '_' => {
                if !std::mem::take(&mut dotted) {
                    all.push(word);
                }
            }
            _ => dotted = false,
        }
    }
    all
}

struct Book<'b, 'a> {
    reader: &'b mut Reader<'a>,
    around: &'b Around<'b>,
    scope: &'b Scope,
    questions: &'b mut Questions,
}

impl<'b> Book<'b, '_> {
    fn env(&self, locals: Vec<(Arc<str>, Ty)>) -> Env<'b> {
        self.scope.env(self.around.names, locals)
    }

    fn when(&mut self, fields: &Fields<'_>, locals: &[(Arc<str>, Ty)]) -> Option<Option<Expr>> {
        match fields.raw("when") {
            Some(n) => {
                let env = self.env(locals.to_vec());
                bool_expression(self.reader, n, "`when`", env, self.questions).map(Some)
            }
            None => Some(None),
        }
    }

    fn percent(&mut self, fields: &Fields<'_>, key: &str, default: u8) -> u8 {
        fields.get(key).and_then(|n| self.reader.number(n, &format!("`{key}`"), 0..=100)).and_then(|n| u8::try_from(n).ok()).unwrap_or(default)
    }

    fn arm(&mut self, node: &Node) -> Option<Arm> {
        let fields = self.reader.keys(node, "an arm of `triage`", keys::ARM);
        let words: Vec<&str> = Classification::ALL.iter().map(|c| c.word()).collect();
        let classification = fields
            .get("classify")
            .and_then(|n| self.reader.text(n, "`classify`"))
            .and_then(|s| self.reader.word(s, "a classification", &words))
            .and_then(Classification::parse);
        let determination = fields.get("determination").and_then(|n| self.reader.text(n, "`determination`")).map(|s| s.text.to_string());
        let confidence = self.percent(&fields, "confidence", 50);
        let when = self.when(&fields, &[])?;
        let env = self.env(Vec::new());
        let why = template(self.reader, fields.get("why")?, "`why`", env, self.questions)?;
        Some(Arm { classification: classification?, determination, confidence, when, why, span: node.span })
    }

    fn action(&mut self, fields: &Fields<'_>) -> Option<Arc<Action>> {
        let s = self.reader.text(fields.get("action")?, "`action`")?;
        if let Some(a) = self.around.actions.get(&*s.text) {
            return Some(a.clone());
        }
        let message = if self.around.declared_actions.contains(&*s.text) {
            format!("the action `{}` does not load", s.text)
        } else {
            format!("there is no action `{}`", s.text)
        };
        let help = nearest(&s.text, self.around.actions.keys().map(|k| &**k))
            .map_or_else(|| "`engine actions` lists them".to_owned(), |k| format!("did you mean `{k}`?"));
        self.reader.error_help(codes::UNKNOWN_REF, s.span, message, help);
        None
    }

    /// `for: NAME in EXPRESSION`
    fn target(&mut self, fields: &Fields<'_>, action: &Action) -> Option<(Target, Locals)> {
        let (node, all) = match (fields.raw("for"), fields.raw("for_all")) {
            (Some(_), Some(n)) => {
                self.reader.error(codes::WRONG_SHAPE, n.span, "a card has `for` or `for_all`, not both");
                return None;
            }
            (Some(n), None) => (n, false),
            (None, Some(n)) => (n, true),
            (None, None) => {
                if !action.incident {
                    let at = fields.get("action").map_or(Span::top(crate::source::FileId(0)), |n| n.span);
                    self.reader.error_help(
                        codes::WRONG_KIND,
                        at,
                        format!("`{}` applies to {}, and the card names none", action.id, action.kinds),
                        "add `for: NAME in EXPRESSION`",
                    );
                    return None;
                }
                return Some((Target::Incident, Vec::new()));
            }
        };
        let s = self.reader.expression(node, "`for`")?;
        let Some((name, _)) = s.text.split_once(" in ") else {
            self.reader.error_help(codes::WRONG_SHAPE, s.span, "`for` is written NAME in EXPRESSION", "as in `for: user in clickers`");
            return None;
        };
        let start = name.len().saturating_add(4);
        let trimmed = name.trim();
        if !is_name(trimmed) {
            let span = s.place(0, name.len());
            self.reader.error_help(
                codes::BAD_ID,
                span,
                format!("`{trimmed}` cannot be a name"),
                "names are snake case and not words that Rhai keeps for itself",
            );
            return None;
        }
        let env = self.env(Vec::new());
        let e = expression(self.reader, Snippet::part(s, start..s.text.len()), env, self.questions)?;
        let item = match &e.ty {
            Ty::List(of) => (**of).clone(),
            other => {
                let message = format!("`for` goes through a list; this is {other}");
                self.reader.error(codes::TYPE, e.span, message);
                return None;
            }
        };
        let Ty::Entity(kinds) = item else {
            let message = format!("a card is about entities; this is a list of {item}");
            self.reader.error(codes::TYPE, e.span, message);
            return None;
        };
        if !kinds.within(action.kinds) && kinds != Kinds::ANY {
            let message = format!("`{}` applies to {}; this is a list of {kinds}", action.id, action.kinds);
            self.reader.error(codes::WRONG_KIND, e.span, message);
            return None;
        }
        let name: Arc<str> = trimmed.into();
        let local = if all { Ty::list(Ty::Entity(kinds)) } else { Ty::Entity(kinds) };
        let target = if all { Target::All(name.clone(), e) } else { Target::Each(name.clone(), e) };
        Some((target, vec![(name, local)]))
    }

    fn card(&mut self, node: &Node, phase: Phase, hunts: &BTreeMap<Arc<str>, HuntRule>) -> Option<(CardRule, Span)> {
        let fields = self.reader.keys(node, "a card", keys::CARD);
        let id = fields.get("id").and_then(|n| self.reader.text(n, "`id`"));
        if let Some(s) = id
            && !is_name(&s.text)
        {
            self.reader.error_help(
                codes::BAD_ID,
                s.span,
                format!("`{}` cannot be an id", s.text),
                "ids are snake case and not words that Rhai keeps for itself",
            );
        }
        let action = self.action(&fields);
        let priority = self.percent(&fields, "priority", 50);
        let confidence = self.percent(&fields, "confidence", 70);
        let after: Vec<Arc<str>> =
            fields.get("after").map(|n| self.reader.texts(n, "`after`")).unwrap_or_default().iter().map(|s| s.text.clone()).collect();
        let hunt = fields.get("hunt").and_then(|n| self.reader.text(n, "`hunt`"));
        if let Some(h) = hunt
            && !hunts.contains_key(&*h.text)
        {
            let help = nearest(&h.text, hunts.keys().map(|k| &**k))
                .map_or_else(|| "declare it under `hunts:`".to_owned(), |k| format!("did you mean `{k}`?"));
            self.reader.error_help(codes::UNKNOWN_REF, h.span, format!("there is no hunt `{}` in this playbook", h.text), help);
        }
        let action = action?;
        let params = self.params(&fields, &action);
        let (target, locals) = self.target(&fields, &action)?;
        let when = self.when(&fields, &locals)?;
        let env = self.env(locals.clone());
        let why = template(self.reader, fields.get("why")?, "`why`", env, self.questions)?;
        let title = match fields.get("title") {
            Some(n) => {
                let env = self.env(locals.clone());
                Some(template(self.reader, n, "`title`", env, self.questions)?)
            }
            None => None,
        };
        if let (Some(h), Some(rule)) = (hunt, hunt.and_then(|h| hunts.get(&h.text)))
            && let Some((param, kind)) = &rule.with
        {
            let given = locals.first().map(|(_, t)| t);
            if !matches!(given, Some(Ty::Entity(kinds)) if kinds.within(Kinds::one(*kind))) {
                self.reader.error(codes::WRONG_KIND, h.span, format!("the hunt `{}` needs `{param}`, a {kind}; the card is not about one", h.text));
            }
        }
        let id = id?;
        let rule = CardRule {
            id: id.text.clone(),
            phase,
            action,
            title,
            target,
            when,
            why,
            priority,
            confidence,
            params,
            after,
            hunt: hunt.map(|h| h.text.clone()),
            span: id.span,
        };
        Some((rule, id.span))
    }

    fn params(&mut self, fields: &Fields<'_>, action: &Action) -> BTreeMap<Arc<str>, String> {
        let mut made: BTreeMap<Arc<str>, String> = action.params.iter().filter_map(|(k, p)| Some((k.clone(), p.default.clone()?))).collect();
        for (name, n) in fields.get("params").map(|n| self.reader.ids(n, "`params`")).unwrap_or_default() {
            let Some(p) = action.params.get(&*name.text) else {
                let help = nearest(&name.text, action.params.keys().map(|k| &**k)).map_or_else(
                    || {
                        format!(
                            "`{}` takes {}",
                            action.id,
                            if action.params.is_empty() {
                                "none".to_owned()
                            } else {
                                action.params.keys().map(|k| &**k).collect::<Vec<_>>().join(", ")
                            }
                        )
                    },
                    |k| format!("did you mean `{k}`?"),
                );
                self.reader.error_help(codes::PARAMS, name.span, format!("`{}` has no parameter `{}`", action.id, name.text), help);
                continue;
            };
            let Some(v) = self.reader.text(n, &name.text) else { continue };
            if !p.values.is_empty() && !p.values.iter().any(|x| **x == *v.text) {
                self.reader.error(codes::PARAMS, v.span, format!("`{}` is one of {}", name.text, p.values.join(", ")));
                continue;
            }
            made.insert(name.text.clone(), v.text.to_string());
        }
        for (k, p) in &action.params {
            if p.default.is_none() && !made.contains_key(k) {
                let at = fields.get("action").map_or(Span::top(crate::source::FileId(0)), |n| n.span);
                self.reader.error(codes::PARAMS, at, format!("`{}` needs the parameter `{k}`", action.id));
            }
        }
        made
    }

    fn hunts(&mut self, fields: &Fields<'_>) -> BTreeMap<Arc<str>, HuntRule> {
        let mut made = BTreeMap::new();
        for (id, n) in fields.get("hunts").map(|n| self.reader.ids(n, "`hunts`")).unwrap_or_default() {
            if !is_name(&id.text) {
                self.reader.error_help(
                    codes::BAD_ID,
                    id.span,
                    format!("`{}` cannot be an id", id.text),
                    "ids are snake case and not words that Rhai keeps for itself",
                );
                continue;
            }
            let f = self.reader.keys(n, "a hunt", keys::HUNT);
            let Some(params) = parameters(self.reader, f.get("with")) else { continue };
            let locals: Vec<(Arc<str>, Ty)> = params.iter().map(|(n, k)| (n.clone(), Ty::entity(*k))).collect();
            let env = self.env(locals.clone());
            let title = f.get("title").and_then(|n| template(self.reader, n, "`title`", env, self.questions));
            let env = self.env(locals);
            let parts = f.get("kql").and_then(|n| query(self.reader, n, &env, self.questions));
            let (Some(title), Some(parts)) = (title, parts) else {
                // The hunt exists, so that cards which name it are not reported as well.
                made.insert(
                    id.text.clone(),
                    HuntRule { id: id.text.clone(), title: Template::default(), with: params.into_iter().next(), parts: Vec::new(), span: id.span },
                );
                continue;
            };
            made.insert(id.text.clone(), HuntRule { id: id.text.clone(), title, with: params.into_iter().next(), parts, span: id.span });
        }
        made
    }

    /// `after` names cards of this playbook and makes no circle.
    fn order(&mut self, cards: &[(CardRule, Span)], _fields: &Fields<'_>) {
        let position: BTreeMap<&str, usize> = cards.iter().enumerate().map(|(n, (c, _))| (&*c.id, n)).collect();
        let mut uses = Vec::new();
        for (card, span) in cards {
            let mut before = BTreeSet::new();
            for a in &card.after {
                match position.get(&**a) {
                    Some(n) => {
                        before.insert(*n);
                    }
                    None => {
                        let help = nearest(a, position.keys().copied())
                            .map_or_else(|| "`after` names cards of this playbook".to_owned(), |k| format!("did you mean `{k}`?"));
                        self.reader.error_help(codes::UNKNOWN_REF, *span, format!("`{}` comes after `{a}`, which does not exist", card.id), help);
                    }
                }
            }
            uses.push(before);
        }
        let (_, cycle) = super::order::sorted(&uses);
        if let Some((card, span)) = cycle.first().and_then(|n| cards.get(*n)) {
            let others: Vec<String> = cycle.iter().filter_map(|n| cards.get(*n)).map(|(c, _)| format!("`{}`", c.id)).collect();
            let message =
                if others.len() > 1 { format!("{} come after one another", others.join(", ")) } else { format!("`{}` comes after itself", card.id) };
            self.reader.error(codes::CYCLE, *span, message);
        }
    }

    fn exception(&mut self, node: &Node, cards: &BTreeSet<Arc<str>>) -> Option<Exception> {
        let fields = self.reader.keys(node, "an exception", keys::EXCEPTION);
        let id = fields.get("id").and_then(|n| self.reader.text(n, "`id`"))?;
        let reason = fields.get("reason").and_then(|n| self.reader.text(n, "`reason`"))?;
        let mut about = BTreeSet::new();
        for s in fields.get("cards").map(|n| self.reader.texts(n, "`cards`")).unwrap_or_default() {
            if cards.contains(&s.text) {
                about.insert(s.text.clone());
            } else {
                let help = nearest(&s.text, cards.iter().map(|c| &**c))
                    .map_or_else(|| "name cards of this playbook".to_owned(), |k| format!("did you mean `{k}`?"));
                self.reader.error_help(codes::UNKNOWN_REF, s.span, format!("there is no card `{}` in this playbook", s.text), help);
            }
        }
        let mut who = Vec::new();
        for (kind, n) in fields.get("for").map(|n| self.reader.ids(n, "`for`")).unwrap_or_default() {
            let Some(kind) = kind_word(self.reader, kind) else { continue };
            let ids: BTreeSet<String> = self.reader.texts(n, "`for`").iter().map(|s| s.text.trim().to_lowercase()).collect();
            who.push((kind, ids));
        }
        let expires = self.reader.text(fields.get("expires")?, "`expires`")?;
        let Some(day) = crate::model::time::time(&expires.text) else {
            self.reader.error_help(codes::PATTERN, expires.span, format!("`{}` is not a day", expires.text), "days are written as in 2026-12-31");
            return None;
        };
        // A day alone is meant to its end.
        let end = if expires.text.contains(':') { day } else { day.checked_add(jiff::SignedDuration::from_hours(24)).unwrap_or(day) };
        Some(Exception { id: id.text.clone(), cards: about, who, reason: reason.text.to_string(), expires: end, span: id.span })
    }
}
