//! Text and places in it: files, spans, lines and columns. Knows nothing of what the text means.

pub mod scalar;

pub use scalar::{Scalar, Snippet};

use std::sync::{Arc, OnceLock};

/// A file of a [`Sources`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one file; always on character boundaries and inside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` to `end`, in bytes.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let end = u32::try_from(end).unwrap_or(u32::MAX).max(start);
        Self { file, start, end }
    }

    /// The empty span at the start of a file.
    pub fn top(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }

    /// The smallest span that holds both, if they lie in the same file; else `self`.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One text with the places where its lines begin.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name shown to people: a path as it was given, or `<built in>/…`.
    pub path: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    /// Where lines begin; found when it is first asked.
    lines: OnceLock<Vec<u32>>,
}

impl SourceFile {
    /// A file with this name and text.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into(), lines: OnceLock::new() }
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let begins = self.text.match_indices('\n').map(|(at, _)| u32::try_from(at.saturating_add(1)).unwrap_or(u32::MAX));
            std::iter::once(0).chain(begins).collect()
        })
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn line_column(&self, byte: u32) -> (usize, usize) {
        let lines = self.lines();
        let line = lines.partition_point(|start| *start <= byte).max(1);
        let start = lines.get(line.saturating_sub(1)).copied().unwrap_or(0) as usize;
        let column = self.text.get(start..byte as usize).map_or(0, |before| before.chars().count());
        (line, column.saturating_add(1))
    }

    /// The byte at which a line (from 1) begins.
    pub fn line_start(&self, line: usize) -> Option<usize> {
        self.lines().get(line.checked_sub(1)?).map(|at| *at as usize)
    }
}

/// The files of one playbook set. A file keeps its id when its text changes; cloning shares the texts.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// By id; nothing where a file is gone.
    files: Vec<Option<Arc<SourceFile>>>,
    /// The ids in the order in which people see the files.
    order: Arc<Vec<FileId>>,
    /// The place of each id in that order.
    ranks: Arc<Vec<u32>>,
}

impl Sources {
    /// Adds a file, last in order, and gives its id.
    pub fn add(&mut self, path: &str, text: &str) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Some(Arc::new(SourceFile::new(path, text))));
        Arc::make_mut(&mut self.ranks).push(u32::try_from(self.order.len()).unwrap_or(u32::MAX));
        Arc::make_mut(&mut self.order).push(id);
        id
    }

    /// Puts another text, or none, in place of a file. What spoke of the old one must be made again.
    pub fn replace(&mut self, id: FileId, file: Option<SourceFile>) {
        if let Some(slot) = self.files.get_mut(id.0 as usize) {
            *slot = file.map(Arc::new);
        }
    }

    /// Says in which order the files are; it names every file that is there.
    pub fn arrange(&mut self, order: Vec<FileId>) {
        let mut ranks = vec![u32::MAX; self.files.len()];
        for (rank, id) in (0u32..).zip(&order) {
            if let Some(slot) = ranks.get_mut(id.0 as usize) {
                *slot = rank;
            }
        }
        self.order = Arc::new(order);
        self.ranks = Arc::new(ranks);
    }

    /// The place of a file in the order in which people see them.
    pub fn rank(&self, id: FileId) -> u32 {
        self.ranks.get(id.0 as usize).copied().unwrap_or(u32::MAX)
    }

    /// The file with this id.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)?.as_deref()
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|f| f.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// Path, line and column of the start of a span.
    pub fn place(&self, span: Span) -> Place {
        let file = self.get(span.file);
        let (line, column) = file.map_or((1, 1), |f| f.line_column(span.start));
        Place { file: file.map_or_else(|| "".into(), |f| f.path.clone()), line, column }
    }

    /// Every file with its id, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.order.iter().filter_map(|id| Some((*id, self.get(*id)?)))
    }
}

/// Where something stands, for people and for JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let file = SourceFile::new("x", "ab\nçé=1\n");
        let at = file.text.find('=').unwrap_or(0) as u32;
        assert_eq!(file.line_column(at), (2, 3));
        assert_eq!(file.line_column(0), (1, 1));
    }
}
