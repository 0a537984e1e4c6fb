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

impl Evacuate {
    /// The same without taking a step.
    #[must_use]
    pub fn only_shown(self) -> Self {
        Self { change: self.change.only_shown(), ..self }
    }
}
