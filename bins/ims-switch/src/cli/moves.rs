//! The command line of `online`, `offline` and `move`, and what every verb that changes something understands.

use ims::name::{GroupName, NodeName};
use ims::span::Span;

/// The arguments of `online`.
#[derive(Debug, clap::Args)]
pub struct Online {
    /// The groups, in the order in which they are brought online
    #[arg(value_name = "GROUP", required = true)]
    pub groups: Vec<GroupName>,
    /// The node [default: where most of it is up, else the most preferred]
    #[arg(long, value_name = "NODE")]
    pub on: Option<NodeName>,
    /// Bring the groups online first that it requires, each where it prefers
    #[arg(long)]
    pub with_required: bool,
    /// Common to what changes something.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `offline`.
#[derive(Debug, clap::Args)]
pub struct Offline {
    /// The groups, in the order in which they are taken offline
    #[arg(value_name = "GROUP", required = true)]
    pub groups: Vec<GroupName>,
    /// Stop it on this node alone, whatever the others have
    #[arg(long)]
    pub here: bool,
    /// Take the groups offline first that require it
    #[arg(long, conflicts_with = "here")]
    pub with_dependents: bool,
    /// Common to what changes something.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `move`.
#[derive(Debug, clap::Args)]
pub struct Move {
    /// The groups, in the order in which they are moved
    #[arg(value_name = "GROUP", required = true)]
    pub groups: Vec<GroupName>,
    /// The node to move to [default: the most preferred one that has it not]
    #[arg(long, value_name = "NODE")]
    pub to: Option<NodeName>,
    /// Common to what changes something.
    #[command(flatten)]
    pub change: Change,
}

/// What every verb that changes something understands.
#[derive(Debug, Clone, clap::Args)]
pub struct Change {
    /// Show the steps and take none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for other runs, and for commands of ims-switch run, to end
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
    /// A node that cannot be reached and that you have switched off yourself; may be given several times
    #[arg(long = "confirm-fenced", value_name = "NODE")]
    pub confirm_fenced: Vec<NodeName>,
    /// Start mirrors without legs that are missing or lack what was written since
    #[arg(long)]
    pub degraded: bool,
}

impl Online {
    /// The same without taking a step.
    #[must_use]
    pub fn only_shown(self) -> Self {
        Self { change: self.change.only_shown(), ..self }
    }
}

impl Offline {
    /// The same without taking a step.
    #[must_use]
    pub fn only_shown(self) -> Self {
        Self { change: self.change.only_shown(), ..self }
    }
}

impl Change {
    /// The same without taking a step.
    #[must_use]
    pub fn only_shown(self) -> Self {
        Self { dry_run: true, ..self }
    }
}
