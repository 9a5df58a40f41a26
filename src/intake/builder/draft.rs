//! One record of one entity, before it is known which other records are the same thing.

use smallvec::{Array, SmallVec};

use super::super::json::trimmed;
use super::namespace::{Ns, is_namespace, namespaced};
use super::{AlertRef, Ref, snake};
use crate::model::kind::PropType;
use crate::model::{Kind, Level, Prop, PropValue, Text, Time, Verdict};

/// An id: its namespace and its value.
pub(super) type Id = (Ns, Text);

/// One record of one entity, before it is known which other records are the same thing.
#[derive(Clone)]
pub struct Draft {
    pub(super) kind: Kind,
    /// Sorted once the draft is sealed, as are the weak ones and the names.
    pub(super) strong: SmallVec<[Id; 2]>,
    pub(super) weak: SmallVec<[Id; 2]>,
    pub(super) scoped: Vec<Id>,
    pub(super) scope: Option<Ref>,
    pub(super) tentative: bool,
    pub(super) held: bool,
    pub(super) unless: Option<Ref>,
    pub(super) names: SmallVec<[(u8, Text); 2]>,
    pub(super) aliases: Vec<Text>,
    pub(super) verdict: Verdict,
    pub(super) remediation: Text,
    pub(super) roles: Vec<Text>,
    pub(super) tags: Vec<Text>,
    pub(super) props: Vec<(Prop, PropValue)>,
    /// Of two fields with one name the later one holds.
    pub(super) fields: Vec<(Text, Text)>,
    pub(super) record: SmallVec<[Text; 1]>,
    pub(super) id: Option<Text>,
    pub(super) at: Option<Time>,
    pub(super) reports: Vec<Told>,
}

/// A report of a property: the alert that made it, when, and the value.
pub(super) type Told = (Prop, Option<AlertRef>, Option<Time>, PropValue);

