//! What every format needs while it reads one incident: the builder, the alert that is being read, remarks and limits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::builder::{AlertRef, Builder, Draft, Ref};
use super::json::Json;
use super::rec::Rec;
use super::{Read, Refusal, limits};
use crate::diag::{Diagnostic, Severity, codes};
use crate::model::{Alert, Kind, Text, Time};

/// Reads one incident.
pub struct Context {
    /// What collects the records.
    pub b: Builder,
    mails: Vec<(Ref, String, Option<String>)>,
    logons: Vec<Logon>,
    /// By account name and first label of the domain.
    accounts: BTreeMap<(String, String), BTreeSet<Account>>,
    declared: usize,
    /// The declared types so far, the first few of them.
    types: Vec<Text>,
    alerts: usize,
    notes: usize,
    over: Option<(&'static str, usize)>,
}

/// How many declared types are kept as one text each.
const MOST_TYPES: usize = 64;

/// The whole domain of an account, a namespace and an id in it.
type Account = (String, String, String);

struct Logon {
    at: Option<AlertRef>,
    device: Ref,
    domain: String,
    account: String,
    /// Whether the alert itself names the account.
    named: bool,
}

/// The alert that is being read; without one, the incident itself.
#[derive(Clone, Default)]
pub struct Place {
    /// The alert.
    pub alert: Option<AlertRef>,
    /// Its id, for the names of what has no id of its own.
    pub id: Text,
}

impl Context {
    /// For an incident of this format.
    pub fn new(source: super::Source) -> Self {
        Self {
            b: Builder::new(source.word()),
            mails: Vec::new(),
            logons: Vec::new(),
            accounts: BTreeMap::new(),
            declared: 0,
            types: Vec::new(),
            alerts: 0,
            notes: 0,
            over: None,
        }
    }

    /// Adds an alert.
    pub fn alert(&mut self, alert: Alert) -> Place {
        self.alerts = self.alerts.saturating_add(1);
        if self.alerts > limits::ALERTS {
            self.over = self.over.or(Some(("alerts", limits::ALERTS)));
        }
        let id = alert.id.clone();
        Place { alert: Some(self.b.alert(alert)), id }
    }

    /// Adds a record.
    pub fn add(&mut self, place: &Place, draft: Draft) -> Ref {
        if self.b.len() >= limits::RECORDS {
            self.over = self.over.or(Some(("records", limits::RECORDS)));
        }
        self.b.entity(place.alert, draft)
    }

    /// Says that an alert names what a record describes.
    pub fn sight(&mut self, place: &Place, of: Ref, roles: &[Cow<'_, str>], held: bool) {
        if self.b.len() >= limits::RECORDS {
            self.over = self.over.or(Some(("records", limits::RECORDS)));
        }
        self.b.sight(place.alert, of, roles, held);
    }

    /// Adds a record of the incident itself.
    pub fn add_apart(&mut self, draft: Draft) -> Ref {
        self.add(&Place::default(), draft)
    }

    /// Says that a record is declared with this type.
    pub fn declare(&mut self, r: Ref, source_type: &str) {
        self.declared = self.declared.saturating_add(1);
        if self.declared > limits::DECLARED {
            self.over = self.over.or(Some(("declared records", limits::DECLARED)));
        }
        let known = self.types.iter().find(|t| ***t == *source_type).cloned();
        let source_type = known.unwrap_or_else(|| {
            let fresh = Text::from(source_type);
            if self.types.len() < MOST_TYPES {
                self.types.push(fresh.clone());
            }
            fresh
        });
        if let Some(d) = self.b.draft(r) {
            d.declared(source_type);
        }
    }

    /// Relates two records.
    pub fn relate(&mut self, place: &Place, from: Ref, rel: &str, to: Ref) {
        self.relate_at(place, from, rel, to, None);
    }

    /// Relates two records at a moment.
    pub fn relate_at(&mut self, place: &Place, from: Ref, rel: &str, to: Ref, at: Option<Time>) {
        if self.b.links() >= limits::LINKS {
            self.over = self.over.or(Some(("relations", limits::LINKS)));
            return;
        }
        self.b.relate(place.alert, from, rel, to, at, at);
    }

    /// Reads one thing after another until a limit is passed.
    pub fn each<'j>(&mut self, all: &[(&'j Json<'j>, String)], mut read: impl FnMut(&mut Self, &'j Json<'j>, &str)) {
        for (json, path) in all {
            if self.full() {
                return;
            }
            read(self, json, path);
        }
    }

