//! Keys of maps, and values that come out of a known set.

use super::{Item, What, ids, literal};
use crate::lsp::cursor::MARKER;
use crate::lsp::docs;
use crate::lsp::snapshot::Snapshot;
use crate::lsp::walk::{Place, kind};
use crate::model::Kinds;
use crate::model::kind::PROPS;
use crate::playbook::holds::{Holds, Key, Of};
use crate::playbook::keys::FILES;
use crate::playbook::yaml::Node;

/// Whether a character belongs to a key or an id.
pub(super) fn part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '@')
}

/// The keys of the map at the cursor that are not there yet.
pub(super) fn keys(snapshot: &Snapshot, place: &Place<'_>, tree: &Node, after: &str) -> Vec<Item> {
    let map = place.path.last().map(|s| s.from);
    if place.path.len() == 1 && !matches!(place.within, Holds::Map(_)) {
        return first_keys();
    }
    let colon = after.trim_start().starts_with(':');
    let mut all = rows(snapshot, place, place.within, tree, !colon);
    all.retain(|i| map.is_none_or(|m| m.get(&i.label).is_none()));
    all
}

/// What a file can begin with.
pub(super) fn first_keys() -> Vec<Item> {
    FILES.iter().map(|f| Item::new(f.key, What::Class, f.doc).inserts(format!("{}: ", f.key))).collect()
}

/// The keys that a shape has.
fn rows(snapshot: &Snapshot, place: &Place<'_>, holds: Holds, tree: &Node, colon: bool) -> Vec<Item> {
    match holds {
        Holds::Map(rows) => rows.iter().map(|r| row(r, colon)).chain(whole(rows, colon)).collect(),
        Holds::MapOf(Of::Property, _) => {
            let kinds = place.path.iter().rev().skip(1).find_map(|s| s.key).and_then(|k| kind(&k.text)).map_or(Kinds::ANY, Kinds::one);
            let all = PROPS.iter().filter(|p| !p.kinds.and(kinds).is_none());
            all.map(|p| Item::new(p.name, What::Property, p.doc).inserts(ended(p.name, colon))).collect()
        }
        Holds::MapOf(Of::Param, _) => {
            let action = place.owner().and_then(|c| c.get("action")).and_then(Node::scalar).and_then(|s| snapshot.set.actions.get(&*s.text));
            let all = action.into_iter().flat_map(|a| &a.params);
            all.map(|(n, p)| Item::new(&**n, What::Property, p.values.join(", ")).inserts(ended(n, colon))).collect()
        }
        // What is declared here has no name yet.
        Holds::MapOf(Of::Binding | Of::Condition | Of::Hunt | Of::Signal | Of::Action | Of::List | Of::Type, inner) if place.path.len() <= 2 => {
            let Holds::Map(rows) = inner else { return Vec::new() };
            whole(rows, colon).into_iter().map(|i| Item { rank: 1, ..i }).collect()
        }
        Holds::MapOf(of, _) => ids::of(snapshot, of, Some(tree))
            .into_iter()
            .map(|i| {
                let text = ended(&i.label, colon);
                i.inserts(text)
            })
            .collect(),
        Holds::Either(a, b) => {
            let all = rows(snapshot, place, *a, tree, colon);
            if all.is_empty() { rows(snapshot, place, *b, tree, colon) } else { all }
        }
        _ => Vec::new(),
    }
}

fn ended(name: &str, colon: bool) -> String {
    if colon { format!("{name}: ") } else { name.to_owned() }
}

fn row(r: &Key, colon: bool) -> Item {
    let item = Item::new(r.name, What::Field, r.doc).doc(docs::key(r)).rank(if r.required { 1 } else { 2 });
    if !colon {
        return item;
    }
    let block = match r.holds {
        Holds::Map(_) | Holds::MapOf(..) => Some(format!("{}:\n  $0", r.name)),
        Holds::ListOf(_) => Some(format!("{}:\n  - $0", r.name)),
        Holds::Ids(_) | Holds::Texts => Some(format!("{}: [$0]", r.name)),
        _ => None,
    };
    let item = item.inserts(format!("{}: ", r.name));
    match block {
        Some(s) => item.snippet(s),
        None => item,
    }
}

