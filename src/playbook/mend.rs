//! Changes of a file's text that mend what is wrong in it: a value in quotes, a key taken out, a line put first.

use std::ops::Range;

use super::yaml::{Node, Yaml};
use crate::diag::Fix;
use crate::source::{FileId, SourceFile, Sources, Span};

/// The value that a line gives to a key, where YAML reads something else than text.
pub(super) struct Value {
    /// The key.
    pub key: String,
    /// The value, to the end of the line or of its part of a one-line map.
    pub text: String,
    /// Where it stands.
    span: Span,
    /// Whether the value may go on after it.
    open: bool,
}

impl Value {
    /// The value at a place.
    pub fn at(sources: &Sources, at: Span) -> Option<Self> {
        Self::of(sources.get(at.file)?, at.file, at.start as usize)
    }

    /// Quotes for the expression around a byte at which YAML gave up, in its line or the one before, where it is one.
    pub fn quotable(file: &SourceFile, id: FileId, byte: usize) -> Option<Fix> {
        let from = file.text.get(..byte)?.rfind('\n').map_or(0, |n| n.saturating_add(1));
        let before = file.text.get(..from)?.trim_end().len();
        let expressions = [byte, before].into_iter().filter_map(|at| Self::of(file, id, at)).filter(|v| matches!(v.key.as_str(), "if" | "when"));
        expressions.map(|v| v.quoted(true)).find(|fix| fix.safe)
    }

    fn of(file: &SourceFile, id: FileId, byte: usize) -> Option<Self> {
        let (line, column) = file.line_column(u32::try_from(byte).ok()?);
        let start = file.line_start(line)?;
        let rest = file.text.get(start..)?;
        let text = rest.lines().next()?;
        let (key, range, inside_map) = value_in(text, column)?;
        let value = text.get(range.clone())?;
        let tail = text.get(range.end..)?;
        let indent = |l: &str| l.len().saturating_sub(l.trim_start().len());
        let below = rest.lines().skip(1).find(|l| !l.trim().is_empty());
        let open = if inside_map { tail.is_empty() } else { below.is_some_and(|l| indent(l) > indent(text)) };
        let span = Span::new(id, start.saturating_add(range.start), start.saturating_add(range.end));
        Some(Self { key, text: value.to_owned(), span, open })
    }

    /// The value in quotes, as a text or as an expression. Safe where the quoted text is an expression, and the value
    /// with or without what YAML takes for a comment is not one as well.
    pub fn quoted(&self, expression: bool) -> Fix {
        let parses = |text: &str| expression && crate::script::parse::parse(text).is_ok();
        let before = self.text.split_once(" #").map(|(front, _)| front.trim_end()).filter(|f| !f.is_empty());
        let (whole, cut) = (parses(&self.text), before.is_some_and(parses));
        let text = match before {
            Some(front) if cut && !whole => front,
            _ => self.text.as_str(),
        };
        let end = (self.span.start as usize).saturating_add(text.len());
        let safe = !self.open && whole != cut && !text.starts_with("!!");
        let span = Span::new(self.span.file, self.span.start as usize, end);
        Fix { title: "put it in quotes".into(), edits: vec![(span, in_quotes(text))], safe }
    }
}