impl Draft {
    /// A record of an entity of this kind.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            strong: SmallVec::new(),
            weak: SmallVec::new(),
            scoped: Vec::new(),
            scope: None,
            tentative: false,
            held: false,
            unless: None,
            names: SmallVec::new(),
            aliases: Vec::new(),
            verdict: Verdict::Unknown,
            remediation: Text::default(),
            roles: Vec::new(),
            tags: Vec::new(),
            props: Vec::new(),
            fields: Vec::new(),
            record: SmallVec::new(),
            id: None,
            at: None,
            reports: Vec::new(),
        }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The declared type of the record; a draft without one was only named by a field of another record. A record that
    /// holds further typed objects which only describe it (a file its hashes) is declared once for each.
    pub fn declared(&mut self, source_type: Text) -> &mut Self {
        self.record.push(source_type);
        self
    }

    /// The id that the author of the record gave it; it names the entity, whatever other ids there are.
    pub fn id(&mut self, id: &str) -> &mut Self {
        let id = trimmed(id);
        self.id = (!id.is_empty()).then(|| id.into());
        self
    }

    /// The id that was given to it.
    pub fn given(&self) -> Option<Text> {
        self.id.clone()
    }

    /// Says that this is one entity of its own: it is no other one that is settled, whatever ids they share.
    pub fn settle(&mut self, id: &str) -> &mut Self {
        if let Some(v) = clean(id) {
            self.strong.push((Ns::SETTLED, v));
        }
        self.id(id)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.strong.iter().any(|(ns, _)| *ns == Ns::SETTLED)
    }

    /// One of the ids of a settled entity, as `namespace:value`.
    pub fn known_as(&mut self, alias: &str) -> &mut Self {
        if let Some((ns, value)) = namespaced(alias).filter(|(ns, _)| !matches!(*ns, "sam" | "host" | "record" | "path")) {
            self.exact(ns, value);
        }
        self.aliases.push(alias.into());
        self
    }

    /// What was reported of a property, when, and by which alert.
    pub fn report(&mut self, prop: Prop, alert: Option<AlertRef>, at: Option<Time>, value: PropValue) -> &mut Self {
        self.reports.push((prop, alert, at, value));
        self
    }

    /// Whether any id names it, strong or weak.
    pub fn is_identified(&self) -> bool {
        !self.strong.is_empty() || !self.weak.is_empty() || !self.scoped.is_empty()
    }

    /// A strong id in which case matters: the path of a URL.
    pub fn exact(&mut self, ns: &str, value: &str) -> &mut Self {
        if let Some(v) = clean(value) {
            identify(&mut self.strong, ns, v);
        }
        self
    }

    /// A strong id: two records that share it are one thing. Lower-cased and trimmed; blank is no id.
    pub fn strong(&mut self, ns: &str, value: &str) -> &mut Self {
        if let Some(v) = tidy(value) {
            identify(&mut self.strong, ns, v);
        }
        self
    }

    /// An id that names the record where it has no strong one: records without any strong id that share it are one.
    pub fn weak(&mut self, ns: &str, value: &str) -> &mut Self {
        // Often it is the very id that the author gave.
        let given = self.id.as_ref().filter(|id| ***id == *value && is_tidy(value)).cloned();
        if let Some(v) = given.or_else(|| tidy(value)) {
            identify(&mut self.weak, ns, v);
        }
        self
    }

    /// An id that is strong within a scope: the entity `scope`, or the only device of the alert.
    pub fn scoped(&mut self, ns: &str, value: &str, scope: Option<Ref>) -> &mut Self {
        if let (Some(v), Some(ns)) = (tidy(value), Ns::named(ns)) {
            self.scoped.push((ns, v));
            self.scope = scope.or(self.scope);
        }
        self
    }

    /// What the scoped ids are scoped by, where that is known only later.
    pub fn within(&mut self, scope: Ref) -> &mut Self {
        self.scope = Some(scope);
        self
    }

    /// The draft makes no entity of its own: it stands for one that another record describes, if there is one.
    pub fn tentative(&mut self) -> &mut Self {
        self.tentative = true;
        self
    }

    /// The draft holds only if that tentative one stands for nothing.
    pub fn unless(&mut self, other: Ref) -> &mut Self {
        self.unless = Some(other);
        self
    }

    /// A name for people; the highest weight wins.
    pub fn name(&mut self, weight: u8, name: &str) -> &mut Self {
        let name = trimmed(name);
        if !name.is_empty() {
            // Mostly it is the id, or what was said of the id.
            let known = self.strong.last().map(|(_, v)| v).filter(|v| ***v == *name).cloned();
            self.names.push((weight, known.unwrap_or_else(|| name.into())));
        }
        self
    }

    /// Another id that identifies it without merging it.
    pub fn alias(&mut self, ns: &str, value: &str) -> &mut Self {
        if let Some(v) = tidy(value) {
            self.aliases.push(format!("{ns}:{v}").into());
        }
        self
    }

    /// The verdict, in the source's words; unknown words are no verdict.
    pub fn verdict(&mut self, text: &str) -> &mut Self {
        let word = Verdict::parse(text).or_else(|| match crate::model::level::squash(text).as_str() {
            "clean" | "benign" => Some(Verdict::NoThreatsFound),
            _ => None,
        });
        // That nothing was found says more than that nothing is known, and less than a suspicion.
        self.verdict = match (self.verdict, word.unwrap_or(Verdict::Unknown)) {
            (Verdict::Unknown, other) | (other, Verdict::Unknown) => other,
            (a, b) => a.max(b),
        };
        self
    }

    /// The remediation status, in the source's words.
    pub fn remediation(&mut self, text: &str) -> &mut Self {
        let word = snake(text);
        if !matches!(word.as_str(), "" | "none" | "unknown") {
            self.remediation = word.into();
        }
        self
    }

    /// A part that it plays in the alert.
    pub fn role(&mut self, text: &str) -> &mut Self {
        self.roles.extend(role(text));
        self
    }

    /// A tag.
    pub fn tag(&mut self, text: &str) -> &mut Self {
        let text = trimmed(text);
        if !text.is_empty() {
            self.tags.push(text.into());
        }
        self
    }

    /// A property by name; its value is turned into the declared type, and kept as a field where that fails.
    pub fn prop(&mut self, name: &str, value: impl AsRef<str>) -> &mut Self {
        let text = trimmed(value.as_ref());
        if text.is_empty() {
            return self;
        }
        match Prop::named(name).filter(|p| p.spec().kinds.has(self.kind)) {
            Some(prop) => self.set(prop, text),
            None => self.field(name, text),
        }
    }

    /// A property that the kind has; its value is turned into the declared type, and kept as a field where that fails.
    pub fn set(&mut self, prop: Prop, text: &str) -> &mut Self {
        let typed = match prop.spec().ty {
            // What an id says, the property often says again.
            PropType::Text if self.text(prop) == Some(text) => return self,
            PropType::Text => Some(PropValue::Text(text.into())),
            PropType::Int => text.parse().ok().map(PropValue::Int),
            PropType::Bool => {
                let is = |words: &[&str]| words.iter().any(|w| text.eq_ignore_ascii_case(w));
                let (yes, no) = (is(&["true", "yes", "1"]), is(&["false", "no", "0"]));
                (yes || no).then_some(PropValue::Bool(yes))
            }
            PropType::Level => Level::of_source(text).map(PropValue::Level),
            PropType::Time => crate::model::time::time(text).map(PropValue::Time),
            PropType::Texts => Some(PropValue::Texts([text.into()].into())),
        };
        match typed {
            Some(v) => self.hold(prop, v),
            None => self.field(prop.spec().name, text),
        }
    }

    /// A property that the kind has, and a value of its type.
    pub fn hold(&mut self, prop: Prop, value: PropValue) -> &mut Self {
        self.props.push((prop, value));
        self
    }

    /// Makes room for so many properties.
    pub fn expect(&mut self, properties: usize) {
        self.props.reserve(properties);
    }

    /// A property that is lower-cased first: addresses, hosts, hashes.
    pub fn lower(&mut self, name: &str, value: &str) -> &mut Self {
        if is_lower(value) { self.prop(name, value) } else { self.prop(name, value.to_lowercase()) }
    }

    /// A property that holds a list.
    pub fn list(&mut self, name: &str, values: Vec<String>) -> &mut Self {
        if let Some(prop) = Prop::named(name).filter(|p| p.spec().ty == PropType::Texts && p.spec().kinds.has(self.kind))
            && !values.is_empty()
        {
            self.props.push((prop, PropValue::Texts(values.into_iter().map(Text::from).collect())));
        }
        self
    }

    /// A field that no property models.
    pub fn field(&mut self, name: &str, value: &str) -> &mut Self {
        if !trimmed(value).is_empty() {
            self.fields.push((name.into(), value.into()));
        }
        self
    }

    /// When the record was made.
    pub fn at(&mut self, at: Option<Time>) -> &mut Self {
        self.at = at.or(self.at);
        self
    }

    /// Takes all that it says, and leaves what its alert has to know: parts that are played, and whether it is held.
    pub(super) fn take(&mut self) -> Self {
        let held = self.held || !self.record.is_empty();
        let left = Self { roles: self.roles.clone(), held, ..Self::new(self.kind) };
        std::mem::replace(self, left)
    }

    /// Sorts what is compared, when nothing more is added.
    pub(super) fn seal(&mut self) {
        fn sort<A: Array<Item: Ord>>(all: &mut SmallVec<A>) {
            if !all.is_sorted_by(|a, b| a < b) {
                all.sort_unstable();
                all.dedup();
            }
        }
        sort(&mut self.strong);
        sort(&mut self.weak);
        sort(&mut self.names);
    }

    /// The text of a property, as far as is known yet.
    pub(super) fn text(&self, prop: Prop) -> Option<&str> {
        self.props.iter().find(|(p, _)| *p == prop).and_then(|(_, v)| if let PropValue::Text(t) = v { Some(&**t) } else { None })
    }
}

