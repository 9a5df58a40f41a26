//! Lines of a file with a margin that says what was seen there, and remarks under what they are about.

use std::collections::BTreeMap;

use crate::diag::human::visible;
use crate::source::{SourceFile, Span};

/// What there is to say of a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// The two marks in the margin.
    pub marks: [bool; 2],
    /// Remarks, each under its place.
    pub notes: Vec<(Span, String)>,
}

/// Draws the lines, with `...` for those between them.
pub(super) fn draw(file: &SourceFile, lines: &BTreeMap<usize, Line>, colour: bool, out: &mut String) {
    let (red, dim, plain) = if colour { ("\u{1b}[31m", "\u{1b}[2m", "\u{1b}[0m") } else { ("", "", "") };
    let wide = lines.keys().next_back().copied().unwrap_or(1).to_string().len().max(3);
    out.push_str(&format!("\n{}\n", visible(&file.path)));
    let mut before = 0usize;
    for (n, line) in lines {
        if *n > before.saturating_add(1) {
            out.push_str(&format!("{dim}{:wide$}    ...{plain}\n", ""));
        }
        before = *n;
        let start = file.line_start(*n).unwrap_or(0);
        let text = file.text.get(start..).and_then(|t| t.lines().next()).unwrap_or("");
        let [plus, minus] = line.marks;
        out.push_str(&format!("{n:>wide$} {}{}| {}\n", if plus { '+' } else { ' ' }, if minus { '-' } else { ' ' }, visible(text)));
        for (span, what) in &line.notes {
            let from = file.text.get(start..span.start as usize).map_or(0, |t| visible(t).chars().count());
            let under = file.text.get(span.start as usize..closed(file, *span)).and_then(|t| t.lines().next()).unwrap_or("");
            let long = visible(under).trim_end().chars().count().max(1);
            out.push_str(&format!("{:wide$}   | {:from$}{red}{}{plain} {}\n", "", "", "^".repeat(long), visible(what)));
        }
    }
}

/// The end of a place, with the brackets that close what is opened in it.
fn closed(file: &SourceFile, span: Span) -> usize {
    let mut end = span.end as usize;
    let text = file.text.get(span.start as usize..end).unwrap_or("");
    let open = text.matches('(').count().saturating_sub(text.matches(')').count());
    for _ in 0..open {
        if file.text.get(end..).is_some_and(|t| t.starts_with(')')) {
            end = end.saturating_add(1);
        }
    }
    end
}

/// The line of a file on which a place begins.
pub(super) fn line_of(file: &SourceFile, span: Span) -> usize {
    file.line_column(span.start).0
}
