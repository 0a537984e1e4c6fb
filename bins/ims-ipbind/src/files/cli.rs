//! The arguments of `show`, `set`, `ask` and `restore`.

use std::path::PathBuf;
use std::time::Duration;

use ims::address::Address;
use ims::input::NameOrStdin;
use ims::layout::Layout;
use ims::name::{DirectoryName, InstanceName};
use ims::span::Span;

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Names of instances, or - to read ims.instance/1 records from stdin [default: all in the registry]
    #[arg(value_name = "NAME|-")]
    pub what: Vec<NameOrStdin>,
    /// A logical address that the servers should be bound to [default: the instance's in the registry]
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<Address>,
    /// Where the instance stands.
    #[command(flatten)]
    pub place: Place,
    /// How long the message stores' configutil may take, all questions together
    #[arg(long, value_name = "TIME", default_value = "20s")]
    pub timeout: Span,
}

/// The arguments of `set`.
#[derive(Debug, clap::Args)]
pub struct Set {
    /// The instance's name without its leading msg-, or - to read ims.instance/1 records from stdin
    #[arg(value_name = "NAME|-")]
    pub what: NameOrStdin,
    /// The logical address; may be given several times [default: the instance's in the registry]
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<Address>,
    /// Where the instance stands.
    #[command(flatten)]
    pub place: Place,
    /// Common to what changes files.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `ask`.
#[derive(Debug, Default, clap::Args)]
pub struct Ask {
    /// Common to what changes files.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The instance's name without its leading msg-
    #[arg(value_name = "NAME")]
    pub name: InstanceName,
    /// Where the instance stands.
    #[command(flatten)]
    pub place: Place,
    /// Common to what changes files.
    #[command(flatten)]
    pub change: Change,
}

/// Where an instance stands; what is left out is taken from the registry.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// The server root, for an instance that is not in the registry
    #[arg(long, value_name = "FOLDER", value_parser = ims::registry::absolute)]
    pub server_root: Option<PathBuf>,
    /// How it is laid out, iplanet-5, messaging-6 or postfix-dovecot [default: what is found on the disk]
    #[arg(long, requires = "server_root")]
    pub layout: Option<Layout>,
    /// The directory server below the same root, without its leading slapd-
    #[arg(long, value_name = "NAME")]
    pub ldap: Option<DirectoryName>,
}

/// What every verb that changes files understands.
#[derive(Debug, clap::Args)]
pub struct Change {
    /// Show the change as a unified diff and make none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run that holds the lock, and for each helper program
    #[arg(long, value_name = "TIME", default_value_t = PATIENCE)]
    pub timeout: Span,
    /// Change a directory server's own configuration although it runs; it may write the old one back
    #[arg(long)]
    pub force_slapd_running: bool,
}

/// How long to wait unless something else is said.
const PATIENCE: Span = Span(Duration::from_secs(10));

impl Default for Change {
    fn default() -> Self {
        Self { dry_run: false, timeout: PATIENCE, force_slapd_running: false }
    }
}
