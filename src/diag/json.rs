//! Diagnostics as JSON, in full: every place with its end, every fix with its edits.

use serde::Serialize;

use super::{Diagnostic, Severity, explain};
use crate::source::{Sources, Span};

/// A place in a file: from its first character to one past its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Range {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Line of the end, from 1.
    pub end_line: usize,
    /// Column of the end: one past the last character.
    pub end_column: usize,
}

impl Range {
    /// Where a span stands.
    pub fn of(span: Span, sources: &Sources) -> Self {
        let start = sources.place(span);
        let end = sources.place(Span { start: span.end, ..span });
        Self { file: start.file.to_string(), line: start.line, column: start.column, end_line: end.line, end_column: end.column }
    }
}

/// A diagnostic in full.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Full {
    /// `GR…`
    pub code: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Range>,
    /// Places with a remark; the first is the place itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<FullLabel>,
    /// The place in an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// A change that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<FullFix>,
    /// The page of its code in the documentation.
    pub page: String,
}

/// A place with a remark.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct FullLabel {
    /// The remark; may be empty.
    pub text: String,
    /// Where.
    #[serde(flatten)]
    pub place: Range,
}

/// A change that mends it.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct FullFix {
    /// What it does.
    pub title: String,
    /// Whether `--fix` applies it.
    pub safe: bool,
    /// What is written where.
    pub edits: Vec<FullEdit>,
}

/// A text that is written in place of another one.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct FullEdit {
    /// What stands there now.
    #[serde(flatten)]
    pub place: Range,
    /// What is written.
    pub text: String,
}

impl Diagnostic {
    /// The form of `engine check --format json`.
    pub fn to_full(&self, sources: &Sources) -> Full {
        let range = |span: Span| Range::of(span, sources);
        Full {
            code: self.code,
            severity: self.severity,
            message: self.message.clone(),
            place: self.labels.first().map(|l| range(l.span)),
            labels: self.labels.iter().map(|l| FullLabel { text: l.text.clone(), place: range(l.span) }).collect(),
            path: self.path.clone(),
            help: self.help.clone(),
            fix: self.fix.as_ref().map(|f| FullFix {
                title: f.title.clone(),
                safe: f.safe,
                edits: f.edits.iter().map(|(span, text)| FullEdit { place: range(*span), text: text.clone() }).collect(),
            }),
            page: explain::address(self.code),
        }
    }
}
