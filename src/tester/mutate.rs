//! Mutation: one thing in the conditions of playbooks is changed at a time, and the tests must notice.

mod changes;
pub mod document;
pub mod page;
mod sites;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::coverage::{Coverage, Share, library_id, used};
use super::test::{self, Over, Wish};
use crate::playbook::set::{Playbook, Target};
use crate::playbook::tests::Test;
use crate::playbook::{Compiler, Input, PlaybookSet};
use crate::script::eval::Observed;
use crate::script::expr::Key;
use crate::source::{FileId, Span};
use sites::Site;
use words::Words;

/// A test that passes, with what its playbook is asked over.
pub struct Trial<'a> {
    /// The test.
    pub test: &'a Test,
    /// Facts of its incident, and what was said on the way to them.
    pub over: Over<'a>,
    /// What the test asks.
    pub observed: Observed,
}

/// A playbook with the tests of it that pass.
pub struct Tried<'a> {
    /// The playbook.
    pub playbook: &'a Playbook,
    /// Its tests.
    pub trials: Vec<Trial<'a>>,
}

impl Trial<'_> {
    /// Whether it asks the clause that a mutant is in; of what is in no clause, nobody knows.
    fn asks(&self, mutant: &Mutant) -> bool {
        mutant.clause.is_none_or(|c| self.observed.contains_key(&c))
    }
}

/// A change of a file that tests should notice.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The position of its file in [`Mutation::files`].
    pub file: usize,
    /// What is changed.
    pub span: Span,
    /// What it belongs to, in words.
    pub owner: String,
    /// What stands there.
    pub from: String,
    /// The innermost clause that it is in.
    clause: Option<(Span, Key)>,
    /// The changes of the file that are tried, with what they put there: the first that compiles counts.
    edits: Vec<(Span, String, String)>,
    /// Whether it leaves out an entry of `match:`; those are told apart.
    pub matching: bool,
}

/// A file that is changed: a playbook's, or a library's.
#[derive(Clone, Debug)]
pub struct File {
    /// The id of the playbook or library.
    pub name: String,
    /// Whether it is a library.
    pub library: bool,
    /// The file.
    pub id: FileId,
    /// The file as it is compiled.
    input: Input,
    /// The playbooks whose tests should notice, by position.
    users: Vec<usize>,
}

/// What came of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does not compile, or asks what was asked before: it does not count.
    None,
    /// A test noticed.
    Killed,
    /// No test noticed: what was put there, and the tests that ask what was changed.
    Survived(String, Vec<Arc<str>>),
}

/// All changes of some playbooks and of the libraries that they use.
pub struct Mutation<'a> {
    /// The files that are changed.
    pub files: Vec<File>,
    /// The changes, by file and place.
    pub mutants: Vec<Mutant>,
    tried: &'a [Tried<'a>],
    before: BTreeMap<Arc<str>, Vec<Key>>,
}

