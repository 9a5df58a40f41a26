//! Coverage for people: shares, and the lines of the files with a margin that says what was seen.

use std::collections::BTreeMap;

use super::{Coverage, Unit};
use crate::source::{SourceFile, Sources};
use crate::tester::margin::{Line, draw, line_of};

/// The page.
pub fn human(coverage: &Coverage, sources: &Sources, colour: bool) -> String {
    let name = |u: &Unit| if u.library { format!("library {}", u.name) } else { u.name.clone() };
    let width = coverage.units.iter().map(|u| name(u).chars().count()).max().unwrap_or(0);
    let mut out = String::from("\nclauses seen to hold, and to fail\n\n");
    for u in &coverage.units {
        let share = u.share();
        let left = if u.left_out.is_empty() { String::new() } else { format!(", {} left out", u.left_out.len()) };
        out.push_str(&format!("  {:width$}  {:>7}  {} of {}{left}\n", name(u), share.to_string(), share.seen, share.of));
    }
    let all = coverage.share();
    out.push_str(&format!("  {:width$}  {:>7}  {} of {}\n", "all", all.to_string(), all.seen, all.of));
    for u in &coverage.units {
        if let Some(file) = sources.get(u.file)
            && (u.share().seen < u.share().of || !u.left_out.is_empty())
        {
            lines(u, file, colour, &mut out);
        }
    }
    out
}

/// The lines of a file on which clauses stand: `+` where all of them were seen to hold, `-` where all were seen to fail.
fn lines(u: &Unit, file: &SourceFile, colour: bool, out: &mut String) {
    let mut lines: BTreeMap<usize, Line> = BTreeMap::new();
    for s in &u.clauses {
        let at = line_of(file, s.clause.span);
        let line = lines.entry(at).or_insert_with(|| Line { marks: [true, true], notes: Vec::new() });
        let [plus, minus] = line.marks;
        line.marks = [plus && s.held > 0, minus && s.failed > 0];
        let unseen = match (s.held, s.failed) {
            (0, 0) => "never asked",
            (0, _) => s.clause.what.unseen(true),
            (_, 0) => s.clause.what.unseen(false),
            _ => continue,
        };
        line.notes.push((s.clause.span, unseen.to_owned()));
    }
    for (span, why) in &u.left_out {
        lines.entry(line_of(file, *span)).or_default().notes.push((*span, format!("left out: {why}")));
    }
    draw(file, &lines, colour, out);
}
