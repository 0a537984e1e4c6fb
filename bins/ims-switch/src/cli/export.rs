//! The command line of `ims-switch export`.

use std::path::PathBuf;

use clap::ValueEnum;
use ims::name::GroupName;

/// The arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// What is written
    #[arg(value_name = "LANGUAGE")]
    pub language: Language,
    /// The groups; those that they require belong with them
    #[arg(value_name = "GROUP", required = true)]
    pub groups: Vec<GroupName>,
    /// Write the files into this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Replace a file that says something else
    #[arg(long, requires = "to")]
    pub force_replace: bool,
    /// Show what would be written and write nothing
    #[arg(short = 'n', long, requires = "to")]
    pub dry_run: bool,
}

/// The languages that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// VERITAS Cluster Server: main.cf and MsgSrvTypes.cf
    Vcs,
    /// Sun Cluster 3.0: a script of scrgadm and scswitch
    Scrgadm,
    /// Sun Cluster 3.2: a script of clresourcegroup and clresource, by their short names clrg and clrs
    Clrg,
    /// Pacemaker: lines for crm configure load update FILE
    Crmsh,
    /// Pacemaker: a script of pcs commands
    Pcs,
}
