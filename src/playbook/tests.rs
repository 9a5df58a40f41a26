//! The `tests:` section of a playbook: incidents, and what is expected of them. Read from the file again by those who
//! test, so that nobody else pays for it.

mod expect;
mod given;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use expect::{Expect, Told, Wanted};
use given::json;

use super::keys;
use super::limits;
use super::read::{Fields, Reader};
use super::set::Playbook;
use super::yaml::{self, Node};
use crate::diag::{Diagnostic, codes, nearest};
use crate::intake::patch::OPERATIONS;
use crate::model::Time;
use crate::source::{Scalar, Sources, Span};

/// A test of a playbook.
#[derive(Clone, Debug)]
pub struct Test {
    /// What it shows.
    pub name: Arc<str>,
    /// Where its name stands.
    pub span: Span,
    /// The incident before it is changed.
    pub incident: Given,
    /// What is changed in it: by the tests that this one starts from, then by itself.
    pub patch: Vec<Arc<Operation>>,
    /// What named lists hold in it, in place of what they hold otherwise; and where each is named.
    pub lists: BTreeMap<Arc<str>, (Vec<String>, Span)>,
    /// The moment for `now()`.
    pub now: Option<Time>,
    /// Why it is known to fail, if it is; empty where no reason is given.
    pub todo: Option<String>,
    /// What must come out.
    pub expect: Expect,
}

/// Where the incident of a test comes from.
#[derive(Clone, Debug)]
pub enum Given {
    /// A file, by its path from the playbook's own file, and where that is written.
    File(Arc<str>, Span),
    /// An incident in our own format, and where it is written.
    Inline(Arc<serde_json::Value>, Span),
}

/// A change of an incident.
#[derive(Clone, Debug)]
pub struct Operation {
    /// As `intake::patch` reads it.
    pub value: serde_json::Value,
    /// Where it is written.
    pub span: Span,
}

/// The tests in the playbook's own file, and what is wrong with them. A test that has an error is left out.
pub fn tests(sources: &Sources, playbook: &Playbook) -> (Vec<Test>, Vec<Diagnostic>) {
    let Some(file) = sources.get(playbook.span.file) else { return (Vec::new(), Vec::new()) };
    let mut reader = Reader { sources, out: Vec::new() };
    // The rules of the file were read when it was compiled: what is no YAML is in this section.
    let Some(tree) = yaml::parse(playbook.span.file, file, &mut reader.out) else { return (Vec::new(), reader.out) };
    let nodes = tree.get("tests").map(|n| reader.list(n, "`tests`")).unwrap_or_default();
    let mut read: Vec<Own<'_>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for node in nodes {
        let Some(own) = own(&mut reader, node, playbook) else { continue };
        if let Some(first) = places.get(&*own.name.text).and_then(|n| read.get(*n)) {
            let d = Diagnostic::error(codes::DUPLICATE_ID, own.name.span, format!("two tests are called `{}`", own.name.text));
            reader.report(d.at(first.name.span, "first here").help("a test is told by its name: give them two"));
            continue;
        }
        places.insert(&own.name.text, read.len());
        read.push(own);
    }
    let mut all = Vec::new();
    for own in &read {
        // Where it starts, and the tests on the way there.
        let mut way = vec![own];
        let base = loop {
            let Some(last) = way.last() else { break None };
            match &last.from {
                From::Given(given) => break Some(given.clone()),
                From::Broken => break None,
                From::Test(name) => match places.get(&*name.text).and_then(|n| read.get(*n)) {
                    None => {
                        if way.len() == 1 && !nodes.iter().any(|n| n.get("name").and_then(Node::scalar).is_some_and(|s| s.text == name.text)) {
                            let help = nearest(&name.text, places.keys().copied())
                                .map_or_else(|| "`from` names a test of this file".to_owned(), |k| format!("did you mean `{k}`?"));
                            reader.error_help(codes::UNKNOWN_REF, name.span, format!("there is no test `{}` in this file", name.text), help);
                        }
                        break None;
                    }
                    Some(next) if way.iter().any(|w| w.name.span == next.name.span) => {
                        if next.name.span == own.name.span {
                            let message = if way.len() == 1 {
                                format!("`{}` starts from itself", own.name.text)
                            } else {
                                "these tests start from one another".to_owned()
                            };
                            reader.error_help(codes::CYCLE, name.span, message, "one of them needs `given` or `incident`");
                        }
                        break None;
                    }
                    Some(_) if way.len() >= limits::TEST_DEPTH => {
                        let message =
                            format!("`{}` starts from a test that starts from another one, more than {} times", own.name.text, limits::TEST_DEPTH);
                        reader.error_help(codes::LIMIT, own.name.span, message, "give it an incident of its own");
                        break None;
                    }
                    Some(next) => way.push(next),
                },
            }
        };
        if base.is_some() && way.iter().map(|w| w.patch.len()).fold(0, usize::saturating_add) > OPERATIONS {
            let message = format!("more than {OPERATIONS} changes lead to the incident of `{}`", own.name.text);
            reader.error_help(codes::LIMIT, own.name.span, message, "give it an incident of its own");
            continue;
        }
        let (Some(incident), Some(expect), true) = (base, &own.expect, way.iter().all(|w| w.sound)) else { continue };
        all.push(Test {
            name: own.name.text.clone(),
            span: own.name.span,
            incident,
            patch: way.iter().rev().flat_map(|w| w.patch.iter().cloned()).collect(),
            lists: way.iter().rev().flat_map(|w| w.lists.clone()).collect(),
            now: way.iter().find_map(|w| w.now),
            todo: own.todo.clone(),
            expect: expect.clone(),
        });
    }
    let mut out = reader.out;
    crate::diag::sort(&mut out);
    (all, out)
}

