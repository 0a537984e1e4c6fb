//! The command line of `restart`.

use ims::name::{GroupName, ResourceName};

use super::Change;

/// The arguments of `restart`.
#[derive(Debug, clap::Args)]
pub struct Restart {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: GroupName,
    /// The resources [default: all of the group]
    #[arg(value_name = "RESOURCE")]
    pub resources: Vec<ResourceName>,
    /// Common to what changes something.
    #[command(flatten)]
    pub change: Change,
}