/// A part that is played, in our words; one that says nothing is none.
pub(super) fn role(text: &str) -> Option<Text> {
    let word = snake(text);
    (!matches!(word.as_str(), "" | "unknown")).then(|| word.into())
}

fn identify(ids: &mut SmallVec<[Id; 2]>, ns: &str, value: Text) {
    debug_assert!(is_namespace(ns), "`{ns}` stands in no table");
    if let Some(ns) = Ns::named(ns) {
        ids.push((ns, value));
    }
}

/// Whether lower case changes nothing, told at a glance. All bytes are asked: that is quicker than to stop at the first.
fn is_lower(value: &str) -> bool {
    value.bytes().fold(true, |all, b| all & b.is_ascii() & !b.is_ascii_uppercase())
}

/// Whether all of it is as [`tidy`] leaves it, told at a glance.
fn is_tidy(value: &str) -> bool {
    value.bytes().fold(true, |all, b| all & matches!(b, b'!'..=b'~') & !b.is_ascii_uppercase()) && !value.is_empty() && value != NOBODY
}

/// What stands where nobody is meant.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

fn tidy(value: &str) -> Option<Text> {
    if is_tidy(value) {
        return Some(value.into());
    }
    let v = clean(value)?;
    let v: Text = if is_lower(&v) { v } else { v.to_lowercase().into() };
    (*v != *NOBODY).then_some(v)
}

fn clean(value: &str) -> Option<Text> {
    let v = trimmed(value);
    let v: Text = if v.bytes().all(|b| matches!(b, b' '..=b'~')) {
        v.into()
    } else {
        v.chars().filter(|c| !crate::diag::human::hidden(*c)).collect::<String>().into()
    };
    (!v.is_empty()).then_some(v)
}
