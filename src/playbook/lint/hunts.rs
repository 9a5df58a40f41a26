//! Hunts whose tables or columns are not known.

use super::Files;
use crate::diag::{Diagnostic, Fix, Severity, codes};
use crate::playbook::hunting::{What, unknown};
use crate::playbook::yaml::Node;
use crate::script::template::{Raw, split};
use crate::source::Scalar;

pub(super) fn lint(files: &Files<'_>, out: &mut Vec<Diagnostic>) {
    for tree in files.trees() {
        match tree.entries().first().and_then(|(k, _)| k.scalar()).map(|s| &*s.text) {
            Some("playbook") => tree.get("hunts").into_iter().for_each(|h| queries(h, out)),
            // What an overlay puts into a playbook.
            Some("overlay") => ["set", "add"].into_iter().filter_map(|k| tree.get(k)).for_each(|h| queries(h, out)),
            _ => {}
        }
    }
}

/// Every query below a node.
fn queries(node: &Node, out: &mut Vec<Diagnostic>) {
    for (k, v) in node.entries() {
        match (k.scalar(), v.scalar()) {
            (Some(key), Some(query)) if &*key.text == "kql" || key.text.ends_with(".kql") => look(query, out),
            _ => queries(v, out),
        }
    }
    node.items().iter().for_each(|i| queries(i, out));
}

fn look(query: &Scalar, out: &mut Vec<Diagnostic>) {
    let Ok(parts) = split(&query.text) else { return };
    // With the brace before it.
    let literals: Vec<_> = parts
        .into_iter()
        .filter_map(|p| match p {
            Raw::Expr(r) => Some(r.start.saturating_sub(1)..r.end),
            Raw::Text(_) => None,
        })
        .collect();
    for f in unknown(&query.text, &literals) {
        let name = query.text.get(f.at.clone()).unwrap_or("");
        let span = query.place(f.at.start, f.at.end);
        let mut d = match &f.what {
            What::Table => Diagnostic::warning(codes::TABLE, span, format!("no table `{name}` is known in Defender or Sentinel")),
            What::Column(tables) if tables.len() == 1 => {
                Diagnostic::warning(codes::COLUMN, span, format!("`{}` has no column `{name}` at this place", tables.concat()))
            }
            What::Column(_) => Diagnostic::warning(codes::COLUMN, span, format!("there is no column `{name}` at this place of the query")),
        };
        d = match (&f.near, &f.what) {
            (Some(near), _) => d.help(format!("did you mean `{near}`?")).fix(Fix {
                title: format!("write `{near}`"),
                edits: vec![(span, near.clone())],
                safe: false,
            }),
            // A table of one's own, or one that is new.
            (None, What::Table) => {
                d.severity = Severity::Note;
                d.help("if it is a table or function of your own, all is well")
            }
            (None, What::Column(_)) => {
                d.help("take it from the table, or make it by `extend` before it is used; what `project` and `summarize` leave out is gone")
            }
        };
        out.push(d);
    }
}
