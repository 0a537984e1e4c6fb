//! The command lines of `freeze` and `unfreeze`.

use ims::name::GroupName;
use ims::span::Span;

/// What is told about something that was said: one line, as it stands in messages.
pub fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("one line of text is wanted".to_owned());
    }
    Ok(text.to_owned())
}

/// What every verb that only says something understands.
#[derive(Debug, Clone, clap::Args)]
pub struct Say {
    /// Show what would be said and say nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for other runs to end
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
}

/// The arguments of `freeze`.
#[derive(Debug, clap::Args)]
pub struct Freeze {
    /// The groups
    #[arg(value_name = "GROUP", required = true)]
    pub groups: Vec<GroupName>,
    /// Let it outlast a restart of the nodes
    #[arg(long)]
    pub persistent: bool,
    /// Why, for whoever finds it so
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,
    /// Common to what says something.
    #[command(flatten)]
    pub say: Say,
}

/// The arguments of `unfreeze`.
#[derive(Debug, clap::Args)]
pub struct Unfreeze {
    /// The groups
    #[arg(value_name = "GROUP", required = true)]
    pub groups: Vec<GroupName>,
    /// Take a freeze back that outlasts restarts, too
    #[arg(long)]
    pub persistent: bool,
    /// Common to what says something.
    #[command(flatten)]
    pub say: Say,
}
