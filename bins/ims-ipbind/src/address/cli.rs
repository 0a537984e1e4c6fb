//! The arguments of the verbs.

/// Stub.
#[derive(Debug, clap::Args)]
pub struct Up {}

/// Stub.
#[derive(Debug, clap::Args)]
pub struct Down {}

/// Stub.
#[derive(Debug, clap::Args)]
pub struct Look {}
