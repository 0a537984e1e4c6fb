//! What comes on stdin where `-` stands for instances or targets: records of ours, one a line.

use std::io::BufRead;

use serde::de::DeserializeOwned;

use crate::sys::stderr;
use crate::{Exit, Fail, Record};

/// Reads records of one type, and the host each speaks of, until the end of the input.
///
/// Other records of ours are passed over with a note on stderr, once a type; a line that is no record is an
/// error with its line number.
pub fn records<R: Record + DeserializeOwned>(
    command: &str,
    input: impl BufRead,
) -> impl Iterator<Item = Result<Piped<R>, Fail>> {
    let command = command.to_owned();
    let mut passed_over: Vec<String> = Vec::new();
    input.lines().enumerate().filter_map(move |(index, line)| {
        let line = match line {
            Ok(line) => line,
            Err(e) => return Some(Err(Fail::io(Exit::Unknown, "cannot read stdin", &e))),
        };
        if line.trim().is_empty() {
            return None;
        }
        match parse::<R>(&line) {
            Ok(Parsed::Record(record)) => Some(Ok(record)),
            Ok(Parsed::Other(schema)) => {
                if !passed_over.contains(&schema) {
                    stderr::say(
                        &command,
                        format_args!("stdin:{}: {schema} records are passed over", index + 1),
                    );
                    passed_over.push(schema);
                }
                None
            }
            Err(fail) => Some(Err(Fail::usage(format!("stdin:{}", index + 1)).because(fail))),
        }
    })
}

/// A record that came through a pipe, with the host it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piped<R> {
    /// The host that printed it.
    pub host: String,
    /// The record itself.
    pub record: R,
}

enum Parsed<R> {
    Record(Piped<R>),
    Other(String),
}

fn parse<R: Record + DeserializeOwned>(line: &str) -> Result<Parsed<R>, Fail> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
        host: String,
    }
    let value: serde_json::Value = serde_json::from_str(line)
        .map_err(|e| Fail::usage("not JSON").because(e).hint("one record a line"))?;
    let head: Head = serde_json::from_value(value.clone()).map_err(|_| {
        Fail::usage(format!("no record: it has no \"schema\" and \"host\"; {} was expected", R::SCHEMA))
    })?;
    if head.schema != R::SCHEMA {
        if head.schema.starts_with("ims.") {
            return Ok(Parsed::Other(head.schema));
        }
        return Err(Fail::usage(format!("not a record of ours: {}", head.schema.escape_debug())));
    }
    let record = serde_json::from_value(value)
        .map_err(|e| Fail::usage(format!("not a whole {} record", R::SCHEMA)).because(e))?;
    Ok(Parsed::Record(Piped { host: head.host, record }))
}
