//! The documents that the client has open, as it sees them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::protocol::{Encoding, Span, byte, path_of};
use crate::source::SourceFile;

/// An open document.
#[derive(Debug)]
pub struct Document {
    /// The address, as the client writes it.
    pub uri: String,
    /// Grows with every change.
    pub version: i64,
    /// The text.
    pub file: SourceFile,
}

/// One change of a text.
#[derive(Debug, Deserialize)]
pub struct Change {
    /// What is replaced; all of it if not given.
    pub range: Option<Span>,
    /// What comes in its place.
    pub text: String,
}

/// The open documents, by path.
#[derive(Debug, Default)]
pub struct Documents {
    all: BTreeMap<String, Document>,
}

impl Documents {
    /// The open document at a path.
    pub fn get(&self, path: &str) -> Option<&Document> {
        self.all.get(path)
    }

    /// Every open document with its path.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Document)> {
        self.all.iter()
    }

    /// A document was opened.
    pub fn open(&mut self, uri: &str, version: i64, text: &str) {
        let path = path_of(uri);
        let file = SourceFile::new(&path, text);
        self.all.insert(path, Document { uri: uri.to_owned(), version, file });
    }

    /// A document was changed; each change is told over the text that the one before it left. Says whether it is open.
    pub fn change(&mut self, uri: &str, version: i64, changes: Vec<Change>, encoding: Encoding) -> bool {
        let path = path_of(uri);
        let Some(document) = self.all.get_mut(&path) else { return false };
        document.version = version;
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let old = &document.file;
                    let start = byte(old, range.start, encoding);
                    let end = byte(old, range.end, encoding).max(start);
                    [old.text.get(..start).unwrap_or(""), &change.text, old.text.get(end..).unwrap_or("")].concat()
                }
            };
            document.file = SourceFile::new(&path, &text);
        }
        true
    }

    /// A document was closed. Says whether it was open.
    pub fn close(&mut self, uri: &str) -> bool {
        self.all.remove(&path_of(uri)).is_some()
    }
}
