//! Reading JSON quickly: the same tree as [`Reader`](super::json::Reader) makes, or nothing. It has no words for what is
//! wrong (broken text, a limit, a key that stands twice): whoever calls it reads again with one that has.

use std::borrow::Cow;

use super::json::{Entry, Json, is_dotted, undotted};
use super::limits;

/// For how many entries of open objects there is room at once.
const OPEN: usize = 32;

/// Where the reading of a text is, and what the lists and objects that are still open hold so far.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
    /// Marks where the text that was read last, or what follows it closely, has a dot.
    dots: u64,
    /// Whether that text has escapes.
    escaped: bool,
    items: Vec<Json<'a>>,
    entries: Vec<Entry<'a>>,
}

impl<'a> Scan<'a> {
    /// At the beginning of a text.
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0, nodes: 0, dots: 0, escaped: false, items: Vec::new(), entries: Vec::with_capacity(OPEN) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    /// The next byte that is no blank.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.step(1);
        }
    }

    /// Goes past this byte, which must come next.
    fn pass(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.step(1))
    }

    /// Whether nothing follows.
    pub(super) fn is_done(&mut self) -> bool {
        self.next().is_none()
    }

    /// Goes into a list or object that lies this deep.
    pub(super) fn open(&mut self, bracket: u8, depth: usize) -> Option<()> {
        self.count(depth)?;
        self.pass(bracket)
    }

    /// Whether an item follows in a list or object; past the comma before it, or past the end.
    pub(super) fn more(&mut self, first: bool, end: u8) -> Option<bool> {
        let byte = self.next()?;
        if byte == end {
            self.step(1);
            return Some(false);
        }
        if !first {
            self.step(1);
        }
        (first || byte == b',').then_some(true)
    }

    /// A key, and past the colon after it.
    #[inline]
    pub(super) fn key(&mut self) -> Option<Cow<'a, str>> {
        (self.next()? == b'"').then_some(())?;
        let key = self.string::<true>()?;
        self.pass(b':')?;
        Some(key)
    }

    fn count(&mut self, depth: usize) -> Option<()> {
        self.nodes = self.nodes.saturating_add(1);
        (self.nodes <= limits::NODES && depth <= limits::DEPTH).then_some(())
    }

    /// A value that lies this deep.
    #[inline]
    pub(super) fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        // Most values are texts.
        if self.next()? == b'"' { self.content(depth).map(Json::Text) } else { self.other(depth) }
    }

    /// A value that is a text.
    #[inline(always)]
    fn content(&mut self, depth: usize) -> Option<Cow<'a, str>> {
        self.count(depth)?;
        self.string::<false>().filter(|text| text.len() <= limits::TEXT)
    }

    /// A value that is no text.
    fn other(&mut self, depth: usize) -> Option<Json<'a>> {
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b't' => self.word("true", Json::Bool(true), depth),
            b'f' => self.word("false", Json::Bool(false), depth),
            b'n' => self.word("null", Json::Null, depth),
            _ => {
                self.count(depth)?;
                self.number()
            }
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>, depth: usize) -> Option<Json<'a>> {
        self.count(depth)?;
        let there = self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.step(word.len());
        there.then_some(value)
    }

    fn list(&mut self, depth: usize) -> Option<Json<'a>> {
        self.open(b'[', depth)?;
        let start = self.items.len();
        while self.more(self.items.len() == start, b']')? {
            let item = self.value(depth.saturating_add(1))?;
            self.items.push(item);
        }
        Some(Json::List(self.items.drain(start..).collect()))
    }

    fn object(&mut self, depth: usize) -> Option<Json<'a>> {
        self.open(b'{', depth)?;
        let start = self.entries.len();
        let (mut sorted, mut dotted) = (true, false);
        while self.more(self.entries.len() == start, b'}')? {
            let key = self.key()?;
            dotted = dotted || self.dots != 0 && is_dotted(&key);
            // What stands on top is of this object, unless nothing of it is there yet.
            sorted = sorted && (self.entries.len() == start || self.entries.last().is_none_or(|(before, _)| is_before(before, &key)));
            let depth = depth.saturating_add(1);
            if self.next()? == b'"' {
                let text = self.content(depth)?;
                // Made where it stands: moving it there at once would wait until it is written.
                self.entries.extend(std::iter::once_with(|| (key, Json::Text(text))));
            } else {
                let value = self.other(depth)?;
                self.entries.push((key, value));
            }
        }
        if !sorted {
            let own = self.entries.get_mut(start..)?;
            own.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            if !own.is_sorted_by(|a, b| a.0 < b.0) {
                return None;
            }
        }
        let own = self.entries.drain(start..);
        Some(Json::Map(if dotted { undotted(own.collect()).into() } else { own.collect() }))
    }

    /// The text whose quote stands here; borrowed where no character of it is escaped. Dots are looked for in keys.
    #[inline(always)]
    fn string<const DOTS: bool>(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        let text = self.written::<DOTS>()?;
        // What is borrowed comes in registers: what is put into memory in parts and moved at once is waited for.
        if self.escaped { self.unescaped(start, text).map(Cow::Owned) } else { Some(Cow::Borrowed(text)) }
    }

    /// The text whose quote stands here, as it is written, and past the quote after it.
    #[inline(never)]
    fn written<const DOTS: bool>(&mut self) -> Option<&'a str> {
        self.step(1);
        (self.dots, self.escaped) = (0, false);
        let inside = self.at;
        loop {
            match self.odd::<DOTS>()? {
                b'"' => break,
                // Whatever is escaped, its first byte ends nothing.
                b'\\' => {
                    self.escaped = true;
                    self.step(2);
                }
                _ => return None,
            }
        }
        let end = self.at;
        self.step(1);
        self.text.get(inside..end)
    }

    /// The text without its escapes; it stands from `start` on, quotes included.
    #[cold]
    fn unescaped(&mut self, start: usize, text: &str) -> Option<String> {
        self.dots = 1;
        unescaped(text).or_else(|| serde_json::from_str(self.text.get(start..self.at)?).ok())
    }

    /// Goes to the next quote, backslash or control character; eight bytes are looked at together.
    #[inline(always)]
    fn odd<const DOTS: bool>(&mut self) -> Option<u8> {
        let all = self.text.as_bytes();
        let (mut at, mut dots) = (self.at, self.dots);
        while let Some(eight) = all.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let eight = u64::from_le_bytes(*eight);
            if DOTS {
                dots |= bytes_of(b'.', eight);
            }
            match odd_of(eight) {
                0 => at = at.saturating_add(8),
                found => {
                    (self.at, self.dots) = (at.saturating_add(found.trailing_zeros() as usize / 8), dots);
                    return self.peek();
                }
            }
        }
        self.at = at;
        self.dots = 1;
        while !matches!(self.peek()?, b'"' | b'\\' | ..b' ') {
            self.step(1);
        }
        self.peek()
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let rest = self.text.get(self.at..)?;
        let of_number = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let token = rest.get(..rest.as_bytes().iter().take_while(|b| of_number(b)).count())?;
        self.step(token.len());
        // Few digits are read here: what is written in another way is the business of the one who knows all of them.
        if (1..=18).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_digit()) && (token.len() == 1 || !token.starts_with('0')) {
            return token.parse().ok().map(Json::Int);
        }
        let number: serde_json::Number = serde_json::from_str(token).ok()?;
        number.as_i64().map(Json::Int).or_else(|| number.as_f64().map(Json::Float))
    }
}

