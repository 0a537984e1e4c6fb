//! The command line of `ims-portcheck`.

use std::path::Path;

use clap::{Parser, Subcommand};
use ims::command::{Arguments, Common};
use ims::input::NameOrStdin;
use ims::name::{GroupName, NodeName};
use ims::output::Format;
use ims::span::Span;

/// Which instances would collide on one node
#[derive(Debug, Parser)]
#[allow(clippy::struct_excessive_bools)] // each is an option of its own
#[command(name = "ims-portcheck", version, max_term_width = 100, subcommand_precedence_over_arg = true)]
pub struct Args {
    /// What to do instead of telling.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Names of registered instances, or - to read ims.instance/1 and ims.listener/1 records, of one host or several,
    /// from stdin; all that are registered when none is named
    #[arg(value_name = "NAME|-")]
    pub what: Vec<NameOrStdin>,
    /// Answer for each node of this group, as if it had to host them all; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<GroupName>,
    /// Answer for this node, as if it had to host them all; may be given several times [default: this node]
    #[arg(long, value_name = "NODE")]
    pub as_on: Vec<NodeName>,
    /// Look also at what the node itself has (the default): the sockets that listen now, systemd's socket units, and
    /// the ports of outgoing connections; another node is asked by its reach command
    #[arg(long, overrides_with = "no_live")]
    pub live: bool,
    /// Compare the instances' configurations alone
    #[arg(long, overrides_with = "live")]
    pub no_live: bool,
    /// Tell also of systemd's socket units that are not enabled
    #[arg(long)]
    pub disabled_units: bool,
    /// Answer another node that asks: end with the record that says what this node can host
    #[arg(long, hide = true)]
    pub answer: bool,
    /// How long another node may take to answer; of assign how long to wait for another run that holds a lock, and for
    /// each helper program
    #[arg(long, value_name = "TIME", default_value = "10s", global = true)]
    pub timeout: Span,
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
}

/// What to do instead of telling.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Give the Job Controller of each instance of this node a port of its own
    Assign(Assign),
}

/// The arguments of `assign`.
#[derive(Debug, clap::Args)]
pub struct Assign {
    /// Names of registered instances, or - to read ims.instance/1 records from stdin; all that are registered when
    /// none is named
    #[arg(value_name = "NAME|-")]
    pub what: Vec<NameOrStdin>,
    /// Show the change as a unified diff and make none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

impl Args {
    /// The first argument of telling that stands before a verb, which it says nothing to.
    pub fn stray(&self) -> Option<&'static str> {
        let given = [
            (!self.what.is_empty(), "a name"),
            (!self.groups.is_empty(), "--group"),
            (!self.as_on.is_empty(), "--as-on"),
            (self.live, "--live"),
            (self.no_live, "--no-live"),
            (self.disabled_units, "--disabled-units"),
            (self.answer, "--answer"),
        ];
        given.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }
}

impl Arguments for Args {
    fn output(&self) -> Option<Format> {
        self.common.output
    }

    fn root(&self) -> &Path {
        &self.common.root
    }
}
