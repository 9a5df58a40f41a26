//! Globs: `*` any text, `?` one character, the rest literal, blind to case.

/// A glob, ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// The parts between the stars, lower case; `?` stands for one character.
    parts: Vec<Box<str>>,
    /// Whether there is no `?` in any part.
    plain: bool,
}

impl Glob {
    /// Reads a glob.
    pub fn new(pattern: &str) -> Self {
        Self { parts: pattern.to_lowercase().split('*').map(Into::into).collect(), plain: !pattern.contains('?') }
    }

    /// A text that fits: nothing for each star, `x` for each question mark.
    pub fn example(&self) -> String {
        self.parts.concat().replace('?', "x")
    }

    /// The texts that every text which fits has in it.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|p| p.split('?')).filter(|p| !p.is_empty())
    }

    /// Whether all of a text, already in lower case, fits.
    pub fn fits(&self, lower: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| self.begins(only, lower) == Some(lower.len()));
        };
        let Some(mut rest) = self.begins(first, lower).and_then(|n| lower.get(n..)) else { return false };
        let Some(tail) = self.tail(last, rest) else { return false };
        rest = rest.get(..tail).unwrap_or("");
        // The first place of each part leaves the most room for those that follow.
        for part in middle {
            let Some(end) = self.find(part, rest) else { return false };
            rest = rest.get(end..).unwrap_or("");
        }
        true
    }

    /// How many bytes a part takes at the beginning of a text, if it stands there.
    fn begins(&self, part: &str, text: &str) -> Option<usize> {
        if self.plain {
            return text.starts_with(part).then_some(part.len());
        }
        let mut left = text.chars();
        for p in part.chars() {
            let c = left.next()?;
            if p != '?' && p != c {
                return None;
            }
        }
        Some(text.len().saturating_sub(left.as_str().len()))
    }

    /// Where a part begins with which a text ends.
    fn tail(&self, part: &str, text: &str) -> Option<usize> {
        if self.plain {
            return text.strip_suffix(part).map(str::len);
        }
        let Some(before) = part.chars().count().checked_sub(1) else { return Some(text.len()) };
        let at = text.char_indices().rev().nth(before)?.0;
        self.begins(part, text.get(at..)?).map(|_| at)
    }

    /// Where the first place of a part in a text ends.
    fn find(&self, part: &str, text: &str) -> Option<usize> {
        if self.plain {
            return find(part, text).map(|at| at.saturating_add(part.len()));
        }
        let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        starts.find_map(|at| Some(at.saturating_add(self.begins(part, text.get(at..)?)?)))
    }
}

/// Where a part first stands in a text. Most texts are a few words: for them the preparations of a search that is quick
/// on any text cost more than looking.
fn find(part: &str, text: &str) -> Option<usize> {
    let (Some(first), true) = (part.bytes().next(), text.len() <= 256) else { return text.find(part) };
    let mut from = 0usize;
    loop {
        let rest = text.as_bytes().get(from..)?;
        let at = from.saturating_add(rest.iter().position(|b| *b == first)?);
        if text.as_bytes().get(at..)?.starts_with(part.as_bytes()) {
            return Some(at);
        }
        from = at.saturating_add(1);
    }
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
        fn globs_agree_with_regular_expressions(glob in "[abü*?]{0,8}", text in "[abü]{0,10}") {
            let pattern: String = glob.chars().map(|c| match c { '*' => ".*".to_owned(), '?' => ".".to_owned(), c => regex::escape(&c.to_string()) }).collect();
            let other = regex::Regex::new(&format!("(?s)^{pattern}$")).unwrap();
            prop_assert_eq!(Glob::new(&glob).fits(&text), other.is_match(&text));
        }
    }
}
