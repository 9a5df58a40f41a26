//! What can be written inside an expression: names, members by the type of what is before the dot, ids inside texts.

use super::{Item, What, ids, literal};
use crate::lsp::asking::{Asking, Locals};
use crate::lsp::docs;
use crate::lsp::snapshot::Snapshot;
use crate::model::{Kind, Kinds, Level};
use crate::playbook::holds::Of;
use crate::playbook::speech::Speech;
use crate::script::Ty;
use crate::script::fields::{field, field_names};
use crate::script::functions::{self, CLOSURES, Function, Pat};

/// Whether a character belongs to a word of an expression.
pub(super) fn part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What can follow a text.
pub(super) fn names(snapshot: &Snapshot, text: &str, speech: &Speech, locals: Locals) -> Vec<Item> {
    let asking = Asking::new(text, speech, locals);
    let t = &asking.tokens;
    let last = t.all.len().checked_sub(1);
    // Inside a text that is not closed yet.
    if let Some(n) = last.filter(|n| open_text(t.word(*n))) {
        return texts(snapshot, &asking, n);
    }
    // A word that is being typed is replaced; it touches the cursor.
    let word = last.filter(|n| t.is_word(*n) && t.all.get(*n).is_some_and(|x| x.end == text.len()));
    let dot = match word {
        Some(n) => n.checked_sub(1),
        None => last,
    };
    if let Some(dot) = dot.filter(|n| matches!(t.word(*n), "." | "?.")) {
        // A range of numbers and a fraction have dots as well.
        let Some(receiver) = t.receiver(dot) else { return Vec::new() };
        if text.get(receiver.clone()) == Some("lists") {
            return ids::of(snapshot, Of::List, None);
        }
        let at = t.all.get(dot).map_or(0, |x| x.start);
        let on = text.get(receiver).and_then(|r| speech.type_of(r, &asking.locals_at(at)));
        return on.map(|ty| members(&ty)).unwrap_or_default();
    }
    if t.declares(last.map_or(0, |n| n.saturating_add(1))) && word.is_none() || word.is_some_and(|n| t.declares(n)) {
        return Vec::new();
    }
    all_names(&asking, text.len())
}

fn open_text(word: &str) -> bool {
    let mut chars = word.chars();
    if chars.next() != Some('"') {
        return false;
    }
    let mut escaped = false;
    for c in chars {
        if c == '"' && !escaped {
            return false;
        }
        escaped = c == '\\' && !escaped;
    }
    true
}

/// What can stand behind a dot after a value of this type.
fn members(on: &Ty) -> Vec<Item> {
    let mut all = Vec::new();
    if let Ty::Map(keys) = on {
        all.extend(keys.iter().map(|(k, ty)| Item::new(&**k, What::Property, ty.to_string()).rank(1)));
    }
    for name in field_names(on) {
        let Some((_, ty, maybe)) = field(on, name) else { continue };
        let detail = if maybe { format!("{ty}, may be absent") } else { ty.to_string() };
        all.push(Item::new(name, What::Property, detail).doc(docs::member(on, name).unwrap_or_default()).rank(2));
    }
    if matches!(on, Ty::List(_)) {
        for (name, doc, ..) in CLOSURES {
            let item = Item::new(*name, What::Method, *doc).doc(docs::closure(name).unwrap_or_default()).rank(1);
            all.push(item.inserts(format!("{name}(")).snippet(format!("{name}(|${{1:x}}| $0)")));
        }
    }
    all.extend(functions::all().filter(|f| f.on != Pat::Free && f.on.takes(on, on)).map(|f| call(f, 3)));
    all.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    all.dedup_by(|a, b| a.label == b.label && a.what == b.what);
    all
}

fn call(f: &Function, rank: u8) -> Item {
    let what = if f.on == Pat::Free { What::Function } else { What::Method };
    let params: Vec<String> = f
        .params
        .iter()
        .zip(1usize..)
        .map(|((name, pat), n)| if pat.literal() || *pat == Pat::Duration { format!("\"${{{n}:{name}}}\"") } else { format!("${{{n}:{name}}}") })
        .collect();
    let plain = if f.params.is_empty() { format!("{}()", f.name) } else { format!("{}(", f.name) };
    Item::new(f.name, what, f.signature()).doc(docs::function(f)).inserts(plain).snippet(format!("{}({})", f.name, params.join(", "))).rank(rank)
}

