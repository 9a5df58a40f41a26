//! Expressions: Rhai's parser gives the tree, [`lower`] turns it into the one typed form, [`eval`] runs that form.

pub mod columns;
pub mod env;
pub mod eval;
pub mod expr;
pub mod facts;
pub mod fields;
pub mod functions;
pub mod glob;
pub mod limits;
pub mod lists;
pub mod literal;
pub mod lower;
mod memory;
pub mod network;
pub mod parse;
pub mod pattern;
pub mod plan;
pub mod questions;
mod run;
mod tell;
pub mod template;
pub mod trace;
pub mod ty;
pub mod value;

pub use env::Env;
pub use eval::{Cx, Stop};
pub use expr::{Condition, Expr};
pub use facts::Facts;
pub use lists::NamedList;
pub use lower::Lowering;
pub use memory::Memory;
pub use questions::Questions;
pub use template::Template;
pub use ty::Ty;
pub use value::Value;
