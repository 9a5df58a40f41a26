//! Our own format read element by element, so that no tree of the whole document is made.
//!
//! It says nothing itself: where anything is out of the ordinary (broken text, a limit, a key in another spelling or
//! twice, another order of the lists) it gives up, and [`native`] reads the whole tree and finds the words.

use std::cell::OnceCell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use super::context::Context;
use super::json::{Entry, Json, Key, Open, Reader, Seed, same_key};
use super::native::{self, Native};
use super::rec::Rec;
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
    let mut de = serde_json::Deserializer::from_str(text);
    let (reader, open) = (Reader::default(), Open::default());
    let read = de.deserialize_map(Root(reader.at(&open, 0))).ok()?;
    de.end().ok()?;
    (!reader.has_long()).then_some(read)
}

/// Whether the format is named near the beginning or the end.
fn names_format(text: &str) -> bool {
    let (start, end) = (text.floor_char_boundary(MARGIN), text.ceil_char_boundary(text.len().saturating_sub(MARGIN)));
    [text.get(..start), text.get(end..)].into_iter().flatten().any(|part| part.contains(native::SCHEMA))
}

/// Why reading element by element ends here; nobody sees it.
fn give_up<E: Error>() -> E {
    E::custom("out of the ordinary")
}

struct Root<'r, 'de>(Seed<'r, 'de>);

impl<'de> Visitor<'de> for Root<'_, 'de> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an incident")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let root = self.0;
        root.count()?;
        let mut cx = Context::new(Source::GuidedResponse);
        let alerts: OnceCell<Vec<Json<'de>>> = OnceCell::new();
        let mut n = Native::default();
        let mut rest: Vec<Entry<'de>> = Vec::new();
        // How many of the lists are behind us.
        let mut past = 0;
        while let Some(Key(key)) = map.next_key()? {
            let Some(list) = LISTS.iter().position(|l| *l == key) else {
                if key.contains('.') || LISTS.iter().chain(&WRAPPERS).any(|l| same_key(l, &key)) || rest.iter().any(|(k, _)| *k == key) {
                    return Err(give_up());
                }
                rest.push((key, map.next_value_seed(root.deeper())?));
                continue;
            };
            if list < past {
                return Err(give_up());
            }
            past = list.saturating_add(1);
            match list {
                0 => {
                    let mut all = Vec::new();
                    map.next_value_seed(Elements { list: root.deeper(), each: |_, json| all.push(json) })?;
                    for (at, json) in alerts.get_or_init(|| all).iter().enumerate() {
                        n.alert(&mut cx, json, &format!("$.alerts[{at}]"));
                    }
                }
                1 => {
                    let mut path = String::new();
                    map.next_value_seed(Elements {
                        list: root.deeper(),
                        each: |at, json| n.entity(&mut cx, &json, at_list(&mut path, "entities", at)),
                    })?;
                }
                _ => {
                    n.refer(&mut cx);
                    let mut path = String::new();
                    map.next_value_seed(Elements {
                        list: root.deeper(),
                        each: |at, json| n.relation(&mut cx, &json, at_list(&mut path, "relations", at)),
                    })?;
                }
            }
            if cx.is_out_of_bounds() {
                return Err(give_up());
            }
        }
        n.refer(&mut cx);
        rest.sort_by(|a, b| a.0.cmp(&b.0));
        let incident = Json::Map(rest.into_boxed_slice());
        let rec = Rec::new(&incident, "$").filter(|rec| rec.text("id").is_some() && shape::of(&incident) == Shape::Native).ok_or_else(give_up)?;
        native::headline(&mut cx, &rec);
        native::rest(&mut cx, &rec);
        if cx.is_out_of_bounds() {
            return Err(give_up());
        }
        cx.finish().map_err(|_| give_up())
    }
}

/// The path of an element, written over the last one. There are as many as records: nothing is formatted.
fn at_list<'p>(path: &'p mut String, list: &str, at: usize) -> &'p str {
    path.clear();
    ["$.", list, "[", &at.to_string(), "]"].iter().for_each(|part| path.push_str(part));
    path
}

/// Reads a list and hands over each element.
struct Elements<'r, 'de, F> {
    list: Seed<'r, 'de>,
    each: F,
}

impl<'de, F: FnMut(usize, Json<'de>)> DeserializeSeed<'de> for Elements<'_, 'de, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(usize, Json<'de>)> Visitor<'de> for Elements<'_, 'de, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let list = self.list;
        list.count()?;
        let mut at = 0_usize;
        while let Some(json) = seq.next_element_seed(list.deeper())? {
            (self.each)(at, json);
            at = at.saturating_add(1);
        }
        Ok(())
    }
}
