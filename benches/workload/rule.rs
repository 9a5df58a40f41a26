//! Rules as plain data: the one source from which the product's playbooks, native code and the text of every peer are made.

use super::incident::{Kind, LEVELS, Level, Ty};
use super::rng::Rng;
use super::words::*;

/// A rule: what must be there for it to be asked, and what must hold then.
#[derive(Clone, Debug)]
pub struct Rule {
    pub number: usize,
    /// Any of these; empty: no matter.
    pub categories: Vec<&'static str>,
    /// Any of these; empty: no matter.
    pub techniques: Vec<&'static str>,
    /// At least.
    pub severity: Option<Level>,
    /// All of these.
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// There is an entity of this kind of which all of these hold.
    Any(Kind, Vec<Test>),
    /// There are at least so many entities of this kind of which this holds.
    Count(Kind, Test, usize),
    /// A field of the incident.
    Incident(Of),
    /// Quantifiers within one another.
    Nested(Nested),
}

/// A test of a property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    pub field: &'static str,
    pub op: Op,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Is(&'static str),
    In(Vec<&'static str>),
    Contains(&'static str),
    Matches(String),
    AtLeast(i64),
    AtMost(i64),
    Flag,
    Level(Level),
}

/// A test of a field of the incident.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    Severity(Level),
    Status(Vec<&'static str>),
    Title(&'static str),
    TitleMatches(String),
    Alerts(usize),
    Technique(&'static str),
    Tag(&'static str),
}

/// Quantifiers within one another, as authors write them to speak of two things that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Nested {
    /// A risky user, and a device of the same department that is at risk too.
    RiskyPair(Level, Level),
    /// A severe alert with an elevated process that was started with this.
    AlertProcess(Level, &'static str),
    /// So many messages whose sender works in this department.
    InsideSenders(&'static str, usize),
    /// So many alerts with an outside address from these countries.
    ForeignAlerts(Vec<&'static str>, usize),
    /// Every user is in an alert that is this severe.
    AllUsers(Level),
    /// A file that is called as a program that runs, and is larger than this.
    RunningFile(i64),
}

/// Which rules a workload has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// Equal selectivity: more rules, more matches.
    A,
    /// Constant candidates: the first hundred of A; the others are about a category that never occurs.
    B,
    /// What Cedar can express.
    C,
    /// A without regular expressions.
    D,
    /// Nested closures.
    E,
}

impl Variant {
    pub const ALL: &[Self] = &[Self::A, Self::B, Self::C, Self::D, Self::E];

    pub fn about(self) -> &'static str {
        match self {
            Self::A => "A equal selectivity",
            Self::B => "B constant candidates",
            Self::C => "C Cedar's subset",
            Self::D => "D without regexes",
            Self::E => "E nested closures",
        }
    }
}

/// The first `n` rules of a variant; fewer of them are the beginning of more.
pub fn rules(variant: Variant, n: usize) -> Vec<Rule> {
    let mut out: Vec<Rule> = Vec::with_capacity(n);
    for number in 0.. {
        if out.len() == n {
            break;
        }
        let mut rule = one(variant, number);
        if variant == Variant::B && number >= 100 {
            rule.categories = vec![NEVER];
        }
        if variant != Variant::C || rule.conditions.iter().all(sets_are_enough) {
            rule.number = out.len();
            out.push(rule);
        }
    }
    out
}

/// Whether a condition can be asked of sets of values alone: without iteration, counting, order and patterns.
fn sets_are_enough(c: &Condition) -> bool {
    match c {
        Condition::Any(_, tests) => tests.len() == 1 && tests.iter().all(|t| matches!(t.op, Op::Is(_) | Op::In(_) | Op::Flag)),
        Condition::Incident(of) => !matches!(of, Of::TitleMatches(_)),
        _ => false,
    }
}

fn one(variant: Variant, number: usize) -> Rule {
    let r = &mut Rng::new(1_000_037, number as u64);
    let form = r.below(100);
    let (by_category, by_technique) = (form < 72, form >= 46);
    let few = r.between(1, 3);
    let categories = if by_category { r.several(CATEGORIES, few) } else { Vec::new() };
    let few = r.between(1, 2);
    let techniques = if by_technique { r.several(TECHNIQUES, few) } else { Vec::new() };
    // A parent stands for all of its own.
    let techniques = techniques.into_iter().map(|t| if r.percent(20) { t.split('.').next().unwrap_or(t) } else { t }).collect();
    let severity = r.percent(40).then(|| Level(r.between(1, 3) as u8));
    let count = r.pick(&[2, 2, 2, 2, 2, 2, 3, 3, 3, 4]);
    let conditions = (0..count)
        .map(|_| match variant {
            Variant::E => Condition::Nested(nested(r)),
            _ => condition(r, variant),
        })
        .collect();
    Rule { number, categories, techniques, severity, conditions }
}

fn condition(r: &mut Rng, variant: Variant) -> Condition {
    let form = r.below(100);
    let regexes = variant != Variant::D;
    let kind = r.pick(Kind::ALL);
    match form {
        0..60 => Condition::Any(kind, vec![test(r, kind, regexes)]),
        60..72 => {
            let first = wide(r, kind);
            let mut second = wide(r, kind);
            while second.field == first.field {
                second = wide(r, kind);
            }
            Condition::Any(kind, vec![first, second])
        }
        72..84 => Condition::Count(kind, wide(r, kind), r.between(1, 4)),
        _ => Condition::Incident(match r.below(10) {
            0 | 1 => Of::Severity(Level(r.between(2, 4) as u8)),
            2 => {
                let few = r.between(1, 3);
                Of::Status(r.several(STATES, few))
            }
            3 => Of::Title(word(r, TITLES)),
            4 if regexes => {
                Of::TitleMatches(format!("(?i){}.*{}", word(r, TITLES).to_lowercase(), r.pick(&["endpoint", "user", "server", "source", "mailbox"])))
            }
            4 | 5 => Of::Title(word(r, SCOPES)),
            6 | 7 => Of::Alerts(r.between(8, 13)),
            8 => Of::Technique(r.pick_skewed(TECHNIQUES)),
            _ => Of::Tag(r.pick_skewed(LABELS)),
        }),
    }
}

/// One word of one of these.
fn word(r: &mut Rng, all: &[&'static str]) -> &'static str {
    let words: Vec<&str> = r.pick(all).split(' ').filter(|w| w.len() > 3).collect();
    r.pick(&words)
}

/// A test of some property of a kind.
fn test(r: &mut Rng, kind: Kind, regexes: bool) -> Test {
    let all: Vec<(&'static str, Ty)> =
        kind.fields().iter().copied().filter(|(f, _)| !matches!(*f, "fqdn" | "address" | "sha256" | "recipient" | "upn")).collect();
    let (field, ty) = r.pick(&all);
    let op = match ty {
        Ty::Bool => Op::Flag,
        Ty::Level => Op::Level(Level(r.between(2, 4) as u8)),
        Ty::Int => number(r, field, 18),
        Ty::Text => text_test(r, field, regexes),
    };
    Test { field, op }
}

/// A test that holds of a good part of all entities: as one of two, or to be counted.
fn wide(r: &mut Rng, kind: Kind) -> Test {
    loop {
        let (field, ty) = r.pick(kind.fields());
        let op = match ty {
            Ty::Bool if field != "malicious" => Op::Flag,
            Ty::Level => Op::Level(Level(r.between(1, 2) as u8)),
            Ty::Int => number(r, field, 30),
            Ty::Text => match values(field) {
                Some(all) => Op::In(window(r, all)),
                None => continue,
            },
            Ty::Bool => continue,
        };
        return Test { field, op };
    }
}

/// A third of the values, as people group them: neighbours.
fn window(r: &mut Rng, all: &[&'static str]) -> Vec<&'static str> {
    let first = r.below(all.len());
    (0..all.len().div_ceil(3)).map(|n| all[(first + n) % all.len()]).collect()
}

/// A threshold that some of `percent` of all values pass.
fn number(r: &mut Rng, field: &str, percent: usize) -> Op {
    let (most, step): (usize, usize) = match field {
        "files_encrypted" => (5_000, 50),
        "asn" => (60_000, 1_000),
        "pid" => (40_000, 1_000),
        "size" => (1_000_000, 10_000),
        "port" => (9_000, 500),
        "attachment_count" => (5, 1),
        _ => (19, 1),
    };
    let at = |n: usize| (n / step * step) as i64;
    let span = most * percent / 100;
    if r.percent(60) { Op::AtLeast(at(most - r.below(span + 1))) } else { Op::AtMost(at(r.below(span + 1))) }
}

/// The values that a property can have, if they are few.
fn values(field: &str) -> Option<&'static [&'static str]> {
    Some(match field {
        "domain" => DOMAINS,
        "department" | "rbac_group" => DEPARTMENTS,
        "job_title" => JOBS,
        "account_status" => STATUSES,
        "os" => SYSTEMS,
        "health" => HEALTH,
        "av_status" => ANTIVIRUS,
        "manufacturer" => MAKERS,
        "country" => COUNTRIES,
        "city" => CITIES,
        "carrier" => CARRIERS,
        "image_name" => PROGRAMS,
        "detection_status" => DETECTIONS,
        "folder" => FOLDERS,
        "file_type" => FILE_TYPES,
        "publisher" | "signer" => PUBLISHERS,
        "sender_name" => LAST,
        "delivery_action" => DELIVERY,
        "language" => LANGUAGES,
        "antispam_direction" => DIRECTIONS,
        _ => return None,
    })
}

fn text_test(r: &mut Rng, field: &str, regexes: bool) -> Op {
    if let Some(all) = values(field) {
        return match r.below(10) {
            0..7 => Op::Is(r.pick_skewed(all)),
            _ => {
                let few = r.between(2, 3);
                Op::In(r.several(all, few))
            }
        };
    }
    let parts = match field {
        "command_line" => ARGUMENTS,
        "image_path" => PROGRAMS,
        "subject" => SUBJECTS,
        "sender" => SITES,
        "host" | "url" => HOSTS,
        _ => LAST,
    };
    let part = word_of(r, parts);
    if !regexes || r.percent(50) {
        return Op::Contains(part);
    }
    let part = escaped(part);
    Op::Matches(match r.below(3) {
        0 => format!("(?i){}", part.to_lowercase()),
        1 => format!("{part}.*{}", r.pick(&["[0-9]", "[a-f0-9]{4}", "e"])),
        _ => format!("(?:{part}|{})", escaped(word_of(r, parts))),
    })
}

/// A part of a text of which there may be many.
fn word_of(r: &mut Rng, all: &[&'static str]) -> &'static str {
    let all = r.pick_skewed(all);
    let words: Vec<&str> = all.split(' ').filter(|w| w.len() > 2).collect();
    if words.is_empty() || r.percent(50) { all } else { r.pick(&words) }
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if !(c.is_alphanumeric() || " -_:;@/\"".contains(c)) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

fn nested(r: &mut Rng) -> Nested {
    let few = r.between(3, 12);
    match r.below(6) {
        0 => Nested::RiskyPair(Level(r.between(1, 3) as u8), Level(r.between(0, 2) as u8)),
        1 => Nested::AlertProcess(Level(r.between(1, 3) as u8), word_of(r, ARGUMENTS)),
        2 => Nested::InsideSenders(r.pick_skewed(DEPARTMENTS), r.between(1, 2)),
        3 => Nested::ForeignAlerts(r.several(COUNTRIES, few), r.between(1, 3)),
        4 => Nested::AllUsers(Level(r.between(1, 3) as u8)),
        _ => Nested::RunningFile(r.below(500) as i64 * 1000),
    }
}

impl Level {
    /// Every level, the lowest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).map(Self).take(LEVELS.len())
    }
}
