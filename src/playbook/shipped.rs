//! What ships with the program: the files, and what the YAML parser says of them, both in the binary.

use super::yaml::{Builder, Node, Style};
use crate::source::scalar::Quote;
use crate::source::{FileId, SourceFile, Span};

macro_rules! shipped_prefix {
    () => {
        "<shipped>/"
    };
}

/// What the names of files begin with that ship with the program.
pub const SHIPPED: &str = shipped_prefix!();

/// A file that ships.
#[derive(Debug)]
pub struct Shipped {
    /// Its name.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
    /// What the parser says of the part that answers are made from, as `build.rs` wrote it.
    events: &'static [u8],
    /// The same of the keys that say whether a playbook matches.
    head: &'static [u8],
    /// The hash of its text.
    pub(super) hash: [u8; 32],
}

/// The files that ship, by name.
pub static FILES: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// Whether a file ships with the program, by its name.
pub fn is_shipped(path: &str) -> bool {
    path.starts_with(SHIPPED)
}

/// The file of this name, if it is just as it ships.
pub(super) fn same(file: &SourceFile) -> Option<&'static Shipped> {
    let n = FILES.binary_search_by(|s| s.path.cmp(&file.path)).ok()?;
    FILES.get(n).filter(|s| *s.text == *file.text)
}

impl Shipped {
    /// Its tree without its tests.
    pub(super) fn tree(&self, id: FileId) -> Option<Node> {
        self.grown(self.events, id)
    }

    /// If it is a playbook, what of its tree says whether it matches.
    pub(super) fn head(&self, id: FileId) -> Option<Node> {
        self.grown(self.head, id).filter(|head| head.get("playbook").is_some())
    }

    fn grown(&self, events: &'static [u8], id: FileId) -> Option<Node> {
        let mut rest = Bytes(events);
        let mut tree = Builder::new(id, self.text);
        while let Some(mark) = rest.next() {
            let start = rest.number()?;
            let span = Span::new(id, start, start.saturating_add(rest.number()?));
            let (style, quote) = match mark {
                b'[' => {
                    tree.list(span, None).ok()?;
                    continue;
                }
                b'{' => {
                    tree.map(span, None).ok()?;
                    continue;
                }
                b'.' => {
                    tree.end(span).ok()?;
                    continue;
                }
                b'b' => (Style::Block, Quote::None),
                b's' => (Style::Quoted, Quote::Single),
                b'd' => (Style::Quoted, Quote::Double),
                _ => (Style::Plain, Quote::None),
            };
            tree.scalar(rest.text()?, style, quote, span, None).ok()?;
        }
        tree.root()
    }
}

/// What is not read yet.
struct Bytes(&'static [u8]);

impl Bytes {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<usize> {
        let (mut n, mut shift) = (0usize, 0u32);
        loop {
            let byte = self.next()?;
            n |= usize::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(n);
            }
            shift = shift.saturating_add(7);
        }
    }

    fn text(&mut self) -> Option<&'static str> {
        let len = self.number()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::yaml;

    #[test]
    fn the_trees_are_those_that_the_parser_gives() {
        assert!(FILES.is_sorted_by_key(|s| s.path) && FILES.len() > 30);
        for s in FILES {
            let file = SourceFile::new("elsewhere", s.text);
            let parsed = yaml::parse_rules(FileId(7), &file, &mut Vec::new());
            assert!(parsed.is_some() && s.tree(FileId(7)) == parsed, "{}", s.path);
            assert_eq!(s.hash, *blake3::hash(s.text.as_bytes()).as_bytes());
            if let Some(head) = s.head(FileId(7)) {
                let there = ["playbook", "title", "version", "status", "match", "use"].map(|k| (k, parsed.as_ref().unwrap().get(k)));
                assert!(there.iter().all(|(k, node)| head.get(k) == *node), "{}", s.path);
            }
        }
    }
}
