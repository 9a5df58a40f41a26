//! Reading JSON with bounds: a compact tree, and a parser that counts, refuses a key that stands twice, and knows the place.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::limits;

/// A JSON value. The entries of an object are sorted by key, so that the order in the file means nothing.
/// Keys and texts are borrowed from the input where they stand there as they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(Box<[Json<'a>]>),
    /// An object.
    Map(Box<[Entry<'a>]>),
}

/// A key of an object and what stands there.
pub type Entry<'a> = (Cow<'a, str>, Json<'a>);

/// Why an input is not a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether a limit was passed, rather than the form of JSON broken.
    pub limit: bool,
    /// What is wrong.
    pub message: String,
    /// Line, from 1; 0 when not known.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// JSON path, where one is known.
    pub path: String,
}

/// Parses one input and the JSON inside its text columns, counting all of it together.
#[derive(Default)]
pub struct Reader {
    nodes: Cell<usize>,
    trail: RefCell<Vec<String>>,
    limit: Cell<bool>,
    long: Cell<bool>,
}

impl Reader {
    /// Whether any text so far is longer than is kept.
    pub fn has_long(&self) -> bool {
        self.long.get()
    }

    /// What reads one value that lies this deep.
    fn at<'r, 'de>(&'r self, open: &'r Open<'de>, depth: usize) -> Seed<'r, 'de> {
        Seed { reader: self, open, depth }
    }

    /// Reads one document, or several one after another (JSON Lines), which come as one list. The flag says which.
    pub fn read<'a>(&self, text: &'a str) -> Result<(Json<'a>, bool), Problem> {
        let before = self.nodes.get();
        let mut de = serde_json::Deserializer::from_str(text);
        self.trail.borrow_mut().clear();
        let one = self.at(&Open::default(), 0).deserialize(&mut de).map_err(|e| self.problem(&e, None))?;
        if de.end().is_ok() {
            return Ok((one, false));
        }
        // To say that more follows, a reader of texts counts all lines so far, every time; a reader of bytes keeps count.
        drop(one);
        self.nodes.set(before);
        let mut de = serde_json::Deserializer::from_reader(text.as_bytes());
        let mut all = Vec::new();
        loop {
            self.trail.borrow_mut().clear();
            let one = self.at(&Open::default(), 0).deserialize(&mut de).map_err(|e| self.problem(&e, (!all.is_empty()).then_some(all.len())))?;
            all.push(one);
            if de.end().is_ok() {
                break;
            }
        }
        Ok((Json::List(all.into_boxed_slice()), true))
    }

    /// A value that was parsed already, counted like any other.
    pub fn value<'a>(&self, value: &'a serde_json::Value) -> Result<Json<'a>, Problem> {
        self.trail.borrow_mut().clear();
        self.at(&Open::default(), 0).deserialize(value).map_err(|e| self.problem(&e, None))
    }

    fn problem(&self, e: &serde_json::Error, document: Option<usize>) -> Problem {
        let mut path = String::from("$");
        if let Some(n) = document {
            path.push_str(&format!("[{n}]"));
        }
        self.trail.borrow().iter().rev().for_each(|s| path.push_str(s));
        let whole = e.to_string();
        let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(m, _)| m).to_owned();
        Problem { limit: self.limit.get(), message, line: e.line(), column: e.column(), path }
    }
}

/// What the lists and objects that are still open hold so far: each takes memory of its own only when its size is known.
#[derive(Default)]
struct Open<'de> {
    items: RefCell<Vec<Json<'de>>>,
    entries: RefCell<Vec<Entry<'de>>>,
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Seed<'r, 'de> {
    reader: &'r Reader,
    open: &'r Open<'de>,
    depth: usize,
}

impl Seed<'_, '_> {
    fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_add(1), ..self }
    }

    /// Counts the value against the limits.
    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        let n = self.reader.nodes.get().saturating_add(1);
        self.reader.nodes.set(n);
        if n > limits::NODES {
            self.reader.limit.set(true);
            return Err(E::custom(format!("the input holds more than {} values", limits::NODES)));
        }
        if self.depth > limits::DEPTH {
            self.reader.limit.set(true);
            return Err(E::custom(format!("objects and lists lie more than {} deep in one another", limits::DEPTH)));
        }
        Ok(())
    }
}

