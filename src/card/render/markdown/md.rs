//! Markdown that cannot be anything else than what it was meant to be.

use crate::diag::human::visible;

/// A piece of Markdown. Text gets in by [`Md::text`] and [`Md::code`] alone, which take its shape away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Md(String);

impl Md {
    /// Markdown that this program wrote.
    pub fn fixed(markdown: &'static str) -> Self {
        Self(markdown.to_owned())
    }

    /// A number.
    pub fn number(n: usize) -> Self {
        Self(n.to_string())
    }

    /// Prose from anywhere: punctuation escaped, HTML as entities, one line. Words that a site would turn into a link, a
    /// mention, a reference or a formula are set as code.
    pub fn text(text: &str) -> Self {
        let mut out = String::new();
        for word in one_line(text).split(' ').filter(|w| !w.is_empty()) {
            if !out.is_empty() {
                out.push(' ');
            }
            if linked(word) { out.push_str(&Self::code(word).0) } else { escape(word, &mut out) }
        }
        Self(out)
    }

    /// A text to be taken literally, as a code span.
    pub fn code(text: &str) -> Self {
        let text = one_line(text);
        if text.trim().is_empty() {
            return Self("(empty)".to_owned());
        }
        let fence = "`".repeat(longest_run(&text).saturating_add(1));
        // A blank on each side is taken off again by the reader; it is needed next to a backtick, and kept even elsewhere.
        let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
        Self(format!("{fence}{pad}{text}{pad}{fence}"))
    }

    /// A block to be copied, with a fence that is longer than any inside.
    pub fn block(language: &'static str, text: &str) -> Self {
        let text = visible(text);
        let fence = "`".repeat(longest_run(&text).saturating_add(1).max(3));
        Self(format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n')))
    }

    /// This and that.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// In bold.
    #[must_use]
    pub fn bold(self) -> Self {
        Self(format!("**{}**", self.0))
    }

    /// All of them with something between.
    pub fn join(all: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        Self(all.into_iter().map(|m| m.0).collect::<Vec<_>>().join(between))
    }

    /// The Markdown.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Controls made visible, line ends as blanks.
fn one_line(text: &str) -> String {
    visible(text).replace('\n', " ")
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0usize;
    let mut run = 0usize;
    for c in text.chars() {
        run = if c == '`' { run.saturating_add(1) } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Whether a site would make something of a word: addresses, `@mentions`, `#12`, `$formulas$`, `:emoji:`.
fn linked(word: &str) -> bool {
    let lower = word.to_lowercase();
    let emoji = word.matches(':').count() > 1 && word.contains(|c: char| c.is_ascii_alphabetic());
    emoji || word.contains(['@', '#', '$']) || word.contains("://") || lower.contains("www.") || lower.contains("mailto:")
}

/// Escapes a word; it may stand at the start of a line, where a lone `-`, `===` or `1.` would mean something.
fn escape(word: &str, out: &mut String) {
    if word.chars().all(|c| matches!(c, '-' | '+' | '=')) {
        out.push('\\');
    }
    let ordinal = word.strip_suffix('.').is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
    for c in word.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            '.' if ordinal => out.push_str("\\."),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Md;

    fn text(t: &str) -> String {
        Md::text(t).into_string()
    }

    fn code(t: &str) -> String {
        Md::code(t).into_string()
    }

    #[test]
    fn punctuation_loses_its_meaning() {
        assert_eq!(text("[x](y) *b* _i_ `c` ~s~ | <b> &amp;"), "\\[x\\](y) \\*b\\* \\_i\\_ \\`c\\` \\~s\\~ \\| &lt;b&gt; &amp;amp;");
        assert_eq!(text("1. one\n- two\n=== + x"), "1\\. one \\- two \\=== \\+ x");
        assert_eq!(text("203.0.113.7 or 1.5, re-use a+b"), "203.0.113.7 or 1.5, re-use a+b");
    }

    #[test]
    fn addresses_and_mentions_are_code() {
        assert_eq!(text("ada@contoso.com saw https://evil.example/a"), "`ada@contoso.com` saw `https://evil.example/a`");
        assert_eq!(text("@team #12 $x$ WWW.x.example"), "`@team` `#12` `$x$` `WWW.x.example`");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(code(""), "(empty)");
        assert_eq!(Md::block("kql", "a\n````\nb\n").into_string(), "`````kql\na\n````\nb\n`````");
    }

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(code("a\u{202e}b\u{1b}[2J\nc"), "`a\\u{202e}b\\u{1b}[2J c`");
        assert_eq!(text("a\u{200b}b"), "a\\\\u{200b}b");
    }
}