    /// The object that stands where this belongs; a remark where another value does.
    pub fn object<'j>(&mut self, json: &'j Json<'j>, path: impl Into<Cow<'j, str>>, what: &str) -> Option<Rec<'j>> {
        let path = path.into();
        if !matches!(json, Json::Map(_)) {
            self.unread(&path, format!("{} stands where {what} belongs", json.kind()));
        }
        Rec::new(json, path)
    }

    /// Whether a limit is passed; then nothing more need be read.
    pub fn full(&self) -> bool {
        self.over.is_some()
    }

    /// Whether a limit is passed, that of remarks included.
    pub fn is_out_of_bounds(&self) -> bool {
        self.full() || self.notes > limits::NOTES
    }

    /// A message whose recipient may have to be looked for in other records.
    pub fn mail(&mut self, r: Ref, message: &str, recipient: Option<String>) {
        self.mails.push((r, message.to_lowercase(), recipient.map(|t| t.to_lowercase())));
    }

    /// An account that a device says was logged on; who that is may be told by another record.
    pub fn logon(&mut self, place: &Place, device: Ref, domain: &str, account: &str, named: bool) {
        self.logons.push(Logon { at: place.alert, device, domain: domain.to_lowercase(), account: account.to_lowercase(), named });
    }

    /// An account with a strong id, by its name, for [`logon`](Self::logon).
    pub fn account(&mut self, account: &str, domain: &str, ns: &str, id: &str) {
        let domain = domain.to_lowercase();
        let known = self.accounts.entry((account.to_lowercase(), label(&domain))).or_default();
        known.insert((domain, ns.to_owned(), id.to_lowercase()));
    }

    /// A remark about the input.
    pub fn note(&mut self, code: &'static str, severity: Severity, path: &str, message: impl Into<String>) {
        self.notes = self.notes.saturating_add(1);
        if self.notes <= limits::NOTES {
            self.b.note(code, severity, path, message);
        }
    }

    /// Something that could not be read; the rest is.
    pub fn unread(&mut self, path: &str, message: impl Into<String>) {
        self.note(codes::UNREAD, Severity::Warning, path, message);
    }

    /// Keeps what no property models of a record, as its fields.
    pub fn keep_rest(&mut self, r: Ref, rec: &Rec<'_>, prefix: &str) {
        for (k, v) in rec.rest() {
            let v = self.cut(v, &rec.path, &k);
            if let Some(d) = self.b.draft(r) {
                d.field(&if prefix.is_empty() { k } else { format!("{prefix}.{k}") }, &v);
            }
        }
    }

    /// Keeps what no field models of an alert or incident.
    pub fn extra(&mut self, rec: &Rec<'_>, into: &mut BTreeMap<String, String>) {
        for (k, v) in rec.rest() {
            let v = self.cut(v, &rec.path, &k);
            into.entry(k).or_insert(v);
        }
    }

    /// Keeps what no field models of the incident; what these free-form objects hold stands under its own names.
    pub fn incident_extra(&mut self, rec: &Rec<'_>, bags: &[&str]) {
        let mut extra = std::mem::take(&mut self.b.incident.extra);
        super::bags(rec, bags, &mut extra);
        self.extra(rec, &mut extra);
        self.b.incident.extra = extra;
    }

    /// A text no longer than is kept.
    pub fn cut(&mut self, text: String, path: &str, key: &str) -> String {
        if text.len() <= limits::TEXT {
            return text;
        }
        let mut at = limits::TEXT.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        self.note(
            codes::INPUT_LIMIT,
            Severity::Warning,
            &format!("{path}{}", super::json::step(key)),
            format!("a text of {} bytes was cut to {}", text.len(), limits::TEXT),
        );
        format!("{}…", text.get(..at).unwrap_or(""))
    }

    /// The incident as it is, and what there is to say about it.
    pub fn finish(mut self) -> Result<Read, Refusal> {
        if let Some((what, limit)) = self.over {
            return Err(Refusal::limit(format!("the incident `{}` holds more than {limit} {what}", self.b.incident.id)));
        }
        self.settle_mails();
        self.settle_logons();
        let mut beyond = self.notes.saturating_sub(limits::NOTES);
        let (incident, mut diagnostics) = self.b.finish();
        if diagnostics.len() > limits::NOTES {
            beyond = beyond.saturating_add(diagnostics.len().saturating_sub(limits::NOTES));
            diagnostics.sort_by_key(|d| d.severity);
            diagnostics.truncate(limits::NOTES);
            crate::diag::sort(&mut diagnostics);
        }
        if beyond > 0 {
            diagnostics.push(Diagnostic::new(codes::UNREAD, Severity::Warning, format!("{beyond} more remarks like these were left out")));
        }
        Ok(Read { incident, diagnostics })
    }

    /// A message without a recipient is the one of which all other records give the same recipient.
    fn settle_mails(&mut self) {
        let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (_, message, recipient) in &self.mails {
            known.entry(message).or_default().extend(recipient.as_deref());
        }
        for (r, message, recipient) in &self.mails {
            let all = known.get(message.as_str());
            let only = all.filter(|a| a.len() == 1).and_then(|a| a.first().copied());
            let id = match recipient.as_deref().or(only) {
                Some(to) => format!("{message}/{to}"),
                None => message.clone(),
            };
            if let Some(d) = self.b.draft(*r) {
                d.strong("message", &id).alias("nmid", message);
            }
        }
    }

    /// A logged-on account is the one user of the incident whose account name and domain agree; else it stands alone.
    fn settle_logons(&mut self) {
        for logon in std::mem::take(&mut self.logons) {
            // `CONTOSO` and `contoso.com` may be one domain; `contoso.com` and `contoso.net` are two.
            let same_domain = |d: &str| d == logon.domain || !d.contains('.') || !logon.domain.contains('.');
            let matches: Vec<(String, String)> = self
                .accounts
                .get(&(logon.account.clone(), label(&logon.domain)))
                .into_iter()
                .flatten()
                .filter(|(d, _, _)| same_domain(d))
                .map(|(_, ns, id)| (ns.clone(), id.clone()))
                .collect();
            let mut user = Draft::new(Kind::User);
            // One id only: several would tie records that the source did not tie.
            let only = ["aad", "upn", "sid"].iter().find_map(|ns| {
                let mut ids = matches.iter().filter(|(n, _)| n == ns).map(|(_, id)| id);
                ids.next().filter(|one| ids.all(|other| other == *one)).map(|id| (*ns, id.clone()))
            });
            if let Some((ns, id)) = only {
                user.strong(ns, &id).tentative();
            } else {
                user.weak("sam", &format!("{}\\{}", logon.domain, logon.account)).name(1, &logon.account);
                user.prop("account_name", logon.account.clone()).prop("domain", logon.domain.clone());
            }
            let place = Place { alert: logon.at.filter(|_| logon.named), id: Text::default() };
            let user = self.add(&place, user);
            self.relate(&Place { alert: logon.at, id: Text::default() }, user, "logged_on", logon.device);
        }
    }
}

/// The first label of a domain.
fn label(domain: &str) -> String {
    domain.split('.').next().unwrap_or(domain).to_owned()
}