/// All required keys of a shape at once, with examples.
fn whole(rows: &[Key], colon: bool) -> Option<Item> {
    let named = |name: &str| rows.iter().any(|r| r.name == name);
    let (label, text) = if named("action") && named("after") {
        ("new card", "id: ${1:name}\naction: ${2:action}\nfor: ${3:user} in ${4:users}\nwhen: ${5:test}\nwhy: '${6:the reason}'")
    } else if named("if") && named("pass") {
        ("new condition", "${1:name}:\n  with: ${2:user}\n  if: '${3:test}'\n  pass: '${4:it holds}'\n  fail: '${5:it does not hold}'")
    } else if named("kql") {
        ("new hunt", "${1:name}:\n  title: ${2:what it looks for}\n  with: { ${3:user}: ${4:user} }\n  kql: |\n    ${5:table}")
    } else if named("classify") {
        ("new arm", "classify: ${1:true_positive}\ndetermination: ${2:phishing}\nconfidence: ${3:80}\nwhen: ${4:test}\nwhy: '${5:the reason}'")
    } else if named("expect") && named("given") {
        ("new test", "name: ${1:what it shows}\nincident: ${2:fixtures/incident.json}\nexpect:\n  triage: ${3:true_positive}\n  cards: [$4]")
    } else {
        return None;
    };
    if !colon {
        return None;
    }
    Some(Item::new(label, What::Snippet, "all that it needs").inserts(text_of(text)).snippet(text).rank(0))
}

/// A snippet without its marks.
fn text_of(snippet: &str) -> String {
    let mut out = String::new();
    let mut rest = snippet;
    while let Some((front, tail)) = rest.split_once("${") {
        out.push_str(front);
        let (hole, after) = tail.split_once('}').unwrap_or((tail, ""));
        out.push_str(hole.split_once(':').map_or("", |(_, word)| word));
        rest = after;
    }
    out.push_str(rest);
    out.replace("$4", "").replace("$0", "")
}

/// Values at the cursor.
pub(super) fn values(snapshot: &Snapshot, place: &Place<'_>, tree: &Node) -> Vec<Item> {
    let words = |all: Vec<&'static str>| -> Vec<Item> { all.into_iter().map(|w| Item::new(w, What::EnumMember, "")).collect() };
    match place.holds {
        Holds::Word(all) => words(all()),
        Holds::Flag => words(vec!["true", "false"]),
        Holds::Id(of) => without(ids::of(snapshot, of, Some(tree)), place),
        Holds::Either(a, b) => [a, b].into_iter().flat_map(|h| values(snapshot, &Place { holds: *h, ..place.clone() }, tree)).collect(),
        Holds::Map(_) | Holds::MapOf(..) => rows(snapshot, place, place.holds, tree, true),
        Holds::ListOf(Holds::Map(rows)) => whole(rows, true).map(listed).into_iter().collect(),
        Holds::Text if place.path.last().and_then(|s| s.key).is_some_and(|k| &*k.text == "determination") => determinations(snapshot),
        Holds::Text if place.key(2) == Some("params") => params(snapshot, place),
        Holds::Text if place.key(0) == Some("tests") && place.key(3) == Some("hunts") => ids::of(snapshot, Of::Hunt, Some(tree)),
        Holds::Text | Holds::Version | Holds::Day | Holds::Number(..) | Holds::Any => example(place),
        _ => Vec::new(),
    }
}

/// As the first item of a list that begins on the next line.
fn listed(item: Item) -> Item {
    let below = |t: &str| format!("\n  - {}", t.replace('\n', "\n    "));
    Item { insert: item.insert.as_deref().map(below), snippet: item.snippet.as_deref().map(below), ..item }
}

/// The ids that do not stand in the same list already.
fn without(all: Vec<Item>, place: &Place<'_>) -> Vec<Item> {
    let there = place.path.last().map(|s| ids::texts(s.from)).filter(|_| place.path.last().is_some_and(|s| s.key.is_none())).unwrap_or_default();
    all.into_iter().filter(|i| !there.contains(&i.label)).collect()
}

/// The example of the key, while nothing is written.
fn example(place: &Place<'_>) -> Vec<Item> {
    let blank = place.node.scalar().is_some_and(|s| &*s.text == MARKER);
    let row = place.row.filter(|r| blank && !r.example.is_empty() && place.path.last().is_some_and(|s| s.key.is_some()));
    row.map(|r| Item::new(r.example, What::Value, "for example").snippet(format!("${{1:{}}}", literal(r.example)))).into_iter().collect()
}

/// The determinations that playbooks give.
fn determinations(snapshot: &Snapshot) -> Vec<Item> {
    let mut all: Vec<String> = snapshot.set.playbooks.iter().flat_map(|p| &p.triage).filter_map(|a| a.determination.clone()).collect();
    all.sort();
    all.dedup();
    all.into_iter().map(|d| Item::new(d, What::EnumMember, "a determination")).collect()
}

/// The values of a parameter of the card's action.
fn params(snapshot: &Snapshot, place: &Place<'_>) -> Vec<Item> {
    let action = place.owner().and_then(|c| c.get("action")).and_then(Node::scalar).and_then(|s| snapshot.set.actions.get(&*s.text));
    let param = action.zip(place.key(3)).and_then(|(a, name)| a.params.get(name));
    param.into_iter().flat_map(|p| p.values.iter()).map(|v| Item::new(v.clone(), What::EnumMember, "")).collect()
}
