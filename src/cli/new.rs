//! `engine new`

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Exit, one_line, tell, tell_line};
use crate::diag::{Severity, nearest};
use crate::intake;
use crate::model::{Incident, Kind};
use crate::playbook::scaffold::{self, Expected, From, Seed};
use crate::playbook::{Input, PlaybookSet, compile, tests};
use crate::runtime;
use crate::source::Sources;

/// Bytes of an incident that a test holds itself; a larger one stands in a file beside the playbook.
const INLINE: usize = 4 << 10;

#[derive(Args, Debug)]
pub(super) struct New {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// A playbook that loads, with two tests that pass
    Playbook(Playbook),
    /// A verb that cards can recommend
    Action(Action),
    /// One more test of a playbook, which expects what comes out now
    Test(Test),
}

#[derive(Args, Debug)]
struct Playbook {
    /// Its id, as in acme.credential_link
    id: String,
    /// An incident that it is to be about
    #[arg(long, value_name = "PATH")]
    incident: Option<PathBuf>,
    /// The folder to write it into
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// A folder of playbooks whose signals and actions it may use; may be given several times
    #[arg(long, value_name = "DIR")]
    playbooks: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct Action {
    /// Its id: a kind of entity (or `incident`), a dot, and the verb, as in user.lock_badge
    id: String,
    /// The folder to write it into
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// A folder of playbooks that may hold it already; may be given several times
    #[arg(long, value_name = "DIR")]
    playbooks: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct Test {
    /// The playbook's file
    file: PathBuf,
    /// The incident; without it, an example
    #[arg(long, value_name = "PATH")]
    incident: Option<PathBuf>,
    /// What the test shows
    #[arg(long)]
    name: Option<String>,
    /// The folder that the playbook belongs to, if it is not the one that the file stands in; may be given several times
    #[arg(long, value_name = "DIR")]
    playbooks: Vec<PathBuf>,
}

impl New {
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        match &self.what {
            What::Playbook(p) => p.run(),
            What::Action(a) => a.run(),
            What::Test(t) => t.run(),
        }
    }
}

fn refuse(message: &str) -> Exit {
    tell_line(&format!("engine: {message}"));
    Exit::Input
}

/// What ships, and the files of these folders.
fn files(folders: &[PathBuf]) -> Result<Vec<Input>, Exit> {
    let loaded = runtime::playbooks::load(folders, true);
    tell(&loaded.missing, &Sources::default());
    tell(&loaded.left_out, &Sources::default());
    if loaded.missing.is_empty() { Ok(loaded.files) } else { Err(Exit::Playbooks) }
}

/// Whether an id has the form of one; why not otherwise.
fn dotted(id: &str) -> Result<(), Exit> {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if id.split('.').all(part) {
        return Ok(());
    }
    Err(refuse(&format!("`{id}` cannot be an id; ids are lower case letters, digits and `_`, in parts joined by dots, as in acme.credential_link")))
}

/// Writes a new file; one that is there is left alone.
fn create(path: &Path, text: &str) -> Result<(), Exit> {
    let done = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::File::create_new(path))
        .and_then(|mut f| f.write_all(text.as_bytes()));
    match done {
        Ok(()) => {
            tell_line(&format!("written: {}", one_line(&path.display().to_string())));
            Ok(())
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(refuse(&format!("`{}` is there already, and is left as it is", path.display())))
        }
        Err(e) => Err(refuse(&format!("`{}` cannot be written: {e}", path.display()))),
    }
}

/// The one incident at a path.
fn read(path: &Path) -> Result<Incident, Exit> {
    let all = runtime::incidents::read(path, None).map_err(|d| {
        tell(&[*d], &Sources::default());
        Exit::Input
    })?;
    let n = all.len();
    all.into_iter()
        .next()
        .filter(|_| n == 1)
        .map(|r| r.incident)
        .ok_or_else(|| refuse(&format!("`{}` holds {n} incidents; a test is about one", path.display())))
}

/// An incident in our own format, without what says nothing.
fn own(incident: &Incident) -> Value {
    let mut value = intake::native::write(incident);
    prune(&mut value);
    value
}

fn prune(value: &mut Value) {
    let nothing = |v: &Value| match v {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(all) => all.iter_mut().for_each(prune),
        Value::Object(all) => {
            all.values_mut().for_each(prune);
            all.retain(|_, v| !nothing(v));
        }
        _ => {}
    }
}

