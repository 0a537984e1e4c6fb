//! Where records go: JSON lines, or the same records as tables on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::{Table, presets};

use crate::ahead::Ended;
use crate::record::Envelope;
use crate::sys::stdin;
use crate::sys::stdout::Stdout;
use crate::{Exit, Fail, Record};

/// For how long a command that was told to begin rests at most once it has told its end.
const RESTS: Duration = Duration::from_secs(1);

/// How records are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// Tables for people.
    Table,
}

impl Format {
    /// What is shown when nobody said: tables on a terminal, JSON everywhere else.
    pub fn or_by_terminal(wanted: Option<Self>) -> Self {
        wanted.unwrap_or_else(|| if io::stdout().is_terminal() { Self::Table } else { Self::Json })
    }
}

/// Whether the locale says that a terminal shows Unicode; the first variable that says something decides (locale(7)).
pub fn shows_unicode() -> bool {
    let mut named = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os);
    let locale = named.find(|value| !value.is_empty()).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Rows of one record type that wait to be shown together, so that their columns line up.
struct Rows {
    schema: &'static str,
    table: Table,
}

/// The one way to stdout. A write that is lost is a failure with status 3: nobody got the answer.
pub struct Out {
    format: Format,
    host: String,
    rows: Option<Rows>,
    sink: Box<dyn Write + Send>,
    tells_end: bool,
    rests: bool,
}

impl Out {
    /// Records of this host on stdout.
    pub fn stdout(format: Format, host: &str) -> Self {
        Self::to(io::BufWriter::new(Stdout), format, host)
    }

    /// Records into any writer, for tests and for files.
    pub fn to(sink: impl Write + Send + 'static, format: Format, host: &str) -> Self {
        Self {
            format,
            host: host.to_owned(),
            rows: None,
            sink: Box::new(sink),
            tells_end: false,
            rests: false,
        }
    }

    /// From now on the last record tells the exit status.
    pub const fn tells_end(&mut self) {
        self.tells_end = true;
    }

    /// When success is told, this process rests until whoever waited for it lets it go: the kernel has work with the end of a
    /// process, which others then need not wait for.
    pub const fn rests(&mut self) {
        self.rests = true;
    }

    /// Ends with the exit status, if that is wanted.
    pub fn end(&mut self, exit: Exit) -> Result<(), Fail> {
        if self.tells_end {
            self.record(&Ended { exit: exit.code() })?;
        }
        self.flush()?;
        // One that failed may have left a helper in the kernel, which is ended with it.
        if self.rests && exit == Exit::Ok {
            stdin::end(RESTS);
        }
        Ok(())
    }

    /// How records are shown.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Prints a record; tables wait until the record type changes or [`Out::flush`] is called.
    pub fn record<R: Record>(&mut self, record: &R) -> Result<(), Fail> {
        match self.format {
            Format::Json => json(&mut self.sink, &self.host, record),
            Format::Table => self.add_row(record),
        }
    }

    /// Prints a record that speaks of another host, as that host told it.
    pub fn record_of<R: Record>(&mut self, host: &str, record: &R) -> Result<(), Fail> {
        match self.format {
            Format::Json => json(&mut self.sink, host, record),
            Format::Table => self.add_row(record),
        }
    }

    fn add_row<R: Record>(&mut self, record: &R) -> Result<(), Fail> {
        if R::columns().is_empty() {
            return Ok(());
        }
        if self.rows.as_ref().is_some_and(|rows| rows.schema != R::SCHEMA) {
            self.flush()?;
        }
        let rows = self.rows.get_or_insert_with(|| {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_header(R::columns().iter().map(|c| c.to_uppercase()));
            Rows { schema: R::SCHEMA, table }
        });
        rows.table.add_row(record.row());
        Ok(())
    }

    /// Puts plain text for people before the next table; JSON readers never see it.
    pub fn text(&mut self, text: &str) -> Result<(), Fail> {
        match self.format {
            Format::Json => Ok(()),
            Format::Table => {
                self.flush()?;
                writeln!(self.sink, "{text}").map_err(lost)
            }
        }
    }

    /// Prints what another of the same format printed into a writer of its own.
    pub fn append(&mut self, printed: &[u8]) -> Result<(), Fail> {
        self.flush()?;
        self.sink.write_all(printed).map_err(lost)
    }

    /// Puts a document that was asked for by its name: a drawing, a script. It is no record, in either format.
    pub fn document(&mut self, text: &str) -> Result<(), Fail> {
        self.flush()?;
        self.sink.write_all(text.as_bytes()).map_err(lost)
    }

    /// Shows what has waited, for streams and before long work.
    pub fn flush(&mut self) -> Result<(), Fail> {
        if let Some(rows) = self.rows.take() {
            for line in rows.table.lines() {
                writeln!(self.sink, "{}", line.trim_end()).map_err(lost)?;
            }
        }
        self.sink.flush().map_err(lost)
    }
}

fn json<R: Record>(sink: &mut impl Write, host: &str, record: &R) -> Result<(), Fail> {
    let line = Envelope::new(host, record)
        .line()
        .map_err(|e| Fail::unknown(format!("cannot print {}", R::SCHEMA)).because(e))?;
    writeln!(sink, "{line}").map_err(lost)
}

/// Nobody got the answer.
#[allow(clippy::needless_pass_by_value)] // the shape map_err wants
pub(crate) fn lost(error: io::Error) -> Fail {
    Fail::io(Exit::Unknown, "cannot write to stdout", &error)
}
