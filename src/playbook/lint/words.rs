//! Comparisons with words that cannot be there, lists that hold something twice, and questions that stand twice.

use std::collections::BTreeSet;

use super::pattern;
use super::{Files, walk};
use crate::diag::{Diagnostic, Fix, codes, nearest};
use crate::model::kind::RELATIONS;
use crate::model::level::Basis;
use crate::model::{Kind, Kinds, Prop, Verdict};
use crate::script::expr::{Compare, Expr, Node};
use crate::script::fields::{AlertField, EdgeField, EntityField, Field, IncidentField};
use crate::script::{Ty, Value};
use crate::source::Span;

pub(super) fn lint(files: &Files<'_>, out: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    for root in files.everywhere() {
        walk(root, &mut |e| look(e, &mut found));
    }
    for mut d in found {
        // A word that is put in place of another needs the quotes of the file around it.
        if let Some(fix) = &mut d.fix {
            fix.edits.retain(|(span, _)| files.set.sources.text(*span).starts_with('"'));
            if fix.edits.is_empty() {
                d.fix = None;
            }
        }
        out.push(d);
    }
}

fn look(e: &Expr, out: &mut Vec<Diagnostic>) {
    match &e.node {
        Node::Compare(op @ (Compare::Eq | Compare::Ne), a, b) => {
            compared(*op, a, b, out);
            compared(*op, b, a, out);
        }
        Node::In(item, of) => {
            if let Node::Array(items) = &of.node {
                items.iter().for_each(|w| compared(Compare::Eq, item, w, out));
            }
        }
        Node::Array(items) => twice(items, out),
        Node::And(parts) | Node::Or(parts) => {
            for (n, part) in parts.iter().enumerate() {
                if let Some(first) = parts.iter().take(n).find(|p| p.key == part.key) {
                    let sign = if matches!(e.node, Node::And(_)) { "&&" } else { "||" };
                    out.push(
                        Diagnostic::warning(codes::TWICE, part.span, format!("this stands twice in the same `{sign}`"))
                            .at(first.span, "first here")
                            .help("take one of them out, or ask what was meant instead"),
                    );
                }
            }
        }
        Node::Call(f, args) => match (f.name, args.as_slice()) {
            ("contains", [list, item]) => {
                if let Node::Array(items) = &list.node {
                    items.iter().for_each(|w| compared(Compare::Eq, item, w, out));
                } else if let Some(text) = word(item).filter(|_| list.ty == Ty::Text) {
                    capitals(list, text, item.span, out);
                }
            }
            ("starts_with" | "ends_with", [of, part]) => {
                if let Some(text) = word(part) {
                    capitals(of, text, part.span, out);
                }
            }
            ("matches", [of, p @ Expr { node: Node::Const(Value::Pattern(r)), .. }]) => expression(of, r.as_str(), p.span, &|w| r.is_match(w), out),
            ("glob", [of, p @ Expr { node: Node::Const(Value::Glob(g)), .. }]) => globbed(of, &|w| g.fits(w), p.span, out),
            _ => {}
        },
        _ => {}
    }
}

/// A text that is written there.
fn word(e: &Expr) -> Option<&str> {
    match &e.node {
        Node::Const(Value::Text(t)) => Some(t),
        _ => None,
    }
}

fn fix(span: Span, word: &str) -> Fix {
    Fix { title: format!("write `{word}`"), edits: vec![(span, format!("\"{word}\""))], safe: false }
}

/// What a value can be, if its words are few.
enum Words {
    /// These and no others.
    Closed(Vec<&'static str>),
    /// These, and others that a source may have.
    Known(&'static [&'static str]),
}

fn field(e: &Expr) -> Option<(&Expr, Field)> {
    match &e.node {
        Node::Field(x, f) => Some((x, *f)),
        Node::Binding(_, body) => field(body),
        _ => None,
    }
}

/// The words of a field.
fn vocabulary(e: &Expr) -> Option<Words> {
    let (of, f) = field(e)?;
    Some(match f {
        Field::Entity(EntityField::Kind) => Words::Closed(match of.ty {
            Ty::Entity(kinds) => kinds.iter().map(Kind::word).collect(),
            _ => Kinds::ANY.iter().map(Kind::word).collect(),
        }),
        Field::Entity(EntityField::Verdict) => Words::Closed(Verdict::ALL.iter().map(|v| v.word()).collect()),
        Field::Edge(EdgeField::Basis) => Words::Closed(Basis::ALL.iter().map(|v| v.word()).collect()),
        Field::Edge(EdgeField::Relation) => Words::Closed(RELATIONS.iter().map(|r| r.name).collect()),
        Field::Entity(EntityField::Remediation) => Words::Known(&[
            "none",
            "active",
            "remediated",
            "prevented",
            "blocked",
            "not_found",
            "pending_approval",
            "declined",
            "unremediated",
            "running",
            "partially_remediated",
        ]),
        Field::Incident(IncidentField::Status) => {
            Words::Known(&["new", "active", "in_progress", "resolved", "redirected", "closed", "awaiting_action"])
        }
        Field::Alert(AlertField::Status) => Words::Known(&["new", "in_progress", "resolved", "dismissed"]),
        Field::Prop(p) => Words::Known(match p.spec().name {
            "account_status" => &["enabled", "disabled"],
            "isolation" => &["isolated", "not_isolated", "pending"],
            "provider" => &["azure", "aws", "gcp"],
            "detection_status" => &["detected", "blocked", "prevented"],
            "delivery_action" => &["delivered", "blocked", "junked", "replaced", "quarantined", "deleted"],
            "delivery_location" => &["inbox", "quarantine", "junk_folder", "deleted", "deleted_folder", "failed", "dropped"],
            "antispam_direction" => &["inbound", "outbound", "intraorg"],
            _ => return None,
        }),
        _ => return None,
    })
}