/// What comes out of the tests of a playbook, in their order, in the words of `expect:`.
fn outcomes(files: &[Input], id: &str) -> Result<Vec<Expected>, Exit> {
    let set = compile(files);
    let Some(playbook) = set.playbooks.iter().find(|p| &*p.id == id) else {
        let errors: Vec<_> = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        tell(&errors, &set.sources);
        tell_line(&format!("engine: the playbook `{id}` does not load, so nothing can be expected of it"));
        return Err(Exit::Playbooks);
    };
    let (all, wrong) = tests(&set.sources, playbook);
    let errors: Vec<_> = wrong.into_iter().filter(|d| d.severity == Severity::Error).collect();
    tell(&errors, &set.sources);
    all.iter().map(|t| outcome(&set, playbook, t)).collect()
}

fn outcome(set: &PlaybookSet, playbook: &crate::playbook::Playbook, test: &crate::playbook::Test) -> Result<Expected, Exit> {
    let done = crate::tester::test::run(set, playbook, test, &runtime::incidents::beside, crate::tester::test::Wish::Why);
    let Some(got) = done.got else {
        let all: Vec<_> = done.failures.into_iter().map(|f| f.diagnostic).collect();
        tell(&all, &set.sources);
        return Err(Exit::Input);
    };
    Ok(Expected { matched: got.matched, triage: got.triage, cards: got.cards.iter().map(ToString::to_string).collect(), failed: Vec::new() })
}

impl Playbook {
    fn run(&self) -> Result<Exit, Exit> {
        dotted(&self.id)?;
        let mut files = files(&self.playbooks)?;
        let set = compile(&files);
        if let Some(p) = set.playbooks.iter().find(|p| *p.id == *self.id) {
            let file = set.sources.get(p.span.file).map_or("", |f| &*f.path);
            return Err(refuse(&format!("there is a playbook `{}` already, in {file}; to change parts of it, write an `overlay:`", self.id)));
        }
        let path = self.out.join(format!("{}.yaml", self.id));
        if path.exists() {
            return Err(refuse(&format!("`{}` is there already, and is left as it is", path.display())));
        }
        let found = self.incident.as_deref().map(read).transpose()?;
        let seed = found.as_ref().map_or_else(|| Seed::example(&set), |i| seed(&set, i));
        let incident = found.as_ref().map_or_else(|| seed.incident(&set), own);
        let text = scaffold::playbook(&self.id, &seed);
        let beside = format!("{}.incident.json", self.id);
        let large = incident.to_string().len() > INLINE;
        if large {
            create(&self.out.join(&beside), &format!("{incident:#}\n"))?;
        }
        let from = if large { From::File(&beside) } else { From::Inline(&incident) };
        let (first, second) = ("what it is for", "what it is not for");
        let calm = json!({ "op": "set", "entity": seed.entity(), "to": { "verdict": "unknown" } });
        let other = json!({ "schema": intake::native::SCHEMA, "id": "INC-2", "title": "Something else", "severity": "low" });
        // Of a real incident nothing is known to take away: something else is what it is not for.
        let against = if found.is_none() { From::Test(first, &calm) } else { From::Inline(&other) };
        let whole = |one: Option<&Expected>, two: Option<&Expected>| {
            format!("{text}{}", scaffold::tests(&[scaffold::test(first, &from, one, 2), scaffold::test(second, &against, two, 2)]))
        };
        files.push(Input { path: path.display().to_string(), text: whole(None, None), layer: usize::MAX });
        let expected = outcomes(&files, &self.id)?;
        let mut two = expected.get(1).cloned().unwrap_or_default();
        if found.is_none() {
            two.failed = seed.guarded();
        }
        create(&path, &canonical(&path, whole(expected.first(), Some(&two))))?;
        let shown = path.display();
        tell_line(&format!(
            "next:    engine check {shown}\n         engine test {shown}\n         then say in it what you know: the comments tell where"
        ));
        Ok(Exit::Fine)
    }
}

/// As `engine fmt` would write it.
fn canonical(path: &Path, text: String) -> String {
    crate::playbook::format::format(&path.display().to_string(), &text).unwrap_or(text)
}

/// What a playbook on an incident is about.
fn seed(set: &PlaybookSet, incident: &Incident) -> Seed {
    let (facts, _) = crate::eval::facts(set, incident, None);
    let mut kinds: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for (ix, e) in incident.entities() {
        kinds.entry(e.kind).or_default().extend(facts.mark(ix).into_iter().flat_map(|m| m.signals.iter().map(ToString::to_string)));
    }
    let signals: Vec<String> = facts.signals().iter().map(ToString::to_string).collect();
    let context = crate::card::Context { now: None, today: runtime::today(), actor: None, input: Vec::new(), only: None };
    let types: Vec<String> = crate::card::respond(set, incident, &context).incident.types.into_iter().map(|t| t.id).collect();
    scaffold::seed(set, &kinds, &signals, &types, "What it is about, in a few words")
}

