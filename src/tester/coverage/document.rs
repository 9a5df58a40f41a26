//! Coverage as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Coverage, Share, clauses};
use crate::source::{Sources, Span};

/// How much of the clauses the tests have seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// Of all outcomes, to two places.
    percent: f64,
    /// Outcomes that were seen.
    seen: usize,
    /// How many there are: two for each clause.
    of: usize,
    /// The playbooks by id, then the libraries that they use.
    files: Vec<File>,
}

/// A playbook or library.
#[derive(Debug, Serialize, JsonSchema)]
struct File {
    /// The playbook's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    playbook: Option<String>,
    /// The library's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<String>,
    /// Its file.
    file: String,
    /// Of its outcomes, to two places.
    percent: f64,
    /// Outcomes that were seen.
    seen: usize,
    /// How many there are.
    of: usize,
    /// Its clauses, by place.
    clauses: Vec<Clause>,
    /// What cannot come out both ways, and is not counted.
    left_out: Vec<LeftOut>,
}

/// A clause.
#[derive(Debug, Serialize, JsonSchema)]
struct Clause {
    /// What part it plays: a named condition, the `when` of a card, an operand, …
    what: String,
    /// What it says, on one line.
    text: String,
    /// Where it stands.
    place: Range,
    /// How often it was seen to hold.
    held: usize,
    /// How often it was seen to fail.
    failed: usize,
}

/// A clause that is not counted.
#[derive(Debug, Serialize, JsonSchema)]
struct LeftOut {
    /// What it says, on one line.
    text: String,
    /// Where it stands.
    place: Range,
    /// Why it is not counted.
    why: &'static str,
}

/// Where something stands in a file: lines and columns from 1, columns in characters; the end is one past the last.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlaceRange")]
pub struct Range {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Range {
    /// Of a span.
    pub fn of(sources: &Sources, span: Span) -> Self {
        let (from, to) = (sources.place(span), sources.place(Span { start: span.end, ..span }));
        Self { line: from.line, column: from.column, end_line: to.line, end_column: to.column }
    }
}

/// A share in percent, to two places.
pub fn percent(share: Share) -> f64 {
    f64::from(u32::try_from(share.hundredths()).unwrap_or(u32::MAX)) / 100.0
}

impl Coverage {
    /// As JSON.
    pub fn document(&self, sources: &Sources) -> Document {
        let files = self.units.iter().map(|u| {
            let share = u.share();
            let (playbook, library) = if u.library { (None, Some(u.name.clone())) } else { (Some(u.name.clone()), None) };
            let clauses = u.clauses.iter().map(|s| Clause {
                what: s.clause.what.to_string(),
                text: clauses::text(sources, s.clause.span),
                place: Range::of(sources, s.clause.span),
                held: s.held,
                failed: s.failed,
            });
            let left_out =
                u.left_out.iter().map(|(span, why)| LeftOut { text: clauses::text(sources, *span), place: Range::of(sources, *span), why });
            File {
                playbook,
                library,
                file: sources.get(u.file).map_or_else(String::new, |f| f.path.to_string()),
                percent: percent(share),
                seen: share.seen,
                of: share.of,
                clauses: clauses.collect(),
                left_out: left_out.collect(),
            }
        });
        let all = self.share();
        Document { percent: percent(all), seen: all.seen, of: all.of, files: files.collect() }
    }
}
