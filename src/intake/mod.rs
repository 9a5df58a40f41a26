//! JSON as each source writes it, turned into one incident. One file a format; identity is settled in [`builder`].

pub mod builder;
pub mod net;
