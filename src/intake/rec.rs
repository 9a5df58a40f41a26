//! An object of the input as the formats read it: fields by tolerant names, a path, and what nobody has read yet.

use std::borrow::Cow;
use std::cell::Cell;

use super::json::{Json, same_key, step};
use crate::model::{Time, time};

/// An object, with a mark on each key that has been read, so that the rest can be kept.
pub struct Rec<'a> {
    json: &'a Json,
    entries: &'a [(Box<str>, Json)],
    used: Vec<Cell<bool>>,
    /// Its JSON path.
    pub path: String,
}

impl<'a> Rec<'a> {
    /// The object at a path; `None` when the value is no object.
    pub fn new(json: &'a Json, path: impl Into<String>) -> Option<Self> {
        let Json::Map(entries) = json else { return None };
        Some(Self { json, entries, used: vec![Cell::new(false); entries.len()], path: path.into() })
    }

    /// The object as it stands.
    pub fn json(&self) -> &'a Json {
        self.json
    }

    fn find(&self, key: &str) -> Option<(usize, &'a Json)> {
        self.entries.iter().enumerate().find(|(_, (k, v))| !v.is_blank() && same_key(k, key)).map(|(n, (_, v))| (n, v))
    }

    fn mark(&self, n: usize) {
        if let Some(cell) = self.used.get(n) {
            cell.set(true);
        }
    }

    /// The value of a key that holds something, marked as read.
    pub fn take(&self, key: &str) -> Option<&'a Json> {
        let (n, v) = self.find(key)?;
        self.mark(n);
        Some(v)
    }

    /// The value of a key that holds something, left for others to read.
    pub fn peek(&self, key: &str) -> Option<&'a Json> {
        self.find(key).map(|(_, v)| v)
    }

    /// Whether a key holds something.
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Marks keys as read that hold nothing worth keeping.
    pub fn skip(&self, keys: &[&str]) {
        for (n, (k, _)) in self.entries.iter().enumerate() {
            if keys.iter().any(|s| same_key(k, s)) {
                self.mark(n);
            }
        }
    }

    /// Text, a number or a boolean as text, at the first of these keys that has one. Blank text is none.
    pub fn any(&self, keys: &[&str]) -> Option<Cow<'a, str>> {
        keys.iter().find_map(|key| self.text(key))
    }

    /// Text, a number or a boolean as text.
    pub fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        let (n, v) = self.find(key)?;
        let t = v.scalar()?;
        self.mark(n);
        Some(t)
    }

    /// As [`any`](Self::any), owned, empty when there is none.
    pub fn owned(&self, keys: &[&str]) -> String {
        self.any(keys).map(Cow::into_owned).unwrap_or_default()
    }

    /// A moment at the first of these keys that has one: text, or a number since 1970.
    pub fn time(&self, keys: &[&str]) -> Option<Time> {
        keys.iter().find_map(|key| {
            let (n, v) = self.find(key)?;
            let t = moment(v)?;
            self.mark(n);
            Some(t)
        })
    }

    /// Plain values of a list, or one alone; values that are no text stay unread.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let Some((n, v)) = self.find(key) else { return Vec::new() };
        match v {
            Json::List(items) if items.iter().all(|i| i.scalar().is_some() || i.is_blank()) => {
                self.mark(n);
                items.iter().filter_map(Json::scalar).filter(|t| !t.is_empty()).map(Cow::into_owned).collect()
            }
            one => match one.scalar() {
                Some(t) => {
                    self.mark(n);
                    vec![t.into_owned()]
                }
                None => Vec::new(),
            },
        }
    }

    /// The nested object at a key.
    pub fn object(&self, key: &str) -> Option<Rec<'a>> {
        let (n, v) = self.find(key)?;
        let rec = Rec::new(v, format!("{}{}", self.path, self.step(n)))?;
        self.mark(n);
        Some(rec)
    }

    /// The items of the list at a key with their paths; one value alone counts as a list of one.
    pub fn items(&self, key: &str) -> Vec<(&'a Json, String)> {
        let Some((n, v)) = self.find(key) else { return Vec::new() };
        self.mark(n);
        let path = format!("{}{}", self.path, self.step(n));
        match v {
            Json::List(items) => items.iter().enumerate().map(|(i, item)| (item, format!("{path}[{i}]"))).collect(),
            one => vec![(one, path)],
        }
    }

    /// The path of a key.
    pub fn path_of(&self, key: &str) -> String {
        match self.entries.iter().position(|(k, _)| same_key(k, key)) {
            Some(n) => format!("{}{}", self.path, self.step(n)),
            None => format!("{}{}", self.path, step(key)),
        }
    }

    fn step(&self, n: usize) -> String {
        self.entries.get(n).map(|(k, _)| step(k)).unwrap_or_default()
    }

    /// Keys that nobody has read and whose value, or some item of whose list, is of a kind.
    pub fn unread(&self, wanted: impl Fn(&Json) -> bool) -> Vec<String> {
        let holds = |v: &Json| match v {
            Json::List(items) => items.iter().any(&wanted),
            one => wanted(one),
        };
        self.entries.iter().zip(&self.used).filter(|((_, v), used)| !used.get() && holds(v)).map(|((k, _), _)| k.to_string()).collect()
    }

    /// What nobody has read, flattened to dotted names; blank values left out.
    pub fn rest(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for ((k, v), used) in self.entries.iter().zip(&self.used) {
            if !used.get() {
                v.flatten(k, &mut out);
            }
        }
        out
    }
}

/// A moment as text, or as a number since 1970.
pub fn moment(v: &Json) -> Option<Time> {
    match v {
        Json::Text(t) => time::time(t),
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds since 1970 lose less than a microsecond")]
        Json::Int(n) => time::epoch(*n as f64),
        Json::Float(n) => time::epoch(*n),
        _ => None,
    }
}
