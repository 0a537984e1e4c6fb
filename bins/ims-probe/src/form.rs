//! The forms in which answers are told: records as every command prints them, or one report for another program.

use clap::ValueEnum;
use ims::output::Format;

/// How answers are told.
#[allow(clippy::doc_markdown)] // it is the help, too
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One JSON object a line.
    Json,
    /// Tables for people.
    Table,
    /// What a monitoring plugin prints, with the numbers that a plugin exits with.
    Nagios,
    /// Metrics in the text format of Prometheus.
    Prometheus,
    /// Metrics in the text format of OpenMetrics.
    Openmetrics,
    /// A test report in the XML of JUnit.
    Junit,
}

/// The forms that tell a whole run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// See [`Form::Nagios`].
    Nagios,
    /// See [`Form::Prometheus`].
    Prometheus,
    /// See [`Form::Openmetrics`].
    Openmetrics,
    /// See [`Form::Junit`].
    Junit,
}

/// Records, or a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// As they come.
    Records(Format),
    /// In one.
    Report(Reported),
}

impl Form {
    /// What it makes of answers.
    pub const fn told(self) -> Told {
        match self {
            Self::Json => Told::Records(Format::Json),
            Self::Table => Told::Records(Format::Table),
            Self::Nagios => Told::Report(Reported::Nagios),
            Self::Prometheus => Told::Report(Reported::Prometheus),
            Self::Openmetrics => Told::Report(Reported::Openmetrics),
            Self::Junit => Told::Report(Reported::Junit),
        }
    }
}

impl Told {
    /// How other records than answers are shown; beside a report none is.
    pub const fn records(self) -> Format {
        match self {
            Self::Records(format) => format,
            Self::Report(_) => Format::Table,
        }
    }
}
