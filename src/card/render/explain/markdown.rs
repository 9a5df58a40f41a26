//! An explanation for a ticket.

use super::outline::{Line, Piece, lines};
use crate::card::render::markdown::Md;
use crate::card::why::Explanation;

/// The explanations, one after another.
pub fn page(all: &[Explanation]) -> String {
    let mut out = String::new();
    if all.is_empty() {
        out.push_str("There is no incident.\n");
    }
    for e in all {
        let mut list = false;
        for line in lines(e) {
            let point = matches!(line, Line::Point(..));
            let together = list && point;
            if !out.is_empty() && !together {
                out.push('\n');
            }
            let made = match &line {
                Line::Head(level, pieces) => {
                    let sign = match level {
                        1 => "# ",
                        2 => "## ",
                        _ => "### ",
                    };
                    Md::fixed(sign).and(md(pieces))
                }
                Line::Text(pieces) => md(pieces),
                Line::Point(depth, pieces) => {
                    let indent = Md::join(std::iter::repeat_n(Md::fixed("  "), *depth), "");
                    indent.and(Md::fixed("- ")).and(md(pieces))
                }
            };
            out.push_str(made.into_string().trim_end());
            out.push('\n');
            list = point;
        }
    }
    out
}

fn md(pieces: &[Piece]) -> Md {
    let mut out = Md::default();
    for p in pieces {
        out = out.and(match p {
            Piece::Words(t) | Piece::Dim(t) => spaced(t, Md::text(t)),
            Piece::Code(t) | Piece::Id(t) => Md::code(t),
            Piece::Strong(t) => Md::text(t).bold(),
            Piece::Good(t) | Piece::Bad(t) => {
                if t.is_ascii() {
                    Md::fixed(t).bold()
                } else {
                    Md::fixed(t)
                }
            }
        });
    }
    out
}

/// Words keep the blanks around them, between which other pieces stand.
fn spaced(text: &str, made: Md) -> Md {
    let blank = |is: bool| Md::fixed(if is { " " } else { "" });
    if text.trim().is_empty() {
        return blank(!text.is_empty());
    }
    blank(text.starts_with(' ')).and(made).and(blank(text.ends_with(' ')))
}