/// Whether a key stands before another one; most differ in their first letters.
fn is_before(a: &str, b: &str) -> bool {
    match (a.bytes().next(), b.bytes().next()) {
        (Some(x), Some(y)) if x != y => x < y,
        _ => a < b,
    }
}

/// A text without its escapes of one letter; `None` where there are others.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('\\');
    out.push_str(parts.next()?);
    while let Some(part) = parts.next() {
        match part.bytes().next() {
            // Nothing between two backslashes: the second one is meant.
            None => {
                out.push('\\');
                out.push_str(parts.next()?);
            }
            Some(letter) => {
                out.push(match letter {
                    b'"' => '"',
                    b'/' => '/',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    _ => return None,
                });
                out.push_str(part.get(1..)?);
            }
        }
    }
    Some(out)
}

const ONES: u64 = u64::MAX / 255;
const MARKS: u64 = ONES << 7;

/// A mark in the first of eight bytes that is this one; those before it have none.
fn bytes_of(byte: u8, eight: u64) -> u64 {
    let zero = eight ^ ONES.wrapping_mul(u64::from(byte));
    zero.wrapping_sub(ONES) & !zero & MARKS
}

/// A mark in the first of eight bytes that is a quote, a backslash or a control character; those before it have none.
fn odd_of(eight: u64) -> u64 {
    // A byte that is not beyond ASCII, and from which one cannot be taken away; one that is beyond is none of these.
    let less = |byte: u8| (eight ^ ONES.wrapping_mul(u64::from(byte))).wrapping_sub(ONES);
    (eight.wrapping_sub(ONES.wrapping_mul(0x20)) | less(b'"') | less(b'\\')) & !eight & MARKS
}