/// A value compared with a word that it can never be.
fn compared(op: Compare, value: &Expr, with: &Expr, out: &mut Vec<Diagnostic>) {
    let Some(text) = word(with) else { return };
    let so = if op == Compare::Ne { "always differs" } else { "is never so" };
    match vocabulary(value) {
        Some(Words::Closed(words)) if !words.contains(&text) => {
            let mut d = Diagnostic::warning(codes::OUTSIDE, with.span, format!("`{text}` is none of its words: this {so}"));
            d = match nearest(text, words.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")).fix(fix(with.span, near)),
                None if words.len() > 12 => d.help("see docs/functions.md for its words"),
                None => d.help(format!("it is {}", words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" or "))),
            };
            out.push(d);
        }
        Some(Words::Known(words)) if !words.contains(&text) => {
            if let Some(near) = nearest(text, words.iter().copied()) {
                let d = Diagnostic::warning(codes::OUTSIDE, with.span, format!("`{text}` is no word that sources are known to use here"));
                out.push(d.help(format!("did you mean `{near}`?")).fix(fix(with.span, near)));
            }
        }
        _ => {
            capitals(value, text, with.span, out);
            if op == Compare::Eq && text.len() > 1 && (text.starts_with('*') || text.ends_with('*')) {
                out.push(
                    Diagnostic::warning(codes::NO_MATCH, with.span, "`==` compares letter by letter: `*` stands for itself here")
                        .help(format!("write `.glob(\"{text}\")`, `.starts_with(…)`, `.ends_with(…)` or `.contains(…)`")),
                );
            }
        }
    }
}

/// Properties that are in lower case, whatever the source writes.
const LOWER: &[&str] = &["upn", "fqdn", "host", "host_name", "md5", "sha1", "sha256", "recipient", "sender"];

/// Whether a value is in lower case, or in upper case.
fn case(e: &Expr) -> Option<bool> {
    match &e.node {
        Node::Field(_, Field::Prop(p)) => lower(*p).then_some(true),
        Node::Field(_, Field::Incident(IncidentField::Status) | Field::Alert(AlertField::Status) | Field::Entity(EntityField::Remediation)) => {
            Some(true)
        }
        Node::Binding(_, body) => case(body),
        Node::Call(f, args) => match f.name {
            "lower" => Some(true),
            "upper" => Some(false),
            "trim" => args.first().and_then(case),
            _ => None,
        },
        _ => None,
    }
}

fn lower(p: Prop) -> bool {
    LOWER.contains(&p.spec().name)
}

/// A text with letters that a value never has.
fn capitals(value: &Expr, text: &str, at: Span, out: &mut Vec<Diagnostic>) {
    let Some(lower) = case(value) else { return };
    let right = if lower { text.to_lowercase() } else { text.to_uppercase() };
    if right != text {
        let which = if lower { "lower" } else { "upper" };
        out.push(
            Diagnostic::warning(codes::NO_MATCH, at, format!("this is never so: what it is compared with is always in {which} case"))
                .help(format!("write `\"{right}\"`"))
                .fix(fix(at, &right)),
        );
    }
}

/// The same value twice in a list.
fn twice(items: &[Expr], out: &mut Vec<Diagnostic>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for i in items {
        let Node::Const(v) = &i.node else { continue };
        if !seen.insert(format!("{v:?}")) {
            out.push(Diagnostic::warning(codes::TWICE, i.span, "this stands twice in the list").help("take it out, or write what was meant instead"));
        }
    }
}

/// A regular expression that is never found.
fn expression(of: &Expr, text: &str, at: Span, fits: &dyn Fn(&str) -> bool, out: &mut Vec<Diagnostic>) {
    if let Some(why) = pattern::never(text) {
        out.push(
            Diagnostic::warning(codes::NO_MATCH, at, format!("this regular expression is never found: {why}"))
                .help("mend it, or escape what is meant as it is: `\\\\^`, `\\\\$`"),
        );
    } else if let Some(Words::Closed(words)) = vocabulary(of) {
        none_of(&words, fits, "regular expression", at, out);
    } else if let Some(letter) = case(of).and_then(|lower| pattern::letter(text, lower)) {
        out.push(
            Diagnostic::warning(
                codes::NO_MATCH,
                at,
                format!("this regular expression is never found: it needs `{letter}`, and the text has it in another case"),
            )
            .help("begin it with `(?i)`, which makes it blind to case"),
        );
    }
}

fn globbed(of: &Expr, fits: &dyn Fn(&str) -> bool, at: Span, out: &mut Vec<Diagnostic>) {
    if let Some(Words::Closed(words)) = vocabulary(of) {
        none_of(&words, fits, "glob", at, out);
    }
}

fn none_of(words: &[&str], fits: &dyn Fn(&str) -> bool, what: &str, at: Span, out: &mut Vec<Diagnostic>) {
    if !words.iter().any(|w| fits(w)) {
        let list = words.iter().take(8).map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        let more = if words.len() > 8 { ", …" } else { "" };
        out.push(
            Diagnostic::warning(codes::NO_MATCH, at, format!("this {what} fits none of the words that there are"))
                .help(format!("they are {list}{more}")),
        );
    }
}
