//! What is said of names, for hover and completion: Markdown from the program's own tables.

use super::snapshot::Snapshot;
use super::walk::kind;
use crate::card::render::Md;
use crate::model::kind::RELATIONS;
use crate::model::technique::technique;
use crate::model::{Kinds, Prop, Rel};
use crate::playbook::holds::{Key, Of};
use crate::script::fields::{AlertField, EdgeField, EntityField, Field, IncidentField, PairField, field};
use crate::script::functions::{self, CLOSURES, Function, Pat};
use crate::script::ty::Ty;

/// What is known of a key of a file.
pub fn key(row: &Key) -> String {
    let mut out = format!("**{}**{}: {}", row.name, if row.required { " (required)" } else { "" }, row.doc);
    if let crate::playbook::holds::Holds::Word(words) = row.holds {
        out.push_str(&format!("\n\n{}", words().iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" · ")));
    }
    if !row.example.is_empty() {
        out.push_str(&format!("\n\n```yaml\n{}: {}\n```", row.name, row.example));
    }
    out
}

/// The functions of this name that can be called on a type; free ones without it.
pub fn functions_on(name: &str, on: Option<&Ty>) -> Vec<&'static Function> {
    functions::all()
        .filter(|f| f.name == name)
        .filter(|f| match on {
            Some(ty) => f.on.takes(ty, ty),
            None => f.on == Pat::Free,
        })
        .collect()
}

/// What is known of a function.
pub fn function(f: &Function) -> String {
    let absent = if f.maybe { ", which may be absent" } else { "" };
    format!("```rhai\n{}\n```\n{} Gives {}{absent}.\n\n```rhai\n{}  // {}\n```", f.signature(), f.doc, f.ret.describe(), f.example.0, f.example.1)
}

/// What is known of a function that takes a closure.
pub fn closure(name: &str) -> Option<String> {
    let (name, doc, example, value) = CLOSURES.iter().find(|c| c.0 == name)?;
    Some(format!("```rhai\na list.{name}(|x| …)\n```\n{doc}\n\n```rhai\n{example}  // {value}\n```"))
}

/// What is known of what stands behind a dot without parentheses.
pub fn member(on: &Ty, name: &str) -> Option<String> {
    let (f, ty, maybe) = field(on, name)?;
    let doc = match f {
        Field::Prop(p) => Prop::spec(p).doc,
        Field::Entity(_) => EntityField::all().into_iter().find(|x| x.1 == name)?.4,
        Field::Alert(_) => AlertField::all().into_iter().find(|x| x.1 == name)?.4,
        Field::Incident(_) => IncidentField::all().into_iter().find(|x| x.1 == name)?.4,
        Field::Edge(_) => EdgeField::all().into_iter().find(|x| x.1 == name)?.4,
        Field::Pair(_) => PairField::all().into_iter().find(|x| x.1 == name)?.4,
    };
    let absent = if maybe { "; may be absent" } else { "" };
    Some(format!("**{name}** of {on}: {ty}{absent}\n\n{doc}"))
}

/// What is known of a relation.
pub fn relation(name: &str) -> Option<String> {
    let r = Rel::named(name)?.spec();
    Some(format!("**{}**: {} → {}\n\n{}", r.name, r.from, r.to, r.doc))
}

/// The relations that a function can be asked for on an entity of these kinds.
pub fn relations(function: &str, kinds: Kinds) -> Vec<&'static str> {
    let fits = |r: &&crate::model::kind::RelationSpec| {
        let (from, to) = (!r.from.and(kinds).is_none(), !r.to.and(kinds).is_none());
        match function {
            "into" => to,
            "edges" | "possible" => from || to,
            _ => from,
        }
    };
    RELATIONS.iter().filter(fits).map(|r| r.name).collect()
}

/// What is known of something with a name: a signal, an action, a list and so on.
pub fn named(snapshot: &Snapshot, of: Of, name: &str) -> Option<String> {
    let set = &snapshot.set;
    Some(match of {
        Of::Action => {
            let a = set.actions.get(name)?;
            let mut lines = vec![format!("**{}** `{}`: {}", Md::text(&a.title).into_string(), a.id, a.phase.word())];
            if !a.description.is_empty() {
                lines.push(Md::text(&a.description).into_string());
            }
            let what = if a.incident { "the incident".to_owned() } else { a.kinds.to_string() };
            lines.push(format!("applies to {what} · impact {}", a.impact));
            let mut more = |word: &str, all: &[String]| {
                if !all.is_empty() {
                    lines.push(format!("{word}: {}", all.iter().map(|t| Md::text(t).into_string()).collect::<Vec<_>>().join("; ")));
                }
            };
            more("permissions", &a.permissions);
            more("effects", &a.effects);
            more("before it", &a.prerequisites);
            if let Some(undo) = &a.undo {
                lines.push(format!("undo: `{undo}`"));
            }
            for (name, p) in &a.params {
                let values = if p.values.is_empty() { "any text".to_owned() } else { p.values.join(", ") };
                lines.push(format!("parameter `{name}`: {values}{}", p.default.as_ref().map(|d| format!(" (default {d})")).unwrap_or_default()));
            }
            for g in &a.never {
                let why: String = g.why.parts.iter().map(part).collect();
                lines.push(format!("never: {}", Md::text(&why).into_string()));
            }
            lines.join("\n\n")
        }
        Of::Signal => {
            let s = set.signals.iter().find(|s| &*s.id == name)?;
            format!("**{}** signal `{}`", Md::text(&s.title).into_string(), s.id)
        }
        Of::Type => {
            let t = set.types.iter().find(|t| &*t.id == name)?;
            format!("**{}** incident type `{}`", Md::text(&t.title).into_string(), t.id)
        }
        Of::List => {
            let l = set.lists.iter().find(|l| &*l.id == name)?;
            format!("list `{}`: {} values{}", l.id, l.len, l.tag.as_ref().map(|t| format!(", tag `{t}`")).unwrap_or_default())
        }
        Of::Playbook => {
            let p = set.playbooks.iter().find(|p| &*p.id == name)?;
            format!("**{}** playbook `{}` {} ({})", Md::text(&p.title).into_string(), p.id, p.version, p.status.word())
        }
        Of::Library => {
            let f = snapshot.library(name)?;
            let title = f.tree.as_ref().and_then(|t| t.get("title")).and_then(|n| n.scalar()).map(|s| s.text.to_string()).unwrap_or_default();
            let own: Vec<String> = f.names.own.iter().map(|n| format!("`{n}`")).collect();
            format!("**{}** library `{name}`\n\n{}", Md::text(&title).into_string(), own.join(", "))
        }
        Of::Technique => {
            let t = technique(name)?;
            format!("**{} {}**\n\ntactics: {}", t.id, t.name, t.tactics)
        }
        Of::Kind | Of::KindOrIncident => {
            let k = kind(name)?;
            let own: Vec<String> = crate::model::kind::PROPS.iter().filter(|p| p.kinds.has(k)).map(|p| format!("`{}`", p.name)).collect();
            let relations: Vec<String> = relations("edges", Kinds::one(k)).into_iter().map(|r| format!("`{r}`")).collect();
            format!("**{k}**: all of them are `{}`\n\nproperties: {}\n\nrelations: {}", k.collection(), own.join(", "), relations.join(", "))
        }
        _ => return None,
    })
}

fn part(p: &crate::script::template::Part) -> String {
    match p {
        crate::script::template::Part::Text(t) => t.to_string(),
        crate::script::template::Part::Value(_) => "…".into(),
    }
}
