//! A report with headings, tables and lists, written for a terminal or as Markdown for a pull request. What an incident
//! or an author wrote gets in as [`Bit`]s alone, which take its shape away.

use crate::card::changes::plain;
use crate::card::render::Md;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bit {
    /// Prose.
    Text(String),
    /// Something to be taken literally: an id, an expression.
    Code(String),
}

impl Bit {
    /// Prose.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Something to be taken literally.
    pub fn code(text: impl Into<String>) -> Self {
        Self::Code(text.into())
    }

    fn plain(&self) -> String {
        match self {
            Self::Text(t) | Self::Code(t) => plain(t),
        }
    }

    fn md(&self) -> String {
        match self {
            Self::Text(t) => Md::text(t).into_string(),
            Self::Code(t) => Md::code(t).into_string(),
        }
    }
}

/// A line.
pub type Line = Vec<Bit>;

enum Block {
    Heading(u8, String),
    Para(Line),
    List(Vec<Line>),
    Table(Vec<&'static str>, Vec<Vec<Bit>>),
    Fold(String, Sheet),
}

/// A report.
#[derive(Default)]
pub struct Sheet {
    blocks: Vec<Block>,
}

impl Sheet {
    /// A heading of a depth from 1.
    pub fn heading(&mut self, depth: u8, text: impl Into<String>) {
        self.blocks.push(Block::Heading(depth, text.into()));
    }

    /// A paragraph.
    pub fn para(&mut self, line: Line) {
        self.blocks.push(Block::Para(line));
    }

    /// A paragraph of prose.
    pub fn say(&mut self, text: impl Into<String>) {
        self.para(vec![Bit::text(text)]);
    }

    /// A list; nothing if it is empty.
    pub fn list(&mut self, lines: Vec<Line>) {
        if !lines.is_empty() {
            self.blocks.push(Block::List(lines));
        }
    }

    /// A table; columns after the first whose cells are all numbers stand to the right. Nothing if it has no rows.
    pub fn table(&mut self, head: &[&'static str], rows: Vec<Vec<Bit>>) {
        if !rows.is_empty() {
            self.blocks.push(Block::Table(head.to_vec(), rows));
        }
    }

    /// Something that Markdown folds away behind a line; nothing if it is empty.
    pub fn fold(&mut self, summary: impl Into<String>, inner: Sheet) {
        if !inner.blocks.is_empty() {
            self.blocks.push(Block::Fold(summary.into(), inner));
        }
    }

    /// For a terminal.
    pub fn to_text(&self, colour: bool) -> String {
        let mut out = String::new();
        self.write_text(&mut out, colour, 0);
        out
    }

    fn write_text(&self, out: &mut String, colour: bool, indent: usize) {
        let pad = " ".repeat(indent);
        for block in &self.blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Heading(_, text) => {
                    let text = plain(text);
                    out.push_str(&if colour { format!("{pad}\x1b[1m{text}\x1b[0m\n") } else { format!("{pad}{text}\n") });
                }
                Block::Para(line) => out.push_str(&format!("{pad}{}\n", joined(line))),
                Block::List(lines) => lines.iter().for_each(|l| out.push_str(&format!("{pad}- {}\n", joined(l)))),
                Block::Table(head, rows) => table(out, &pad, head, rows),
                Block::Fold(summary, inner) => {
                    out.push_str(&format!("{pad}{}\n", plain(summary)));
                    inner.write_text(out, colour, indent.saturating_add(2));
                }
            }
        }
    }