impl Action {
    fn run(&self) -> Result<Exit, Exit> {
        dotted(&self.id)?;
        let (kind, verb) =
            self.id.split_once('.').ok_or_else(|| refuse(&format!("`{}` names no verb; actions are called as in user.lock_badge", self.id)))?;
        if verb.is_empty() {
            return Err(refuse("an action is called by a kind of entity, a dot, and a verb"));
        }
        let of = Kind::ALL.iter().copied().find(|k| k.word() == kind);
        if of.is_none() && kind != "incident" {
            let known = Kind::ALL.iter().map(|k| k.word()).chain(["incident"]);
            let help = nearest(kind, known.clone())
                .map_or_else(|| format!("it is one of {}", known.collect::<Vec<_>>().join(", ")), |k| format!("did you mean `{k}.{verb}`?"));
            return Err(refuse(&format!("`{kind}` is not a kind of entity, by which an action begins; {help}")));
        }
        let set = compile(&files(&self.playbooks)?);
        if set.actions.contains_key(&*self.id) {
            return Err(refuse(&format!("there is an action `{}` already; `engine actions` shows it", self.id)));
        }
        if let Some(near) = nearest(&self.id, set.actions.keys().map(|k| &**k)) {
            tell_line(&format!("note: there is an action `{near}`, if you mean that one"));
        }
        let path = self.out.join(format!("{}.yaml", self.id));
        create(&path, &canonical(&path, scaffold::action(&self.id, of)))?;
        tell_line(&format!("next:    engine check {}\n         cards recommend it with `action: {}`", path.display(), self.id));
        Ok(Exit::Fine)
    }
}

impl Test {
    fn run(&self) -> Result<Exit, Exit> {
        let parent = self.file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folders = if self.playbooks.is_empty() { vec![parent.to_owned()] } else { self.playbooks.clone() };
        let mut files = files(&folders)?;
        let same = |path: &str| std::fs::canonicalize(path).ok().is_some_and(|p| std::fs::canonicalize(&self.file).ok() == Some(p));
        let Some(at) = files.iter().position(|f| same(&f.path)) else {
            return Err(refuse(&format!(
                "`{}` is not among the playbook files of {}",
                self.file.display(),
                folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
            )));
        };
        let set = compile(&files);
        let path = files.get(at).map(|f| f.path.clone()).unwrap_or_default();
        let Some(playbook) = set.playbooks.iter().find(|p| set.sources.get(p.span.file).is_some_and(|f| *f.path == *path)) else {
            let errors: Vec<_> = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
            tell(&errors, &set.sources);
            tell_line(&format!("engine: `{path}` holds no playbook that loads"));
            return Err(Exit::Playbooks);
        };
        let known: Vec<String> = tests(&set.sources, playbook).0.iter().map(|t| t.name.to_string()).collect();
        let found = self.incident.as_deref().map(read).transpose()?;
        let name = match &self.name {
            Some(name) if known.contains(name) => return Err(refuse(&format!("there is a test `{name}` already in {path}"))),
            Some(name) => name.clone(),
            None => {
                let title = found.as_ref().map(|i| i.title.trim()).filter(|t| !t.is_empty()).unwrap_or("an example").to_owned();
                let more = (2usize..).map(|n| format!("{title} ({n})"));
                std::iter::once(title.clone()).chain(more).find(|n| !known.contains(n)).unwrap_or(title)
            }
        };
        let incident = found.as_ref().map_or_else(|| Seed::example(&set).incident(&set), own);
        let beside = (2usize..).map(|n| format!("{}.incident_{n}.json", playbook.id)).find(|n| !parent.join(n).exists()).unwrap_or_default();
        let large = incident.to_string().len() > INLINE;
        if large {
            create(&parent.join(&beside), &format!("{incident:#}\n"))?;
        }
        let from = if large { From::File(&beside) } else { From::Inline(&incident) };
        let before = files.get(at).map(|f| f.text.clone()).unwrap_or_default();
        let with = |expected: Option<&Expected>| {
            scaffold::with_test(&before, &|column| scaffold::test(&name, &from, expected, column)).map_err(|why| refuse(&format!("`{path}`: {why}")))
        };
        let id = playbook.id.to_string();
        if let Some(f) = files.get_mut(at) {
            f.text = with(None)?;
        }
        let expected = outcomes(&files, &id)?.pop();
        runtime::replace(&self.file, before.as_bytes(), with(expected.as_ref())?.as_bytes()).map_err(|e| refuse(&e))?;
        tell_line(&format!("written: the test `{}` in {}", one_line(&name), one_line(&self.file.display().to_string())));
        tell_line(&format!(
            "next:    engine test {} -k '{}'\n         it expects what comes out now: read it, and mend what should be otherwise",
            folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(" "),
            crate::diag::human::visible(&name).replace('\'', "")
        ));
        Ok(Exit::Fine)
    }
}
