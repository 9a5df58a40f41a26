//! The command line: one file a command. Data on standard output, everything else on standard error.

mod actions;
mod check;
mod completions;
mod corpus;
mod diff;
mod explain;
mod fmt;
mod graph;
mod lsp;
mod new;
mod progress;
mod replay;
mod run;
mod schema;
mod stop;
mod test;
mod watch;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::diag::human::one_line;
use crate::diag::{Diagnostic, Severity, human};
use crate::playbook::PlaybookSet;
use crate::runtime;
use crate::source::Sources;

/// How a run ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Fine.
    Fine = 0,
    /// Findings: a failed check.
    Findings = 1,
    /// Playbooks cannot be loaded.
    Playbooks = 2,
    /// Bad input, option or configuration.
    Input = 3,
    /// Internal error.
    Internal = 4,
}

#[derive(Parser)]
#[command(name = "engine", version, about = "Guided response as code: an incident in, cards with reasons and evidence out", max_term_width = 100)]
#[command(after_help = "Exit codes: 0 fine · 1 findings · 2 playbooks cannot be loaded · 3 bad input or option · 4 internal error")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Guided response to incidents: triage and cards
    Run(run::Run),
    /// Why each card is there, why each other one is not, and the smallest change that would flip it
    Explain(explain::Explain),
    /// The entities of an incident and how they are related
    Graph(graph::Graph),
    /// What is wrong with playbook files, all of it at once
    Check(check::Check),
    /// Runs the tests of playbooks; coverage and mutation of their conditions
    Test(test::Test),
    /// What playbooks would have said of past incidents
    Replay(replay::Replay),
    /// What differs between two versions of playbooks, over past incidents
    Diff(diff::Diff),
    /// Writes playbook files in the one canonical form
    Fmt(fmt::Fmt),
    /// Begins a playbook, an action or a test
    New(new::New),
    /// The verbs that cards can recommend
    Actions(actions::Actions),
    /// Writes the JSON Schemas of all files and answers
    Schema(schema::Schema),
    /// Writes completions for a shell
    Completions(completions::Completions),
    /// The language server, over standard input and output
    Lsp(lsp::Lsp),
}

/// Options of every command that uses playbooks.
#[derive(Args, Clone, Debug)]
struct PlaybookArgs {
    /// A folder of playbooks; may be given several times, a later one overrides an earlier one by id
    #[arg(long, value_name = "DIR")]
    playbooks: Vec<PathBuf>,
    /// Leave out the playbooks, signals, actions and lists that ship with the program
    #[arg(long)]
    no_shipped: bool,
    /// Stop if any file does not load
    #[arg(long)]
    strict: bool,
}

impl PlaybookArgs {
    /// The set, or how the run ends. Problems are told on standard error.
    fn load(&self) -> Result<PlaybookSet, Exit> {
        let loaded = runtime::playbooks::load(&self.playbooks, !self.no_shipped);
        tell(&loaded.missing, &Sources::default());
        tell(&loaded.left_out, &Sources::default());
        if !loaded.missing.is_empty() {
            return Err(Exit::Playbooks);
        }
        let mut set = runtime::playbooks::compile(&loaded.files);
        set.skipped.extend(loaded.left_out.iter().map(|d| (String::new(), format!("{}: {}", d.code, d.message))));
        self.accept(&set)?;
        Ok(set)
    }

    /// The set as it follows its folders, or how the run ends; the problems of the first one are told on standard error.
    fn follow(&self, options: runtime::live::Options) -> Result<runtime::live::Live, Exit> {
        let live = runtime::live::Live::start(&self.playbooks, !self.no_shipped, options);
        let first = live.now();
        if let Some(problems) = &first.problems {
            tell(&problems.unread(), &Sources::default());
            if !problems.missing.is_empty() {
                return Err(Exit::Playbooks);
            }
        }
        self.accept(&first.set)?;
        Ok(live)
    }

    /// Whether a run can begin with this set; its errors are told.
    fn accept(&self, set: &PlaybookSet) -> Result<(), Exit> {
        let shown: Vec<Diagnostic> = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        tell(&shown, &set.sources);
        if set.playbooks.is_empty() || self.strict && !set.skipped.is_empty() {
            let why = if set.playbooks.is_empty() { "no playbook loads" } else { "some files do not load, and --strict was given" };
            tell_line(&format!("engine: {why}"));
            return Err(Exit::Playbooks);
        }
        Ok(())
    }
}

/// Options of every command that reads incidents.
#[derive(Args, Clone, Debug)]
struct IncidentArgs {
    /// A file, `-` for standard input, or a folder of table exports (SecurityIncident.json, SecurityAlert.json)
    #[arg(long, value_name = "PATH")]
    incident: PathBuf,
    /// The format, where it is not to be recognised by its shape
    #[arg(long, value_name = "FORMAT", value_parser = source)]
    source: Option<crate::intake::Source>,
}

fn source(word: &str) -> Result<crate::intake::Source, String> {
    crate::intake::Source::parse(word).ok_or_else(|| {
        let known: Vec<&str> = crate::intake::Source::ALL.iter().map(|s| s.word()).collect();
        format!("formats are {}", known.join(", "))
    })
}

impl IncidentArgs {
    fn read(&self) -> Result<Vec<crate::intake::Read>, Exit> {
        runtime::incidents::read(&self.incident, self.source).map_err(|d| {
            tell(&[*d], &Sources::default());
            Exit::Input
        })
    }
}

/// Runs the program.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    log();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            let help = !e.use_stderr();
            let _ = e.print();
            return if help { Exit::Fine } else { Exit::Input };
        }
    };
    let done = match cli.command {
        Command::Run(c) => c.run(),
        Command::Explain(c) => c.run(),
        Command::Graph(c) => c.run(),
        Command::Check(c) => c.run(),
        Command::Test(c) => c.run(),
        Command::Replay(c) => c.run(),
        Command::Diff(c) => c.run(),
        Command::Fmt(c) => c.run(),
        Command::New(c) => c.run(),
        Command::Actions(c) => c.run(),
        Command::Schema(c) => c.run(),
        Command::Completions(c) => c.run(),
        Command::Lsp(c) => c.run(),
    };
    done.unwrap_or_else(|exit| exit)
}

/// `ENGINE_LOG=debug` shows what the program does, on standard error.
fn log() {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    let Some(wanted) = std::env::var("ENGINE_LOG").ok().and_then(|w| w.parse::<tracing_subscriber::filter::Targets>().ok()) else { return };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let _ = tracing_subscriber::registry().with(lines).with(wanted).try_init();
}

/// Writes data to standard output; a reader that went away is no error.
fn put(text: &str) -> Result<Exit, Exit> {
    put_on(text).map(|_| Exit::Fine)
}

/// Writes data to standard output; says whether anyone still reads it.
fn put_on(text: &str) -> Result<bool, Exit> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => {
            tell_line(&format!("engine: standard output cannot be written: {e}"));
            Err(Exit::Input)
        }
    }
}

/// Whether standard output may be coloured.
fn colour_out() -> bool {
    std::io::stdout().is_terminal() && no_colour_wish()
}

fn no_colour_wish() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Shows diagnostics on standard error.
fn tell(all: &[Diagnostic], sources: &Sources) {
    if all.is_empty() {
        return;
    }
    let colour = std::io::stderr().is_terminal() && no_colour_wish();
    tell_line(human::render(all, sources, colour).trim_end());
}

/// Shows a line on standard error.
fn tell_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
