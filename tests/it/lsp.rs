//! The language server as an editor drives it: messages over a pipe, each capability by what it answers.

mod agree;
mod client;
mod editing;
mod protocol;
mod reading;
mod wild;
