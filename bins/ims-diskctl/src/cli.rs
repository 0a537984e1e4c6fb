//! The command line of `ims-diskctl`.

mod check;
mod mirror;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use ims::ahead::Ahead;
use ims::command::{Arguments, Common};
use ims::layer::Layer;
use ims::lease::Lease;
use ims::name::{InstanceName, NodeName};
use ims::output::Format;
use ims::span::Span;

pub use check::{Check, Limits};
pub use mirror::{Legs, Mirror};

use crate::naming::Name;
use crate::volume::{Wanted, absolute};
use ims::volume::{Fstype, Options};

/// Which node masters a shared volume; take it, give it up
#[derive(Debug, Parser)]
#[command(name = "ims-diskctl", version, max_term_width = 100)]
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
    /// Say whether the volume is mounted here, which node masters it and when that was last alive
    Look(Look),
    /// Mount the volume here, unless another node has it
    Take(Take),
    /// Unmount the volume here, so that another node can take it at once
    Release(Release),
    /// Say who holds the volume by each of its guards, how that is known, and which of them take goes by
    Guard(Look),
    /// Say how well the volume is that is mounted here: whether it can be written, its space, its errors, its disks
    Check(Check),
    /// Say how the legs of the mirrors are that the volume stands on, and how far what is being made alike
    Mirror(Mirror),
    /// Do what may hang, for the process that started this one
    #[command(hide = true)]
    Hand {
        /// The pid of that process
        starter: u32,
    },
}

/// The volumes that are meant.
#[derive(Debug, Clone, clap::Args)]
pub struct VolumeArgs {
    /// A group, which stands for all its volumes, or one of them; several are handled side by side
    #[arg(value_name = "GROUP[:RESOURCE]", required_unless_present_any = ["device", "layers"])]
    #[arg(conflicts_with_all = ["layers", "device", "mount", "fstype", "options", "guard", "lease"])]
    pub names: Vec<Name>,
    /// A layer that the device stands on, bottom up, by its kind (md, lvm, drbd, zfs, btrfs, vxvm) and name; layers
    /// alone are a disk group
    #[arg(long = "layer", value_name = "KIND:NAME")]
    pub layers: Vec<Layer>,
    /// The block device, best by what is on it: /dev/disk/by-label/… or by-uuid/…
    #[arg(long, value_parser = absolute, requires = "mount")]
    pub device: Option<PathBuf>,
    /// The folder where it is mounted
    #[arg(long, value_name = "FOLDER", value_parser = absolute, requires = "device")]
    pub mount: Option<PathBuf>,
    /// Its file system: ext4, xfs, btrfs, or another that the kernel knows
    #[arg(long, value_name = "TYPE", default_value = "ext4")]
    pub fstype: Fstype,
    /// The options that it is mounted with, separated by commas
    #[arg(long, value_name = "LIST", default_value = "")]
    pub options: Options,
    /// What must keep the other nodes away; none takes a volume that has no guard
    #[arg(long, default_value = "auto")]
    pub guard: Wanted,
    /// The sanlock lease that guards it, the same on every node
    #[arg(long, value_name = "LOCKSPACE:NAME:PATH:OFFSET")]
    pub lease: Option<Lease>,
}

/// The arguments of `look` and `guard`.
#[derive(Debug, clap::Args)]
pub struct Look {
    /// The volumes.
    #[command(flatten)]
    pub volumes: VolumeArgs,
    /// How long the disk may take to answer; after that the state is unknown
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub timeout: Span,
}

/// The arguments of `take`.
#[derive(Debug, clap::Args)]
pub struct Take {
    /// The volumes.
    #[command(flatten)]
    pub volumes: VolumeArgs,
    /// The proof (an ims.fenced/1 record) that the node which holds the volume was fenced [default: the one in
    /// /var/lib/ims/fenced, if there is one]
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub proof: Option<PathBuf>,
    /// Say that a node is off, and stays so until the volume is mounted: a proof by your word, which is kept; the guard
    /// must not move for one interval and a second more
    #[arg(long, value_name = "NODE", conflicts_with = "proof")]
    pub confirm_fenced: Option<NodeName>,
    /// Take a disk away from the node that reserved it, which can write nothing more from then on, alive or not
    #[arg(long)]
    pub preempt: bool,
    /// What may be done to start a mirror.
    #[command(flatten)]
    pub legs: Legs,
    /// Show the steps and take none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Whether it begins at once.
    #[command(flatten)]
    pub ahead: Ahead,
    /// How long it may take in all; a volume left by a crash needs 22 s to 45 s
    #[arg(long, value_name = "TIME", default_value = "120s")]
    pub timeout: Span,
}

/// The arguments of `release`.
#[derive(Debug, clap::Args)]
pub struct Release {
    /// The volumes.
    #[command(flatten)]
    pub volumes: VolumeArgs,
    /// Only write out what is in memory, again until little is left, while it is in use; unmount nothing, so that the
    /// release that follows has little to write
    #[arg(long, conflicts_with_all = ["instance", "kill_users", "when_told"])]
    pub presync: bool,
    /// End what is left there of this instance: its processes by their control group, and those that run as the owner
    /// of its folder; may be given several times [default: of volumes that a group names, the instances of that group]
    #[arg(long, value_name = "NAME")]
    pub instance: Vec<InstanceName>,
    /// End every process that uses it, whoever it belongs to
    #[arg(long)]
    pub kill_users: bool,
    /// How long a process may take to end by itself (SIGTERM) before it is killed (SIGKILL)
    #[arg(long, value_name = "TIME", default_value = "2s")]
    pub grace: Span,
    /// Show the steps and take none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Whether it begins at once.
    #[command(flatten)]
    pub ahead: Ahead,
    /// How long it may take in all, most of it to write out what is still in memory
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub timeout: Span,
}
