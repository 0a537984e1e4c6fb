//! The command lines of `add` and `remove`.

use std::path::PathBuf;

use ims::name::GroupName;
use ims::span::Span;

/// The arguments of `add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The group's file; - reads it from stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The group [default: the file's name without .toml]
    #[arg(long, value_name = "GROUP")]
    pub name: Option<GroupName>,
    /// Replace a file of the group that says something else
    #[arg(long)]
    pub force_replace: bool,
    /// Common to what changes files of groups.
    #[command(flatten)]
    pub files: Files,
}

/// The arguments of `remove`.
#[derive(Debug, clap::Args)]
pub struct Remove {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: GroupName,
    /// Common to what changes files of groups.
    #[command(flatten)]
    pub files: Files,
}

/// What both understand.
#[derive(Debug, Clone, clap::Args)]
pub struct Files {
    /// Show the difference on each node and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for other runs to end
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
}
