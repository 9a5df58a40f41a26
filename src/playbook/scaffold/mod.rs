//! The beginnings of playbooks, actions and tests: texts that load, and that say how to go on.

mod choose;
mod plain;

use serde_json::Value;

use super::yaml;
use crate::model::Kind;
use crate::source::{FileId, SourceFile};
pub use choose::{Seed, seed};
use plain::{block, word};

/// What a test expects to come out, in the words of `expect:`.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Whether the playbook is asked at all.
    pub matched: bool,
    /// The classification, and the determination.
    pub triage: String,
    /// The cards, each with what it is about.
    pub cards: Vec<String>,
    /// Cards that are not there, with the condition that fails.
    pub failed: Vec<(String, String)>,
}

/// Where the incident of a test comes from.
#[derive(Clone, Debug)]
pub enum From<'a> {
    /// A file beside the playbook.
    File(&'a str),
    /// Written into the test.
    Inline(&'a Value),
    /// Another test of the same file, and one operation that changes its incident.
    Test(&'a str, &'a Value),
}

/// A playbook without its tests.
pub fn playbook(id: &str, seed: &Seed) -> String {
    let kind = seed.kind.word();
    let (all, signals) = (seed.kind.collection(), seed.signals.join(", "));
    let asked = match (seed.signals.is_empty(), seed.types.is_empty()) {
        (false, _) => format!("  signals: [{signals}]\n"),
        (true, false) => format!("  types: [{}]\n", seed.types.join(", ")),
        (true, true) => format!("  entities: [{kind}]\n"),
    };
    let says: Vec<String> = seed.signals.iter().map(|s| format!("x.has_signal(\"{s}\")")).collect();
    let touched = if says.is_empty() { all.to_owned() } else { format!("{all}.filter(|x| {})", says.join(" || ")) };
    let mut text = format!(
        r#"# A playbook says when it is asked, what the incident then is, and what to do about it, with reasons.
# `engine check` and `engine test` on this file say whether it is sound; docs/language.md explains every key.
playbook: {id}
format: 1
version: 0.1.0
title: {title}
# `stable` once its tests show what it does, and what it does not.
status: experimental
owner: soc@example.com
description: >
  What the attack looks like, and what the cards below are for: write it for the analyst who reads them.

# What must be in the incident. Without it no expression below is asked, so be as narrow as you can.
match:
{asked}
# Named values. Expressions stand in single quotes, so that YAML leaves them alone.
bind:
  touched: '{touched}'

# Named clauses with their two sentences: these are what analysts read as the reasons.
conditions:
  looks_bad:
    with: {kind}
    if: '{kind}.suspicious || {kind}.has_role("compromised")'
    pass: 'something speaks against {{{kind}}}'
    fail: 'nothing speaks against {{{kind}}}'

# The first arm that holds is what the playbook says of the incident.
triage:
  - classify: true_positive
    confidence: 80
    when: 'touched.some(|x| looks_bad(x))'
    why: something speaks against what the alerts name
  - classify: undetermined
    confidence: 40
    why: the alerts are there, and nothing else speaks for an attack
"#,
        title = word(&seed.title),
    );
    for card in &seed.cards {
        text.push_str(&format!("\n# {}\n{}:\n  - id: {}\n    action: {}\n", card.hint, card.phase, card.id, card.action));
        if card.incident {
            text.push_str("    when: 'touched.some(|x| looks_bad(x))'\n    why: something speaks against what the alerts name\n");
        } else {
            text.push_str(&format!("    for: {kind} in touched\n"));
            text.push_str(if card.always { "" } else { "    when: 'looks_bad(" });
            text.push_str(&if card.always { String::new() } else { format!("{kind})'\n") });
            text.push_str(&format!("    why: '{{{kind}}} is named by the alerts: {}'\n", card.why));
        }
        text.push_str(&format!("    priority: {}\n", card.priority));
        if card.always && !card.incident {
            text.push_str("    hunt: other_alerts\n");
        }
    }
    text.push_str(&format!(
        r#"
# Queries for the analyst. A placeholder becomes one escaped literal, with its own quotes.
hunts:
  other_alerts:
    title: Other alerts that name {{{kind}}}
    with: {kind}
    kql: |
      AlertEvidence
      | where Timestamp between ({{incident.first_activity - "14d"}} .. {{incident.last_activity + "3d"}})
      | where AdditionalFields has {{{kind}.name}}
"#
    ));
    text
}

/// A `tests:` section with these items.
pub fn tests(items: &[String]) -> String {
    format!(
        "\n# Incidents, and what must come out of them. `engine test --coverage` says which clauses no test has seen.\ntests:\n{}",
        items.concat()
    )
}

/// A test, as an item of `tests:` whose dash stands in this column.
pub fn test(name: &str, from: &From<'_>, expected: Option<&Expected>, column: usize) -> String {
    let (dash, pad) = (" ".repeat(column), " ".repeat(column.saturating_add(2)));
    let mut out = format!("{dash}- name: {}\n", word(name));
    match from {
        From::File(path) => out.push_str(&format!("{pad}incident: {}\n", word(path))),
        From::Inline(value) => out.push_str(&format!("{pad}given:{}", block(value, column.saturating_add(4)))),
        From::Test(name, operation) => {
            out.push_str(&format!(
                "{pad}from: {}\n{pad}patch:{}",
                word(name),
                block(&Value::Array(vec![(*operation).clone()]), column.saturating_add(4))
            ));
        }
    }
    let Some(e) = expected.filter(|e| e.matched) else {
        out.push_str(&format!("{pad}expect: {}\n", if expected.is_some() { "{ matched: false }" } else { "{}" }));
        return out;
    };
    out.push_str(&format!("{pad}expect:\n"));
    if !e.triage.is_empty() {
        out.push_str(&format!("{pad}  triage: {}\n", word(&e.triage)));
    }
    let cards: Vec<String> = e.cards.iter().map(|c| format!("\n{pad}    - {}", word(c))).collect();
    out.push_str(&if cards.is_empty() { format!("{pad}  only_cards: []\n") } else { format!("{pad}  cards:{}\n", cards.concat()) });
    if !e.failed.is_empty() {
        let all: Vec<String> = e.failed.iter().map(|(card, clause)| format!("{card}: [{clause}]")).collect();
        out.push_str(&format!("{pad}  failed: {{ {} }}\n", all.join(", ")));
    }
    out
}

/// A file with one action.
pub fn action(id: &str, kind: Option<Kind>) -> String {
    let kinds = kind.map_or("incident", Kind::word);
    let verb = id.rsplit('.').next().unwrap_or(id).replace('_', " ");
    let title = word(&format!("{}{} the {}", verb.get(..1).unwrap_or("").to_uppercase(), verb.get(1..).unwrap_or(""), kinds.replace('_', " ")));
    let guard = match kind {
        Some(_) => "      - if: 'target.has_tag(\"critical-infrastructure\")'\n        why: '{target} is what everybody depends on: decide it with its owner'\n".to_owned(),
        None => "      - if: 'target.severity < \"medium\"'\n        why: an incident of low severity does not need it\n".to_owned(),
    };
    format!(
        r#"# A verb that cards can recommend. The program recommends it and never carries it out.
actions:
  {id}:
    title: {title}
    description: What it does, in a sentence for the analyst.
    phase: containment
    kinds: [{kinds}]
    # Words of your own; `--as NAME` compares them with the permissions files.
    permissions: [response:manage]
    impact: medium
    # The action that takes it back, if there is one:
    # undo: {id}_back
    # Parameters, with a default unless every card must give them.
    params:
      for_days: {{ title: how long, default: "7" }}
    effects:
      - what else it does, so that nobody is surprised
    # Guards: no playbook overrides them. The card is shown, unavailable, with the reason.
    never:
{guard}"#
    )
}

/// A file of playbooks with one more test. The item stands where the other tests stand.
///
/// # Errors
/// Why there is no place for it, in words.
pub fn with_test(text: &str, item: &dyn Fn(usize) -> String) -> Result<String, String> {
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = SourceFile::new("", plain);
    let tree = yaml::parse(FileId(0), &file, &mut Vec::new()).ok_or("the file is not YAML that can be read")?;
    let newline = if plain.contains("\r\n") { "\r\n" } else { "\n" };
    let out = format!("{}{newline}", plain.trim_end());
    let ends = |added: String| added.replace('\n', newline);
    let at = tree.entries().iter().position(|(k, _)| k.scalar().is_some_and(|s| &*s.text == "tests"));
    let Some((position, (key, node))) = at.and_then(|n| Some((n, tree.entries().get(n)?))) else {
        return Ok(format!("{out}{}", ends(tests(&[item(2)]))));
    };
    // Behind the last test: above the next key and the comments that belong to it, or at the end.
    let line = |byte: u32| file.line_start(file.line_column(byte).0).unwrap_or(0);
    let end = match tree.entries().get(position.saturating_add(1)) {
        Some((next, _)) => {
            let mut end = line(next.span.start);
            while let Some(above) = plain.get(..end).filter(|t| !t.is_empty()) {
                let start = above.strip_suffix('\n').unwrap_or(above).rfind('\n').map_or(0, |n| n.saturating_add(1));
                if start <= node.span.end as usize || !above.get(start..).is_some_and(|l| l.trim().is_empty() || l.starts_with('#')) {
                    break;
                }
                end = start;
            }
            end
        }
        None => out.len(),
    };
    let whole = if plain.len() >= out.len() { plain } else { &out };
    let (before, after) = whole.split_at_checked(end).ok_or("the tests end in an unusual place")?;
    let value = plain.get(node.span.start as usize..node.span.end as usize).unwrap_or("");
    if node.items().is_empty() {
        // Nothing, or `[]`; what is said behind the key and below it stays.
        let front = plain.get(..key.span.end as usize).unwrap_or("");
        let rest = whole.get(front.len()..end).unwrap_or("");
        let (own, below) = rest.split_once('\n').unwrap_or((rest, ""));
        let said = own.find('#').and_then(|at| own.get(at..)).map_or_else(String::new, |c| format!(" {}", c.trim_end()));
        let below = below.trim_end();
        let below = if below.is_empty() { String::new() } else { format!("{below}{newline}") };
        let gap = if after.trim().is_empty() { "" } else { newline };
        return Ok(format!("{front}:{said}{newline}{below}{}{gap}{}", ends(item(2)), after.trim_start_matches(['\n', '\r'])));
    }
    if value.starts_with('[') {
        return Err("its tests stand in `[…]`: write them below one another, each behind a dash".to_owned());
    }
    let dash = node.items().first().map_or(0, |first| super::format::dash(plain, first.span.start as usize));
    let column = dash.saturating_sub(line(u32::try_from(dash).unwrap_or(u32::MAX)));
    let gap = if after.trim().is_empty() { "" } else { newline };
    Ok(format!("{}{newline}{}{gap}{}", before.trim_end(), ends(item(column)), after.trim_start_matches(['\n', '\r'])))
}
