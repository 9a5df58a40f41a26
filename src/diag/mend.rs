//! Fixes, applied: which of them go together, and what the files are then.

use std::collections::BTreeMap;

use super::Diagnostic;
use crate::source::{FileId, Sources, Span};

/// A file as its fixes make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// The file.
    pub file: FileId,
    /// Its new text.
    pub text: String,
    /// Which diagnostics were mended, by position.
    pub by: Vec<usize>,
}

/// Applies the safe fixes of the files that `may` be changed. Of fixes that touch one another the first is taken; the
/// others wait for the next time. A fix that would change nothing is none.
pub fn mend(diagnostics: &[Diagnostic], sources: &Sources, may: impl Fn(FileId) -> bool) -> Vec<Mended> {
    let mut taken: BTreeMap<FileId, Vec<(Span, &str, usize)>> = BTreeMap::new();
    for (n, d) in diagnostics.iter().enumerate() {
        let Some(fix) = d.fix.as_ref().filter(|f| f.safe && !f.edits.is_empty()) else { continue };
        let Some(file) = fix.edits.first().map(|(s, _)| s.file).filter(|f| may(*f)) else { continue };
        let of_file = taken.entry(file).or_default();
        let free = |span: &Span| of_file.iter().all(|(t, _, _)| span.end < t.start || t.end < span.start);
        if fix
            .edits
            .iter()
            .all(|(s, text)| s.file == file && free(s) && sources.get(file).is_some_and(|f| fits(&f.text, *s)) && sources.text(*s) != text)
        {
            of_file.extend(fix.edits.iter().map(|(s, text)| (*s, text.as_str(), n)));
        }
    }
    let mut made = Vec::new();
    for (file, mut edits) in taken {
        let Some(source) = sources.get(file) else { continue };
        edits.sort_by_key(|(s, _, _)| (s.start, s.end));
        let mut text = source.text.to_string();
        // From the end, so that the places before it stay where they are.
        for (span, new, _) in edits.iter().rev() {
            text.replace_range(span.start as usize..span.end as usize, new);
        }
        let mut by: Vec<usize> = edits.iter().map(|(_, _, n)| *n).collect();
        by.sort_unstable();
        by.dedup();
        if !by.is_empty() {
            made.push(Mended { file, text, by });
        }
    }
    made
}

/// Whether a span lies in a text, on characters.
fn fits(text: &str, span: Span) -> bool {
    text.get(span.start as usize..span.end as usize).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Fix, codes};

    fn fix(file: FileId, edits: &[(usize, usize, &str)], safe: bool) -> Diagnostic {
        let edits = edits.iter().map(|(a, b, t)| (Span::new(file, *a, *b), (*t).to_owned())).collect();
        Diagnostic::error(codes::TYPE, Span::top(file), "x").fix(Fix { title: "x".into(), edits, safe })
    }

    #[test]
    fn fixes_that_touch_wait_and_unsafe_ones_are_left() {
        let mut sources = Sources::default();
        let file = sources.add("a", "één twee drie vier");
        let all = [
            fix(file, &[(0, 5, "1"), (11, 15, "3")], true),
            fix(file, &[(6, 10, "2")], false),
            fix(file, &[(14, 20, "x")], true),
            fix(file, &[(16, 20, "4")], true),
            fix(file, &[(1, 2, "x")], true),
            fix(file, &[(6, 10, "twee")], true),
        ];
        let made = mend(&all, &sources, |_| true);
        assert_eq!(made, [Mended { file, text: "1 twee 3 4".into(), by: vec![0, 3] }]);
        assert!(mend(&all, &sources, |_| false).is_empty());
    }
}
