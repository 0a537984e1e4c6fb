//! Commands that are started ahead of their time: they prepare what they can, say so, and begin when they are told.
//!
//! The last thing that such a command prints is its exit status: whoever waits for it need not wait until the kernel has
//! taken its process apart.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sys::stdin::{Came, a_line};
use crate::sys::stop::Stop;
use crate::{Fail, Out, Record};

/// Whether a command begins at once.
#[derive(Debug, Clone, Copy, Args)]
pub struct Ahead {
    /// Prepare, print an ims.ready/1 record and wait; begin when a line comes on stdin, do nothing at its end; print an
    /// ims.ended/1 record last
    #[arg(long, conflicts_with = "dry_run")]
    pub when_told: bool,
}

/// A command is ready to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ready {}

impl Record for Ready {
    const SCHEMA: &'static str = "ims.ready/1";
}

/// A command that was told to begin has ended, and only its process is still to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// Its exit status.
    pub exit: u8,
}

impl Record for Ended {
    const SCHEMA: &'static str = "ims.ended/1";
}

/// The exit status that stands at the end of what such a command printed, once it does.
pub fn ended(stdout: &[u8]) -> Option<u8> {
    #[derive(Deserialize)]
    struct Line {
        schema: String,
        exit: u8,
    }
    let last = stdout.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    let line: Line = serde_json::from_slice(last).ok()?;
    (line.schema == Ended::SCHEMA).then_some(line.exit)
}

impl Ahead {
    /// Says that all is prepared, and waits until it is told to begin. An error means that it was not.
    pub fn told(self, stop: &Stop, out: &mut Out) -> Result<(), Fail> {
        if !self.when_told {
            return Ok(());
        }
        out.tells_end();
        out.record(&Ready {})?;
        out.flush()?;
        match a_line(stop)? {
            Came::Line => {
                out.rests();
                Ok(())
            }
            Came::End => Err(Fail::failed("stdin ended before it said to begin").hint("nothing was done")),
            Came::Signal(signal) => {
                Err(Fail::failed(format!("stopped by {signal} before it began")).hint("nothing was done"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_counts_only_as_the_last_record_and_when_it_is_whole() {
        let end = r#"{"schema":"ims.ended/1","host":"mail-1","exit":4}"#;
        let fail = r#"{"schema":"ims.fail/1","host":"mail-1","exit":4,"status":"refused","message":"no"}"#;
        for (printed, expected) in [
            (format!("{fail}\n{end}\n"), Some(4)),
            (format!("{fail}\n{end}"), None),
            (format!("{end}\n{fail}\n"), None),
            (format!("{fail}\n"), None),
            (String::new(), None),
        ] {
            assert_eq!(ended(printed.as_bytes()), expected, "{printed}");
        }
    }
}
