//! The command line of `ims-switch`.

pub mod add;
mod availability;
pub mod clear;
pub mod enable;
pub mod evacuate;
pub mod export;
pub mod freeze;
pub mod graph;
mod history;
pub mod import;
pub mod model;
mod plan;
mod rehearse;
pub mod restart;

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand};
use ims::command::{Arguments, Common};
use ims::name::{GroupName, NodeName, ResourceName};
use ims::output::Format;
use ims::span::Span;

pub use add::{Add, Remove};
pub use availability::Availability;
pub use clear::Clear;
pub use enable::{Disable, Enable};
pub use evacuate::Evacuate;
use export::Export;
pub use freeze::{Freeze, Unfreeze};
pub use history::History;
use import::Import;
pub use plan::{Plan, Planned};
pub use rehearse::Rehearse;
pub use restart::Restart;

/// Resource groups: bring them online, move them between nodes, react to faults
#[derive(Debug, Parser)]
#[command(name = "ims-switch", version, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
}

impl Arguments for Args {
    fn output(&self) -> Option<Format> {
        // What is exported is for another program: its text, unless records are asked for.
        let is_text = matches!(&self.verb, Verb::Export(export) if export.to.is_none());
        self.common.output.or(is_text.then_some(Format::Table))
    }

    fn root(&self) -> &Path {
        &self.common.root
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Say whether the group's file is valid and every node has the same
    Check(Groups),
    /// Say where each resource and the group itself is up
    Status(Groups),
    /// Draw what a group is made of, and what needs what
    Graph(graph::Graph),
    /// Write the registry, the groups and the notes of a model for nodes and instances that are named
    Model(model::Model),
    /// Show the steps that would be taken, and take none
    Plan(Plan),
    /// Bring a group online on one node
    Online(Online),
    /// Take a group offline
    Offline(Offline),
    /// Move a group to another node; it goes back when that node cannot have it
    Move(Move),
    /// Stop and start a group, or resources of it with all that requires them, where it is online
    Restart(Restart),
    /// Move every group that is on a node to its next node
    Evacuate(Evacuate),
    /// Start resources again and watch them
    Enable(Enable),
    /// Stop resources, and neither start nor watch them
    Disable(Disable),
    /// Let a group as it is: nothing moves, starts or stops it, by hand or by a fault
    Freeze(Freeze),
    /// Take a freeze back
    Unfreeze(Unfreeze),
    /// Have faults reacted to again that were given up
    Clear(Clear),
    /// Put a group's file on every node
    Add(Add),
    /// Take a group that is offline away from every node
    Remove(Remove),
    /// Look at everything that a move depends on, without moving anything
    Rehearse(Rehearse),
    /// Print the runs of a group and their steps
    History(History),
    /// Say what share of the time a service is down in each model, by table A-2 and by a Markov chain
    Availability(Availability),
    /// Run a command where the group is online, and do nothing elsewhere
    Run(Run),
    /// Read ims.answer/1 records from stdin and react to faults: restart, then give the group over
    React(React),
    /// Start one resource on this node, as a step of a plan does
    Start(One),
    /// Stop one resource on this node, as a step of a plan does
    Stop(One),
    /// Fence a node by its fence agent and keep the proof
    Fence(Fence),
    /// Write group files from the configuration of another cluster manager
    Import(Import),
    /// Write groups as the configuration of another cluster manager
    Export(Export),
    /// Serve another node's run, for requests on stdin
    #[command(hide = true)]
    Serve {
        /// The group
        #[arg(value_name = "GROUP")]
        group: GroupName,
        /// Serve its file alone, which may not be there
        #[arg(long)]
        file: bool,
    },
}

/// Groups that are looked at.
#[derive(Debug, clap::Args)]
pub struct Groups {
    /// The groups [default: every group of this node]
    #[arg(value_name = "GROUP")]
    pub groups: Vec<GroupName>,
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

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: GroupName,
    /// How long to wait for a run that is moving the group
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, last = true)]
    pub command: Vec<OsString>,
}

/// The arguments of `react`.
#[derive(Debug, clap::Args)]
pub struct React {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: GroupName,
    /// Tell what would be decided and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for other runs to end
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub timeout: Span,
}

/// The arguments of `start` and `stop`.
#[derive(Debug, clap::Args)]
pub struct One {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: GroupName,
    /// The resource
    #[arg(value_name = "RESOURCE")]
    pub resource: ResourceName,
    /// Show the step and do not take it
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for other runs to end
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
}

/// The arguments of `fence`.
#[derive(Debug, clap::Args)]
pub struct Fence {
    /// The node
    #[arg(value_name = "NODE")]
    pub node: NodeName,
    /// Show the step and do not take it
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}
