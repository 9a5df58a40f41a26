//! Regular expressions of playbooks: linear in the text, bounded in size.

use std::sync::OnceLock;

use regex::Regex;

use super::limits;

/// A regular expression. What authors write is compiled when it loads; what ships, which the tests have compiled, when
/// it is first asked.
#[derive(Debug)]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern that is known to compile.
    pub fn later(source: &str) -> Self {
        Self { source: source.to_owned(), compiled: OnceLock::new() }
    }

    /// Compiles a pattern now.
    pub fn now(source: &str) -> Result<Self, regex::Error> {
        let compiled = compile(source)?;
        Ok(Self { source: source.to_owned(), compiled: OnceLock::from(Some(compiled)) })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether it is found in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.get_or_init(|| compile(&self.source).ok()).as_ref().is_some_and(|r| r.is_match(text))
    }
}

fn compile(source: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(source).size_limit(limits::REGEX_BYTES).build()
}
