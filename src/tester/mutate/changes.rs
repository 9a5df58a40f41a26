//! What is changed in one expression, one thing at a time: signs, numbers, words, operands.

use std::collections::BTreeSet;
use std::ops::Range;

use super::words::Words;
use crate::script::parse::{skip_blanks, token_end};

/// One change: what stands there, and what is put in its place; the first of these texts that compiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub range: Range<usize>,
    pub new: Vec<String>,
    /// What is shown of it, where that is less than the texts.
    pub shown: Option<(String, String)>,
}

impl Change {
    fn new(range: Range<usize>, new: impl Into<String>) -> Self {
        Self { range, new: vec![new.into()], shown: None }
    }
}

#[derive(Clone, Debug)]
struct Token<'t> {
    at: usize,
    end: usize,
    text: &'t str,
}

/// The words and signs of an expression.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut at = 0usize;
    while let Some(start) = skip_blanks(text, at) {
        let end = token_end(text, start);
        let Some(word) = text.get(start..end).filter(|w| !w.is_empty()) else { break };
        all.push(Token { at: start, end, text: word });
        at = end;
    }
    all
}

/// Every change of an expression, in the order of its text; `test` says that it is true or false as a whole.
pub(super) fn of(text: &str, test: bool, words: &Words<'_>) -> Vec<Change> {
    let tokens = tokens(text);
    let mut out = Vec::new();
    for n in 0..tokens.len() {
        sign(&tokens, n, words, &mut out);
    }
    for part in parts(&tokens, test) {
        operands(text, &tokens, &part, &mut out);
    }
    let mut known = BTreeSet::new();
    out.retain(|c| known.insert((c.range.start, c.range.end, c.new.clone())));
    out.sort_by_key(|c| (c.range.start, c.range.end));
    out
}

