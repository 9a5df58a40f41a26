//! `engine run --watch`: the answer once, then what each edit changes in it, until Ctrl-C.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::run::{Run, Wanted, look};
use super::stop::Stop;
use super::{Exit, colour_out, put_on, tell, tell_line};
use crate::card::Response;
use crate::card::changes::{Changes, between};
use crate::card::render::{Format, line, render};
use crate::diag::Wire;
use crate::diag::human::visible;
use crate::intake::Read;
use crate::runtime::incidents;
use crate::runtime::live::{Generation, Options, Problems, Stamp};
use crate::source::Sources;

/// How often the incident is looked at; a change must stand this long before it is read.
const TICK: Duration = Duration::from_millis(100);

/// The document that each reload gives.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Reload<'a> {
    /// Always `guided-response/reload/1`.
    schema: &'static str,
    /// `playbooks` or `incident`: what was edited.
    cause: &'static str,
    /// Counts what the playbooks gave.
    generation: u64,
    /// Milliseconds from the edit on the disk to the new answer.
    took_ms: u64,
    /// The set that answers.
    revision: &'a str,
    /// How many playbooks it has.
    loaded: usize,
    /// Why the edit does not load; then nothing changed, and the last good set stays.
    problems: Vec<Wire>,
    /// What changed in the answer to each incident for which something did.
    incidents: Vec<Changed>,
}

/// What changed in the answer to an incident.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Changed {
    id: String,
    #[serde(flatten)]
    changes: Changes,
}

/// Answers, then follows playbooks and incident.
pub(super) fn watch(run: &Run) -> Result<Exit, Exit> {
    let text = match run.format {
        Wanted::Auto => std::io::IsTerminal::is_terminal(&std::io::stdout()),
        Wanted::Text => true,
        Wanted::Json | Wanted::Ndjson => false,
        Wanted::Markdown | Wanted::Html => {
            tell_line("engine: --watch writes text or ndjson; leave --format out, or give one of them");
            return Err(Exit::Input);
        }
    };
    let stop = Stop::listen();
    let mut seen = incidents::seen(&run.incidents.incident);
    let live = run.playbooks.follow(Options { poll: run.poll, beside: false })?;
    let mut generation = live.now();
    let mut read = run.incidents.read()?;
    let mut answers = run.answers(&generation.set, &read)?;
    let format = if text { Format::Text } else { Format::Ndjson };
    if !put_on(&render(&answers, format, &look()))? {
        return Ok(Exit::Fine);
    }
    if text {
        tell_line("engine: watching; Ctrl-C ends");
    }
    let mut changing: Option<(Instant, Vec<Stamp>)> = None;
    while !stop.told() {
        let news = live.wait(generation.number, TICK);
        let incident = settled(&run.incidents.incident, &mut seen, &mut changing);
        let begun = Instant::now();
        let mended = generation.problems.is_some();
        let (cause, waited) = match (&news, incident) {
            (None, None) => continue,
            (Some(new), _) => ("playbooks", new.took),
            (None, Some(waited)) => ("incident", waited),
        };
        if let Some(new) = news {
            generation = new;
        }
        if incident.is_some() {
            // What cannot be read is told; the incident as it was stays.
            match run.incidents.read() {
                Ok(new) => read = new,
                Err(_) => tell_line("engine: the incident as it was stays"),
            }
        }
        let Ok(new) = run.answers(&generation.set, &read) else {
            tell_line("engine: the last answer stays");
            continue;
        };
        let told =
            Told { cause, generation: &generation, mended: mended && generation.problems.is_none(), took: waited.saturating_add(begun.elapsed()) };
        let mut on = told.tell(&answers, &new, &read, text)?;
        // Incidents that come or go are no change of an answer: then all answers are written again.
        if on && !answers.iter().map(|r| &r.incident.id).eq(new.iter().map(|r| &r.incident.id)) {
            on = put_on(&render(&new, format, &look()))?;
        }
        if !on {
            break;
        }
        answers = new;
    }
    Ok(Exit::Fine)
}

/// Whether the incident changed and came to rest, and how long ago it was seen to change.
fn settled(path: &std::path::Path, seen: &mut Vec<Stamp>, changing: &mut Option<(Instant, Vec<Stamp>)>) -> Option<Duration> {
    let now = incidents::seen(path);
    if now == *seen {
        *changing = None;
        return None;
    }
    let (since, last) = changing.get_or_insert_with(|| (Instant::now(), now.clone()));
    if *last != now {
        (*since, *last) = (Instant::now(), now);
        return None;
    }
    let stood = since.elapsed();
    if stood < TICK {
        return None;
    }
    *seen = now;
    *changing = None;
    Some(stood)
}

/// Something to tell.
struct Told<'a> {
    cause: &'static str,
    generation: &'a Generation,
    /// Whether what did not load does now.
    mended: bool,
    took: Duration,
}

impl Told<'_> {
    /// Says whether anyone still reads.
    fn tell(&self, old: &[Response], new: &[Response], read: &[Read], text: bool) -> Result<bool, Exit> {
        let before: BTreeMap<&str, &Response> = old.iter().map(|r| (r.incident.id.as_str(), r)).collect();
        let changed: Vec<Changed> = new
            .iter()
            .filter_map(|r| Some(Changed { id: r.incident.id.clone(), changes: between(before.get(r.incident.id.as_str())?, r) }))
            .filter(|c| !c.changes.is_empty())
            .collect();
        if !text {
            let event = Reload {
                schema: "guided-response/reload/1",
                cause: self.cause,
                generation: self.generation.number,
                took_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
                revision: &self.generation.set.revision,
                loaded: self.generation.set.playbooks.len(),
                problems: self.generation.problems.as_deref().map(wire).unwrap_or_default(),
                incidents: changed,
            };
            return put_on(&line(&event));
        }
        if let (Some(problems), "playbooks") = (&self.generation.problems, self.cause) {
            tell(&problems.unread(), &Sources::default());
            tell(&problems.errors(), &problems.refused.sources);
            tell_line("engine: the last good set stays until this is mended");
            return Ok(true);
        }
        let what = match (self.cause, self.mended) {
            ("incident", _) => "incident read again",
            (_, true) => "mended and reloaded",
            _ => "reloaded",
        };
        let mut out = format!("{what} in {} ms: ", self.took.as_millis());
        match changed.as_slice() {
            [] => out.push_str("nothing changed in the answer"),
            [one] => out.push_str(&one.changes.line()),
            several => out.push_str(&format!("{} answers changed", several.len())),
        }
        out.push('\n');
        for c in &changed {
            if read.len() > 1 {
                out.push_str(&format!("  {}: {}\n", visible(&c.id).replace('\n', " "), c.changes.line()));
            }
            out.extend(c.changes.lines().iter().map(|l| format!("  {}\n", coloured(l))));
        }
        put_on(&out)
    }
}

/// A line of what changed, in the colours of a comparison.
fn coloured(line: &str) -> String {
    let colour = match line.chars().next() {
        Some('+') => "32",
        Some('-') => "31",
        Some('~') => "33",
        _ => return line.to_owned(),
    };
    if colour_out() { format!("\u{1b}[{colour}m{line}\u{1b}[0m") } else { line.to_owned() }
}

/// Why an edit does not load, as JSON.
fn wire(problems: &Problems) -> Vec<Wire> {
    let unread = problems.unread();
    let unread = unread.iter().map(|d| d.to_wire(&Sources::default()));
    unread.chain(problems.errors().iter().map(|d| d.to_wire(&problems.refused.sources))).collect()
}
