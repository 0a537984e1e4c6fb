//! The forms in which answers are told: records as every command prints them, or one report for another program.

use clap::ValueEnum;
use ims::output::Format;

/// How answers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One JSON object a line.
    Json,
    /// Tables for people.
    Table,
    /// What a monitoring plugin prints, with the numbers that a plugin exits with.
    Nagios,
}

impl Form {
    /// How records are shown beside it; a report has none.
    pub const fn records(self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::Table | Self::Nagios => Format::Table,
        }
    }
}
