//! Cedar: one policy a rule. It has no iteration, so the facts are made flat beforehand: for each property of a kind the
//! set of its values, and for each flag whether any entity has it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cedar_policy::{Authorizer, Context, Entities, PolicySet, Request};
use serde_json::{Map, Value};

use crate::workload::incident::{Kind, Ty};
use crate::workload::rule::{Condition, Of, Op, Rule};
use crate::workload::yaml::quoted;
use crate::{Peer, covered, listed};

/// One policy a rule.
pub struct Policies {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    requests: Vec<Request>,
}

impl Policies {
    pub fn new(rules: &[Rule], plain: &[Value]) -> Self {
        let request = |p: &Value| {
            let context = Context::from_json_value(flat(p), None).unwrap();
            Request::new(r#"U::"u""#.parse().unwrap(), r#"A::"a""#.parse().unwrap(), r#"R::"r""#.parse().unwrap(), context, None).unwrap()
        };
        Self {
            authorizer: Authorizer::new(),
            policies: policies(rules).parse().unwrap(),
            entities: Entities::empty(),
            requests: plain.iter().map(request).collect(),
        }
    }
}

impl Peer for Policies {
    fn name(&self) -> &'static str {
        "cedar-policy 4.14"
    }

    fn matching(&mut self, at: usize) -> Vec<usize> {
        let response = self.authorizer.is_authorized(&self.requests[at], &self.policies, &self.entities);
        // `policy17`: they are numbered as they stand.
        response.diagnostics().reason().map(|id| AsRef::<str>::as_ref(id)["policy".len()..].parse().unwrap()).collect()
    }
}

fn flat(p: &Value) -> Value {
    let mut out = Map::new();
    for key in ["title", "status", "severity", "tags", "category", "techniques", "alert_count"] {
        out.insert(key.into(), p[key].clone());
    }
    for kind in Kind::ALL {
        let entities = p[kind.collection()].as_array().unwrap();
        for (field, ty) in kind.fields() {
            let values = entities.iter().map(|e| &e[*field]);
            let value: Value = match ty {
                Ty::Bool => values.into_iter().any(|v| v == &Value::Bool(true)).into(),
                Ty::Text => values.filter_map(Value::as_str).collect::<BTreeSet<_>>().into_iter().collect(),
                Ty::Int | Ty::Level => continue,
            };
            out.insert(format!("{}_{field}", kind.collection()), value);
        }
    }
    out.into()
}

fn policies(rules: &[Rule]) -> String {
    let mut out = String::new();
    for r in rules {
        let mut parts = Vec::new();
        if !r.categories.is_empty() {
            parts.push(format!("[{}].contains(context.category)", listed(&r.categories)));
        }
        if let Some(least) = r.severity {
            parts.push(format!("context.severity >= {}", least.0));
        }
        if !r.techniques.is_empty() {
            parts.push(format!("context.techniques.containsAny([{}])", listed(&covered(&r.techniques))));
        }
        parts.extend(r.conditions.iter().map(condition));
        let _ = writeln!(out, "permit(principal, action, resource) when {{ {} }};", parts.join(" && "));
    }
    out
}

fn condition(c: &Condition) -> String {
    match c {
        Condition::Any(kind, tests) => {
            let [t] = tests.as_slice() else { panic!("not in Cedar's subset") };
            let f = format!("context.{}_{}", kind.collection(), t.field);
            match &t.op {
                Op::Is(v) => format!("{f}.contains({})", quoted(v)),
                Op::In(all) => format!("{f}.containsAny([{}])", listed(all)),
                Op::Flag => f,
                other => panic!("{other:?} is not in Cedar's subset"),
            }
        }
        Condition::Incident(of) => match of {
            Of::Severity(l) => format!("context.severity >= {}", l.0),
            Of::Status(all) => format!("[{}].contains(context.status)", listed(all)),
            Of::Title(part) => format!("context.title like {}", quoted(&format!("*{part}*"))),
            Of::Alerts(n) => format!("context.alert_count >= {n}"),
            Of::Technique(t) => format!("context.techniques.contains({})", quoted(t)),
            Of::Tag(t) => format!("context.tags.contains({})", quoted(t)),
            Of::TitleMatches(_) => panic!("not in Cedar's subset"),
        },
        _ => panic!("not in Cedar's subset"),
    }
}