/// A text in single quotes.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a one-line map is open at the end of a text.
fn in_map(before: &str) -> bool {
    let (mut depth, mut quote) = (0usize, None);
    for c in before.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth = depth.saturating_add(1),
            (None, '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    depth > 0
}

/// The key and the bytes of the value in a line where YAML read something else, and whether it is in a one-line map;
/// `column` (from 1) is where it went wrong.
fn value_in(line: &str, column: usize) -> Option<(String, Range<usize>, bool)> {
    // In a one-line map, the key is the last one before the place, and its value ends at the next key or brace.
    let before: String = line.chars().take(column.saturating_sub(1)).collect();
    let inside_map = in_map(&before);
    let colon = if inside_map { before.rfind(": ") } else { line.find(": ") }?;
    let key = line.get(..colon)?.rsplit(['{', ',', ' ']).next()?.trim();
    let from = colon.saturating_add(2);
    let mut value = line.get(from..)?;
    if inside_map {
        let is_key = |text: &str| text.split_once(':').is_some_and(|(k, _)| !k.is_empty() && k.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        let next = value.match_indices(", ").find(|(at, _)| value.get(at.saturating_add(2)..).is_some_and(is_key));
        value = match next {
            Some((at, _)) => value.get(..at).unwrap_or(value),
            None => value.trim_end().strip_suffix('}').unwrap_or(value),
        };
    }
    let start = from.saturating_add(value.len().saturating_sub(value.trim_start().len()));
    let range = start..start.saturating_add(value.trim().len());
    (!range.is_empty() && !key.is_empty()).then(|| (key.to_owned(), range, inside_map))
}

/// Takes out an entry of a map that says the same as an earlier one.
pub(super) fn without_repeated(sources: &Sources, entries: &[(Node, Node)], n: usize) -> Option<Fix> {
    let (key, value) = entries.get(n)?;
    let name = key.scalar()?;
    let same = |(k, v): &&(Node, Node)| k.scalar().is_some_and(|s| s.text == name.text) && k.span.file == key.span.file && alike(v, value);
    entries.iter().take(n).find(same)?;
    let file = sources.get(key.span.file)?;
    let range = match entries.get(n.checked_sub(1)?) {
        Some((_, before)) if line_of(file, before.span.start) == line_of(file, key.span.start) => {
            // In a one-line map, the comma before it goes too.
            let (from, to) = (end_of(&file.text, before)?, end_of(&file.text, value)?);
            let between = file.text.get(from..key.span.start as usize)?;
            (between.trim() == ",").then(|| Span::new(key.span.file, from, to))?
        }
        _ => lines_of(file, key, value, false)?,
    };
    Some(Fix { title: format!("take the second `{}` out", name.text), edits: vec![(range, String::new())], safe: true })
}

/// Puts the line of a key before the first key of a file.
pub(super) fn put_first(sources: &Sources, tree: &Node, name: &str) -> Option<Fix> {
    let (first, _) = tree.entries().first()?;
    let (key, value) = tree.entries().iter().find(|(k, _)| k.scalar().is_some_and(|s| &*s.text == name))?;
    value.scalar()?;
    let file = sources.get(key.span.file)?;
    let range = lines_of(file, key, value, true)?;
    let mut line = sources.text(range).to_owned();
    if !line.ends_with('\n') {
        line.push_str(line_end(file));
    }
    let to = Span { end: first.span.start, ..first.span };
    (file.line_column(to.start).1 == 1).then(|| Fix {
        title: format!("put `{name}:` first"),
        edits: vec![(to, line), (range, String::new())],
        safe: true,
    })
}

/// Adds a line after the first one of a file's map.
pub(super) fn second_line(sources: &Sources, tree: &Node, line: &str) -> Option<Fix> {
    let (key, value) = tree.entries().first()?;
    value.scalar()?;
    let file = sources.get(key.span.file)?;
    let name = line.split_once(':').map_or(line, |(k, _)| k);
    // An overlay may have taken away what the file has.
    if file.text.lines().any(|l| l.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'))) {
        return None;
    }
    let range = lines_of(file, key, value, true)?;
    let end = line_end(file);
    let text = if sources.text(range).ends_with('\n') { format!("{line}{end}") } else { format!("{end}{line}") };
    (file.line_column(key.span.start).1 == 1).then(|| Fix {
        title: format!("add `{line}`"),
        edits: vec![(Span { start: range.end, ..range }, text)],
        safe: true,
    })
}

/// The lines that an entry has for itself alone, with their ends; a comment behind it may be among them.
fn lines_of(file: &SourceFile, key: &Node, value: &Node, comment: bool) -> Option<Span> {
    let start = file.line_start(line_of(file, key.span.start))?;
    let text = file.text.get(key.span.start as usize..end_of(&file.text, value)?)?.trim_end();
    let end = (key.span.start as usize).saturating_add(text.len());
    let rest = file.text.get(end..)?;
    let tail = rest.find('\n').map_or(rest, |n| rest.get(..=n).unwrap_or(rest));
    let bare = tail.trim().is_empty() || comment && tail.starts_with([' ', '\t']) && tail.trim_start().starts_with('#');
    let alone = file.text.get(start..key.span.start as usize)?.trim().is_empty() && bare;
    alone.then(|| Span::new(key.span.file, start, end.saturating_add(tail.len())))
}

/// Where a value ends, with the bracket or brace that closes it.
fn end_of(text: &str, node: &Node) -> Option<usize> {
    let (last, close) = match &node.yaml {
        Yaml::Scalar(..) => return Some(node.span.end as usize),
        Yaml::List(items) => (items.last(), "]"),
        Yaml::Map(entries) => (entries.last().map(|(_, v)| v), "}"),
    };
    let start = node.span.start as usize;
    let end = match last {
        Some(last) => end_of(text, last)?,
        None => start.saturating_add(1),
    };
    if !text.get(start..)?.starts_with(['[', '{']) {
        return Some(end);
    }
    let rest = text.get(end..)?;
    let tail = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    tail.starts_with(close).then(|| text.len().saturating_sub(tail.len()).saturating_add(1))
}

fn line_of(file: &SourceFile, byte: u32) -> usize {
    file.line_column(byte).0
}

fn line_end(file: &SourceFile) -> &'static str {
    if file.text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Whether two values say the same, however they are laid out.
fn alike(a: &Node, b: &Node) -> bool {
    match (&a.yaml, &b.yaml) {
        _ if a.odd.is_some() || b.odd.is_some() => false,
        (Yaml::Scalar(x, style), Yaml::Scalar(y, other)) => x.text == y.text && style == other,
        (Yaml::List(x), Yaml::List(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| alike(x, y)),
        (Yaml::Map(x), Yaml::Map(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| alike(&x.0, &y.0) && alike(&x.1, &y.1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quoted_form_is_that_of_the_value_alone() {
        let form = |line: &str, column: usize, expression: bool| {
            let mut sources = Sources::default();
            let file = sources.add("x", &format!("playbook: x\n{line}\n"));
            let at = 12 + line.char_indices().nth(column - 1).map_or(0, |(n, _)| n);
            let value = Value::at(&sources, Span::new(file, at, at)).unwrap();
            let fix = value.quoted(expression);
            let (span, text) = &fix.edits[0];
            let mut whole = sources.get(file).unwrap().text.to_string();
            whole.replace_range(span.start as usize..span.end as usize, text);
            (whole.lines().nth(1).unwrap().to_owned(), fix.safe)
        };
        assert_eq!(form("    when: !risky(user) && x", 11, true), ("    when: '!risky(user) && x'".into(), true));
        assert_eq!(form("  - { id: c, when: !user.malicious, why: x }", 20, true), ("  - { id: c, when: '!user.malicious', why: x }".into(), true));
        assert_eq!(form("  - { id: c, why: {u} did it }", 19, false), ("  - { id: c, why: '{u} did it' }".into(), false));
        assert_eq!(form("    if: x == \"a #b\" && y", 9, true), ("    if: 'x == \"a #b\" && y'".into(), true));
        assert_eq!(form("    if: users.len() > 0 # anybody", 9, true), ("    if: 'users.len() > 0' # anybody".into(), true));
        assert_eq!(form("  many: { if: !hit && calm, pass: x }", 15, true), ("  many: { if: '!hit && calm', pass: x }".into(), true));
        assert!(!form("    if: !!str x", 9, true).1);
        assert_eq!(form("    if: it's x", 9, true), ("    if: 'it''s x'".into(), false));
    }
}
