//! An explanation on a page for a terminal.

use super::outline::{Line, Piece, lines};
use crate::card::render::Look;
use crate::card::render::text::{Page, Style};
use crate::card::why::Explanation;

/// The explanations, one page after another.
pub fn page(all: &[Explanation], look: Look) -> String {
    let mut page = Page::new(look);
    if all.is_empty() {
        page.flow(0, &[(Style::Plain, "There is no incident.")]);
    }
    for (n, e) in all.iter().enumerate() {
        if n > 0 {
            page.gap();
        }
        let mut point = false;
        for line in lines(e) {
            let is_point = matches!(line, Line::Point(..));
            match &line {
                Line::Head(1, pieces) => page.flow(0, &spans(pieces)),
                Line::Head(2, pieces) => {
                    page.gap();
                    page.rule(&plain(pieces));
                }
                Line::Head(_, pieces) => {
                    page.gap();
                    let bold: Vec<(Style, &str)> =
                        spans(pieces).into_iter().map(|(s, t)| (if s == Style::Plain { Style::Bold } else { s }, t)).collect();
                    page.hang(2, 4, &bold);
                }
                Line::Text(pieces) => {
                    if point {
                        page.gap();
                    }
                    page.hang(2, 2, &spans(pieces));
                }
                Line::Point(depth, pieces) => {
                    let indent = depth.saturating_mul(2).saturating_add(4);
                    let mut all = vec![(Style::Dim, "- ")];
                    all.extend(spans(pieces));
                    page.hang(indent, indent.saturating_add(2), &all);
                }
            }
            point = is_point;
        }
    }
    page.finish()
}

fn spans(pieces: &[Piece]) -> Vec<(Style, &str)> {
    pieces
        .iter()
        .flat_map(|p| match p {
            Piece::Words(t) => vec![(Style::Plain, t.as_str())],
            Piece::Code(t) => vec![(Style::Dim, "`"), (Style::Id, t.as_str()), (Style::Dim, "`")],
            Piece::Id(t) => vec![(Style::Id, t.as_str())],
            Piece::Strong(t) => vec![(Style::Bold, t.as_str())],
            Piece::Dim(t) => vec![(Style::Dim, t.as_str())],
            Piece::Good(t) => vec![(Style::Good, *t)],
            Piece::Bad(t) => vec![(Style::Warn, *t)],
        })
        .collect()
}

fn plain(pieces: &[Piece]) -> String {
    spans(pieces).into_iter().map(|(_, t)| t).collect()
}