/// Every name that an expression has.
fn all_names(asking: &Asking<'_>, at: usize) -> Vec<Item> {
    let mut all = Vec::new();
    for (name, ty) in asking.locals_at(at) {
        all.push(Item::new(&*name, What::Variable, ty.to_string()).rank(0));
    }
    for (name, e) in asking.speech.bindings() {
        all.push(Item::new(&**name, What::Variable, format!("{}, a binding", e.ty)).rank(1));
    }
    for (name, c) in asking.speech.conditions() {
        let item = Item::new(&**name, What::Function, "a condition").rank(1);
        if c.params.is_empty() {
            all.push(item);
            continue;
        }
        let params: Vec<String> = c.params.iter().zip(1usize..).map(|((p, _), n)| format!("${{{n}:{}}}", literal(p))).collect();
        all.push(item.inserts(format!("{name}(")).snippet(format!("{name}({})", params.join(", "))));
    }
    all.push(Item::new("incident", What::Variable, Ty::Incident.to_string()).rank(2));
    all.push(Item::new("alerts", What::Variable, Ty::list(Ty::Alert).to_string()).rank(2));
    all.push(Item::new("lists", What::Variable, "the named lists").inserts("lists.").rank(2));
    for kind in Kind::ALL {
        all.push(Item::new(kind.collection(), What::Variable, format!("list of {kind}")).rank(3));
    }
    all.extend(functions::all().filter(|f| f.on == Pat::Free).map(|f| call(f, 4)));
    // What is innermost hides what has the same name outside.
    let mut seen = std::collections::BTreeSet::new();
    all.reverse();
    all.sort_by_key(|i| i.rank);
    all.retain(|i| seen.insert(i.label.clone()));
    all
}

/// What can be written into a text.
fn texts(snapshot: &Snapshot, asking: &Asking<'_>, n: usize) -> Vec<Item> {
    let t = &asking.tokens;
    let at = t.all.get(n).map_or(0, |x| x.start);
    let words = |all: &[&str], what: &str| -> Vec<Item> { all.iter().map(|w| Item::new(*w, What::EnumMember, what)).collect() };
    if let Some((name, _)) = t.call(at) {
        let function = t.word(name);
        let kinds = match asking.receiver_type(name) {
            Some(Ty::Entity(kinds)) => kinds,
            _ => Kinds::ANY,
        };
        match t.text_is(n) {
            Some(Pat::Relation) => {
                let all = docs::relations(function, kinds).into_iter();
                return all.map(|r| Item::new(r, What::EnumMember, "a relation").doc(docs::relation(r).unwrap_or_default())).collect();
            }
            Some(Pat::KindName) => return ids::of(snapshot, Of::Kind, None),
            Some(Pat::Signal) => return ids::of(snapshot, Of::Signal, None),
            Some(Pat::Technique) => return ids::of(snapshot, Of::Technique, None),
            Some(Pat::ListId) => return ids::of(snapshot, Of::List, None),
            Some(Pat::Tactic) => return words(crate::model::technique::TACTICS, "a tactic"),
            Some(Pat::LevelWord) => return words(&levels(), "a level"),
            _ => {}
        }
        match function {
            "has_role" => return ids::roles(snapshot),
            "has_tag" => return ids::tags(snapshot),
            _ => {}
        }
    }
    // Beside a comparison, what the other side can be.
    let Some(sign) = n.checked_sub(1).filter(|s| matches!(t.word(*s), "==" | "!=" | "<" | "<=" | ">" | ">=")) else { return Vec::new() };
    let side = t.receiver(sign).and_then(|r| t.text.get(r));
    let ty = side.and_then(|s| asking.speech.type_of(s, &asking.locals_at(at)));
    match (ty, sign.checked_sub(1).map(|w| t.word(w))) {
        (Some(Ty::Level), _) => words(&levels(), "a level"),
        (_, Some("verdict")) => words(&["malicious", "suspicious", "unknown", "no_threats_found"], "a verdict"),
        (_, Some("kind")) => ids::of(snapshot, Of::Kind, None),
        (_, Some("basis")) => words(&["record", "signal", "co-occurrence"], "a basis"),
        _ => Vec::new(),
    }
}

fn levels() -> Vec<&'static str> {
    Level::ALL.iter().map(|l| l.word()).collect()
}
