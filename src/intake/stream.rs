//! Our own format read element by element, so that no tree of the whole document is made.
//!
//! It says nothing itself: where anything is out of the ordinary (broken text, a limit, a key in another spelling or
//! twice, another order of the lists) it gives up, and [`native`] reads the whole tree and finds the words.

use std::cell::OnceCell;

use super::context::Context;
use super::json::{Entry, Json, same_key};
use super::native::{self, Native};
use super::rec::Rec;
use super::scan::Scan;
use super::shape::{self, Shape};
use super::{Read, Source};

/// The lists that are read element by element, in the order in which they must stand.
const LISTS: [&str; 3] = ["alerts", "entities", "relations"];

/// Keys by which an input may be something that holds incidents.
const WRAPPERS: [&str; 4] = ["value", "tables", "object", "metaData"];

/// How far from both ends the name of the format is looked for.
const MARGIN: usize = 2_048;

/// The incident that a text holds, where all of it is as we write it.
pub fn read(text: &str) -> Option<Read> {
    if !names_format(text) {
        return None;
    }
    let mut scan = Scan::of(text);
    scan.open(b'{', 0)?;
    let mut cx = Context::new(Source::GuidedResponse);
    let alerts: OnceCell<Vec<Json<'_>>> = OnceCell::new();
    let mut n = Native::default();
    let mut rest: Vec<Entry<'_>> = Vec::new();
    // How many of the lists are behind us.
    let mut past = 0;
    let mut first = true;
    while scan.more(std::mem::take(&mut first), b'}')? {
        let key = scan.key()?;
        let Some(list) = LISTS.iter().position(|l| *l == key) else {
            if key.contains('.') || LISTS.iter().chain(&WRAPPERS).any(|l| same_key(l, &key)) || rest.iter().any(|(k, _)| *k == key) {
                return None;
            }
            rest.push((key, scan.value(1)?));
            continue;
        };
        if list < past {
            return None;
        }
        past = list.saturating_add(1);
        match list {
            0 => {
                let mut all = Vec::new();
                elements(&mut scan, |_, json| all.push(json))?;
                for (at, json) in alerts.get_or_init(|| all).iter().enumerate() {
                    n.alert(&mut cx, json, &format!("$.alerts[{at}]"));
                }
            }
            1 => {
                let mut path = Path::of("$.entities");
                elements(&mut scan, |at, json| n.entity(&mut cx, &json, path.at(at)))?;
            }
            _ => {
                n.refer(&mut cx);
                let mut path = Path::of("$.relations");
                elements(&mut scan, |at, json| n.relation(&mut cx, &json, path.at(at)))?;
            }
        }
        if cx.is_out_of_bounds() {
            return None;
        }
    }
    if !scan.is_done() {
        return None;
    }
    n.refer(&mut cx);
    rest.sort_by(|a, b| a.0.cmp(&b.0));
    let incident = Json::Map(rest.into_boxed_slice());
    let rec = Rec::new(&incident, "$").filter(|rec| rec.text("id").is_some() && shape::of(&incident) == Shape::Native)?;
    native::headline(&mut cx, &rec);
    native::rest(&mut cx, &rec);
    if cx.is_out_of_bounds() {
        return None;
    }
    cx.finish().ok()
}

/// Whether the format is named near the beginning or the end.
fn names_format(text: &str) -> bool {
    let (start, end) = (text.floor_char_boundary(MARGIN), text.ceil_char_boundary(text.len().saturating_sub(MARGIN)));
    [text.get(..start), text.get(end..)].into_iter().flatten().any(|part| part.contains(native::SCHEMA))
}

/// The path of an element, written over the one before it. There are as many as records: nothing is formatted.
struct Path {
    text: String,
    list: usize,
}

impl Path {
    fn of(list: &str) -> Self {
        let text = format!("{list}[");
        Self { list: text.len(), text }
    }

    fn at(&mut self, at: usize) -> &str {
        self.text.truncate(self.list);
        self.digits(at);
        self.text.push(']');
        &self.text
    }

    fn digits(&mut self, at: usize) {
        if at >= 10 {
            self.digits(at / 10);
        }
        if let Some(digit) = u32::try_from(at % 10).ok().and_then(|digit| char::from_digit(digit, 10)) {
            self.text.push(digit);
        }
    }
}

/// Reads a list of the document and hands over each element.
fn elements<'a>(scan: &mut Scan<'a>, mut each: impl FnMut(usize, Json<'a>)) -> Option<()> {
    scan.open(b'[', 1)?;
    let mut at = 0_usize;
    while scan.more(at == 0, b']')? {
        each(at, scan.value(2)?);
        at = at.saturating_add(1);
    }
    Some(())
}
