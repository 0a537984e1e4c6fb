//! The arguments of `rehearse`.

use ims::name::{GroupName, NodeName};

/// The arguments of `rehearse`.
#[derive(Debug, clap::Args)]
pub struct Rehearse {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: GroupName,
    /// The node that would get it [default: the one that a move would choose]
    #[arg(long, value_name = "NODE")]
    pub to: Option<NodeName>,
}
