//! The command line of `ims-registry`.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use ims::address::Address;
use ims::command::{Arguments, Common};
use ims::input::NameOrStdin;
use ims::layout::Layout;
use ims::name::{DirectoryName, InstanceName, NodeName};
use ims::output::Format;
use ims::span::Span;

/// Which instances this node knows
#[derive(Debug, Parser)]
#[command(name = "ims-registry", version, max_term_width = 100)]
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
        self.common.output
    }

    fn root(&self) -> &Path {
        &self.common.root
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print the instances, all or those named
    List {
        /// Names of instances
        #[arg(value_name = "NAME")]
        names: Vec<InstanceName>,
    },
    /// Add an instance, or change the keys that differ
    Add(Add),
    /// Remove instances; with the last one the file goes too
    Remove(Remove),
    /// Print the instances found below server roots, whether registered or not
    Scan {
        /// Server roots
        #[arg(value_name = "ROOT", required = true, value_parser = absolute)]
        roots: Vec<PathBuf>,
    },
    /// Add the instances below the server roots that a list of Netscape Messaging Server names
    Import(Import),
    /// Say whether each entry fits what is on the disk and the other entries
    Check {
        /// Names of instances
        #[arg(value_name = "NAME")]
        names: Vec<InstanceName>,
    },
    /// Print how the registries of other nodes differ from this one
    Diff(Diff),
    /// Put the entries of this node, all or those named, into the registries of other nodes
    Replicate(Replicate),
    /// Take in what `replicate` on another node sends; not for typing
    #[command(hide = true)]
    Receive(Receive),
}

/// The arguments of `add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The instance's name without its leading msg-, or - to read ims.instance/1 records from stdin
    #[arg(value_name = "NAME|-")]
    pub what: NameOrStdin,
    /// How it is laid out, iplanet-5, messaging-6 or postfix-dovecot [default: what is found on the disk]
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<Layout>,
    /// The server root, the folder that holds msg-NAME
    #[arg(long, value_name = "FOLDER", value_parser = absolute)]
    pub server_root: Option<PathBuf>,
    /// A logical address that the servers are bound to; may be given several times
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<Address>,
    /// The directory server below the same root, without its leading slapd-
    #[arg(long, value_name = "NAME")]
    pub ldap: Option<DirectoryName>,
    /// The instance is a directory server alone
    #[arg(long, requires = "ldap")]
    pub no_mail: bool,
    /// Common to what changes the file.
    #[command(flatten)]
    pub change: Change,
}

impl Add {
    /// Whether anything of an instance is said besides its name.
    pub const fn describes(&self) -> bool {
        self.layout.is_some()
            || self.server_root.is_some()
            || self.ldap.is_some()
            || self.no_mail
            || !self.addresses.is_empty()
    }
}

/// The arguments of `remove`.
#[derive(Debug, clap::Args)]
pub struct Remove {
    /// Names of instances, or - to read ims.instance/1 records from stdin
    #[arg(value_name = "NAME|-", required = true)]
    pub what: Vec<NameOrStdin>,
    /// Common to what changes the file.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The list
    #[arg(value_name = "FILE", default_value = "/etc/nsserver.cfg")]
    pub file: PathBuf,
    /// Common to what changes the file.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `diff`.
// Names that follow the nodes would be taken for nodes.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ims-registry diff [OPTIONS] [NAME]... --with <NODE>...")]
pub struct Diff {
    /// Names of instances
    #[arg(value_name = "NAME")]
    pub names: Vec<InstanceName>,
    /// The nodes, by their names in /etc/ims/nodes.toml
    #[arg(long = "with", value_name = "NODE", required = true, num_args = 1..)]
    pub nodes: Vec<NodeName>,
    /// How long a node may take beyond the time to reach it
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
}

/// The arguments of `replicate`.
// Names that follow the nodes would be taken for nodes.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ims-registry replicate [OPTIONS] [NAME]... --to <NODE>...")]
pub struct Replicate {
    /// Names of instances
    #[arg(value_name = "NAME")]
    pub names: Vec<InstanceName>,
    /// The nodes, by their names in /etc/ims/nodes.toml
    #[arg(long = "to", value_name = "NODE", required = true, num_args = 1..)]
    pub nodes: Vec<NodeName>,
    /// Overwrite entries that differ there
    #[arg(long)]
    pub force_replace: bool,
    /// Common to what changes the file.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `receive`.
#[derive(Debug, clap::Args)]
pub struct Receive {
    /// The node that is meant
    #[arg(value_name = "NODE")]
    pub node: NodeName,
    /// How many records are sent
    #[arg(long, value_name = "NUMBER")]
    pub count: usize,
    /// Overwrite entries that differ
    #[arg(long)]
    pub force_replace: bool,
    /// Common to what changes the file.
    #[command(flatten)]
    pub change: Change,
}

/// What every verb that changes the file understands.
#[derive(Debug, clap::Args)]
pub struct Change {
    /// Show the change as a unified diff and make none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run that holds the lock
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
}

fn absolute(text: &str) -> Result<PathBuf, ims::Fail> {
    ims::registry::absolute(text)
}