/// What is changed at one word or sign.
fn sign(tokens: &[Token<'_>], n: usize, words: &Words<'_>, out: &mut Vec<Change>) {
    let word = |n: Option<usize>| n.and_then(|n| tokens.get(n)).map_or("", |t| t.text);
    let (before, after) = (word(n.checked_sub(1)), word(n.checked_add(1)));
    let Some(t) = tokens.get(n) else { return };
    let range = t.at..t.end;
    let called = before == "." && after == "(";
    let touches_before = n.checked_sub(1).and_then(|n| tokens.get(n)).is_some_and(|b| b.end == t.at);
    let one: &[&str] = match t.text {
        "==" => &["!="],
        "!=" => &["=="],
        "<" => &["<="],
        "<=" => &["<"],
        // `=>` of a `switch` arrives as two signs.
        ">" if before == "=" && touches_before => &[],
        ">" => &[">="],
        ">=" => &[">"],
        "&&" => &["||"],
        "||" => &["&&"],
        "!" => &[""],
        "true" => &["false"],
        "false" => &["true"],
        "some" | "any" if called => &["all"],
        "all" if called => &["some"],
        "first" if before == "." && after != "(" => &["second"],
        "second" if before == "." && after != "(" => &["first"],
        _ => &[],
    };
    out.extend(one.iter().map(|new| Change::new(range.clone(), *new)));
    // Numbers; of a fraction, no part is one.
    let dotted = before == "." && touches_before
        || after == "." && tokens.get(n.saturating_add(2)).is_some_and(|x| x.text.starts_with(|c: char| c.is_ascii_digit()));
    if let (Ok(number), false) = (t.text.replace('_', "").parse::<i64>(), dotted) {
        for new in [number.checked_add(1), number.checked_sub(1)].into_iter().flatten() {
            out.push(Change::new(range.clone(), new.to_string()));
        }
    }
    if before == "." && word(n.checked_sub(2)) == "lists" {
        out.extend(others(range.clone(), words.lists_like(t.text), |w| w));
    } else if before != "." && after != "(" && after != ":" {
        out.extend(others(range.clone(), words.collections(t.text), |w| w));
    }
    if let Some(inner) = t.text.strip_prefix('"').and_then(|s| s.strip_suffix('"')).filter(|s| !s.contains('\\')) {
        for alternatives in words.of_text(inner, word(n.checked_sub(2)), before) {
            out.extend(others(range.clone(), alternatives, |w| format!("\"{w}\"")));
        }
    }
}

/// A change to the first of some words that compiles.
fn others(range: Range<usize>, words: Vec<String>, written: impl Fn(String) -> String) -> Option<Change> {
    (!words.is_empty()).then(|| Change { range, new: words.into_iter().map(written).collect(), shown: None })
}

/// A stretch of an expression that is one value: between brackets and commas, behind the head of a closure.
struct Stretch {
    from: usize,
    to: usize,
    /// The `&&` and `||` in it that are not in brackets.
    signs: Vec<usize>,
    /// The function that a closure is given to, if it is the body of one.
    body_of: Option<String>,
    /// Whether it is the whole of a test.
    whole: bool,
}

/// The stretches whose operands can be told apart.
fn parts(tokens: &[Token<'_>], test: bool) -> Vec<Stretch> {
    struct Open {
        from: usize,
        signs: Vec<usize>,
        body_of: Option<String>,
        called: Option<String>,
        /// Something in it is no operand: `if`, `switch`.
        mixed: bool,
    }
    let open = |from: usize, called: Option<String>| Open { from, signs: Vec::new(), body_of: None, called, mixed: false };
    let mut all = Vec::new();
    let mut stack = vec![open(0, None)];
    let mut close = |o: &mut Open, to: usize, whole: bool| {
        let (signs, body_of) = (std::mem::take(&mut o.signs), o.body_of.take());
        if !std::mem::take(&mut o.mixed) && o.from < to {
            all.push(Stretch { from: o.from, to, signs, body_of, whole });
        }
        o.from = to.saturating_add(1);
    };
    let mut n = 0usize;
    while let Some(t) = tokens.get(n) {
        let before = |back: usize| n.checked_sub(back).and_then(|n| tokens.get(n)).map_or("", |t| t.text);
        match t.text {
            "(" | "[" | "{" => {
                let called = (t.text == "(" && before(2) == ".").then(|| before(1).to_owned());
                stack.push(open(n.saturating_add(1), called));
            }
            ")" | "]" | "}" => {
                if stack.len() > 1
                    && let Some(mut o) = stack.pop()
                {
                    close(&mut o, n, false);
                }
            }
            _ => {
                let Some(o) = stack.last_mut() else { break };
                match t.text {
                    "," | ";" => close(o, n, false),
                    "if" | "else" | "switch" | "=" | "?" => o.mixed = true,
                    "|" if n == o.from => {
                        // The head of a closure, to its second `|`.
                        let head = tokens.iter().skip(n.saturating_add(1)).position(|t| t.text == "|").unwrap_or(0);
                        n = n.saturating_add(head).saturating_add(1);
                        o.from = n.saturating_add(1);
                        o.body_of = o.called.clone();
                    }
                    "&&" | "||" => o.signs.push(n),
                    _ => {}
                }
            }
        }
        n = n.saturating_add(1);
    }
    let unclosed = stack.len() > 1;
    if let Some(mut o) = stack.into_iter().next().filter(|_| !unclosed) {
        let whole = test && o.from == 0;
        close(&mut o, tokens.len(), whole);
    }
    all
}

/// Functions whose closure is a test.
const TESTED: &[&str] = &["filter", "some", "any", "all", "count", "first"];

/// Operands negated and left out; the test of a `filter` left out.
fn operands(text: &str, tokens: &[Token<'_>], part: &Stretch, out: &mut Vec<Change>) {
    let range = |from: usize, to: usize| -> Option<Range<usize>> { Some(tokens.get(from)?.at..tokens.get(to.checked_sub(1)?)?.end) };
    let mut negate = |from: usize, to: usize| {
        let Some(r) = range(from, to) else { return };
        let Some(inner) = text.get(r.clone()) else { return };
        // `!x` is mended by leaving the `!` out, and a constant by the other one.
        if matches!(inner, "true" | "false") || tokens.get(from).is_some_and(|t| t.text == "!") {
            return;
        }
        let shown = Some((inner.to_owned(), format!("!({inner})")));
        out.push(Change { new: vec![format!("!({inner})")], range: r, shown });
    };
    let test = part.whole || part.body_of.as_deref().is_some_and(|f| TESTED.contains(&f));
    if test {
        negate(part.from, part.to);
    }
    // Split at `||` first, which binds least, then each part at `&&`.
    let split = |from: usize, to: usize, sign: &str| -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        let mut start = from;
        for at in part.signs.iter().copied().filter(|at| from <= *at && *at < to && tokens.get(*at).is_some_and(|t| t.text == sign)) {
            all.push((start, at));
            start = at.saturating_add(1);
        }
        all.push((start, to));
        all
    };
    let mut sides: Vec<Vec<(usize, usize)>> = vec![split(part.from, part.to, "||")];
    for (from, to) in split(part.from, part.to, "||") {
        sides.push(split(from, to, "&&"));
    }
    sides.retain(|s| s.len() > 1);
    for side in &sides {
        for (from, to) in side {
            negate(*from, *to);
        }
    }
    for side in &sides {
        for (n, (from, to)) in side.iter().enumerate() {
            // With the sign before it, or behind it if it is the first.
            let cut = if n == 0 {
                tokens.get(*from).zip(tokens.get(to.saturating_add(1))).map(|(a, b)| a.at..b.at)
            } else {
                from.checked_sub(1).and_then(|s| Some(tokens.get(s)?.at..tokens.get(to.checked_sub(1)?)?.end))
            };
            if let Some(cut) = cut {
                let shown = text.get(cut.clone()).map(|t| (t.trim().to_owned(), String::new()));
                out.push(Change { range: cut, new: vec![String::new()], shown });
            }
        }
    }
    if part.body_of.as_deref() == Some("filter")
        && let Some(r) = range(part.from, part.to)
        && text.get(r.clone()).is_some_and(|t| t != "true")
    {
        out.push(Change::new(r, "true"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::PlaybookSet;

    fn changed(text: &str, test: bool) -> Vec<String> {
        let set = PlaybookSet::default();
        let words = Words::of(&set);
        of(text, test, &words).into_iter().map(|c| format!("{}{}{}", &text[..c.range.start], c.new[0], &text[c.range.end..])).collect()
    }

    #[test]
    fn one_thing_is_changed_at_a_time() {
        assert_eq!(changed("x.len() > 0", true), ["!(x.len() > 0)", "x.len() >= 0", "x.len() > 1", "x.len() > -1"]);
        assert_eq!(changed("a && !b", true), ["!(a) && !b", "!b", "!(a && !b)", "a || !b", "a ", "a && b"]);
        assert_eq!(
            changed("l.filter(|m| m.bad || m.old)", false),
            [
                "l.filter(|m| !(m.bad) || m.old)",
                "l.filter(|m| m.old)",
                "l.filter(|m| !(m.bad || m.old))",
                "l.filter(|m| true)",
                "l.filter(|m| m.bad && m.old)",
                "l.filter(|m| m.bad )",
                "l.filter(|m| m.bad || !(m.old))",
            ]
        );
        assert_eq!(
            changed("u.then(\"clicked\", x, \"2h\").some(|p| p.second.to)", false)[1..3],
            ["u.then(\"clicked\", x, \"4h\").some(|p| p.second.to)".to_owned(), "u.then(\"clicked\", x, \"2h\").all(|p| p.second.to)".to_owned(),]
        );
        assert!(changed("x == 1.5", false).iter().all(|t| t == "x != 1.5"));
        assert!(changed("switch x { 1 => true, _ => false }", true).iter().all(|t| !t.contains(">=")));
        assert_eq!(changed("\"a && b\" // c && d", true), ["!(\"a && b\") // c && d"]);
    }
}
