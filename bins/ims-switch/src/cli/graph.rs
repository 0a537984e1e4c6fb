//! The command line of `ims-switch graph`.

use clap::ValueEnum;
use ims::name::GroupName;

/// The arguments of `graph`.
#[derive(Debug, clap::Args)]
pub struct Graph {
    /// The groups; those they require are drawn too [default: every group of this node]
    #[arg(value_name = "GROUP")]
    pub groups: Vec<GroupName>,
    /// Print a drawing and no records [default: a tree on a terminal, records elsewhere]
    #[arg(long, value_name = "DRAWING")]
    pub format: Option<Drawing>,
    /// Look on every node, and show what is up where
    #[arg(long)]
    pub state: bool,
}

/// How groups are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Drawing {
    /// Text, what is required indented below what requires it.
    Tree,
    /// The language of Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// The language of Mermaid.
    Mermaid,
}
