//! An object of the input as the formats read it: fields by tolerant names, a path, and what nobody has read yet.

use std::borrow::Cow;
use std::cell::Cell;

use super::json::{Entry, Json, ends, place_by, same_key, step};
use crate::model::{Text, Time, time};

/// An object, with a mark on each key that has been read, so that the rest can be kept.
pub struct Rec<'a> {
    json: &'a Json<'a>,
    entries: &'a [Entry<'a>],
    /// With which letters its keys begin and end: most keys that are asked for are not there.
    ends: u64,
    used: Marks,
    /// Its JSON path.
    pub path: Cow<'a, str>,
}

/// Which entries have been read: the first 64 as bits.
struct Marks {
    first: Cell<u64>,
    others: Box<[Cell<bool>]>,
}

impl Marks {
    fn of(entries: usize) -> Self {
        Self { first: Cell::new(0), others: vec![Cell::new(false); entries.saturating_sub(64)].into() }
    }

    fn set(&self, n: usize) {
        match u32::try_from(n).ok().and_then(|n| 1u64.checked_shl(n)) {
            Some(bit) => self.first.set(self.first.get() | bit),
            None => {
                if let Some(cell) = self.others.get(n.saturating_sub(64)) {
                    cell.set(true);
                }
            }
        }
    }

    fn get(&self, n: usize) -> bool {
        match u32::try_from(n).ok().and_then(|n| 1u64.checked_shl(n)) {
            Some(bit) => self.first.get() & bit != 0,
            None => self.others.get(n.saturating_sub(64)).is_some_and(Cell::get),
        }
    }
}

impl<'a> Rec<'a> {
    /// The object at a path; `None` when the value is no object.
    pub fn new(json: &'a Json<'a>, path: impl Into<Cow<'a, str>>) -> Option<Self> {
        let Json::Map(entries) = json else { return None };
        let ends = entries.iter().fold(0, |all, (k, _)| all | ends(k));
        Some(Self { json, entries, ends, used: Marks::of(entries.len()), path: path.into() })
    }

    /// The object as it stands.
    pub fn json(&self) -> &'a Json<'a> {
        self.json
    }

    fn find(&self, key: &str) -> Option<(usize, &'a Json<'a>)> {
        let own = ends(key);
        if own & self.ends == 0 {
            return None;
        }
        let n = place_by(self.entries, key, own)?;
        self.entries.get(n).map(|(_, v)| (n, v))
    }

    fn mark(&self, n: usize) {
        self.used.set(n);
    }

    /// The value of a key that holds something, marked as read.
    pub fn take(&self, key: &str) -> Option<&'a Json<'a>> {
        let (n, v) = self.find(key)?;
        self.mark(n);
        Some(v)
    }

    /// The value of a key that holds something, left for others to read.
    pub fn peek(&self, key: &str) -> Option<&'a Json<'a>> {
        self.find(key).map(|(_, v)| v)
    }

    /// Whether a key holds something.
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Marks keys as read that hold nothing worth keeping.
    pub fn skip(&self, keys: &[&str]) {
        for (n, (k, _)) in self.entries.iter().enumerate().filter(|(n, _)| !self.used.get(*n)) {
            // Mostly it is the very word.
            if keys.iter().any(|s| k == s) || keys.iter().any(|s| same_key(k, s)) {
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

    /// As [`any`](Self::any), shared, empty when there is none.
    pub fn shared(&self, keys: &[&str]) -> Text {
        self.any(keys).map(Text::from).unwrap_or_default()
    }

    /// Plain values of a list, or one alone; values that are no text stay unread.
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.plain(key).into_iter().map(Cow::into_owned).collect()
    }

    /// As [`texts`](Self::texts), borrowed where they stand in the input as they are.
    pub fn plain(&self, key: &str) -> Vec<Cow<'a, str>> {
        let Some((n, v)) = self.find(key) else { return Vec::new() };
        match v {
            Json::List(items) if items.iter().all(|i| i.scalar().is_some() || i.is_blank()) => {
                self.mark(n);
                items.iter().filter_map(Json::scalar).filter(|t| !t.is_empty()).collect()
            }
            one => match one.scalar() {
                Some(t) => {
                    self.mark(n);
                    vec![t]
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
    pub fn items(&self, key: &str) -> Vec<(&'a Json<'a>, String)> {
        let Some((n, v)) = self.find(key) else { return Vec::new() };
        self.mark(n);
        let path = format!("{}{}", self.path, self.step(n));
        match v {
            Json::List(items) => items.iter().enumerate().map(|(i, item)| (item, format!("{path}[{i}]"))).collect(),
            one => vec![(one, path)],
        }
    }

    /// The items of the list at a key, or one value alone; and whether it is a list.
    pub fn list(&self, key: &str) -> Option<(&'a [Json<'a>], bool)> {
        match self.take(key)? {
            Json::List(items) => Some((items, true)),
            one => Some((std::slice::from_ref(one), false)),
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
        self.entries.iter().enumerate().filter(|(n, (_, v))| !self.used.get(*n) && holds(v)).map(|(_, (k, _))| k.to_string()).collect()
    }

    /// What nobody has read, flattened to dotted names; blank values left out.
    pub fn rest(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for (n, (k, v)) in self.entries.iter().enumerate() {
            if !self.used.get(n) {
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
