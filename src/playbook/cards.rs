//! What a playbook says: triage arms, cards, hunts, exceptions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::kind_word;
use super::keys;
use super::read::{Fields, Reader};
use super::scope::{Around, Scope, parameters};
use super::set::{Action, Arm, CardRule, Exception, HuntRule, Target};
use super::text::{bool_expression, expression, query, template};
use super::yaml::Node;
use crate::diag::{Diagnostic, codes, nearest};
use crate::model::{Classification, Kinds, Phase};
use crate::script::lower::is_name;
use crate::script::{Env, Expr, Questions, Template, Ty};
use crate::source::{Scalar, Snippet, Span};

/// Parameters with their types.
type Locals = Vec<(Arc<str>, Ty)>;

/// A playbook while it is compiled.
pub(super) struct Book<'b, 'a> {
    pub reader: &'b mut Reader<'a>,
    pub around: &'b Around,
    pub scope: &'b Scope,
    pub questions: &'b mut Questions,
    /// The ids of the playbook's cards, with their places.
    pub ids: BTreeMap<Arc<str>, Span>,
}

impl<'b> Book<'b, '_> {
    fn env(&self, locals: Vec<(Arc<str>, Ty)>) -> Env<'b> {
        self.scope.env(&self.around.names, locals)
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
        fields.get(key).and_then(|n| self.reader.number(n, format_args!("`{key}`"), 0..=100)).and_then(|n| u8::try_from(n).ok()).unwrap_or(default)
    }

    pub fn arm(&mut self, node: &Node) -> Option<Arm> {
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
        let near = nearest(&s.text, self.around.actions.keys().map(|k| &**k));
        self.reader.report(Diagnostic::error(codes::UNKNOWN_REF, s.span, message).did_you_mean(s.inner(), near, "`engine actions` lists them"));
        None
    }

    /// `for: NAME in EXPRESSION`
    fn target(&mut self, fields: &Fields<'_>, action: Option<&Action>) -> Option<(Target, Locals)> {
        let (node, all) = match (fields.raw("for"), fields.raw("for_all")) {
            (Some(_), Some(n)) => {
                self.reader.error(codes::WRONG_SHAPE, n.span, "a card has `for` or `for_all`, not both");
                return None;
            }
            (Some(n), None) => (n, false),
            (None, Some(n)) => (n, true),
            (None, None) => {
                if let Some(action) = action.filter(|a| !a.incident) {
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
        if let Some(action) = action.filter(|a| !kinds.within(a.kinds) && kinds != Kinds::ANY) {
            let message = format!("`{}` applies to {}; this is a list of {kinds}", action.id, action.kinds);
            let help = format!("go through a list of {}, or take another action: `engine actions` lists them", action.kinds);
            self.reader.error_help(codes::WRONG_KIND, e.span, message, help);
            return None;
        }
        let name: Arc<str> = trimmed.into();
        let local = if all { Ty::list(Ty::Entity(kinds)) } else { Ty::Entity(kinds) };
        let list = Box::new(e);
        let target = if all { Target::All(name.clone(), list) } else { Target::Each(name.clone(), list) };
        Some((target, vec![(name, local)]))
    }

    /// The cards that are declared, with their phases; ids that cannot be ids, or stand twice, are reported.
    pub fn declared_cards<'n>(&mut self, fields: &Fields<'n>) -> Vec<(&'n Node, Phase)> {
        let mut all = Vec::new();
        for (key, phase) in [("containment", Phase::Containment), ("investigation", Phase::Investigation), ("remediation", Phase::Remediation)] {
            for n in fields.get(key).map(|n| self.reader.list(n, format_args!("`{key}`"))).unwrap_or_default() {
                all.push((n, phase));
                let Some(id) = n.get("id").and_then(Node::scalar) else { continue };
                self.reader.name_id(id);
                if let Some(old) = self.ids.get(&id.text) {
                    let d = Diagnostic::error(codes::DUPLICATE_ID, id.span, format!("two cards are called `{}`", id.text))
                        .at(*old, "first here")
                        .help("rename one of them");
                    self.reader.report(d);
                } else {
                    self.ids.insert(id.text.clone(), id.span);
                }
            }
        }
        all
    }

    /// Ids of cards of this playbook; others are reported.
    fn card_ids(&mut self, node: Option<&Node>, what: &str) -> Vec<Arc<str>> {
        let Some(node) = node else { return Vec::new() };
        let mut all = Vec::new();
        for s in self.reader.texts(node, what) {
            if self.ids.contains_key(&s.text) {
                all.push(s.text.clone());
            } else {
                let near = nearest(&s.text, self.ids.keys().map(|k| &**k));
                let d = Diagnostic::error(codes::UNKNOWN_REF, s.span, format!("there is no card `{}` in this playbook", s.text));
                self.reader.report(d.did_you_mean(s.inner(), near, format!("{what} names cards of this playbook")));
            }
        }
        all
    }

    /// A card. All that is wrong with it is reported, whatever comes first.
    pub fn card(&mut self, node: &Node, phase: Phase, hunts: &BTreeMap<Arc<str>, HuntRule>) -> Option<CardRule> {
        let fields = self.reader.keys(node, "a card", keys::CARD);
        let id = fields.get("id").and_then(|n| self.reader.text(n, "`id`"));
        let action = self.action(&fields);
        let priority = self.percent(&fields, "priority", 50);
        let confidence = self.percent(&fields, "confidence", 70);
        let after = self.card_ids(fields.get("after"), "`after`");
        let hunt = self.hunt_of(&fields, hunts);
        let params = action.as_ref().map(|a| self.params(&fields, a)).unwrap_or_default();
        let Some((target, locals)) = self.target(&fields, action.as_deref()) else {
            // Without what it is about, its expressions cannot be read; whether they are expressions can.
            if let Some(n) = fields.raw("when") {
                self.reader.expression(n, "`when`");
            }
            return None;
        };
        let when = self.when(&fields, &locals);
        let mut sentence = |key: &str| {
            fields
                .get(key)
                .map(|n| template(self.reader, n, format_args!("`{key}`"), self.scope.env(&self.around.names, locals.clone()), self.questions))
        };
        let (why, title) = (sentence("why"), sentence("title"));
        if let Some((h, rule)) = hunt.and_then(|h| Some((h, hunts.get(&h.text)?)))
            && let Some((param, kind)) = &rule.with
        {
            let given = locals.first().map(|(_, t)| t);
            if !matches!(given, Some(Ty::Entity(kinds)) if kinds.within(Kinds::one(*kind))) {
                let message = format!("the hunt `{}` needs `{param}`, a {kind}; the card is not about one", h.text);
                self.reader.error_help(
                    codes::WRONG_KIND,
                    h.span,
                    message,
                    "name a hunt about what the card is about, or change the `with` of the hunt",
                );
            }
        }
        let id = id?;
        Some(CardRule {
            id: id.text.clone(),
            phase,
            action: action?,
            title: title.map_or(Some(None), |t| t.map(Some))?,
            target,
            when: when?,
            why: why??,
            priority,
            confidence,
            params,
            after,
            hunt: hunt.map(|h| h.text.clone()),
            span: id.span,
        })
    }

    /// `hunt:`
    fn hunt_of<'n>(&mut self, fields: &Fields<'n>, hunts: &BTreeMap<Arc<str>, HuntRule>) -> Option<&'n Scalar> {
        let h = fields.get("hunt").and_then(|n| self.reader.text(n, "`hunt`"))?;
        if !hunts.contains_key(&*h.text) {
            let near = nearest(&h.text, hunts.keys().map(|k| &**k));
            let d = Diagnostic::error(codes::UNKNOWN_REF, h.span, format!("there is no hunt `{}` in this playbook", h.text));
            self.reader.report(d.did_you_mean(h.inner(), near, "declare it under `hunts:`"));
        }
        Some(h)
    }

    fn params(&mut self, fields: &Fields<'_>, action: &Action) -> BTreeMap<Arc<str>, String> {
        let mut made: BTreeMap<Arc<str>, String> = action.params.iter().filter_map(|(k, p)| Some((k.clone(), p.default.clone()?))).collect();
        for (name, n) in fields.get("params").map(|n| self.reader.ids(n, "`params`")).unwrap_or_default() {
            let Some(p) = action.params.get(&*name.text) else {
                let known: Vec<&str> = action.params.keys().map(|k| &**k).collect();
                let takes = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let d = Diagnostic::error(codes::PARAMS, name.span, format!("`{}` has no parameter `{}`", action.id, name.text));
                let near = nearest(&name.text, known.iter().copied());
                self.reader.report(d.did_you_mean(name.inner(), near, format!("`{}` takes {takes}", action.id)));
                continue;
            };
            let Some(v) = self.reader.text(n, &name.text) else { continue };
            if !p.values.is_empty() && !p.values.iter().any(|x| **x == *v.text) {
                let message = format!("`{}` is one of {}; this is `{}`", name.text, p.values.join(", "), v.text);
                let near = nearest(&v.text, p.values.iter().map(String::as_str));
                self.reader.report(Diagnostic::error(codes::PARAMS, v.span, message).did_you_mean(v.inner(), near, "write one of them"));
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

    pub fn hunts(&mut self, fields: &Fields<'_>) -> BTreeMap<Arc<str>, HuntRule> {
        let mut made = BTreeMap::new();
        for (id, n) in fields.get("hunts").map(|n| self.reader.ids(n, "`hunts`")).unwrap_or_default() {
            if !self.reader.name_id(id) {
                continue;
            }
            let f = self.reader.keys(n, "a hunt", keys::HUNT);
            let Some(params) = parameters(self.reader, f.get("with")) else { continue };
            if params.len() > 1 {
                let help = "reach the others from it, as in `{user.out(\"signed_in_from\").map(|i| i.address)}`";
                self.reader.error_help(codes::WRONG_SHAPE, id.span, "a hunt is about one entity", help);
                continue;
            }
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

    /// `after` makes no circle.
    pub fn circles(&mut self, cards: &[CardRule]) {
        let position: BTreeMap<&str, usize> = cards.iter().enumerate().map(|(n, c)| (&*c.id, n)).collect();
        let uses: Vec<BTreeSet<usize>> = cards.iter().map(|c| c.after.iter().filter_map(|a| position.get(&**a).copied()).collect()).collect();
        let (_, circle) = super::order::sorted(&uses);
        let Some(first) = circle.first().and_then(|n| cards.get(*n)) else { return };
        let others: Vec<String> = circle.iter().filter_map(|n| cards.get(*n)).map(|c| format!("`{}`", c.id)).collect();
        let message =
            if others.len() > 1 { format!("{} come after one another", others.join(", ")) } else { format!("`{}` comes after itself", first.id) };
        self.reader.error_help(codes::CYCLE, first.span, message, "take one of them out of an `after`");
    }

    pub fn exception(&mut self, node: &Node) -> Option<Exception> {
        let fields = self.reader.keys(node, "an exception", keys::EXCEPTION);
        let id = fields.get("id").and_then(|n| self.reader.text(n, "`id`"))?;
        let reason = fields.get("reason").and_then(|n| self.reader.text(n, "`reason`"))?;
        let about = self.card_ids(fields.get("cards"), "`cards`").into_iter().collect();
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
        Some(Exception {
            id: id.text.clone(),
            cards: about,
            who,
            reason: reason.text.to_string(),
            until: expires.text.to_string(),
            expires: end,
            span: id.span,
        })
    }
}
