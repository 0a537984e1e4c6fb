//! The arguments of the verbs.

/// Stub.
#[derive(Debug, clap::Args)]
pub struct Show {}

/// Stub.
#[derive(Debug, clap::Args)]
pub struct Set {}

/// Stub.
#[derive(Debug, clap::Args)]
pub struct Restore {}
