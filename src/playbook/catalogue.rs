//! What playbooks build on: lists, signals, actions, incident types, permissions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::keys;
use super::later::{later, now};
use super::names::{Declared, Names};
use super::read::{Fields, Reader};
use super::set::{Action, Asks, Guard, IMPACTS, IncidentType, Param, Permissions, Says, Signal, SignalRule, TypeRule};
use super::text::{bool_expression, level_of, template};
use super::yaml::Node;
use crate::diag::{Diagnostic, codes, nearest};
use crate::model::level::squash;
use crate::model::{Kind, Kinds, Phase, Prop, PropType, PropValue, Rel, Verdict};
use crate::script::glob::Glob;
use crate::script::lists::ListKind;
use crate::script::template::Part;
use crate::script::{Env, Expr, NamedList, Questions, Template, Ty};
use crate::source::{Scalar, Span};

/// Compiles the catalogue.
pub(crate) struct Catalogue<'r, 'a> {
    pub reader: &'r mut Reader<'a>,
    pub questions: &'r mut Questions,
}

impl Catalogue<'_, '_> {
    /// `lists:`
    pub fn lists(&mut self, all: &[Declared<'_>]) -> Vec<NamedList> {
        let mut made = Vec::new();
        for d in all {
            let r = &mut *self.reader;
            let fields = r.keys(d.node, "a list", keys::LIST);
            let words = ListKind::words();
            let kind =
                fields.get("kind").and_then(|n| r.text(n, "`kind`")).and_then(|s| r.word(s, "a kind of list", &words)).and_then(ListKind::parse);
            let values: Vec<&Scalar> = fields.get("values").map(|n| r.texts(n, "`values`")).unwrap_or_default();
            let tag = fields.get("tag").and_then(|n| r.text(n, "`tag`"));
            let Some(kind) = kind else { continue };
            let texts: Vec<&str> = values.iter().map(|v| &*v.text).collect();
            // A value that cannot be read leaves the others in force: a guard must not fall with it.
            let (list, wrong) = NamedList::compile(&d.id, kind, &texts, tag.map(|t| &*t.text), d.id_span);
            for v in wrong.iter().filter_map(|n| values.get(*n)) {
                r.error_help(
                    codes::PATTERN,
                    v.span,
                    format!("`{}` is not an address or network", v.text),
                    "write it as in 203.0.113.7 or 203.0.113.0/24",
                );
            }
            made.push(list);
        }
        made.sort_by(|a, b| a.id.cmp(&b.id));
        made
    }

    /// `signals:`
    pub fn signals(&mut self, all: &[Declared<'_>], names: &Names) -> Vec<Signal> {
        let mut made = Vec::new();
        for d in all {
            self.questions.shipped = d.kept.is_some();
            let fields = self.reader.keys(d.node, "a signal", keys::SIGNAL);
            let title = fields.get("title").and_then(|n| self.reader.text(n, "`title`")).map(|s| s.text.to_string()).unwrap_or_default();
            let benign = fields.get("benign").and_then(|n| self.reader.flag(n, "`benign`")).unwrap_or(false);
            if let Some(n) = fields.get("techniques") {
                self.techniques(n);
            }
            let mut env = names.env();
            env.locals = vec![("alert".into(), Ty::Alert)];
            env.deciding_signals = true;
            let rules = match fields.get("any") {
                Some(n) => self.reader.list(n, "`any`").iter().filter_map(|n| self.signal_rule(n, benign, &env)).collect(),
                None => Vec::new(),
            };
            let says = match fields.get("says") {
                Some(n) if n.items().is_empty() => self.says(n, &env).into_iter().collect(),
                Some(n) => n.items().iter().filter_map(|n| self.says(n, &env)).collect(),
                None => Vec::new(),
            };
            made.push(Signal { id: d.id.as_str().into(), title, rules, says, span: d.id_span });
        }
        made.sort_by(|a, b| a.id.cmp(&b.id));
        made
    }

    fn signal_rule(&mut self, node: &Node, benign: bool, env: &Env<'_>) -> Option<SignalRule> {
        // An entry with something wrong in it would match more than its author means: it matches nothing.
        let before = self.reader.out.len();
        let fields = self.reader.keys(node, "an entry of `any`", keys::SIGNAL_RULE);
        let mut rule = SignalRule::default();
        if let Some(n) = fields.get("detectors") {
            let all = self.reader.texts(n, "`detectors`");
            let (globs, ids): (Vec<&Scalar>, Vec<&Scalar>) = all.into_iter().partition(|s| s.text.contains(['*', '?']));
            rule.families = globs.iter().map(|s| Glob::new(s.text.trim())).collect();
            rule.detectors = ids.iter().map(|s| s.text.trim().to_lowercase()).collect();
        }
        rule.titles = self.globs(&fields, "titles");
        rule.products = self.globs(&fields, "products");
        if let Some(n) = fields.get("categories") {
            rule.categories = self.reader.texts(n, "`categories`").iter().map(|s| squash(&s.text)).collect();
        }
        if let Some(n) = fields.raw("if") {
            rule.test = Some(bool_expression(self.reader, n, "`if`", env.clone(), self.questions)?);
        }
        let prose = rule.test.as_ref().and_then(Expr::asks_prose);
        let by_words = !(rule.titles.is_empty() && rule.products.is_empty() && rule.categories.is_empty() && rule.families.is_empty());
        if benign && (by_words || prose.is_some()) {
            self.reader.error_help(
                codes::WRONG_SHAPE,
                prose.unwrap_or(node.span),
                "a benign signal matches by whole detector ids or by an `if` over your lists: what an alert says in words, an attacker can write",
                "match by `detectors`, or by an `if` over a list of your own",
            );
        }
        if rule.detectors.is_empty()
            && rule.families.is_empty()
            && rule.titles.is_empty()
            && rule.products.is_empty()
            && rule.categories.is_empty()
            && rule.test.is_none()
        {
            self.reader.error(codes::MISSING_KEY, node.span, "an entry without anything in it would match every alert");
        }
        (self.reader.out.len() == before).then_some(rule)
    }

    fn globs(&mut self, fields: &Fields<'_>, key: &str) -> Vec<Glob> {
        let Some(n) = fields.get(key) else { return Vec::new() };
        self.reader.texts(n, format_args!("`{key}`")).iter().map(|s| Glob::new(&normal(&s.text))).collect()
    }

    fn says(&mut self, node: &Node, env: &Env<'_>) -> Option<Says> {
        let before = self.reader.out.len();
        let fields = self.reader.keys(node, "`says`", keys::SAYS);
        let mut says = Says::default();
        if let Some(n) = fields.raw("if") {
            says.test = Some(bool_expression(self.reader, n, "`if`", env.clone(), self.questions)?);
        }
        if let Some(n) = fields.get("relations") {
            for s in self.reader.texts(n, "`relations`") {
                match relation(s) {
                    Ok(r) => says.relations.push(r),
                    Err(d) => self.reader.report(*d),
                }
            }
        }
        for (kind, n) in self.by_kind(&fields, "roles") {
            for s in self.reader.texts(n, "a role") {
                says.roles.push((kind, crate::intake::builder::snake(&s.text)));
            }
        }
        for (kind, n) in self.by_kind(&fields, "verdicts") {
            let words: Vec<&str> = [Verdict::Suspicious, Verdict::Malicious].iter().map(|v| v.word()).collect();
            if let Some(v) = self
                .reader
                .text(n, "a verdict")
                .and_then(|s| self.reader.word(s, "a verdict that a signal can give", &words))
                .and_then(Verdict::parse)
            {
                says.verdicts.push((kind, v));
            }
        }
        for (kind, n) in self.by_kind(&fields, "properties") {
            for (name, value) in self.reader.ids(n, "properties") {
                if let Some((p, v)) = self.property(kind, name, value) {
                    says.properties.push((kind, p, v));
                }
            }
        }
        for (kind, n) in self.by_kind(&fields, "tags") {
            for s in self.reader.texts(n, "tags") {
                says.tags.push((kind, s.text.to_string()));
            }
        }
        (self.reader.out.len() == before).then_some(says)
    }

    fn by_kind<'n>(&mut self, fields: &Fields<'n>, key: &str) -> Vec<(Kind, &'n Node)> {
        let Some(n) = fields.get(key) else { return Vec::new() };
        let all = self.reader.ids(n, format_args!("`{key}`"));
        all.into_iter().filter_map(|(s, n)| Some((kind_word(self.reader, s)?, n))).collect()
    }

    fn property(&mut self, kind: Kind, name: &Scalar, value: &Node) -> Option<(Prop, PropValue)> {
        let Some(p) = Prop::named(&name.text).filter(|p| p.spec().kinds.has(kind)) else {
            let known = crate::model::kind::PROPS.iter().filter(|p| p.kinds.has(kind)).map(|p| p.name);
            let d = Diagnostic::error(codes::UNKNOWN_PROPERTY, name.span, format!("{kind} has no property `{}`", name.text));
            self.reader.report(d.did_you_mean(name.inner(), nearest(&name.text, known), "see docs/functions.md for what each kind has"));
            return None;
        };
        let v = match p.spec().ty {
            PropType::Bool => PropValue::Bool(self.reader.flag(value, &name.text)?),
            PropType::Int => PropValue::Int(self.reader.number(value, &name.text, i64::MIN..=i64::MAX)?),
            PropType::Level => PropValue::Level(level_of(self.reader, value)?),
            PropType::Texts => PropValue::Texts(self.reader.texts(value, &name.text).iter().map(|s| (*s.text).into()).collect()),
            PropType::Text => PropValue::Text(self.reader.text(value, &name.text)?.text.as_ref().into()),
            PropType::Time => {
                let s = self.reader.text(value, &name.text)?;
                match crate::model::time::time(&s.text) {
                    Some(t) => PropValue::Time(t),
                    None => {
                        self.reader.error(codes::PATTERN, s.span, format!("`{}` is not a time", s.text));
                        return None;
                    }
                }
            }
        };
        Some((p, v))
    }

    fn techniques(&mut self, node: &Node) -> Vec<String> {
        let all = self.reader.texts(node, "`techniques`");
        all.into_iter().filter_map(|s| technique(self.reader, s)).collect()
    }

    /// `actions:`
    pub fn actions(&mut self, all: &[Declared<'_>], names: &Arc<Names>) -> BTreeMap<Arc<str>, Arc<Action>> {
        let ids: BTreeSet<&str> = all.iter().map(|d| d.id.as_str()).collect();
        let mut made = BTreeMap::new();
        for d in all {
            if let Some(a) = self.action(d, names, &ids) {
                made.insert(a.id.clone(), Arc::new(a));
            }
        }
        made
    }

    fn action(&mut self, d: &Declared<'_>, names: &Arc<Names>, ids: &BTreeSet<&str>) -> Option<Action> {
        let before = self.errors();
        let r = &mut *self.reader;
        let fields = r.keys(d.node, "an action", keys::ACTION);
        if fields.bad {
            return None;
        }
        let mut text = |key: &str| fields.get(key).and_then(|n| r.text(n, format_args!("`{key}`"))).map(|s| s.text.to_string());
        let (title, description) = (text("title").unwrap_or_default(), text("description").unwrap_or_default());
        let phases: Vec<&str> = Phase::ALL.iter().map(|p| p.word()).collect();
        let phase = fields.get("phase").and_then(|n| r.text(n, "`phase`")).and_then(|s| r.word(s, "a phase", &phases)).and_then(Phase::parse);
        let impact = fields.get("impact").and_then(|n| r.text(n, "`impact`")).and_then(|s| r.word(s, "an impact", IMPACTS));
        let mut kinds = Kinds::NONE;
        let mut incident = false;
        for s in fields.get("kinds").map(|n| r.texts(n, "`kinds`")).unwrap_or_default() {
            if &*s.text == "incident" {
                incident = true;
            } else if let Some(k) = kind_word(r, s) {
                kinds = kinds.or(Kinds::one(k));
            }
        }
        let mut texts = |key: &str| -> Vec<String> {
            fields.get(key).map(|n| r.texts(n, format_args!("`{key}`"))).unwrap_or_default().iter().map(|s| s.text.to_string()).collect()
        };
        let (permissions, prerequisites, effects, d3fend, react) =
            (texts("permissions"), texts("prerequisites"), texts("effects"), texts("d3fend"), texts("react"));
        let undo = fields.get("undo").and_then(|n| r.text(n, "`undo`"));
        if let Some(u) = undo
            && !ids.contains(&*u.text)
        {
            let d = Diagnostic::error(codes::UNKNOWN_REF, u.span, format!("there is no action `{}`", u.text));
            r.report(d.did_you_mean(u.inner(), nearest(&u.text, ids.iter().copied()), "declare it in `actions:`"));
        }
        let mut params: BTreeMap<Arc<str>, Param> = BTreeMap::new();
        if let Some(n) = fields.get("params") {
            for (name, node) in r.ids(n, "`params`") {
                let f = r.keys(node, "a parameter", keys::PARAM);
                let values: Vec<String> =
                    f.get("values").map(|n| r.texts(n, "`values`")).unwrap_or_default().iter().map(|s| s.text.to_string()).collect();
                let default = f.get("default").and_then(|n| r.text(n, "`default`"));
                if let Some(s) = default.filter(|s| !values.is_empty() && !values.contains(&s.text.to_string())) {
                    r.error(codes::PARAMS, s.span, format!("the default `{}` is not among the values", s.text));
                }
                params.insert(name.text.clone(), Param { values, default: default.map(|s| s.text.to_string()) });
            }
        }
        let asked = Asked {
            target: if kinds.is_none() { Ty::Incident } else { Ty::Entity(kinds) },
            params: Ty::Map(params.keys().map(|k| (k.clone(), Ty::Text)).collect()),
            span: d.id_span,
        };
        let asks = match d.kept.clone() {
            Some(kept) => {
                let (names, mut questions) = (names.clone(), self.questions.later());
                later(move || {
                    let mut all = Catalogue { reader: &mut Reader::quiet(), questions: &mut questions };
                    kept.node().map(|n| all.asks(&Fields::checked(n), &asked, &names, 0)).unwrap_or_default()
                })
            }
            None => now(self.asks(&fields, &asked, names, before)),
        };
        Some(Action {
            id: d.id.as_str().into(),
            title,
            description,
            phase: phase?,
            kinds,
            incident,
            permissions,
            impact: impact.unwrap_or("low"),
            undo: undo.map(|u| u.text.clone()),
            params,
            asks,
            prerequisites,
            effects,
            d3fend,
            react,
            span: d.id_span,
        })
    }

    /// The guards of an action and when it is done; `before` is how many errors there were before the action.
    fn asks(&mut self, fields: &Fields<'_>, of: &Asked, names: &Names, before: usize) -> Asks {
        let mut env = names.env();
        env.locals = vec![("target".into(), of.target.clone()), ("params".into(), of.params.clone())];
        let mut never = Vec::new();
        for n in fields.get("never").map(|n| self.reader.list(n, "`never`")).unwrap_or_default() {
            let f = self.reader.keys(n, "a guard", keys::GUARD);
            let test = f.raw("if").and_then(|n| bool_expression(self.reader, n, "`if`", env.clone(), self.questions));
            let why = f.get("why").and_then(|n| template(self.reader, n, "`why`", env.clone(), self.questions));
            if let (Some(test), Some(why)) = (test, why) {
                never.push(Guard { test, why });
            }
        }
        // With something wrong in it, a guard may be missing: then nothing recommends the action until it is mended.
        if self.errors() > before {
            let why =
                Template { parts: vec![Part::Text("the action has an error in its declaration, and so its guards cannot be relied on".into())] };
            never.push(Guard { test: Expr::always(of.span), why });
        }
        let mut done = names.env();
        done.deciding_signals = true;
        done.locals = vec![("target".into(), of.target.clone())];
        let done_when = fields.raw("done_when").and_then(|n| bool_expression(self.reader, n, "`done_when`", done, self.questions));
        if let Some(span) = done_when.as_ref().and_then(Expr::asks_prose) {
            let help = "ask for a typed property of `target`, such as `target.isolation`";
            self.reader.error_help(codes::TYPE, span, "`done_when` reads typed source state, never what an alert says in words", help);
        }
        Asks { never, done_when }
    }

    fn errors(&self) -> usize {
        self.reader.out.iter().filter(|d| d.severity == crate::diag::Severity::Error).count()
    }

    /// `incident_types:`
    pub fn types(&mut self, all: &[Declared<'_>], names: &Names) -> Vec<IncidentType> {
        let mut made = Vec::new();
        for d in all {
            self.questions.shipped = d.kept.is_some();
            let fields = self.reader.keys(d.node, "an incident type", keys::TYPE);
            let title = fields.get("title").and_then(|n| self.reader.text(n, "`title`")).map(|s| s.text.to_string()).unwrap_or_default();
            let mut rules = Vec::new();
            for n in fields.get("any").map(|n| self.reader.list(n, "`any`")).unwrap_or_default() {
                let before = self.errors();
                let f = self.reader.keys(n, "an entry of `any`", keys::TYPE_RULE);
                let signals = f.get("signals").map(|n| signal_ids(self.reader, n, names)).unwrap_or_default();
                let techniques = f.get("techniques").map(|n| self.techniques(n)).unwrap_or_default();
                let test = match f.raw("if") {
                    Some(n) => match bool_expression(self.reader, n, "`if`", names.env(), self.questions) {
                        Some(e) => Some(e),
                        None => continue,
                    },
                    None => None,
                };
                let weight = f.get("weight").and_then(|n| self.reader.number(n, "`weight`", 0..=100)).and_then(|n| u8::try_from(n).ok());
                if signals.is_empty() && techniques.is_empty() && test.is_none() {
                    self.reader.error(codes::MISSING_KEY, n.span, "an entry needs `signals`, `techniques` or `if`");
                    continue;
                }
                if self.errors() == before {
                    rules.push(TypeRule { signals, techniques, test, weight: weight.unwrap_or(0) });
                }
            }
            made.push(IncidentType { id: d.id.as_str().into(), title, rules });
        }
        made.sort_by(|a, b| a.id.cmp(&b.id));
        made
    }

    /// `permissions:`
    pub fn permissions(&mut self, tree: &Node, into: &mut Permissions) {
        let fields = self.reader.keys(tree, "a file of permissions", keys::PERMISSIONS_FILE);
        let Some(n) = fields.get("permissions") else { return };
        let fields = self.reader.keys(n, "`permissions`", keys::PERMISSIONS);
        let mut given: Vec<(&Scalar, &Scalar)> = Vec::new();
        for (key, map) in [("roles", &mut into.roles), ("users", &mut into.users)] {
            let Some(n) = fields.get(key) else { continue };
            for (name, node) in self.reader.ids(n, format_args!("`{key}`")) {
                let all = self.reader.texts(node, &name.text);
                map.insert(name.text.to_string(), all.iter().map(|s| s.text.to_string()).collect());
                if key == "users" {
                    given.extend(all.into_iter().map(|role| (name, role)));
                }
            }
        }
        for (user, role) in given {
            if !into.roles.contains_key(&*role.text) {
                let near = nearest(&role.text, into.roles.keys().map(String::as_str));
                let message = format!("`{}` has the role `{}`, which does not exist", user.text, role.text);
                self.reader.report(Diagnostic::error(codes::UNKNOWN_REF, role.span, message).did_you_mean(
                    role.inner(),
                    near,
                    "declare it under `roles`",
                ));
            }
        }
    }
}

/// What the expressions of an action speak of.
struct Asked {
    target: Ty,
    params: Ty,
    span: Span,
}

/// A title as it is compared: NFKC, without characters that nobody sees, trimmed, lower case.
pub fn normal(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    // What is plain already, as nearly every title is, has only its case and blanks to be looked after.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        let mut out = String::with_capacity(text.len());
        for word in text.split_ascii_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
        out.make_ascii_lowercase();
        return out;
    }
    let text: String = text.nfkc().filter(|c| !crate::diag::human::hidden(*c)).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A kind of entity.
pub(crate) fn kind_word(reader: &mut Reader<'_>, s: &Scalar) -> Option<Kind> {
    let words: Vec<&str> = Kind::ALL.iter().map(|k| k.word()).collect();
    let word = reader.word(s, "a kind of entity", &words)?;
    Kind::ALL.iter().copied().find(|k| k.word() == word)
}

/// A technique of the matrix.
pub(crate) fn technique(reader: &mut Reader<'_>, s: &Scalar) -> Option<String> {
    if crate::model::technique::technique(&s.text).is_some() {
        return Some(s.text.to_string());
    }
    let d = Diagnostic::error(codes::UNKNOWN_WORD, s.span, format!("the ATT&CK matrix has no technique `{}`", s.text));
    reader.report(d.did_you_mean(s.inner(), nearest(&s.text, crate::model::technique::technique_ids()), "see attack.mitre.org"));
    None
}

/// Ids of signals that exist.
pub(crate) fn signal_ids(reader: &mut Reader<'_>, node: &Node, names: &Names) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    for s in reader.texts(node, "`signals`") {
        match names.signals.get(&*s.text) {
            Some(id) => {
                found.insert(id.clone());
            }
            None => {
                let near = nearest(&s.text, names.signals.iter().map(|s| &**s));
                let d = Diagnostic::error(codes::UNKNOWN_REF, s.span, format!("there is no signal `{}`", s.text));
                reader.report(d.did_you_mean(s.inner(), near, "declare it in a file of `signals:`"));
            }
        }
    }
    found
}

/// `user clicked url`
fn relation(s: &Scalar) -> Result<(Kind, Rel, Kind), Box<Diagnostic>> {
    let words: Vec<&str> = s.text.split_whitespace().collect();
    let form = "a relation is written as in \"user clicked url\"";
    let [from, rel, to] = words.as_slice() else {
        return Err(Box::new(Diagnostic::error(codes::WRONG_SHAPE, s.span, format!("`{}` is not three words", s.text)).help(form)));
    };
    // Where a word stands: the last of two equal ones is the second end.
    let place = |w: &str| {
        let at = if w == *to { s.text.rfind(w) } else { s.text.find(w) }.unwrap_or(0);
        s.place(at, at.saturating_add(w.len()))
    };
    let unknown = |code, what: &str, w: &str, near: Option<&str>| {
        Box::new(Diagnostic::error(code, place(w), format!("there is no {what} `{w}`")).did_you_mean(place(w), near, form))
    };
    let kind = |w: &str| {
        let found = Kind::ALL.iter().copied().find(|k| k.word() == w);
        found.ok_or_else(|| unknown(codes::UNKNOWN_WORD, "kind of entity", w, nearest(w, Kind::ALL.iter().map(|k| k.word()))))
    };
    let (from, to) = (kind(from)?, kind(to)?);
    let known = || nearest(rel, crate::model::kind::RELATIONS.iter().map(|r| r.name));
    let r = Rel::named(rel).ok_or_else(|| unknown(codes::UNKNOWN_RELATION, "relation", rel, known()))?;
    if !r.spec().from.has(from) || !r.spec().to.has(to) {
        let message = format!("`{rel}` leads from {} to {}, not from {from} to {to}", r.spec().from, r.spec().to);
        return Err(Box::new(Diagnostic::error(codes::UNKNOWN_RELATION, s.span, message).help(form)));
    }
    Ok((from, r, to))
}
