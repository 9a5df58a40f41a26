//! The answer as people and machines read it. Every format is a pure function of the [`Response`]: same answer, same bytes.
//!
//! What an incident or an author wrote never reaches a page as it is: each page writes through one door that makes it
//! harmless there (`text::Page`, `markdown::Md`, `html::Html`), so that a value cannot change the shape of a page.

pub mod explain;
pub mod graph;
mod html;
mod markdown;
#[cfg(test)]
pub(crate) mod sample;
mod text;
mod view;

pub use markdown::Md;
use serde::Serialize;

use super::response::Response;
use crate::diag::human::hidden;

/// The narrowest page that text is wrapped to, in columns.
pub const MIN_WIDTH: usize = 40;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A page for a terminal.
    Text,
    /// One document, indented; an array when there are several incidents.
    Json,
    /// One document a line.
    Ndjson,
    /// For a ticket or a pull request.
    Markdown,
    /// One self-contained page, for a browser or a printer.
    Html,
}

/// How a page for a terminal looks; the other formats do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns to wrap to; at least [`MIN_WIDTH`].
    pub width: usize,
    /// Whether to add terminal colours.
    pub colour: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 100, colour: false }
    }
}

/// Writes the answers in a format; what it gives ends with a newline.
pub fn render(responses: &[Response], format: Format, look: &Look) -> String {
    match format {
        Format::Text => text::page(responses, *look),
        Format::Json => json(responses),
        Format::Ndjson => responses.iter().map(line).collect(),
        Format::Markdown => markdown::page(responses),
        Format::Html => html::page(responses),
    }
}

/// One document on one line, with a newline at its end.
pub fn line<T: Serialize>(document: &T) -> String {
    safe(serde_json::to_string(document).unwrap_or_else(|e| broken(&e))) + "\n"
}

/// One document, or an array of several; indented, with a newline at its end.
pub fn json<T: Serialize>(documents: &[T]) -> String {
    let written = match documents {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    safe(written.unwrap_or_else(|e| broken(&e))) + "\n"
}

/// Escapes in JSON what could steer a terminal that shows it. It can only stand inside strings (line ends apart), so the
/// document says the same.
fn safe(json: String) -> String {
    let Some(first) = odd(json.as_bytes()) else { return json };
    let (mut out, mut rest) = (String::with_capacity(json.len().saturating_add(64)), json.as_str());
    let mut plain = first;
    loop {
        // Up to the next character that is not plain, then that one by itself.
        let (front, back) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        out.push_str(front);
        let mut chars = back.chars();
        let Some(c) = chars.next() else { return out };
        if hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
        rest = chars.as_str();
        plain = odd(rest.as_bytes()).unwrap_or(rest.len());
    }
}

/// The first byte that is not plain.
fn odd(bytes: &[u8]) -> Option<usize> {
    let odd = |b: &u8| (*b < b' ') & (*b != b'\n') | (*b > b'~');
    // Most pieces have none: asking of all of one at once is quicker than stopping at the first.
    const PIECE: usize = 64;
    let pieces = bytes.chunks(PIECE).take_while(|piece| !piece.iter().fold(false, |any, b| any | odd(b))).count();
    let from = pieces.saturating_mul(PIECE);
    bytes.get(from..)?.iter().position(odd).map(|n| n.saturating_add(from))
}

/// What stands in for a document that cannot be written; plain data always can.
fn broken(error: &serde_json::Error) -> String {
    serde_json::json!({ "error": error.to_string() }).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Format, Look, render, sample};

    #[test]
    fn one_incident_is_a_document_and_several_are_an_array() {
        let look = Look::default();
        let one = render(&[sample::response()], Format::Json, &look);
        assert!(one.starts_with("{\n  \"schema\": \"guided-response/1\"") && one.ends_with("}\n"));
        let two = render(&[sample::response(), sample::response()], Format::Json, &look);
        let read: serde_json::Value = serde_json::from_str(&two).unwrap();
        assert_eq!(read.as_array().map(Vec::len), Some(2));
        let lines = render(&[sample::response(), sample::response()], Format::Ndjson, &look);
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.lines().all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok()));
    }

    #[test]
    fn json_says_the_same_without_steering_a_terminal() {
        let hostile = sample::hostile();
        for format in [Format::Json, Format::Ndjson] {
            let text = render(std::slice::from_ref(&hostile), format, &Look::default());
            assert!(!text.chars().any(|c| c != '\n' && crate::diag::human::hidden(c)));
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read["incident"]["title"], serde_json::Value::String(hostile.incident.title.clone()));
        }
    }

    #[test]
    fn every_format_is_the_same_twice_and_ends_with_a_newline() {
        for format in [Format::Text, Format::Json, Format::Ndjson, Format::Markdown, Format::Html] {
            for responses in [vec![], vec![sample::response()], vec![sample::response(), sample::hostile()]] {
                let text = render(&responses, format, &Look::default());
                assert_eq!(text, render(&responses, format, &Look::default()));
                assert!(text.ends_with('\n') || (responses.is_empty() && format == Format::Ndjson));
            }
        }
    }
}
