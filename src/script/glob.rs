//! Globs: `*` any text, `?` one character, the rest literal, blind to case.

/// A glob, ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// The literal parts between the stars, `?` as `None`.
    parts: Vec<Vec<Option<char>>>,
}

impl Glob {
    /// Reads a glob.
    pub fn new(pattern: &str) -> Self {
        let one = |part: &str| part.chars().map(|c| (c != '?').then_some(c)).collect();
        Self { parts: pattern.to_lowercase().split('*').map(one).collect() }
    }

    /// A text that fits: nothing for each star, `x` for each question mark.
    pub fn example(&self) -> String {
        self.parts.iter().flatten().map(|c| c.unwrap_or('x')).collect()
    }

    /// Whether all of a text, already in lower case, fits.
    pub fn fits(&self, lower: &str) -> bool {
        let text: Vec<char> = lower.chars().collect();
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else { return false };
        if self.parts.len() == 1 {
            return first.len() == text.len() && same(first, &text);
        }
        let Some(rest) = text.get(first.len()..) else { return false };
        if !same(first, &text) || rest.len() < last.len() {
            return false;
        }
        let (mut middle, tail) = rest.split_at_checked(rest.len().saturating_sub(last.len())).unwrap_or((rest, &[]));
        if !same(last, tail) {
            return false;
        }
        // The first place of each part leaves the most room for those that follow.
        for part in self.parts.iter().skip(1).take(self.parts.len().saturating_sub(2)) {
            let Some(at) =
                (0..=middle.len().saturating_sub(part.len())).find(|at| middle.get(*at..).is_some_and(|m| m.len() >= part.len() && same(part, m)))
            else {
                return false;
            };
            middle = middle.get(at.saturating_add(part.len())..).unwrap_or(&[]);
        }
        true
    }
}

/// Whether a text begins with a literal part.
fn same(part: &[Option<char>], text: &[char]) -> bool {
    text.len() >= part.len() && part.iter().zip(text).all(|(p, c)| p.is_none_or(|p| p == *c))
}

#[cfg(test)]
mod tests {
    use super::Glob;
    use proptest::prelude::*;

    #[test]
    fn globs_fit_whole_texts() {
        for (glob, text, fits) in [
            ("*malicious url*", "a potentially malicious url click was detected", true),
            ("*.pdf", "invoice.pdf", true),
            ("*.pdf", "invoice.pdf.exe", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("?b", "ab", true),
            ("?b", "b", false),
            ("", "", true),
            ("*", "", true),
            ("ab*ba", "aba", false),
            ("Ab", "ab", true),
        ] {
            assert_eq!(Glob::new(glob).fits(text), fits, "{glob} {text}");
        }
    }

    proptest! {
        /// The regular expression that says the same, as a second opinion.
        #[test]
        fn globs_agree_with_regular_expressions(glob in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let pattern: String = glob.chars().map(|c| match c { '*' => ".*".to_owned(), '?' => ".".to_owned(), c => regex::escape(&c.to_string()) }).collect();
            let other = regex::Regex::new(&format!("(?s)^{pattern}$")).unwrap();
            prop_assert_eq!(Glob::new(&glob).fits(&text), other.is_match(&text));
        }
    }
}
