//! The way through the graph that evidence takes.

use super::{ClauseWhy, Step};
use crate::card::response::Evidence;

/// How many ways are drawn for one card.
const WAYS: usize = 6;
/// How many edges a way has at most.
const LONGEST: usize = 8;
/// How many edges are looked at.
const EDGES: usize = 64;

type Edge<'e> = (&'e str, &'e str, &'e str);

/// The edges that clauses walked, from `start` on, each edge once; what does not hang together begins anew.
pub(super) fn ways(trees: &[&ClauseWhy], start: Option<&str>) -> Vec<Vec<Step>> {
    let mut edges: Vec<Edge<'_>> = Vec::new();
    for t in trees {
        collect(t, &mut edges);
    }
    let mut out = Vec::new();
    while !edges.is_empty() && out.len() < WAYS {
        // Where the entity is among them the way begins there.
        let first = edges.first().map(|e| e.0).unwrap_or_default();
        let begin = start.filter(|s| edges.iter().any(|(a, _, b)| a == s || b == s)).unwrap_or(first).to_owned();
        let mut here = begin;
        let mut way = Vec::new();
        while way.len() < LONGEST {
            let Some(n) = edges.iter().position(|(a, _, _)| *a == here).or_else(|| edges.iter().position(|(_, _, b)| *b == here)) else { break };
            let (a, relation, b) = edges.remove(n);
            let along = a == here;
            let to = if along { b } else { a };
            way.push(Step { from: here, relation: relation.to_owned(), along, to: to.to_owned() });
            here = to.to_owned();
        }
        out.push(way);
    }
    // What hangs together with the entity is what its card rests on; the rest was looked at for something else.
    if out.iter().any(|w| w.first().is_some_and(|s| start == Some(s.from.as_str()))) {
        out.retain(|w| w.first().is_some_and(|s| start == Some(s.from.as_str())));
    }
    out
}

fn collect<'e>(c: &'e ClauseWhy, out: &mut Vec<Edge<'e>>) {
    // What speaks for it: a clause that fails has nothing to draw.
    if c.outcome == crate::eval::why::Outcome::Pass {
        for e in &c.evidence {
            if let Evidence::Edge { from, relation, to: Some(to), .. } = e
                && *relation != "shares_alert"
                && out.len() < EDGES
                && !out.contains(&(from, relation, to))
            {
                out.push((from, relation, to));
            }
        }
        c.below.iter().for_each(|b| collect(b, out));
    }
}
