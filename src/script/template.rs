//! Sentences with `{expression}` in them.

use std::sync::Arc;

use super::eval::{Cx, Stop};
use super::expr::Expr;
use super::value::Value;

/// A piece of a sentence.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text as it is.
    Text(Arc<str>),
    /// The value of an expression.
    Value(Box<Expr>),
}

/// A sentence.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Its pieces, in order.
    pub parts: Vec<Part>,
}

impl Template {
    /// The sentence for people.
    pub fn render(&self, cx: &mut Cx<'_>, params: &[Value]) -> Result<String, Stop> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(t) => out.push_str(t),
                Part::Value(e) => {
                    let v = cx.value(e, params)?;
                    out.push_str(&cx.display(&v));
                }
            }
        }
        Ok(out)
    }
}

/// A piece of a sentence as it is written: text, or the range of bytes of an expression between braces.
pub enum Raw {
    /// Text, `{{` and `}}` already single.
    Text(String),
    /// The bytes of an expression.
    Expr(std::ops::Range<usize>),
}

/// Splits a sentence at its braces. An error is the byte of a brace that has no other one.
pub fn split(text: &str) -> Result<Vec<Raw>, usize> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' if chars.peek().is_some_and(|(_, c)| *c == '{') => {
                chars.next();
                plain.push('{');
            }
            '}' if chars.peek().is_some_and(|(_, c)| *c == '}') => {
                chars.next();
                plain.push('}');
            }
            '}' => return Err(at),
            '{' => {
                let (mut depth, mut quote, mut end) = (1usize, None, None);
                let mut escaped = false;
                for (n, c) in chars.by_ref() {
                    match (quote, c) {
                        (Some(_), _) if escaped => escaped = false,
                        (Some(_), '\\') => escaped = true,
                        (Some(q), c) if c == q => quote = None,
                        (Some(_), _) => {}
                        (None, '"' | '`') => quote = Some(c),
                        (None, '{') => depth = depth.saturating_add(1),
                        (None, '}') => {
                            depth = depth.saturating_sub(1);
                            if depth == 0 {
                                end = Some(n);
                                break;
                            }
                        }
                        (None, _) => {}
                    }
                }
                let end = end.ok_or(at)?;
                if !plain.is_empty() {
                    parts.push(Raw::Text(std::mem::take(&mut plain)));
                }
                parts.push(Raw::Expr(at.saturating_add(1)..end));
            }
            c => plain.push(c),
        }
    }
    if !plain.is_empty() {
        parts.push(Raw::Text(plain));
    }
    Ok(parts)
}
