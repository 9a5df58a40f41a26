//! What an incident is made of: vocabularies, tables of kinds, properties and relations, techniques, the incident itself
//! and its graph. Knows nothing of files, formats or playbooks.

pub mod graph;
pub mod incident;
pub mod kind;
pub mod level;
pub mod small;
pub mod technique;
pub mod time;

pub use graph::{Edge, EdgeIx, EntityGraph};
pub use incident::{Alert, AlertIx, Entity, EntityIx, Incident, PropValue, Props, Relation, Report, Text, Time};
pub use kind::{Kind, Kinds, Prop, PropType, Rel};
pub use level::{Basis, Classification, Level, Phase, Verdict};
pub use small::{Map, Set};
