//! `docs/functions.md`, written from the tables: functions, closures, fields, properties and relations.

use std::fmt::Write as _;

use super::{CLOSURES, Function, Pat, all};
use crate::model::kind::{PROPS, PropType, RELATIONS};
use crate::model::{Kind, Kinds};
use crate::script::fields::{AlertField, EdgeField, EntityField, IncidentField, PairField};
use crate::script::ty::Ty;

const HEAD: &str = "# Functions, fields and relations

Written from the program's own tables; `UPDATE_WRITTEN=1 cargo test --test it` writes it again.

What a condition can say. Each example is run by a test, over the incident in `tests/data/incidents/example.json`.
\"May be absent\" means that nothing may be recorded: then every comparison and text test is false, and reading on gives
absent. What is true or false is never absent, and a list is empty rather than absent.

";

/// The whole page, in Markdown.
pub fn page() -> String {
    let mut out = String::from(HEAD);
    let mut group = "";
    for f in all() {
        if f.group != group {
            group = f.group;
            let _ = write!(out, "## {group}\n\n");
        }
        function(&mut out, f);
    }
    out.push_str("## Closures\n\nOn every list; the closure is written `|x| …`, with a name of your own for `x`.\n\n");
    for (name, doc, example, value) in CLOSURES {
        let _ = write!(out, "### `a list.{name}(|x| …)`\n\n{}.\n\n```\n{example}  // {value}\n```\n\n", upper_first(doc));
    }
    out.push_str("## Fields\n\n");
    table(&mut out, "Every entity", EntityField::all().into_iter().map(|(_, n, t, m, d)| (n, t, m, d)));
    table(&mut out, "An alert", AlertField::all().into_iter().map(|(_, n, t, m, d)| (n, t, m, d)));
    table(&mut out, "The incident", IncidentField::all().into_iter().map(|(_, n, t, m, d)| (n, t, m, d)));
    table(&mut out, "An edge", EdgeField::all().into_iter().map(|(_, n, t, m, d)| (n, t, m, d)));
    table(&mut out, "A pair of edges", PairField::all().into_iter().map(|(_, n, t, m, d)| (n, t, m, d)));
    out.push_str("## Properties by kind\n\nWhat an entity of a kind has besides the fields of every entity. `users` is the collection of all of kind `user`.\n\n");
    for kind in Kind::ALL {
        let own: Vec<_> = PROPS.iter().filter(|p| p.kinds.has(*kind)).collect();
        let heading = format!("`{kind}`, `{}`", kind.collection());
        if own.is_empty() {
            let _ = write!(out, "### {heading}\n\nNothing of its own.\n\n");
        } else {
            table(&mut out, &heading, own.into_iter().map(|p| (p.name, Ty::of_prop(p.ty), absent(p.ty), p.doc)));
        }
    }
    out.push_str("## Relations\n\nA relation that cannot leave or arrive at a kind is refused when the playbook loads.\n\n| from | relation | to | it says |\n|---|---|---|---|\n");
    for r in RELATIONS {
        let _ = writeln!(out, "| {} | `{}` | {} | {} |", kinds(r.from), r.name, kinds(r.to), cell(r.doc));
    }
    out
}

fn function(out: &mut String, f: &Function) {
    let on = if f.on == Pat::Free { String::new() } else { format!("{}.", f.on.describe()) };
    let params: Vec<String> = f.params.iter().map(|(n, p)| format!("{n}: {}", p.describe())).collect();
    let absent = if f.maybe { ", which may be absent" } else { "" };
    let _ = write!(
        out,
        "### `{on}{}({})`\n\n{} Gives {}{absent}.\n\n```\n{}  // {}\n```\n\n",
        f.name,
        params.join(", "),
        f.doc,
        f.ret.describe(),
        f.example.0,
        f.example.1
    );
}

fn table<'a>(out: &mut String, heading: &str, rows: impl Iterator<Item = (&'a str, Ty, bool, &'a str)>) {
    let _ = write!(out, "### {heading}\n\n| name | type | what it holds |\n|---|---|---|\n");
    for (name, ty, maybe, doc) in rows {
        let ty = match ty {
            Ty::Unknown => "an edge".to_owned(),
            Ty::Entity(_) => "an entity".to_owned(),
            t => t.to_string(),
        };
        let _ = writeln!(out, "| `{name}` | {ty}{} | {} |", if maybe { ", may be absent" } else { "" }, cell(doc));
    }
    out.push('\n');
}

fn absent(ty: PropType) -> bool {
    Ty::of_prop(ty).can_be_absent()
}

fn kinds(all: Kinds) -> String {
    if all == Kinds::ANY { "any".to_owned() } else { all.iter().map(Kind::word).collect::<Vec<_>>().join(", ") }
}

/// A text inside a table of Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