/// A test as it is written.
struct Own<'n> {
    name: &'n Scalar,
    from: From<'n>,
    patch: Vec<Arc<Operation>>,
    lists: BTreeMap<Arc<str>, (Vec<String>, Span)>,
    now: Option<Time>,
    todo: Option<String>,
    expect: Option<Expect>,
    /// Whether its changes and its moment could be read.
    sound: bool,
}

enum From<'n> {
    Given(Given),
    Test(&'n Scalar),
    /// It was told what is wrong.
    Broken,
}

fn own<'n>(reader: &mut Reader<'_>, node: &'n Node, playbook: &Playbook) -> Option<Own<'n>> {
    let fields = reader.keys(node, "a test", keys::TEST);
    let name = fields.get("name").and_then(|n| reader.text(n, "`name`"));
    let from = from(reader, node, &fields);
    let mut patch = Vec::new();
    let mut sound = true;
    for n in fields.get("patch").map(|n| reader.list(n, "`patch`")).unwrap_or_default() {
        match json(reader, n) {
            Some(value) => patch.push(Arc::new(Operation { value, span: n.span })),
            None => sound = false,
        }
    }
    let lists = fields.get("lists").map(|n| reader.ids(n, "`lists`")).unwrap_or_default();
    let lists = lists.into_iter().map(|(id, n)| {
        let values = reader.texts(n, &id.text).iter().map(|v| v.text.to_string()).collect();
        (id.text.clone(), (values, id.span))
    });
    let lists = lists.collect();
    let now = fields.get("now").and_then(|n| reader.text(n, "`now`")).and_then(|s| {
        let time = crate::model::time::time(&s.text);
        if time.is_none() {
            sound = false;
            reader.error_help(codes::PATTERN, s.span, format!("`{}` is not a moment", s.text), "moments are written as in 2026-01-12T09:30:00Z");
        }
        time
    });
    let todo = fields.get("todo").and_then(|n| reader.text(n, "`todo`")).and_then(|s| match &*s.text {
        "false" => None,
        "true" => Some(String::new()),
        why => Some(why.to_owned()),
    });
    let expect = fields.raw("expect").and_then(|n| expect::read(reader, n, playbook));
    Some(Own { name: name?, from, patch, lists, now, todo, expect, sound })
}

/// Where the incident comes from: one of three.
fn from<'n>(reader: &mut Reader<'_>, node: &'n Node, fields: &Fields<'n>) -> From<'n> {
    let given: Vec<(&str, &Node)> = ["incident", "given", "from"].into_iter().filter_map(|k| Some((k, fields.get(k)?))).collect();
    let (key, n) = match given.as_slice() {
        [one] => *one,
        [] => {
            if !fields.bad {
                let span = fields.raw("name").map_or(node.span, |n| n.span);
                reader.error_help(
                    codes::MISSING_KEY,
                    span,
                    "this test has no incident",
                    "add `given:`, `incident: FILE`, or `from: ANOTHER TEST` with a `patch:`",
                );
            }
            return From::Broken;
        }
        [(one, _), (other, n), ..] => {
            let help = "to change the incident of another test, use `from` and `patch`";
            reader.error_help(codes::WRONG_SHAPE, n.span, format!("a test has `{one}` or `{other}`, not both"), help);
            return From::Broken;
        }
    };
    match key {
        "incident" => reader.text(n, "`incident`").map_or(From::Broken, |s| From::Given(Given::File(s.text.clone(), s.span))),
        "given" => given::inline(reader, n).map_or(From::Broken, |v| {
            let head = n.entries().first().map_or(n.span, |(k, _)| k.span);
            From::Given(Given::Inline(Arc::new(v), head))
        }),
        _ => reader.text(n, "`from`").map_or(From::Broken, From::Test),
    }
}
