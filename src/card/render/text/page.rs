//! The sheet that a terminal page is written on: wrapping, colour, and the one door for text.

use crate::card::render::{Look, MIN_WIDTH};
use crate::diag::human::visible;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Titles.
    Bold,
    /// What a reader may skip.
    Dim,
    /// Ids and places.
    Id,
    /// Section headings.
    Head,
    /// Done.
    Good,
    /// To be careful with.
    Warn,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\u{1b}[1m",
            Self::Dim => "\u{1b}[2m",
            Self::Id => "\u{1b}[36m",
            Self::Head => "\u{1b}[1;34m",
            Self::Good => "\u{1b}[32m",
            Self::Warn => "\u{1b}[33m",
        }
    }
}

/// A character with its style, after it was made harmless.
type Glyph = (char, Style);

/// A page under construction. Every text that comes in has its controls made visible and its line ends turned to blanks.
pub struct Page {
    out: String,
    width: usize,
    colour: bool,
}

impl Page {
    /// An empty page.
    pub fn new(look: Look) -> Self {
        Self { out: String::new(), width: look.width.max(MIN_WIDTH), colour: look.colour }
    }

    /// The page as text.
    pub fn finish(self) -> String {
        self.out
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.out.push('\n');
    }

    /// A line across the page with a text in it.
    pub fn rule(&mut self, text: &str) {
        let title = glyphs(&[(Style::Head, text)]);
        let mut line = title;
        if !line.is_empty() {
            line.push((' ', Style::Plain));
        }
        let dashes = self.width.saturating_sub(columns(&line)).max(3);
        line.extend(std::iter::repeat_n(('─', Style::Dim), dashes));
        self.write(0, &line);
    }

    /// A section's heading: a gap, its title and its question.
    pub fn heading(&mut self, title: &str, question: &str) {
        self.gap();
        self.rule(&title.to_uppercase());
        self.flow(2, &[(Style::Dim, question)]);
    }

    /// Wrapped text at an indent.
    pub fn flow(&mut self, indent: usize, spans: &[(Style, &str)]) {
        self.hang(indent, indent, spans);
    }

    /// Wrapped text whose first line starts at `first` and the others at `rest`.
    pub fn hang(&mut self, first: usize, rest: usize, spans: &[(Style, &str)]) {
        let mut indent = first;
        for line in wrap(&glyphs(spans), self.width.saturating_sub(first), self.width.saturating_sub(rest)) {
            self.write(indent, &line);
            indent = rest;
        }
    }

    /// Wrapped text after a label in a column of its own.
    pub fn labelled(&mut self, indent: usize, label: (Style, &str), column: usize, spans: &[(Style, &str)]) {
        let rest = indent.saturating_add(column);
        let label = glyphs(&[label]);
        let mut lines = wrap(&glyphs(spans), self.width.saturating_sub(rest), self.width.saturating_sub(rest)).into_iter();
        let mut first = label.clone();
        first.extend(std::iter::repeat_n((' ', Style::Plain), column.saturating_sub(columns(&label))));
        first.extend(lines.next().unwrap_or_default());
        self.write(indent, &first);
        for line in lines {
            self.write(rest, &line);
        }
    }

    /// A title after its number, with a remark at the right edge.
    pub fn numbered(&mut self, number: &str, spans: &[(Style, &str)], remark: &str) {
        let rest = number.chars().count();
        let start = self.out.len();
        self.ends(rest, rest, spans, remark);
        let title = self.out.split_off(start);
        let body = title.strip_prefix(&" ".repeat(rest)).unwrap_or(&title);
        self.out.push_str(number);
        self.out.push_str(body);
    }

    /// Wrapped text with a remark at the right edge of its last line, or below where it does not fit.
    pub fn ends(&mut self, first: usize, rest: usize, spans: &[(Style, &str)], remark: &str) {
        let remark = glyphs(&[(Style::Dim, remark)]);
        let mut lines = wrap(&glyphs(spans), self.width.saturating_sub(first), self.width.saturating_sub(rest));
        let indent = if lines.len() > 1 { rest } else { first };
        if let Some(last) = lines.last_mut() {
            let used = indent.saturating_add(columns(last)).saturating_add(columns(&remark));
            if used.saturating_add(2) <= self.width {
                last.extend(std::iter::repeat_n((' ', Style::Plain), self.width.saturating_sub(used)));
                last.extend(remark);
            } else {
                lines.extend(wrap(&remark, self.width.saturating_sub(rest), self.width.saturating_sub(rest)));
            }
        }
        let mut indent = first;
        for line in lines {
            self.write(indent, &line);
            indent = rest;
        }
    }

