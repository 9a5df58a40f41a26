//! Why the answer is what it is, for people and machines. What is said, and in which order, is decided once, as an outline;
//! the pages only choose how it looks.

mod markdown;
mod outline;
mod text;

use super::Look;
use crate::card::why::Explanation;

/// How an explanation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainFormat {
    /// A page for a terminal.
    Text,
    /// One document, indented; an array when there are several incidents.
    Json,
    /// For a ticket or a pull request.
    Markdown,
}

/// Writes explanations in a format; what it gives ends with a newline.
pub fn render(all: &[Explanation], format: ExplainFormat, look: &Look) -> String {
    match format {
        ExplainFormat::Text => text::page(all, *look),
        ExplainFormat::Json => super::json(all),
        ExplainFormat::Markdown => markdown::page(all),
    }
}