/// A key, borrowed where it can be.
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(v)))
            }

            fn visit_str<E>(self, v: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(v.to_owned())))
            }
        }
        d.deserialize_str(Read)
    }
}

impl<'de> Seed<'_, 'de> {
    /// Whether the object that began at this place has the key already. Few keys are compared one by one; many go into a
    /// set, so that a huge object stays cheap.
    fn twice(self, start: usize, key: &str, seen: &mut BTreeSet<Cow<'de, str>>) -> bool {
        let entries = self.open.entries.borrow();
        let known = entries.get(start..).unwrap_or_default();
        if known.len() < 24 {
            return known.iter().any(|(k, _)| k == key);
        }
        seen.extend(known.iter().skip(seen.len()).map(|(k, _)| k.clone()));
        seen.contains(key)
    }

    fn text<'a, E: serde::de::Error>(self, v: Cow<'a, str>) -> Result<Json<'a>, E> {
        self.count()?;
        if v.len() > limits::TEXT {
            self.reader.long.set(true);
        }
        Ok(Json::Text(v))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, 'de> {
    type Value = Json<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Json<'de>, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, 'de> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Json<'de>, E> {
        self.count()?;
        Ok(Json::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, v: bool) -> Result<Json<'de>, E> {
        self.count()?;
        Ok(Json::Bool(v))
    }

    fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Json<'de>, E> {
        self.count()?;
        Ok(Json::Int(v))
    }

    #[expect(clippy::cast_precision_loss, reason = "only beyond what an i64 holds")]
    fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Json<'de>, E> {
        self.count()?;
        Ok(i64::try_from(v).map_or(Json::Float(v as f64), Json::Int))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Json<'de>, E> {
        self.count()?;
        Ok(Json::Float(v))
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Json<'de>, E> {
        self.text(Cow::Owned(v.to_owned()))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, v: &'de str) -> Result<Json<'de>, E> {
        self.text(Cow::Borrowed(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        self.count()?;
        let start = self.open.items.borrow().len();
        loop {
            match seq.next_element_seed(self.deeper()) {
                Ok(Some(v)) => self.open.items.borrow_mut().push(v),
                Ok(None) => break,
                Err(e) => {
                    let at = self.open.items.borrow().len().saturating_sub(start);
                    self.reader.trail.borrow_mut().push(format!("[{at}]"));
                    return Err(e);
                }
            }
        }
        Ok(Json::List(self.open.items.borrow_mut().split_off(start).into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        self.count()?;
        let start = self.open.entries.borrow().len();
        let (mut letters, mut dotted) = (0u64, false);
        let mut seen: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(Key(key)) = map.next_key()? {
            let own = ends(&key);
            if letters & own != 0 && self.twice(start, &key, &mut seen) {
                self.reader.trail.borrow_mut().push(step(&key));
                return Err(A::Error::custom(format!("duplicate key `{}`", shown(&key))));
            }
            letters |= own;
            dotted = dotted || is_dotted(&key);
            match map.next_value_seed(self.deeper()) {
                Ok(v) => self.open.entries.borrow_mut().push((key, v)),
                Err(e) => {
                    self.reader.trail.borrow_mut().push(step(&key));
                    return Err(e);
                }
            }
        }
        let mut entries = self.open.entries.borrow_mut().split_off(start);
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Ok(Json::Map(if dotted { undotted(entries) } else { entries }.into()))
    }
}

/// A key or other word of the input, short enough to be shown.
pub fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(80) {
        Some((at, _)) => Cow::Owned(format!("{}…", text.get(..at).unwrap_or(""))),
        None => Cow::Borrowed(text),
    }
}

/// A key as a step of a JSON path.
pub fn step(key: &str) -> String {
    if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@' | '$')) {
        format!(".{}", shown(key))
    } else {
        format!("['{}']", shown(key).replace('\'', "\\'"))
    }
}

/// Whether a key is a path of plain words with dots between them; long ones are no paths that anybody writes.
pub(super) fn is_dotted(key: &str) -> bool {
    let plain = |p: &str| p.starts_with(|c: char| c.is_ascii_alphabetic()) && p.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    key.bytes().any(|b| b == b'.') && key.len() <= 256 && key.split('.').count() <= DOTS && key.split('.').all(plain)
}

/// How many words a dotted key may have.
const DOTS: usize = 8;

/// Keys with dots (`host.name`) as nested objects, where each part is a plain word and nothing else stands there.
pub(super) fn undotted(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    if !entries.iter().any(|(k, _)| is_dotted(k)) {
        return entries;
    }
    let (dotted, mut out): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(k, _)| is_dotted(k));
    let mut heads: BTreeMap<Cow<'_, str>, Vec<Entry<'_>>> = BTreeMap::new();
    for (key, value) in dotted {
        let (head, tail) = split(key);
        heads.entry(head).or_default().push((tail, value));
    }
    let mut stay = Vec::new();
    for (head, mut tails) in heads {
        let known = out.binary_search_by(|(k, _)| k.cmp(&head)).ok().and_then(|at| out.get_mut(at));
        match known {
            None => stay.push((head, nested(tails))),
            Some((_, Json::Map(inner))) => {
                let there: BTreeSet<Cow<'_, str>> = inner.iter().map(|(k, _)| k.clone()).collect();
                let (twice, fresh): (Vec<_>, Vec<_>) = tails.into_iter().partition(|(k, _)| there.contains(k));
                let mut all = std::mem::take(inner).into_vec();
                all.extend(fresh);
                all.sort_by(|a, b| a.0.cmp(&b.0));
                *inner = undotted(all).into_boxed_slice();
                stay.extend(twice.into_iter().map(|(tail, v)| (format!("{head}.{tail}").into(), v)));
            }
            Some(_) => stay.extend(tails.drain(..).map(|(tail, v)| (format!("{head}.{tail}").into(), v))),
        }
    }
    out.extend(stay);
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// The first word of a dotted key, and the rest.
fn split(key: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    match key {
        Cow::Borrowed(key) => key.split_once('.').map_or((key.into(), "".into()), |(head, tail)| (head.into(), tail.into())),
        Cow::Owned(key) => key.split_once('.').map_or_else(|| (key.clone().into(), "".into()), |(a, b)| (a.to_owned().into(), b.to_owned().into())),
    }
}

fn nested(mut entries: Vec<Entry<'_>>) -> Json<'_> {
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Map(undotted(entries).into_boxed_slice())
}

/// A text without the blanks around it. Mostly there are none, and that is seen at once.
pub(super) fn trimmed(text: &str) -> &str {
    let bare = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_graphic());
    if bare(text.bytes().next()) && bare(text.bytes().next_back()) { text } else { text.trim() }
}

/// A bit for the letters that a key begins and ends with, their case aside; all bits where [`same_key`] may look past them.
pub fn ends(key: &str) -> u64 {
    match (key.bytes().next(), key.bytes().next_back()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() && !key.starts_with("at_sign_") => {
            let (first, last) = (u32::from(first | 0x20), u32::from(last | 0x20));
            1u64.wrapping_shl(first.wrapping_add(last.wrapping_mul(17)))
        }
        _ => u64::MAX,
    }
}

/// Where the value of a key stands that holds something: under the key itself, or else under its first other spelling.
pub fn place(entries: &[Entry<'_>], key: &str) -> Option<usize> {
    place_by(entries, key, ends(key))
}

/// As [`place`], where the [`ends`] of the key are known.
pub(super) fn place_by(entries: &[Entry<'_>], key: &str, own: u64) -> Option<usize> {
    let exact = entries.iter().position(|(k, v)| k == key && !v.is_blank());
    exact.or_else(|| entries.iter().position(|(k, v)| ends(k) & own != 0 && same_letters(k, key) && !v.is_blank()))
}

/// Whether two keys are spellings of one: case, `_`, `-`, `.`, blanks, `@` and `at_sign_` make no difference; `$` does.
pub fn same_key(a: &str, b: &str) -> bool {
    ends(a) & ends(b) != 0 && same_letters(a, b)
}

/// As [`same_key`], of two that may begin and end alike.
fn same_letters(a: &str, b: &str) -> bool {
    let (a, b) = (a.strip_prefix("at_sign_").unwrap_or(a), b.strip_prefix("at_sign_").unwrap_or(b));
    if a == b {
        return true;
    }
    fn letters(key: &str) -> impl Iterator<Item = char> + '_ {
        key.chars().filter(|c| c.is_alphanumeric() || *c == '$').map(|c| c.to_ascii_lowercase())
    }
    // Mostly they differ in their first few letters, and these are plain.
    for (x, y) in a.bytes().zip(b.bytes()) {
        match (x, y) {
            (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9', b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') if x.eq_ignore_ascii_case(&y) => {}
            (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9', b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') => return false,
            _ => break,
        }
    }
    letters(a).eq(letters(b))
}

impl<'a> Json<'a> {
    /// The same, with nothing borrowed.
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(b),
            Self::Int(n) => Json::Int(n),
            Self::Float(n) => Json::Float(n),
            Self::Text(t) => Json::Text(t.into_owned().into()),
            Self::List(items) => Json::List(items.into_iter().map(Json::into_owned).collect()),
            Self::Map(entries) => Json::Map(entries.into_iter().map(|(k, v)| (k.into_owned().into(), v.into_owned())).collect()),
        }
    }

    /// The value of a key, in whatever spelling; of several spellings the very one, or else the first, that holds something.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        let Self::Map(entries) = self else { return None };
        place(entries, key).and_then(|n| entries.get(n)).map(|(_, v)| v)
    }

    /// The value of a key for which a spelling stands there, even if it holds nothing.
    pub fn has(&self, key: &str) -> bool {
        matches!(self, Self::Map(entries) if entries.iter().any(|(k, _)| same_key(k, key)))
    }

    /// The text at a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(t) => Some(trimmed(t)),
            _ => None,
        }
    }

    /// Whether it holds nothing: `null`, blank text, an empty list or object.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(t) => trimmed(t).is_empty(),
            Self::List(l) => l.is_empty(),
            Self::Map(m) => m.is_empty(),
            _ => false,
        }
    }

    /// Text, a number or a boolean as text.
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(t) => Some(Cow::Borrowed(trimmed(t))),
            Self::Int(n) => Some(Cow::Owned(n.to_string())),
            Self::Float(n) => Some(Cow::Owned(n.to_string())),
            Self::Bool(b) => Some(Cow::Owned(b.to_string())),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    /// Adds what it holds as `key.part` and text, blank values left out; a list of plain values is one text.
    pub fn flatten(&self, key: &str, out: &mut Vec<(String, String)>) {
        match self {
            _ if self.is_blank() => {}
            Self::List(items) if items.iter().all(|i| !matches!(i, Self::List(_) | Self::Map(_))) => {
                let all: Vec<Cow<'_, str>> = items.iter().filter_map(Self::scalar).filter(|t| !t.is_empty()).collect();
                if !all.is_empty() {
                    out.push((key.to_owned(), all.join(", ")));
                }
            }
            Self::List(items) => items.iter().enumerate().for_each(|(n, item)| item.flatten(&format!("{key}.{n}"), out)),
            Self::Map(entries) => {
                for (k, v) in entries {
                    let name = if key.is_empty() { k.to_string() } else { format!("{key}.{k}") };
                    v.flatten(&name, out);
                }
            }
            one => out.extend(one.scalar().map(|t| (key.to_owned(), t.into_owned()))),
        }
    }

    /// Cuts texts that are longer than is kept, and tells the path and length of each. A digest keeps different texts apart.
    pub fn cut_long(&mut self, path: &mut String, found: &mut Vec<(String, usize)>) {
        let start = path.len();
        match self {
            Self::Text(t) if t.len() > limits::TEXT => {
                found.push((path.clone(), t.len()));
                let digest: String = blake3::hash(t.as_bytes()).to_hex().chars().take(8).collect();
                // What was cut fits, so that it is not cut again where it is read again.
                let mut at = limits::TEXT.saturating_sub(16);
                while !t.is_char_boundary(at) {
                    at = at.saturating_sub(1);
                }
                *t = format!("{}…({digest})", t.get(..at).unwrap_or("")).into();
            }
            Self::List(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    if item.may_be_long() {
                        path.push_str(&format!("[{n}]"));
                        item.cut_long(path, found);
                        path.truncate(start);
                    }
                }
            }
            Self::Map(entries) => {
                for (k, v) in entries.iter_mut() {
                    if v.may_be_long() {
                        path.push_str(&step(k));
                        v.cut_long(path, found);
                        path.truncate(start);
                    }
                }
            }
            _ => {}
        }
    }

    fn may_be_long(&self) -> bool {
        match self {
            Self::Text(t) => t.len() > limits::TEXT,
            Self::List(_) | Self::Map(_) => true,
            _ => false,
        }
    }

    /// Writes it compactly, for a digest of its content.
    pub fn write(&self, out: &mut String, skip: &dyn Fn(&str) -> bool) {
        match self {
            Self::Null => out.push('~'),
            Self::List(items) => {
                out.push('[');
                items.iter().for_each(|i| {
                    i.write(out, skip);
                    out.push(',');
                });
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                entries.iter().filter(|(k, v)| !skip(k) && !v.is_blank()).for_each(|(k, v)| {
                    out.push_str(&format!("{k:?}:"));
                    v.write(out, skip);
                    out.push(',');
                });
                out.push('}');
            }
            one => out.push_str(&format!("{:?}", one.scalar().unwrap_or_default())),
        }
    }

    /// Eight hexadecimal digits that stand for its content; the order of keys means nothing.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, &|k| k.starts_with('$'));
        blake3::hash(text.as_bytes()).to_hex().chars().take(8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json<'_> {
        Reader::default().read(text).expect("reads").0
    }

    fn refused(text: &str) -> Problem {
        Reader::default().read(text).expect_err("is refused")
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_with_its_path() {
        let p = refused("{\"alerts\": [{}, {\n \"severity\": \"high\", \"severity\": \"low\"}]}");
        assert_eq!((p.message.as_str(), p.path.as_str(), p.line), ("duplicate key `severity`", "$.alerts[1].severity", 2));
        let many: String = (0..60).map(|n| format!("\"k{n}\":1,")).collect();
        assert_eq!(refused(&format!("{{{many}\"k30\":2}}")).message, "duplicate key `k30`");
    }

    #[test]
    fn broken_text_is_refused_with_its_place() {
        for (text, line) in [("", 1), ("{\"a\":\n NaN}", 2), ("{\"a\": [1,\n2", 2), ("\"\\ud800\"", 1), ("[1e999]", 1), ("{} x", 1)] {
            let p = refused(text);
            assert_eq!(p.line, line, "{text}: {p:?}");
            assert!(!p.limit);
        }
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let deep = format!("{}{}", "[".repeat(110), "]".repeat(110));
        assert!(refused(&deep).limit);
        let wide = format!("[{}0]", "0,".repeat(limits::NODES));
        assert!(refused(&wide).limit);
    }

    #[test]
    fn lines_of_documents_are_one_list() {
        let (all, lines) = Reader::default().read("{\"a\":1}\n{\"a\":2}\n").expect("reads");
        assert!(lines && matches!(&all, Json::List(l) if l.len() == 2));
    }

    #[test]
    fn keys_are_found_in_every_spelling() {
        let j = parse(r#"{"at_sign_odata_type": "x", "Machine_Id": 7, "host.name": "h", "host.os.type": "w", "$id": "3"}"#);
        assert_eq!(j.text("@odata.type"), Some("x"));
        assert_eq!(j.get("machineId"), Some(&Json::Int(7)));
        assert_eq!(j.get("host").and_then(|h| h.text("name")), Some("h"));
        assert_eq!(j.get("host").and_then(|h| h.get("os")).and_then(|o| o.text("type")), Some("w"));
        assert!(j.get("id").is_none());
    }

    #[test]
    fn dotted_keys_join_what_is_nested_already() {
        let j = parse(r#"{"a": {"b": {"c": 1}}, "a.b.d": 2, "a.e": 3, "x": 1, "x.y": 4, "a.b.c": 5}"#);
        let at = |path: &[&str]| path.iter().try_fold(&j, |j, k| j.get(k)).and_then(Json::scalar).map(Cow::into_owned);
        assert_eq!((at(&["a", "b", "d"]).as_deref(), at(&["a", "e"]).as_deref(), at(&["a", "b", "c"]).as_deref()), (Some("2"), Some("3"), Some("1")));
        let mut out = Vec::new();
        j.flatten("", &mut out);
        assert_eq!(out.len(), 6, "nothing is lost: {out:?}");
        let deep = format!(r#"{{"{}": 1}}"#, vec!["a"; 100_000].join("."));
        assert!(matches!(parse(&deep), Json::Map(m) if m.len() == 1));
    }

    #[test]
    fn what_is_left_is_flattened_under_dotted_names() {
        let mut out = Vec::new();
        parse(r#"{"a": {"b": [1, "x"], "c": null}, "d": [{"e": true}]}"#).flatten("", &mut out);
        assert_eq!(out, [("a.b".to_owned(), "1, x".to_owned()), ("d.0.e".to_owned(), "true".to_owned())]);
    }
}
