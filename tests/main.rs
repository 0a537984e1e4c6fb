//! Every test of the six commands as programs: one binary, a module per command.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::format_push_string,
    clippy::assigning_clones
)]

mod bed;
mod contract;
#[cfg(target_arch = "x86_64")]
mod crash;
mod diskctl;
mod documents;
mod ipbind_address;
mod ipbind_files;
mod pipes;
mod portcheck;
mod probe;
mod registry;
mod support;
mod switch;
