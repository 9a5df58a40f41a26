//! The words of the sources, in ours: classifications, determinations, techniques, where a message lies.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::snake;
use crate::model::level::squash;
use crate::model::technique::{tactic, techniques_in};
use crate::model::{Alert, Classification};

/// A classification that somebody decided; `unknown`, `Undetermined` and the like are none.
pub fn classification(text: &str) -> Option<Classification> {
    match squash(text).as_str() {
        "truepositive" | "malicious" | "truepositivesuspiciousactivity" => Some(Classification::TruePositive),
        "informational"
        | "informationalexpectedactivity"
        | "benignpositive"
        | "benign"
        | "benignpositivesuspiciousbutexpected"
        | "benigntruepositive" => Some(Classification::Informational),
        "falsepositive" | "falsepositiveincorrectalertlogic" | "falsepositiveinaccuratedata" => Some(Classification::FalsePositive),
        _ => None,
    }
}

/// A determination in our words; a word that we do not know is kept in lower snake case.
pub fn determination(text: &str) -> Option<String> {
    Some(
        match squash(text).as_str() {
            "" | "unknown" | "notavailable" | "none" | "unknownfuturevalue" | "undetermined" | "notset" => return None,
            "multistagedattack" | "multistageattack" => "multi_stage_attack",
            "compromiseduser" | "compromisedaccount" => "compromised_account",
            "clean" | "notmalicious" => "not_malicious",
            "insufficientdata" | "notenoughdatatovalidate" => "not_enough_data_to_validate",
            "confirmeduseractivity" | "confirmedactivity" => "confirmed_activity",
            "lineofbusinessapplication" => "line_of_business_application",
            "malicioususeractivity" => "malicious_user_activity",
            "apt" => "apt",
            _ => return Some(snake(text)).filter(|w| !w.is_empty()),
        }
        .to_owned(),
    )
}

/// A status word; one that says nothing is empty.
pub fn status(text: &str) -> String {
    let word = snake(text);
    if matches!(word.as_str(), "unknown" | "unknown_future_value") { String::new() } else { word }
}

/// Adds techniques as the source writes them; a text without an id is kept in the alert's extra fields.
pub fn techniques<'t>(alert: &mut Alert, texts: impl IntoIterator<Item = &'t str>) {
    let mut other: BTreeSet<String> = BTreeSet::new();
    for text in texts.into_iter().map(str::trim).filter(|t| !t.is_empty()) {
        let found = techniques_in(text);
        if found.is_empty() {
            other.insert(text.to_owned());
        }
        alert.techniques.extend(found.into_iter().map(Into::into));
    }
    join(&mut alert.extra, "techniques.other", other);
}

/// Adds tactics; words that are none of the matrix are kept in the alert's extra fields.
pub fn tactics<'t>(alert: &mut Alert, texts: impl IntoIterator<Item = &'t str>) {
    let mut other: BTreeSet<String> = BTreeSet::new();
    for word in texts.into_iter().flat_map(|t| t.split([',', ';'])).map(str::trim).filter(|t| !t.is_empty()) {
        match tactic(word) {
            Some(t) => {
                alert.tactics.insert(t.to_owned().into());
            }
            None if squash(word) == "unknown" => {}
            None => {
                other.insert(word.to_owned());
            }
        }
    }
    join(&mut alert.extra, "tactics.other", other);
}

/// A category that is a tactic's name says the tactic.
pub fn category(alert: &mut Alert) {
    alert.tactics.extend(tactic(&alert.category).map(str::to_owned).into_iter().map(Into::into));
}

fn join(extra: &mut BTreeMap<String, String>, key: &str, mut words: BTreeSet<String>) {
    if words.is_empty() {
        return;
    }
    if let Some(known) = extra.get(key) {
        words.extend(known.split("; ").map(str::to_owned));
    }
    extra.insert(key.to_owned(), words.into_iter().collect::<Vec<_>>().join("; "));
}

/// Whether a message lies where its recipient can read it, from where it was put and what was done; `None`: not said.
/// Where it lies outweighs what was done with it.
pub fn delivered(location: &str, action: &str) -> Option<bool> {
    let place = match squash(location).as_str() {
        "inbox" | "inboxfolder" | "junk" | "junkfolder" | "folder" | "teams" => Some(true),
        "quarantine" | "failed" | "dropped" | "deleted" | "deletedfolder" | "deleteditems" | "softdeleted" | "harddeleted" => Some(false),
        _ => None,
    };
    place.or_else(|| match squash(action).as_str() {
        "delivered" | "deliveredtojunk" | "deliveredasspam" | "junked" | "replaced" => Some(true),
        "blocked" | "dropped" | "quarantined" | "failed" | "deleted" => Some(false),
        _ => None,
    })
}

/// Whether a remediation status says that the thing is dealt with.
pub fn is_remediated(status: &str) -> bool {
    matches!(squash(status).as_str(), "remediated" | "blocked" | "prevented")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_in_every_spelling() {
        assert_eq!(classification("TruePositive"), Some(Classification::TruePositive));
        assert_eq!(classification("BenignPositive"), Some(Classification::Informational));
        assert_eq!(classification("Undetermined"), None);
        assert_eq!(determination("MultiStagedAttack").as_deref(), Some("multi_stage_attack"));
        assert_eq!(determination("compromisedUser").as_deref(), Some("compromised_account"));
        assert_eq!(determination("SomethingNew").as_deref(), Some("something_new"));
        assert_eq!(determination("NotAvailable"), None);
    }

    #[test]
    fn where_a_message_lies_outweighs_what_was_done() {
        assert_eq!(delivered("Quarantine", "Delivered"), Some(false));
        assert_eq!(delivered("JunkFolder", "DeliveredToJunk"), Some(true));
        assert_eq!(delivered("Unknown", "Blocked"), Some(false));
        assert_eq!(delivered("Unknown", "Unknown"), None);
    }

    #[test]
    fn pseudo_techniques_are_kept() {
        let mut a = Alert::default();
        techniques(&mut a, ["Signed Binary Proxy Execution (T1218)", "T1566.999", "Prompt Injection"]);
        assert_eq!(a.techniques.iter().map(|t| &**t).collect::<Vec<_>>(), ["T1218", "T1566.999"]);
        assert_eq!(a.extra.get("techniques.other").map(String::as_str), Some("Prompt Injection"));
    }
}