    /// For a pull request.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        self.write_markdown(&mut out);
        out
    }

    fn write_markdown(&self, out: &mut String) {
        for block in &self.blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Heading(depth, text) => out.push_str(&format!("{} {}\n", "#".repeat(usize::from(*depth)), Md::text(text).into_string())),
                Block::Para(line) => out.push_str(&format!("{}\n", marked(line))),
                Block::List(lines) => lines.iter().for_each(|l| out.push_str(&format!("- {}\n", marked(l)))),
                Block::Table(head, rows) => {
                    let right = numeric(head.len(), rows);
                    let rule: Vec<&str> = right.iter().map(|r| if *r { "---:" } else { "---" }).collect();
                    out.push_str(&format!("| {} |\n| {} |\n", head.join(" | "), rule.join(" | ")));
                    for row in rows {
                        // Inside a table a bar ends the cell, also in a code span.
                        let cell = |b: &Bit| if let Bit::Code(_) = b { b.md().replace('|', "\\|") } else { b.md() };
                        out.push_str(&format!("| {} |\n", row.iter().map(cell).collect::<Vec<_>>().join(" | ")));
                    }
                }
                Block::Fold(summary, inner) => {
                    let html = plain(summary).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                    out.push_str(&format!("<details>\n<summary>{html}</summary>\n"));
                    inner.write_markdown(out);
                    out.push_str("\n</details>\n");
                }
            }
        }
    }
}

fn joined(line: &[Bit]) -> String {
    line.iter().map(Bit::plain).collect::<Vec<_>>().join(" ")
}

fn marked(line: &[Bit]) -> String {
    line.iter().map(Bit::md).collect::<Vec<_>>().join(" ")
}

/// Which columns hold numbers alone.
fn numeric(columns: usize, rows: &[Vec<Bit>]) -> Vec<bool> {
    let number = |b: &Bit| matches!(b, Bit::Text(t) if t == "–" || t.trim_end_matches(" %").parse::<f64>().is_ok());
    (0..columns).map(|n| n > 0 && rows.iter().all(|r| r.get(n).is_some_and(number))).collect()
}

/// The widest cell of a terminal's table.
const CELL: usize = 72;

fn table(out: &mut String, pad: &str, head: &[&str], rows: &[Vec<Bit>]) {
    let short = |b: &Bit| {
        let t = b.plain();
        if t.chars().count() > CELL { t.chars().take(CELL).chain(['…']).collect() } else { t }
    };
    let cells: Vec<Vec<String>> = rows.iter().map(|r| r.iter().map(short).collect()).collect();
    let right = numeric(head.len(), rows);
    let width = |n: usize| {
        let of = |t: &str| t.chars().count();
        cells.iter().filter_map(|r| r.get(n)).map(|c| of(c)).chain(head.get(n).map(|h| of(h))).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::from(pad);
        for ((cell, width), right) in cells.zip(&widths).zip(&right) {
            let width = *width;
            text.push_str(&if *right { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") });
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut head.iter().copied());
    cells.iter().for_each(|r| line(&mut r.iter().map(String::as_str)));
}

#[cfg(test)]
mod tests {
    use super::{Bit, Sheet};

    #[test]
    fn nothing_leaves_its_cell() {
        let mut sheet = Sheet::default();
        let hostile = "a | b ``` </details>\n# x \u{1b}[2J @team";
        sheet.table(&["What", "n"], vec![vec![Bit::text(hostile), Bit::text("3")], vec![Bit::code(hostile), Bit::text("10")]]);
        let mut inner = Sheet::default();
        inner.list(vec![vec![Bit::text(hostile), Bit::code(hostile)]]);
        sheet.fold(hostile, inner);
        let md = sheet.to_markdown();
        assert_eq!(md.lines().filter(|l| l.starts_with("| ")).count(), 4, "{md}");
        assert!(md.lines().all(|l| !l.starts_with("# ")), "{md}");
        assert_eq!(md.matches("</details>").count(), 3, "the one that folds, and two in code spans: {md}");
        assert!(!md.contains('\u{1b}') && !sheet.to_text(false).contains('\u{1b}'));
        for row in md.lines().filter(|l| l.starts_with("| ")) {
            let bars = row.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 3, "{row}");
        }
        assert_eq!(sheet.to_text(false).lines().take(3).map(|l| l.chars().count()).collect::<std::collections::BTreeSet<_>>().len(), 1);
    }
}