#[cfg(test)]
mod tests {
    use super::super::json::Reader;
    use super::*;
    use proptest::prelude::*;

    fn scanned(text: &str) -> Option<Json<'_>> {
        let mut scan = Scan::of(text);
        let value = scan.value(0)?;
        scan.is_done().then_some(value)
    }

    /// Where anything is read, it is what the reader with words reads; where it is in order, it is read.
    fn same(text: &str) {
        match (scanned(text), Reader::default().read(text)) {
            (Some(quick), Ok((slow, false))) => assert_eq!(quick, slow, "{text}"),
            (None, Err(_) | Ok((_, true))) => {}
            (quick, slow) => panic!("{text}: {quick:?}, {slow:?}"),
        }
    }

    #[test]
    fn what_is_read_is_what_the_other_reader_reads() {
        for text in [
            "",
            " ",
            "{}",
            "[]",
            " [ ] ",
            "{\"a\":1}",
            "{\"b\":1,\"a\":[1,2, 3 ]}",
            "{\"a\":1,\"a\":2}",
            "{\"b\":1,\"a\":2,\"b\":3}",
            "{\"a.b\":1,\"a\":{\"c\":2}}",
            "{\"a\\u002eb\":1}",
            "{\"a.b\":1}",
            "{\"abcdefgh.b\":1}",
            "[\"\\/\\n\\r\\t\\b\\f\", \"\\\\\\\\\", \"\\\\n\", \"\\x\"]",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "[1 2]",
            "{} x",
            "{}{}",
            "tru",
            "true",
            "[true,false,null]",
            "nullx",
            "\"\\u0041\\n\"",
            "\"\\ud800\"",
            "\"a\\\"b\"",
            "\"abcdefg\\\\\"",
            "\"abcdefgh",
            "\"\u{1}\"",
            "\"abc\u{1f}defgh\"",
            "\"\u{7f}\u{80}ä€😀\"",
            "\"",
            "\"\\",
            "\"\\\u{e4}\"",
            "0",
            "-0",
            "00",
            "01",
            "-1",
            "1.5",
            "1e5",
            "1e999",
            "-",
            "+1",
            "1.",
            ".5",
            "123456789012345678",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "-9223372036854775808",
            "0.1",
            "123456789.123456789e-7",
            "NaN",
            "[\"\", \"\\\"\"]",
            "{\"\":{\"\":[]}}",
        ] {
            same(text);
        }
        same(&format!("{}{}", "[".repeat(limits::DEPTH), "]".repeat(limits::DEPTH)));
        same(&format!("{}{}", "[".repeat(limits::DEPTH + 1), "]".repeat(limits::DEPTH + 1)));
        assert!(scanned(&format!("{}{}", "[".repeat(limits::DEPTH + 2), "]".repeat(limits::DEPTH + 2))).is_none());
        assert!(scanned(&format!("[{}0]", "0,".repeat(limits::NODES))).is_none());
        assert!(scanned(&format!("\"{}\"", "a".repeat(limits::TEXT + 1))).is_none(), "a long text is cut by others");
    }

    proptest! {
        #[test]
        fn whatever_stands_there(text in r#"([\[\]{}:,"\\ 01.e-]|true|null|"a|u00e9|é){0,24}"#) {
            same(&text);
        }

        #[test]
        fn texts_of_all_lengths(text in r#"[a-z"\\\n\x00-\x1fäö€.]{0,40}"#) {
            same(&serde_json::to_string(&text).unwrap());
            same(&format!("\"{text}\""));
        }
    }
}
