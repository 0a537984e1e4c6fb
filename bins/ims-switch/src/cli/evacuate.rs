//! The command line of `evacuate`.

use ims::name::NodeName;

use super::Change;

/// The arguments of `evacuate`.
#[derive(Debug, clap::Args)]
pub struct Evacuate {
    /// The node that every group leaves
    #[arg(value_name = "NODE")]
    pub node: NodeName,
    /// Common to what changes something.
    #[command(flatten)]
    pub change: Change,
}
