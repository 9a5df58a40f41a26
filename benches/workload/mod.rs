//! One workload, from a seed: incidents and rules, and each of them in every form that is measured.
//!
//! Incidents have about 30 entities of 7 kinds, 6 to 14 alerts, 40 relations, and 19 KB of JSON; others of the same make
//! have 500 or 5,000 entities. Rules have a trigger (categories, techniques, a least severity) and two to four conditions.
//! A rule is plain data ([`rule::Rule`]); [`native`] makes closures of it and [`yaml`] a playbook.
#![allow(dead_code, reason = "no bench uses all of it")]

pub mod incident;
pub mod measure;
pub mod native;
pub mod product;
pub mod rng;
pub mod rule;
pub mod words;
pub mod yaml;
