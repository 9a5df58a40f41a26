//! Ordered words and other small closed vocabularies.

/// Declares a closed vocabulary: an enum whose members have one written form each.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$m:meta])* $member:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$m])* #[serde(rename = $word)] $member,)+ }

        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The word as it is written in files and answers.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }

            /// Reads the written form, whatever its case, with `_`, `-` and blanks left out on both sides.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$member),)+
                    _ => Self::ALL.iter().copied().find(|m| $crate::model::level::squashed(m.word()).eq($crate::model::level::squashed(text))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
pub(crate) use words;

/// Lower case, letters and digits only: `InProgress`, `in_progress` and `in progress` are one word.
pub fn squash(text: &str) -> String {
    squashed(text).collect()
}

/// The same letter by letter, for a comparison that is over at the first that differs.
pub fn squashed(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

words! {
    /// An ordered value: severity, risk.
    Level {
        /// Of interest, no risk by itself.
        Informational = "informational",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Critical.
        Critical = "critical",
    }
}

words! {
    /// What was decided, or is suggested, of an incident or alert.
    Classification {
        /// A real attack.
        TruePositive = "true_positive",
        /// Nothing decides it.
        Undetermined = "undetermined",
        /// Real, but expected: a test, an administrator's work.
        Informational = "informational",
        /// Not what the alert said.
        FalsePositive = "false_positive",
    }
}

words! {
    /// What the source says of an entity.
    Verdict {
        /// Nothing was found.
        NoThreatsFound = "no_threats_found",
        /// Not known.
        Unknown = "unknown",
        /// Suspicious.
        Suspicious = "suspicious",
        /// Malicious.
        Malicious = "malicious",
    }
}

words! {
    /// The four parts of a response.
    Phase {
        /// Is it real?
        Triage = "triage",
        /// What stops it?
        Containment = "containment",
        /// What to look at next?
        Investigation = "investigation",
        /// What repairs it?
        Remediation = "remediation",
    }
}

words! {
    /// How a relation is known.
    Basis {
        /// Two entities are in one alert and something relates their kinds; which ones is not said.
        CoOccurrence = "co-occurrence",
        /// Said by what the alert means.
        Signal = "signal",
        /// Nested in the source's own record.
        Record = "record",
    }
}

impl Level {
    /// Reads a source's severity or risk word; `none` and `unknown` are no level.
    pub fn of_source(text: &str) -> Option<Self> {
        let known = Self::ALL.iter().copied().find(|l| l.word() == text);
        known.or_else(|| match squash(text).as_str() {
            "info" | "informational" | "notice" => Some(Self::Informational),
            "low" | "minor" => Some(Self::Low),
            "medium" | "moderate" | "warning" => Some(Self::Medium),
            "high" | "major" => Some(Self::High),
            "critical" | "fatal" | "severe" => Some(Self::Critical),
            _ => None,
        })
    }
}
