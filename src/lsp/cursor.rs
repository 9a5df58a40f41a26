//! Where the cursor is, also in a text that is being typed and is no YAML yet: a marker word is put at the cursor, and
//! what is open on its line is closed, until the parser can read it.

use super::walk::{Place, locate};
use crate::playbook::yaml::{self, Node};
use crate::source::{FileId, SourceFile};

/// The word that stands for the cursor.
pub const MARKER: &str = "zzcursorzz";

/// A text with a marker in it that could be read.
pub struct Cursor {
    /// Its tree.
    pub tree: Node,
    /// Where the marker begins.
    pub byte: usize,
    /// Whether other parts of the file had to be left out.
    pub partial: bool,
}

impl Cursor {
    /// Finds the cursor at a byte of a text.
    pub fn find(text: &str, byte: usize) -> Option<Self> {
        let (before, after) = text.split_at_checked(byte)?;
        if text.len() > crate::playbook::limits::FILE_BYTES {
            return None;
        }
        for kept in [Kept::All, Kept::Before, Kept::Section] {
            let (before, after) = section(before, after, kept);
            for (insert, cut) in variants(&before, &after) {
                let rest = if cut { after.find('\n').and_then(|n| after.get(n..)).unwrap_or("") } else { &after };
                let patched = format!("{before}{insert}{rest}");
                let file = SourceFile::new("", &patched);
                let Some(tree) = yaml::parse(FileId(u32::MAX), &file, &mut Vec::new()) else { continue };
                let cursor = Self { tree, byte: before.len(), partial: kept == Kept::Section };
                if cursor.place().is_some() {
                    return Some(cursor);
                }
            }
        }
        None
    }

    /// The place of the cursor: a scalar that holds the marker.
    pub fn place(&self) -> Option<Place<'_>> {
        locate(&self.tree, self.byte.saturating_add(1)).filter(|p| p.node.scalar().is_some_and(|s| s.text.contains(MARKER)))
    }
}

/// How much of a file is read around the cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// All of it.
    All,
    /// What comes before, and the section of the cursor.
    Before,
    /// The line that says what the file is, and the section of the cursor.
    Section,
}

/// What may be put in at the cursor, and whether the rest of the line is left out then.
fn variants(before: &str, after: &str) -> Vec<(String, bool)> {
    let line = before.rsplit('\n').next().unwrap_or("");
    let rest = after.split('\n').next().unwrap_or("").trim();
    let closers = closers(line);
    let mut all = Vec::new();
    let ends = rest.is_empty() || rest.starts_with('#');
    if ends && !closers.is_empty() {
        all.push((format!("{MARKER}{closers}"), false));
        all.push((format!("{MARKER}: x{closers}"), false));
    }
    all.push((MARKER.to_owned(), false));
    all.push((format!("{MARKER}:"), false));
    all.push((format!("{MARKER}: x"), false));
    if !ends {
        all.push((format!("{MARKER}{closers}"), true));
        all.push((format!("{MARKER}: x{closers}"), true));
    }
    all
}

/// What closes the quotes and brackets that are open at the end of a line.
fn closers(line: &str) -> String {
    let mut open: Vec<char> = Vec::new();
    let mut before = ' ';
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (open.last().copied(), c) {
            (Some('"'), '\\') => {
                chars.next();
            }
            (Some('"'), '"') => drop(open.pop()),
            (Some('\''), '\'') => {
                let doubled = chars.next_if_eq(&'\'').is_some();
                if !doubled {
                    open.pop();
                }
            }
            (Some('"' | '\''), _) => {}
            // A quote begins a text only where a value begins.
            (_, '"' | '\'') if matches!(before, ' ' | '[' | '{' | ',') => open.push(c),
            (_, '[') if matches!(before, ' ' | '[' | '{' | ',') => open.push(']'),
            (_, '{') if matches!(before, ' ' | '[' | '{' | ',') => open.push('}'),
            (Some(']'), ']') | (Some('}'), '}') => drop(open.pop()),
            _ => {}
        }
        before = c;
    }
    open.into_iter().rev().collect()
}

/// The parts of a file that are kept; blanks elsewhere.
fn section(before: &str, after: &str, kept: Kept) -> (String, String) {
    if kept == Kept::All {
        return (before.to_owned(), after.to_owned());
    }
    let top = |line: &str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    let lines: Vec<&str> = before.split('\n').collect();
    let last = lines.len().saturating_sub(1);
    let from = lines.iter().rposition(|l| top(l)).unwrap_or(0);
    let first = lines.iter().position(|l| top(l)).unwrap_or(0);
    let stays = |n: usize| kept == Kept::Before || n == first || n >= from || n == last;
    let front: Vec<String> = lines.iter().enumerate().map(|(n, l)| if stays(n) { (*l).to_owned() } else { " ".repeat(l.len()) }).collect();
    let mut open = true;
    let rest: Vec<String> = after
        .split('\n')
        .enumerate()
        .map(|(n, l)| {
            open &= n == 0 || !top(l);
            if open { l.to_owned() } else { " ".repeat(l.len()) }
        })
        .collect();
    (front.join("\n"), rest.join("\n"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        let byte = text.find('§').unwrap();
        let text = text.replace('§', "");
        let Some(cursor) = Cursor::find(&text, byte) else { return "-".into() };
        let place = cursor.place().unwrap();
        let path: Vec<&str> = place.path.iter().map(|s| s.key.map_or("-", |k| &*k.text)).collect();
        format!("{}{}", path.join("/"), if place.is_key { " key" } else { "" })
    }

    #[test]
    fn the_cursor_is_found_in_text_that_is_being_typed() {
        assert_eq!(at("playbook: a\n§\nbind:\n  x: users\n"), "zzcursorzz key");
        assert_eq!(at("playbook: a\nmatch:\n  sig§\nbind:\n  x: users\n"), "match");
        assert_eq!(at("playbook: a\nmatch:\n  types: [a]\n  sig§\n"), "match/sigzzcursorzz key");
        assert_eq!(at("playbook: a\nmatch:\n  signals: [a, §\nbind:\n  x: users\n"), "match/signals/-");
        assert_eq!(at("playbook: a\nconditions:\n  c:\n    if: \"users.§\n    pass: \"x\"\n"), "conditions/c/if");
        assert_eq!(at("playbook: a\nconditions:\n  c:\n    if: users.filter(|u| u.§)\n    pass: x\n"), "conditions/c/if");
        assert_eq!(at("playbook: a\nbind:\n  x: >\n    users.filter(|u| u.§\n    && a)\n"), "bind/x");
        assert_eq!(at("playbook: a\ncontainment:\n  - id: x\n    act§\n    why: b\n"), "containment/-/actzzcursorzz key");
        assert_eq!(at("playbook: a\ncontainment:\n  - { id: x, action: user.§ }\n"), "containment/-/action");
        assert_eq!(at("playbook: a\ncontainment:\n  - { id: x, after: [§\n"), "containment/-/after/-");
        assert_eq!(at("playbook: a\nbind:\n  x: us§\nhunts: [\n"), "bind/x");
        assert_eq!(at("play§"), "");
        assert_eq!(at("playbook: a\nbind: [broken\nmatch:\n  signals: [url§]\n"), "match/signals/-");
    }
}