impl<'a> Mutation<'a> {
    /// The changes of these playbooks. `inputs` are the files of the set; `wanted` says whether a library's file is changed
    /// as well.
    pub fn new(set: &PlaybookSet, inputs: &[Input], tried: &'a [Tried<'a>], wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut files: BTreeMap<(bool, String), File> = BTreeMap::new();
        for (n, t) in tried.iter().enumerate() {
            let own = t.playbook.span.file;
            let libraries = t.playbook.places.values().map(|s| s.file).filter(|f| *f != own);
            for id in std::iter::once(own).chain(libraries) {
                let Some(source) = set.sources.get(id).filter(|f| id == own || wanted(&f.path)) else { continue };
                let Some(input) = inputs.iter().rev().find(|i| *i.path == *source.path) else { continue };
                let library = id != own;
                let name = if library { library_id(&source.text).unwrap_or(&source.path).to_owned() } else { t.playbook.id.to_string() };
                let file =
                    files.entry((library, name.clone())).or_insert_with(|| File { name, library, id, input: input.clone(), users: Vec::new() });
                if file.users.last() != Some(&n) {
                    file.users.push(n);
                }
            }
        }
        let files: Vec<File> = files.into_values().collect();
        let words = Words::of(set);
        let playbooks: Vec<&Playbook> = tried.iter().map(|t| t.playbook).collect();
        let clauses = Coverage::new(set, &playbooks, wanted);
        let mut mutants = Vec::new();
        for (n, file) in files.iter().enumerate() {
            let users: Vec<&Playbook> = file.users.iter().filter_map(|u| Some(tried.get(*u)?.playbook)).collect();
            // What nothing uses cannot be noticed; that it is not used is another matter.
            let alive: BTreeSet<Span> = users.iter().flat_map(|p| used(p)).collect();
            let lives = |site: &Site| {
                site.name.as_ref().is_none_or(|name| {
                    users.iter().any(|p| {
                        p.bindings
                            .get(name)
                            .map(|b| b.span)
                            .or_else(|| p.conditions.get(name).map(|c| c.body.span))
                            .is_some_and(|s| alive.contains(&s))
                    })
                })
            };
            let Some(source) = set.sources.get(file.id) else { continue };
            let (sites, entries) = sites::of(file.id, source);
            for site in sites.iter().filter(|s| lives(s)) {
                for c in changes::of(site.text(), site.test, &words) {
                    let Some(mut m) = mutant(n, site, &c) else { continue };
                    // Brackets at its end may lie outside the clause that it is.
                    let long = set.sources.text(m.span).trim_end_matches([')', ']', '}', ' ']).len();
                    let core = Span::new(m.span.file, m.span.start as usize, (m.span.start as usize).saturating_add(long));
                    m.clause = clauses.innermost(core);
                    mutants.push(m);
                }
            }
            for e in entries.into_iter().filter(|_| !file.library) {
                mutants.push(Mutant {
                    file: n,
                    span: e.span,
                    owner: format!("`{}` of `match`", e.key),
                    from: e.text,
                    clause: None,
                    edits: vec![(e.edit.0, e.edit.1, String::new())],
                    matching: true,
                });
            }
        }
        mutants.sort_by_key(|m| (m.file, m.span.start, m.span.end));
        let before = tried.iter().map(|t| (t.playbook.id.clone(), questions(t.playbook))).collect();
        Self { files, mutants, tried, before }
    }

    /// What comes of a mutant. The compiler holds the files of the set, and holds them again afterwards.
    pub fn fate(&self, mutant: &Mutant, compiler: &mut Compiler) -> Fate {
        let Some(file) = self.files.get(mutant.file) else { return Fate::None };
        let users = || file.users.iter().filter_map(|u| self.tried.get(*u));
        // A test that asks nothing of it cannot notice it.
        let trials: Vec<(&Tried<'_>, &Trial<'_>)> =
            users().flat_map(|t| t.trials.iter().map(move |x| (t, x))).filter(|(_, x)| x.asks(mutant)).collect();
        let mut fate = Fate::None;
        for (span, new, shown) in &mutant.edits {
            let Some(text) = edited(&file.input.text, *span, new) else { continue };
            compiler.put(&Input { text, ..file.input.clone() });
            let set = compiler.set();
            let changed: Option<Vec<&Arc<Playbook>>> = users().map(|t| set.playbooks.iter().find(|p| p.id == t.playbook.id)).collect();
            let Some(changed) = changed else { continue };
            if changed.iter().all(|p| {
                self.before.get(&p.id).is_some_and(|k| *k == questions(p))
                    && users().any(|t| t.playbook.id == p.id && t.playbook.matching == p.matching)
            }) {
                continue;
            }
            let noticed = trials.iter().any(|(t, x)| {
                let playbook = changed.iter().find(|p| p.id == t.playbook.id);
                playbook.is_none_or(|p| !test::compare(&set, p, x.test, &x.over, Wish::Verdict).failures.is_empty())
            });
            fate = if noticed { Fate::Killed } else { Fate::Survived(shown.clone(), trials.iter().map(|(_, x)| x.test.name.clone()).collect()) };
            break;
        }
        compiler.put(&file.input);
        fate
    }
}

/// The mutant that a change of an expression makes.
fn mutant(file: usize, site: &Site, c: &changes::Change) -> Option<Mutant> {
    let there = site.text().get(c.range.clone())?;
    let edits = c.new.iter().filter_map(|new| {
        let (span, text) = site.edit(&c.range, new)?;
        Some((span, text, c.shown.as_ref().map_or_else(|| new.clone(), |(_, to)| to.clone())))
    });
    Some(Mutant {
        file,
        span: site.place(&c.range),
        owner: site.owner.clone(),
        from: c.shown.as_ref().map_or_else(|| there.to_owned(), |(from, _)| from.clone()),
        clause: None,
        edits: edits.collect(),
        matching: false,
    })
}

/// A text with something else at a place. The file may begin with a mark that is not counted.
fn edited(text: &str, span: Span, new: &str) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Range { start, end } = span.start as usize..span.end as usize;
    Some(format!("{}{new}{}", text.get(..start)?, text.get(end..)?))
}

/// All that a playbook asks, in order: two that ask the same cannot be told apart.
fn questions(p: &Playbook) -> Vec<Key> {
    let named = p.bindings.values().map(|b| b.key).chain(p.conditions.values().map(|c| c.body.key));
    let arms = p.triage.iter().filter_map(|a| a.when.as_ref()).map(|w| w.key);
    let cards = p.cards.iter().flat_map(|c| {
        let list = match &c.target {
            Target::Incident => None,
            Target::Each(_, list) | Target::All(_, list) => Some(list.key),
        };
        list.into_iter().chain(c.when.as_ref().map(|w| w.key))
    });
    named.chain(arms).chain(cards).collect()
}

/// How many mutants were noticed, of how many.
pub fn score<'f>(fates: impl Iterator<Item = &'f Fate>) -> Share {
    let mut share = Share::default();
    for f in fates {
        match f {
            Fate::None => {}
            Fate::Killed => {
                share.seen = share.seen.saturating_add(1);
                share.of = share.of.saturating_add(1);
            }
            Fate::Survived(..) => share.of = share.of.saturating_add(1),
        }
    }
    share
}
