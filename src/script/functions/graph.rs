//! Entities and the graph between them.

use std::sync::Arc;

use super::{entity, kind, rel, table};
use crate::model::{Basis, EdgeIx, EntityIx};
use crate::script::eval::{Cx, Stop};
use crate::script::trace::{Holds, Seen};
use crate::script::value::Value;

/// The edges of this name that leave or arrive, noted as evidence; that there is none is evidence too.
fn walk(cx: &mut Cx<'_>, args: &[Value], ways: &[bool], guessed: bool) -> Result<Vec<EdgeIx>, Stop> {
    let (Some(e), Some(wanted)) = (entity(args, 0), rel(args, 1)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for out in ways {
        let all = if *out { cx.facts.graph.leaving(e, guessed) } else { cx.facts.graph.arriving(e, guessed) };
        cx.work(all.len())?;
        found.extend(all.into_iter().filter(|x| cx.facts.graph.edge(*x).is_some_and(|r| r.rel == wanted)));
    }
    if found.is_empty() {
        cx.note(|| Seen::NoEdge(e, wanted));
    }
    for x in &found {
        cx.note(|| Seen::Edge(*x));
    }
    Ok(found)
}

/// The entity and the text that a question about it names.
fn named(args: &[Value]) -> Option<(EntityIx, &Arc<str>)> {
    match (args.first(), args.get(1)) {
        (Some(Value::Entity(e)), Some(Value::Text(t))) => Some((*e, t)),
        _ => None,
    }
}

fn ends(cx: &mut Cx<'_>, args: &[Value], out: bool) -> Result<Value, Stop> {
    let found = walk(cx, args, &[out], false)?;
    let mut all: Vec<EntityIx> = found.iter().filter_map(|x| cx.facts.graph.edge(*x)).map(|r| if out { r.to } else { r.from }).collect();
    all.dedup();
    Ok(Value::list(all.into_iter().map(Value::Entity)))
}

fn leaving(cx: &Cx<'_>, e: EntityIx, args: &[Value], n: usize) -> Vec<EdgeIx> {
    let wanted = rel(args, n);
    cx.facts.graph.leaving(e, false).into_iter().filter(|x| cx.facts.graph.edge(*x).map(|r| r.rel) == wanted).collect()
}

fn note_path(cx: &mut Cx<'_>, path: &[EdgeIx]) {
    for x in path {
        cx.note(|| Seen::Edge(*x));
    }
}

table! { "Entities and the graph":
    Entity.out(relation: Relation) -> Out, "The entities that it leads to by this relation.", r#"users.first().out("clicked")"# => "[url:https://bad.example/a]", |cx, a| ends(cx, a, true);
    Entity.into(relation: Relation) -> Into, "The entities that lead to it by this relation.", r#"urls.first().into("clicked")"# => "[user:ada@contoso.com]", |cx, a| ends(cx, a, false);
    Entity.edges(relation: Relation) -> Edges, "The edges of this relation that leave it or arrive at it: `from`, `to`, `first_seen`, `last_seen`, `alert`, `basis`.", r#"users.first().edges("clicked").map(|e| e.basis)"# => r#"["signal"]"#, |cx, a| {
        Ok(Value::list(walk(cx, a, &[true, false], false)?.into_iter().map(Value::Edge)))
    };
    Entity.possible(relation: Relation) -> Edges, "Like `edges`, with those too that are only guessed from being in one alert (`co-occurrence`).", r#"users.last().possible("clicked").map(|e| e.basis)"# => "[]", |cx, a| {
        Ok(Value::list(walk(cx, a, &[true, false], true)?.into_iter().map(Value::Edge)))
    };
    Entity.then(earlier: Relation, later: Relation, window: Duration) -> Pairs, "Pairs of edges that leave it, the second not before the beginning of the first and at most the window after it: `first`, `second`, `gap`.", r#"users.first().then("clicked", "signed_in_from", "2h").map(|p| p.gap <= "10m")"# => "[true]", |cx, a| {
        let (Some(e), Some(Value::Duration(window))) = (entity(a, 0), a.get(3)) else { return Ok(Value::list([])) };
        let (first, second) = (leaving(cx, e, a, 1), leaving(cx, e, a, 2));
        cx.work(first.len().saturating_mul(second.len()))?;
        let mut found = Vec::new();
        for x in &first {
            for y in &second {
                let (Some(r), Some(s)) = (cx.facts.graph.edge(*x), cx.facts.graph.edge(*y)) else { continue };
                let (Some(begin), Some(next), Some(end)) = (r.first, s.first, s.last.or(s.first)) else { continue };
                if x != y && end >= begin && next.duration_since(begin) <= *window {
                    found.push((*x, *y));
                }
            }
        }
        if found.is_empty() {
            for n in [1, 2] {
                let all = leaving(cx, e, a, n);
                note_path(cx, &all);
                if let (true, Some(wanted)) = (all.is_empty(), rel(a, n)) {
                    cx.note(|| Seen::NoEdge(e, wanted));
                }
            }
        }
        for (x, y) in &found {
            note_path(cx, &[*x, *y]);
        }
        cx.made(found.len())?;
        Ok(Value::list(found.into_iter().map(|(x, y)| Value::Pair(x, y))))
    };
    Entity.related(kind: KindName) -> OfKind, "The entities of this kind one edge away, whichever way it points.", r#"users.first().related("mailbox").len()"# => "1", |cx, a| {
        let Some(e) = entity(a, 0) else { return Ok(Value::list([])) };
        let wanted = kind(a, 1);
        let mut near = cx.facts.graph.leaving(e, false);
        near.extend(cx.facts.graph.arriving(e, false));
        cx.work(near.len())?;
        let mut all = Vec::new();
        for x in near {
            let Some(r) = cx.facts.graph.edge(x) else { continue };
            let other = if r.from == e { r.to } else { r.from };
            if cx.facts.entity(other).map(|o| o.kind) == wanted {
                cx.note(|| Seen::Edge(x));
                all.push(other);
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(Value::list(all.into_iter().map(Value::Entity)))
    };
    Entity.within(hops: Int) -> Entities, "The entities at most so many edges away (at most 8).", "users.first().within(1).len() > 1" => "true", |cx, a| {
        let (Some(e), Some(Value::Int(hops))) = (entity(a, 0), a.get(1)) else { return Ok(Value::list([])) };
        cx.work(cx.facts.graph.edge_count())?;
        let hops = usize::try_from((*hops).clamp(0, 8)).unwrap_or(0);
        Ok(Value::list(cx.facts.graph.within(e, hops).into_iter().map(Value::Entity)))
    };
    Entity.reaches(other: Entity) -> Bool, "Whether edges, whichever way they point, lead to the other.", "users.first().reaches(urls.first())" => "true", |cx, a| {
        let (Some(e), Some(o)) = (entity(a, 0), entity(a, 1)) else { return Ok(false.into()) };
        cx.work(cx.facts.graph.edge_count())?;
        let path = cx.facts.graph.path(e, o);
        note_path(cx, path.as_deref().unwrap_or_default());
        Ok(path.is_some().into())
    };
    Entity.path_to(other: Entity) -> Path, "The edges of a shortest path to the other; empty when there is none.", "users.first().path_to(urls.first()).len()" => "1", |cx, a| {
        let (Some(e), Some(o)) = (entity(a, 0), entity(a, 1)) else { return Ok(Value::list([])) };
        cx.work(cx.facts.graph.edge_count())?;
        let path = cx.facts.graph.path(e, o).unwrap_or_default();
        note_path(cx, &path);
        Ok(Value::list(path.into_iter().map(Value::Edge)))
    };
    Entity.shares_alert(other: Entity) -> Bool, "Whether one alert names both.", "users.first().shares_alert(urls.first())" => "true", |cx, a| {
        let (Some(e), Some(o)) = (entity(a, 0), entity(a, 1)) else { return Ok(false.into()) };
        let (Some(x), Some(y)) = (cx.facts.entity(e), cx.facts.entity(o)) else { return Ok(false.into()) };
        let both: Vec<_> = x.alerts.intersection(&y.alerts).copied().collect();
        if let Some(first) = both.first() {
            cx.note(|| Seen::Together(e, o, *first));
        }
        Ok((!both.is_empty()).into())
    };
    Entity.has_signal(id: Signal) -> Bool, "Whether an alert that names it says this.", r#"urls.first().has_signal("url_clicked")"# => "true", |cx, a| {
        let Some((e, wanted)) = named(a) else { return Ok(false.into()) };
        cx.note(|| Seen::Has(e, Holds::Signal, wanted.clone()));
        Ok(cx.facts.saying(e, wanted).next().is_some().into())
    };
    Entity.has_role(role: Text) -> Bool, "Whether a record or a signal gives it this part.", r#"users.first().has_role("victim")"# => "true", |cx, a| {
        let Some((e, wanted)) = named(a) else { return Ok(false.into()) };
        cx.note(|| Seen::Has(e, Holds::Role, wanted.clone()));
        Ok(cx.facts.has_role(e, wanted).into())
    };
    Entity.has_tag(tag: Text) -> Bool, "Whether the source, a signal or a list gives it this tag.", r#"users.last().has_tag("vip")"# => "true", |cx, a| {
        let Some((e, wanted)) = named(a) else { return Ok(false.into()) };
        cx.note(|| Seen::Has(e, Holds::Tag, wanted.clone()));
        Ok(cx.facts.has_tag(e, wanted).into())
    };
    Entity.in_list(id: ListId) -> Bool, "Whether it is in the list, by what the list's kind compares: an address in a network, a URL's host below a domain, a file's hash, an id or alias.", r#"users.last().in_list("board")"# => "true", |cx, a| {
        let (Some(e), Some(Value::Named(n))) = (entity(a, 0), a.get(1)) else { return Ok(false.into()) };
        let Some(list) = cx.facts.lists.get(*n as usize) else { return Ok(false.into()) };
        cx.note(|| Seen::Listed(e, *n));
        Ok(cx.facts.entity(e).is_some_and(|x| list.has_entity(x)).into())
    };
    Entity.field(name: Text) -> Text ? true, "A field of the source that no property models; nested keys are joined by a dot.", r#"users.first().field("costCentre")"# => "\"4711\"", |cx, a| {
        let Some((e, name)) = named(a) else { return Ok(Value::Absent) };
        cx.note(|| Seen::Has(e, Holds::Field, name.clone()));
        Ok(cx.facts.entity(e).and_then(|x| x.fields.get(&**name)).map(|v| Value::text(v)).into())
    };
}

/// Whether an edge is only guessed.
pub fn guessed(cx: &Cx<'_>, x: EdgeIx) -> bool {
    cx.facts.graph.edge(x).is_some_and(|r| r.basis == Basis::CoOccurrence)
}
