//! Coverage for people: shares, and the lines of the files with a margin that says what was seen.

use std::collections::BTreeMap;

use super::{Coverage, Seen, Unit};
use crate::diag::human::visible;
use crate::source::{SourceFile, Sources};

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
    let (red, dim, plain) = if colour { ("\u{1b}[31m", "\u{1b}[2m", "\u{1b}[0m") } else { ("", "", "") };
    let line_of = |byte: u32| file.line_column(byte).0;
    let mut by_line: BTreeMap<usize, Vec<&Seen>> = BTreeMap::new();
    for s in &u.clauses {
        by_line.entry(line_of(s.clause.span.start)).or_default().push(s);
    }
    let mut notes: BTreeMap<usize, Vec<(crate::source::Span, String)>> = BTreeMap::new();
    for s in &u.clauses {
        let unseen: Vec<&str> =
            [(s.held, true), (s.failed, false)].into_iter().filter(|(n, _)| *n == 0).map(|(_, held)| s.clause.what.unseen(held)).collect();
        let text = match unseen.as_slice() {
            [] => continue,
            [one] => (*one).to_owned(),
            _ => "never asked".to_owned(),
        };
        notes.entry(line_of(s.clause.span.start)).or_default().push((s.clause.span, text));
    }
    for (span, why) in &u.left_out {
        by_line.entry(line_of(span.start)).or_default();
        notes.entry(line_of(span.start)).or_default().push((*span, format!("left out: {why}")));
    }
    let last = by_line.keys().next_back().copied().unwrap_or(1).to_string().len().max(3);
    out.push_str(&format!("\n{}\n", visible(&file.path)));
    let mut before = 0usize;
    for (line, seen) in &by_line {
        if *line > before.saturating_add(1) {
            out.push_str(&format!("{dim}{:last$}    ...{plain}\n", ""));
        }
        before = *line;
        let text = file.line_start(*line).and_then(|at| file.text.get(at..)).and_then(|t| t.lines().next()).unwrap_or("");
        let mark = |ok: fn(&&&Seen) -> bool, sign: char| if !seen.is_empty() && seen.iter().all(|s| ok(&s)) { sign } else { ' ' };
        let (plus, minus) = (mark(|s| s.held > 0, '+'), mark(|s| s.failed > 0, '-'));
        out.push_str(&format!("{line:>last$} {plus}{minus}| {}\n", visible(text)));
        for (span, what) in notes.get(line).into_iter().flatten() {
            let start = file.line_start(*line).unwrap_or(0);
            let from = file.text.get(start..span.start as usize).map_or(0, |t| visible(t).chars().count());
            let under = file.text.get(span.start as usize..span.end as usize).and_then(|t| t.lines().next()).unwrap_or("");
            let long = visible(under).trim_end().chars().count().max(1);
            out.push_str(&format!("{:last$}   | {:from$}{red}{}{plain} {what}\n", "", "", "^".repeat(long)));
        }
    }
}
