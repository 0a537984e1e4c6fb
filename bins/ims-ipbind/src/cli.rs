//! The command line of `ims-ipbind`.

use std::path::Path;

use clap::{Parser, Subcommand};
use ims::command::{Arguments, Common};
use ims::output::Format;

use crate::{address, files};

/// The logical IP: on an interface, and in the servers' configuration
#[derive(Debug, Parser)]
#[command(name = "ims-ipbind", version, max_term_width = 100)]
pub struct Args {
    /// What to do; on a terminal `ask` when nothing is said.
    #[command(subcommand)]
    pub verb: Option<Verb>,
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
    /// Say where each server of an instance listens and sends from, with file and line, and whether it does so now
    Show(files::cli::Show),
    /// Make the servers of an instance listen on its logical address alone
    Set(files::cli::Set),
    /// Ask the questions of the original's script, then do what set does
    Ask(files::cli::Ask),
    /// Give back the files as they were before the first set
    Restore(files::cli::Restore),
    /// Put an address on an interface, when nobody else answers for it
    Up(address::cli::Up),
    /// Reset the connections of an address and take it off an interface
    Down(address::cli::Down),
    /// Tell the neighbours again where an address is that is up here
    Announce(address::cli::Announce),
    /// Say whether an address is on an interface, or whether the interface itself is up
    Look(address::cli::Look),
}
