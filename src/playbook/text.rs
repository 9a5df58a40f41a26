//! Expressions, sentences and queries as they stand in a file.

use std::fmt::Display;

use super::query::{Inside, inside, misplaced};
use super::read::Reader;
use super::set::QueryPart;
use super::yaml::Node;
use crate::diag::{Diagnostic, codes};
use crate::model::Level;
use crate::script::template::{self, Part, Raw};
use crate::script::{Env, Expr, Lowering, Questions, Template, Ty};
use crate::source::{Scalar, Snippet};

/// An expression of any type.
pub(crate) fn expression(reader: &mut Reader<'_>, snippet: Snippet<'_>, env: Env<'_>, questions: &mut Questions) -> Option<Expr> {
    // The snippet's lifetime must not outlast the reader's borrow, so the diagnostics are collected apart.
    let mut out = Vec::new();
    let made = Lowering::compile(snippet, env, questions, &mut out);
    reader.out.extend(out);
    made
}

/// An expression that is true or false.
pub(crate) fn bool_expression(reader: &mut Reader<'_>, node: &Node, what: impl Display, env: Env<'_>, questions: &mut Questions) -> Option<Expr> {
    let s = reader.expression(node, &what)?;
    let e = expression(reader, Snippet::whole(s), env, questions)?;
    if e.ty == Ty::Bool {
        return Some(e);
    }
    let d = Diagnostic::error(codes::TYPE, e.span, format!("{what} is {}, not true or false", e.ty));
    reader.report(match e.ty {
        Ty::List(_) => d.help("ask `.len() > 0` or `.some(…)`"),
        _ => d.help("compare it with something, or ask `known(…)`"),
    });
    None
}

/// A sentence with `{expression}` in it.
pub(crate) fn template(reader: &mut Reader<'_>, node: &Node, what: impl Display, env: Env<'_>, questions: &mut Questions) -> Option<Template> {
    let s = reader.text(node, what)?;
    let mut made = Template::default();
    for raw in pieces(reader, s)? {
        match raw {
            Raw::Text(t) => made.parts.push(Part::Text(t.as_str().into())),
            Raw::Expr(range) => {
                let e = expression(reader, Snippet::part(s, range), env.clone(), questions)?;
                made.parts.push(Part::Value(Box::new(e)));
            }
        }
    }
    Some(made)
}

/// A query with `{expression}` in it, each of which becomes one literal.
pub(crate) fn query(reader: &mut Reader<'_>, node: &Node, env: &Env<'_>, questions: &mut Questions) -> Option<Vec<QueryPart>> {
    let s = reader.text(node, "a query")?;
    let mut made = Vec::new();
    let mut state = Inside::Query;
    for raw in pieces(reader, s)? {
        match raw {
            Raw::Text(t) => {
                state = inside(state, &t);
                made.push(QueryPart::Text(t));
            }
            Raw::Expr(range) => {
                if let Some(why) = misplaced(state) {
                    reader.error_help(codes::TEMPLATE, s.place(range.start, range.end), why, "leave the quotes out: the literal brings its own");
                    return None;
                }
                let source = s.text.get(range.clone()).unwrap_or("").trim().to_owned();
                let e = expression(reader, Snippet::part(s, range), env.clone(), questions)?;
                if !literal_type(&e.ty) {
                    let d = Diagnostic::error(codes::TEMPLATE, e.span, format!("{} cannot be written as a literal of a query", e.ty));
                    reader.report(match e.ty {
                        Ty::Entity(_) => d.help("name one of its properties, as in `{mail.sender}`"),
                        Ty::List(_) => d.help("make a list of texts of it, as in `{urls.map(|u| u.url)}`"),
                        _ => d,
                    });
                    return None;
                }
                made.push(QueryPart::Literal(Box::new(e), source));
            }
        }
    }
    Some(made)
}

fn literal_type(ty: &Ty) -> bool {
    match ty {
        Ty::Text | Ty::Int | Ty::Bool | Ty::Time | Ty::Duration | Ty::Level => true,
        Ty::List(of) => matches!(**of, Ty::Text | Ty::Int),
        _ => false,
    }
}

fn pieces(reader: &mut Reader<'_>, s: &Scalar) -> Option<Vec<Raw>> {
    match template::split(&s.text) {
        Ok(parts) => Some(parts),
        Err(at) => {
            reader.error_help(
                codes::TEMPLATE,
                s.place(at, at.saturating_add(1)),
                "this brace has no partner",
                "`{expression}` is filled in; a brace itself is written twice: `{{` or `}}`",
            );
            None
        }
    }
}

/// A level word.
pub(crate) fn level_of(reader: &mut Reader<'_>, node: &Node) -> Option<Level> {
    let s = reader.text(node, "a level")?;
    let words: Vec<&str> = Level::ALL.iter().map(|l| l.word()).collect();
    reader.word(s, "a level", &words).and_then(Level::parse)
}
