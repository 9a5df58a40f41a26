//! A text that stands in a file in another spelling: escaped, folded, indented. Knows for each byte where it comes from.

use std::sync::Arc;

use super::{FileId, Span};

/// A decoded text and where each part of it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text as it is meant.
    pub text: Arc<str>,
    /// The whole of it in the file, with quotes.
    pub span: Span,
    /// Runs that are the same in both: decoded byte, byte in the file. Sorted; most texts have one alone.
    first: (u32, u32),
    more: Box<[(u32, u32)]>,
}

impl Scalar {
    /// A text that stands in the file as it is, from `start`.
    pub fn plain(file: FileId, text: &str, start: usize) -> Self {
        Self {
            text: text.into(),
            span: Span::new(file, start, start.saturating_add(text.len())),
            first: (0, u32::try_from(start).unwrap_or(u32::MAX)),
            more: Box::default(),
        }
    }

    /// The same text, said to stand at another place.
    #[must_use]
    pub fn spanning(self, span: Span) -> Self {
        Self { span, ..self }
    }

    /// A text whose spelling in the file is `raw`, beginning at byte `raw_start`; `span` is the whole scalar.
    /// Characters that both have, in order, are matched; what only the file has (escapes, indentation) is skipped.
    pub fn aligned(text: &str, span: Span, raw: &str, raw_start: usize, quote: Quote) -> Self {
        if text == raw && !(quote == Quote::Double && raw.contains('\\')) {
            return Self::plain(span.file, text, raw_start).spanning(span);
        }
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let mut rest = raw.char_indices().peekable();
        let at = |n: usize| u32::try_from(raw_start.saturating_add(n)).unwrap_or(u32::MAX);
        let mut expected: Option<u32> = None;
        for (decoded, c) in text.char_indices() {
            // Where this character comes from, and how long it is there.
            let mut found = None;
            while let Some((n, r)) = rest.peek().copied() {
                match (quote, r) {
                    (Quote::Double, '\\') => {
                        let (len, meaning) = escape(raw.get(n..).unwrap_or(""));
                        for _ in 0..len {
                            rest.next();
                        }
                        match meaning {
                            Some(m) if m == c => {
                                found = Some(n);
                                break;
                            }
                            Some(_) => {
                                found = Some(n);
                                break;
                            }
                            None => continue,
                        }
                    }
                    (Quote::Single, '\'') if c == '\'' => {
                        rest.next();
                        rest.next_if(|(_, q)| *q == '\'');
                        found = Some(n);
                        break;
                    }
                    (_, r) if r == c => {
                        rest.next();
                        found = Some(n);
                        break;
                    }
                    // A folded line break reads as a blank.
                    (_, '\n') if c == ' ' => {
                        rest.next();
                        found = Some(n);
                        break;
                    }
                    (_, r) if r.is_whitespace() => {
                        rest.next();
                    }
                    _ => break,
                }
            }
            let Some(n) = found else { continue };
            let decoded = u32::try_from(decoded).unwrap_or(u32::MAX);
            if expected != Some(at(n)) {
                runs.push((decoded, at(n)));
            }
            expected = Some(at(n).saturating_add(u32::try_from(c.len_utf8()).unwrap_or(0)));
            // An escape is longer in the file than what it means: the next character starts a new run.
            if rest.peek().is_some_and(|(next, _)| at(*next) != expected.unwrap_or(0)) {
                expected = None;
            }
        }
        let first = if runs.is_empty() { (0, at(0)) } else { runs.remove(0) };
        Self { text: text.into(), span, first, more: runs.into() }
    }

    /// Where a range of bytes of the decoded text stands in the file.
    pub fn place(&self, start: usize, end: usize) -> Span {
        let from = self.byte(start);
        // The end is one past the last byte, so that it does not slip into what follows an escape.
        let to = if end > start { self.byte(end.saturating_sub(1)).saturating_add(1) } else { from };
        Span::new(self.span.file, from as usize, to.max(from) as usize)
    }

    /// Where the text itself stands, without quotes.
    pub fn inner(&self) -> Span {
        self.place(0, self.text.len())
    }