    /// Lines as they are, to be copied: indented, never wrapped.
    pub fn verbatim(&mut self, indent: usize, text: &str) {
        for line in text.trim_end_matches('\n').split('\n') {
            self.write(indent, &glyphs(&[(Style::Plain, line)]));
        }
    }

    fn write(&mut self, indent: usize, line: &[Glyph]) {
        if !line.is_empty() {
            self.out.extend(std::iter::repeat_n(' ', indent));
        }
        let mut style = Style::Plain;
        for (c, wanted) in line {
            if self.colour && style != *wanted && *c != ' ' {
                if style != Style::Plain {
                    self.out.push_str("\u{1b}[0m");
                }
                self.out.push_str(wanted.code());
                style = *wanted;
            }
            self.out.push(*c);
        }
        if self.colour && style != Style::Plain {
            self.out.push_str("\u{1b}[0m");
        }
        self.out.push('\n');
    }
}

/// The door: what comes out cannot steer a terminal and is one line.
fn glyphs(spans: &[(Style, &str)]) -> Vec<Glyph> {
    let mut all = Vec::new();
    for (style, text) in spans {
        all.extend(visible(text).chars().map(|c| (if c == '\n' { ' ' } else { c }, *style)));
    }
    all
}

/// The columns of a terminal that a text takes.
fn columns(line: &[Glyph]) -> usize {
    line.iter().fold(0, |sum, (c, _)| sum.saturating_add(column(*c)))
}

/// Two for the wide blocks (Chinese, Japanese, Korean, emoji), one for the others; close enough for wrapping.
fn column(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Breaks at blanks; a word that is longer than a line is cut. There is always at least one line.
fn wrap(text: &[Glyph], first: usize, rest: usize) -> Vec<Vec<Glyph>> {
    let mut lines: Vec<Vec<Glyph>> = Vec::new();
    let mut line: Vec<Glyph> = Vec::new();
    let mut used = 0usize;
    let mut room = first;
    for word in text.split(|(c, _)| *c == ' ').filter(|w| !w.is_empty()) {
        let wide = columns(word);
        if !line.is_empty() {
            if used.saturating_add(1).saturating_add(wide) <= room {
                // A blank belongs to what follows it: no line ends in a coloured one.
                line.push((' ', Style::Plain));
                used = used.saturating_add(1);
            } else {
                lines.push(std::mem::take(&mut line));
                (used, room) = (0, rest);
            }
        }
        for glyph in word {
            let wide = column(glyph.0);
            if !line.is_empty() && used.saturating_add(wide) > room {
                lines.push(std::mem::take(&mut line));
                (used, room) = (0, rest);
            }
            line.push(*glyph);
            used = used.saturating_add(wide);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::{Look, Page, Style};

    fn written(width: usize, text: &str) -> String {
        let mut page = Page::new(Look { width, colour: false });
        page.flow(4, &[(Style::Plain, text)]);
        page.finish()
    }

    #[test]
    fn long_words_and_wide_letters_stay_inside() {
        let out = written(40, &format!("one {} two", "x".repeat(100)));
        assert!(out.lines().all(|l| l.chars().count() <= 40));
        assert_eq!(out.matches('x').count(), 100);
        let wide = written(40, &"漢字".repeat(40));
        assert!(wide.lines().all(|l| l.trim_start().chars().count() * 2 + 4 <= 40));
        assert_eq!(wide.matches('漢').count(), 40);
    }

    #[test]
    fn a_narrow_terminal_gets_the_least_width() {
        assert_eq!(written(0, "some words that need more than one line of forty"), written(40, "some words that need more than one line of forty"));
    }

    #[test]
    fn colour_wraps_words_and_never_leaks_over_a_line() {
        let mut page = Page::new(Look { width: 40, colour: true });
        page.flow(0, &[(Style::Bold, "a title that is long enough for two lines"), (Style::Plain, " and more")]);
        for line in page.finish().lines() {
            let opened = line.matches("\u{1b}[1m").count();
            assert_eq!(opened, line.matches("\u{1b}[0m").count(), "{line:?}");
        }
    }

    #[test]
    fn a_value_cannot_start_a_line() {
        assert_eq!(written(80, "one\ntwo\u{1b}[2J\r"), "    one two\\u{1b}[2J\\u{d}\n");
    }
}
