//! The command line of `ims-portcheck`.

use clap::Parser;
use ims::command::{Arguments, Common};
use ims::name::InstanceName;

/// Which instances would collide on one node
#[derive(Debug, Parser)]
#[command(name = "ims-portcheck", version, max_term_width = 100)]
pub struct Args {
    /// Names of registered instances, or - to read ims.instance/1 records, of one host or several, from stdin; all
    /// that are registered when none is named
    #[arg(value_name = "NAME|-", value_parser = name_or_stdin)]
    pub what: Vec<NameOrStdin>,
    /// Look also at the sockets that listen on this node now (the default)
    #[arg(long, overrides_with = "no_live")]
    pub live: bool,
    /// Compare configurations alone
    #[arg(long, overrides_with = "live")]
    pub no_live: bool,
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
}

impl Arguments for Args {
    fn common(&self) -> &Common {
        &self.common
    }
}

/// An operand.
#[derive(Debug, Clone)]
pub enum NameOrStdin {
    /// `-`
    Stdin,
    /// A name.
    Name(InstanceName),
}

fn name_or_stdin(text: &str) -> Result<NameOrStdin, ims::Fail> {
    if text == "-" { Ok(NameOrStdin::Stdin) } else { text.parse().map(NameOrStdin::Name) }
}
