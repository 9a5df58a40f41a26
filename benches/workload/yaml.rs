//! The same rules as playbooks: one file a rule, its conditions named, one card on the incident.

use std::fmt::Write as _;

use super::incident::{LEVELS, Level};
use super::rule::{Condition, Nested, Of, Op, Rule, Test};
use super::words::{CATEGORIES, NEVER};

/// A file's name and text.
pub type Page = (String, String);

/// What all playbooks of the workload stand on: a signal for each category, and one action.
pub fn base() -> Vec<Page> {
    let mut signals = String::from("signals:\n");
    for c in CATEGORIES.iter().chain([&NEVER]) {
        let _ = write!(signals, "  wl_{c}:\n    title: An alert of the category {c}\n    any:\n      - detectors: [wl.{c}]\n");
    }
    let action = "actions:\n  workload.look:\n    title: Look at the incident\n    phase: investigation\n    kinds: [incident]\n    permissions: [security_data:read]\n";
    vec![("base/signals.yaml".into(), signals), ("base/actions.yaml".into(), action.into())]
}

/// The playbook of a rule.
pub fn playbook(rule: &Rule) -> Page {
    let n = rule.number;
    let mut out = format!(
        "playbook: workload.r{n:05}\nformat: 1\nversion: 1.0.0\ntitle: Rule {n} of the workload\nstatus: test\nowner: soc@example.com\ntags: [workload]\n\
         description: >\n  One of many rules that are alike: what it asks about is drawn from a seed.\n\nmatch:\n"
    );
    if !rule.categories.is_empty() {
        let all: Vec<String> = rule.categories.iter().map(|c| format!("wl_{c}")).collect();
        let _ = writeln!(out, "  signals: [{}]", all.join(", "));
    }
    if !rule.techniques.is_empty() {
        let _ = writeln!(out, "  techniques: [{}]", rule.techniques.join(", "));
    }
    if let Some(l) = rule.severity {
        let _ = writeln!(out, "  severity: {}", l.word());
    }
    out.push_str("\nconditions:\n");
    for (c, condition) in rule.conditions.iter().enumerate() {
        let text = expression(condition).replace('\'', "''");
        let _ =
            write!(out, "  c{c}:\n    if: '{text}'\n    pass: condition {c} of rule {n} holds\n    fail: condition {c} of rule {n} does not hold\n");
    }
    let when: Vec<String> = (0..rule.conditions.len()).map(|c| format!("c{c}")).collect();
    let _ = write!(
        out,
        "\ninvestigation:\n  - id: look\n    action: workload.look\n    when: {}\n    why: all conditions of rule {n} hold\n    priority: {}\n",
        when.join(" && "),
        n % 100
    );
    (format!("workload/r{n:05}.yaml"), out)
}

/// A condition in the language of playbooks.
pub fn expression(c: &Condition) -> String {
    match c {
        Condition::Any(kind, tests) => {
            let tests: Vec<String> = tests.iter().map(|t| test("x", t)).collect();
            format!("{}.some(|x| {})", kind.collection(), tests.join(" && "))
        }
        Condition::Count(kind, t, least) => format!("{}.count(|x| {}) >= {least}", kind.collection(), test("x", t)),
        Condition::Incident(of) => match of {
            Of::Severity(l) => format!("incident.severity >= {}", level(*l)),
            Of::Status(all) => format!("incident.status in {}", list(all)),
            Of::Title(part) => format!("incident.title.contains({})", quoted(part)),
            Of::TitleMatches(pattern) => format!("incident.title.matches({})", quoted(pattern)),
            Of::Alerts(n) => format!("alerts.len() >= {n}"),
            Of::Technique(t) => format!("{} in incident.techniques", quoted(t)),
            Of::Tag(t) => format!("{} in incident.tags", quoted(t)),
        },
        Condition::Nested(n) => nested(n),
    }
}

fn nested(n: &Nested) -> String {
    match n {
        Nested::RiskyPair(a, b) => {
            format!("users.some(|u| u.risk >= {} && devices.some(|d| d.rbac_group == u.department && d.risk >= {}))", level(*a), level(*b))
        }
        Nested::AlertProcess(l, part) => format!(
            "alerts.some(|a| a.severity >= {} && a.entities(\"process\").some(|p| p.elevated && p.command_line.contains({})))",
            level(*l),
            quoted(part)
        ),
        Nested::InsideSenders(department, least) => {
            format!("emails.count(|m| users.some(|u| u.upn == m.sender && u.department == {})) >= {least}", quoted(department))
        }
        Nested::ForeignAlerts(countries, least) => {
            format!("alerts.count(|a| a.entities(\"ip\").some(|x| !x.internal && x.country in {})) >= {least}", list(countries))
        }
        Nested::AllUsers(l) => format!("users.all(|u| alerts.some(|a| a.severity >= {} && a.entities(\"user\").contains(u)))", level(*l)),
        Nested::RunningFile(size) => format!("processes.some(|p| files.some(|f| f.name == p.image_name && f.size >= {size}))"),
    }
}

fn test(x: &str, t: &Test) -> String {
    let f = format!("{x}.{}", t.field);
    match &t.op {
        Op::Is(v) => format!("{f} == {}", quoted(v)),
        Op::In(all) => format!("{f} in {}", list(all)),
        Op::Contains(part) => format!("{f}.contains({})", quoted(part)),
        Op::Matches(pattern) => format!("{f}.matches({})", quoted(pattern)),
        Op::AtLeast(n) => format!("{f} >= {n}"),
        Op::AtMost(n) => format!("{f} <= {n}"),
        Op::Flag => f,
        Op::Level(l) => format!("{f} >= {}", level(*l)),
    }
}

fn level(l: Level) -> String {
    quoted(LEVELS[l.0 as usize])
}

fn list(all: &[&str]) -> String {
    let all: Vec<String> = all.iter().map(|v| quoted(v)).collect();
    format!("[{}]", all.join(", "))
}

/// A text between double quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