    /// A place in it, without the first and last character: a quoted text without its quotes.
    pub fn within(&self, span: Span) -> Span {
        let decoded = |byte: u32| {
            let (d, s) = self.more.iter().rev().find(|(_, s)| *s <= byte).unwrap_or(&self.first);
            d.saturating_add(byte.saturating_sub(*s)) as usize
        };
        let (first, last) = (decoded(span.start), decoded(span.end.saturating_sub(1)));
        self.place(first.saturating_add(1), last)
    }

    fn byte(&self, decoded: usize) -> u32 {
        let decoded = u32::try_from(decoded).unwrap_or(u32::MAX);
        let n = self.more.partition_point(|(d, _)| *d <= decoded);
        let (d, s) = n.checked_sub(1).and_then(|n| self.more.get(n)).unwrap_or(&self.first);
        s.saturating_add(decoded.saturating_sub(*d)).min(self.span.end.max(self.span.start))
    }
}

/// How a text is spelt in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// As it is, or as a block.
    None,
    /// `'…'`: a quote is doubled.
    Single,
    /// `"…"`: a backslash escapes.
    Double,
}

/// How many characters an escape takes, and what it stands for; nothing for an escaped line break.
fn escape(raw: &str) -> (usize, Option<char>) {
    let mut chars = raw.chars();
    chars.next();
    let hex = |len: usize| {
        let code: String = raw.chars().skip(2).take(len).collect();
        (len.saturating_add(2), u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).or(Some('\u{fffd}')))
    };
    match chars.next() {
        Some('\n') => (2, None),
        Some('\r') => (3, None),
        Some('n') => (2, Some('\n')),
        Some('t') => (2, Some('\t')),
        Some('r') => (2, Some('\r')),
        Some('0') => (2, Some('\0')),
        Some('x') => hex(2),
        Some('u') => hex(4),
        Some('U') => hex(8),
        Some(c) => (2, Some(c)),
        None => (1, None),
    }
}

/// A part of a text, for an expression that stands in a longer one.
#[derive(Clone, Copy, Debug)]
pub struct Snippet<'a> {
    /// The text that it is part of.
    pub scalar: &'a Scalar,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl<'a> Snippet<'a> {
    /// The whole of a text.
    pub fn whole(scalar: &'a Scalar) -> Self {
        Self { scalar, start: 0, end: scalar.text.len() }
    }

    /// A part of a text.
    pub fn part(scalar: &'a Scalar, range: std::ops::Range<usize>) -> Self {
        Self { scalar, start: range.start, end: range.end }
    }

    /// The text of the part.
    pub fn text(&self) -> &'a str {
        self.scalar.text.get(self.start..self.end).unwrap_or("")
    }

    /// Where a range of it stands in the file.
    pub fn place(&self, start: usize, end: usize) -> Span {
        self.scalar.place(self.start.saturating_add(start), self.start.saturating_add(end))
    }

    /// Where all of it stands in the file.
    pub fn span(&self) -> Span {
        self.scalar.place(self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, raw: &str, quote: Quote, what: &str) -> usize {
        let s = Scalar::aligned(text, Span::new(FileId(0), 0, raw.len() + 100), raw, 10, quote);
        s.place(text.find(what).unwrap(), text.find(what).unwrap() + what.len()).start as usize - 10
    }

    #[test]
    fn bytes_are_found_in_every_spelling() {
        assert_eq!(at("a == \"b\" && c", r#"a == \"b\" && c"#, Quote::Double, "c"), 14);
        assert_eq!(at("it's x", "it''s x", Quote::Single, "x"), 6);
        assert_eq!(at("a\n  b\nc", "    a\n      b\n    c\n", Quote::None, "c"), 18);
        assert_eq!(at("a b c", "a\n  b\n  c", Quote::None, "c"), 8);
        assert_eq!(at("é \u{1F600} x", "é \\U0001F600 x", Quote::Double, "x"), 14);
    }

    #[test]
    fn a_quoted_text_is_found_without_its_quotes_in_every_spelling() {
        for (raw, quote) in [(r#"a.f(\"wörd\")"#, Quote::Double), (r#"a.f("wörd")"#, Quote::Single), (r#"a.f("wörd")"#, Quote::None)] {
            let text = "a.f(\"wörd\")";
            let s = Scalar::aligned(text, Span::new(FileId(0), 0, raw.len() + 100), raw, 10, quote);
            let inner = s.within(s.place(4, 11));
            assert_eq!(&raw[inner.start as usize - 10..inner.end as usize - 10], "wörd");
        }
    }
}
