//! CEL, the Common Expression Language: one compiled program a rule, in turn, over one context an incident.

use std::collections::HashMap;

use cel::objects::Key;
use cel::{Context, Program, Value};

use crate::workload::rule::{Condition, Of, Op, Rule, Test};
use crate::workload::yaml::quoted;
use crate::{Peer, covered, listed};

/// One program a rule.
pub struct Programs {
    rules: Vec<(usize, Program)>,
    contexts: Vec<Context<'static, 'static>>,
}

impl Programs {
    pub fn new(rules: &[Rule], plain: &[serde_json::Value]) -> Self {
        let contexts = plain
            .iter()
            .map(|p| {
                let mut context = Context::default();
                for (k, v) in p.as_object().unwrap() {
                    context.add_variable_from_value(k.as_str(), value(v));
                }
                context
            })
            .collect();
        Self { rules: rules.iter().map(|r| (r.number, Program::compile(&rule(r)).unwrap())).collect(), contexts }
    }
}

impl Peer for Programs {
    fn name(&self) -> &'static str {
        "cel 0.15, in turn"
    }

    fn matching(&mut self, at: usize) -> Vec<usize> {
        let context = &self.contexts[at];
        self.rules.iter().filter(|(_, p)| matches!(p.execute(context).unwrap(), Value::Bool(true))).map(|(n, _)| *n).collect()
    }
}

/// Numbers are all signed here: the language does not mix them.
fn value(v: &serde_json::Value) -> Value {
    match v {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => Value::Int(n.as_i64().unwrap()),
        serde_json::Value::String(s) => s.as_str().into(),
        serde_json::Value::Array(all) => all.iter().map(value).collect::<Vec<_>>().into(),
        serde_json::Value::Object(all) => all.iter().map(|(k, v)| (Key::from(k.as_str()), value(v))).collect::<HashMap<Key, Value>>().into(),
    }
}

fn rule(r: &Rule) -> String {
    let mut parts = Vec::new();
    if !r.categories.is_empty() {
        parts.push(format!("category in [{}]", listed(&r.categories)));
    }
    if let Some(least) = r.severity {
        parts.push(format!("severity >= {}", least.0));
    }
    if !r.techniques.is_empty() {
        parts.push(format!("techniques.exists(t, t in [{}])", listed(&covered(&r.techniques))));
    }
    parts.extend(r.conditions.iter().map(condition));
    parts.join(" && ")
}

fn condition(c: &Condition) -> String {
    match c {
        Condition::Any(kind, tests) => {
            let tests: Vec<String> = tests.iter().map(test).collect();
            format!("{}.exists(x, {})", kind.collection(), tests.join(" && "))
        }
        Condition::Count(kind, t, least) => format!("{}.filter(x, {}).size() >= {least}", kind.collection(), test(t)),
        Condition::Incident(of) => match of {
            Of::Severity(l) => format!("severity >= {}", l.0),
            Of::Status(all) => format!("status in [{}]", listed(all)),
            Of::Title(part) => format!("title.contains({})", quoted(part)),
            Of::TitleMatches(pattern) => format!("title.matches({})", quoted(pattern)),
            Of::Alerts(n) => format!("alert_count >= {n}"),
            Of::Technique(t) => format!("{} in techniques", quoted(t)),
            Of::Tag(t) => format!("{} in tags", quoted(t)),
        },
        Condition::Nested(_) => panic!("not measured here"),
    }
}

fn test(t: &Test) -> String {
    let f = format!("x.{}", t.field);
    match &t.op {
        Op::Is(v) => format!("{f} == {}", quoted(v)),
        Op::In(all) => format!("{f} in [{}]", listed(all)),
        Op::Contains(part) => format!("{f}.contains({})", quoted(part)),
        Op::Matches(pattern) => format!("{f}.matches({})", quoted(pattern)),
        Op::AtLeast(n) => format!("{f} >= {n}"),
        Op::AtMost(n) => format!("{f} <= {n}"),
        Op::Flag => f,
        Op::Level(l) => format!("{f} >= {}", l.0),
    }
}
