//! A diagnostic as data, and how it is shown. Speaks for every room.

pub mod codes;
pub mod explain;
pub mod github;
pub mod human;
pub mod json;
pub mod mend;
pub mod sarif;
pub mod unified;

use schemars::JsonSchema;
use serde::Serialize;

use crate::source::{Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The thing cannot be used.
    Error,
    /// It can be used, and something about it is probably not meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it; may be empty.
    pub text: String,
}

/// Something that a person should know, with a permanent code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// `GR…`, one of [`codes`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower case, the user's words in backticks.
    pub message: String,
    /// Where, in files that an author wrote; the first is the place itself.
    pub labels: Vec<Label>,
    /// Where, in an incident: a JSON path such as `$.value[0].alerts[2].evidence[1]`.
    pub path: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// The playbook and card that it is about, once it runs.
    pub about: Option<(String, Option<String>)>,
    /// A change of the file that mends it.
    pub fix: Option<Fix>,
}

/// A change of a file that mends what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does: "write `clickers`".
    pub title: String,
    /// The texts to be put in place of what stands there; they do not overlap, and lie in one file.
    pub edits: Vec<(Span, String)>,
    /// Whether it can be applied unseen: it changes nothing that the author may have meant.
    pub safe: bool,
}

impl Diagnostic {
    /// An error at a place in an author's file.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message).at(span, "")
    }

    /// A warning at a place in an author's file.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message).at(span, "")
    }

    /// A diagnostic without a place.
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), labels: Vec::new(), path: None, help: None, about: None, fix: None }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a change that mends it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Asks for the known word that is near, and offers to write it at `span`; without one, says what is known instead.
    #[must_use]
    pub fn did_you_mean(mut self, span: Span, near: Option<&str>, otherwise: impl Into<String>) -> Self {
        match near {
            Some(near) => {
                self.help = Some(format!("did you mean `{near}`?"));
                // In any kind of quotes, these characters stand for themselves.
                let plain = near.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
                self.fix = plain.then(|| Fix { title: format!("write `{near}`"), edits: vec![(span, near.to_owned())], safe: false });
            }
            None => self.help = Some(otherwise.into()).filter(|h: &String| !h.is_empty()),
        }
        self
    }

    /// Says of the fix, if there is one, that it can be applied unseen.
    #[must_use]
    pub fn safe(mut self) -> Self {
        if let Some(fix) = &mut self.fix {
            fix.safe = true;
        }
        self
    }

    /// Adds the place in an incident.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The form that answers carry.
    pub fn to_wire(&self, sources: &Sources) -> Wire {
        let place = self.labels.first().map(|l| sources.place(l.span));
        Wire {
            code: self.code,
            severity: self.severity,
            message: self.message.clone(),
            file: place.as_ref().map(|p| p.file.to_string()),
            line: place.as_ref().map(|p| p.line),
            column: place.as_ref().map(|p| p.column),
            path: self.path.clone(),
            help: self.help.clone(),
            playbook: self.about.as_ref().map(|a| a.0.clone()),
            card: self.about.as_ref().and_then(|a| a.1.clone()),
        }
    }
}

/// A diagnostic as JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Wire {
    /// `GR…`
    pub code: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The place in an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The playbook that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// The card that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}

/// The known word that is nearest to a misspelt one, for "did you mean".
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(word, known).min().map(|(_, k)| k)
}

/// All known words that a misspelt one may stand for, the nearest first.
pub fn nearby<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<(usize, &str)> = near(word, known).collect();
    all.sort_unstable();
    all.into_iter().map(|(_, k)| k).collect()
}

fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let word = word.to_lowercase();
    let distance = move |k: &'a str| (strsim::damerau_levenshtein(&word, &k.to_lowercase()), k);
    known.into_iter().map(distance).filter(|(distance, k)| *distance <= k.chars().count().max(3) / 3)
}

/// Sorts what has no place in an author's file, and takes out repetitions, so that what is shown does not depend on the
/// order in which it was found.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    sort_in(diagnostics, &Sources::default());
}

/// Sorts by place, in the order of the files, and takes out repetitions.
pub fn sort_in(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    fn place(d: &Diagnostic, sources: &Sources) -> Option<(u32, Span)> {
        d.labels.first().map(|l| (sources.rank(l.span.file), l.span))
    }
    diagnostics
        .sort_by(|a, b| place(a, sources).cmp(&place(b, sources)).then_with(|| (&a.path, a.code, &a.message).cmp(&(&b.path, b.code, &b.message))));
    diagnostics.dedup();
}
