//! What comes on stdin where `-` stands for instances or targets: records of ours, one a line.

use std::io::BufRead;

use serde::de::DeserializeOwned;

use crate::fail::FailRecord;
use crate::sys::stderr;
use crate::{Exit, Fail, Record};

/// Reads records of one type, and the host each speaks of, until the end of the input.
///
/// Other records of ours are passed over with a note on stderr, once a type; a line that is no record, or one of
/// another version, is an error with its line number. After a run that failed (`ims.fail/1`) the input is not
/// whole: what came is given, and at its end the answer is unknown.
pub fn records<R: Record + DeserializeOwned>(
    command: &str,
    input: impl BufRead,
) -> impl Iterator<Item = Result<Piped<R>, Fail>> {
    let command = command.to_owned();
    let mut passed_over: Vec<String> = Vec::new();
    let mut failed: Option<Fail> = None;
    let mut lines = input.split(b'\n').enumerate();
    std::iter::from_fn(move || {
        for (index, line) in lines.by_ref() {
            let place = format!("stdin:{}", index + 1);
            let line = match line {
                Ok(line) => line,
                Err(e) => return Some(Err(Fail::io(Exit::Unknown, "cannot read stdin", &e))),
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            match parse::<R>(&line) {
                Ok(Parsed::Record(record)) => return Some(Ok(record)),
                Ok(Parsed::Failed(why)) => {
                    failed.get_or_insert_with(|| Fail::unknown(place).because(why));
                }
                Ok(Parsed::Other(schema)) => {
                    if !passed_over.contains(&schema) {
                        stderr::say(&command, format_args!("{place}: {schema} records are passed over"));
                        passed_over.push(schema);
                    }
                }
                Err(fail) => return Some(Err(Fail::usage(place).because(fail))),
            }
        }
        failed.take().map(Err)
    })
}

/// What is answered when nothing came through a pipe: its writer may have failed, so it is no yes.
pub fn nothing_came<R: Record>() -> Fail {
    Fail::unknown(format!("no {} record came on stdin", R::SCHEMA)).hint("did what should print them fail?")
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
    Failed(String),
}

fn parse<R: Record + DeserializeOwned>(line: &[u8]) -> Result<Parsed<R>, Fail> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
        host: String,
    }
    let value: serde_json::Value = serde_json::from_slice(line)
        .map_err(|e| Fail::usage("not JSON").because(e).hint("one record a line"))?;
    let head: Head = serde_json::from_value(value.clone()).map_err(|_| {
        Fail::usage(format!("no record: it has no \"schema\" and \"host\"; {} was expected", R::SCHEMA))
    })?;
    if head.schema == FailRecord::SCHEMA {
        let message =
            value.get("message").and_then(serde_json::Value::as_str).unwrap_or("it does not say why");
        return Ok(Parsed::Failed(format!("the command before this one failed on {}: {message}", head.host)));
    }
    if head.schema != R::SCHEMA {
        if R::SCHEMA.split('/').next() == head.schema.split('/').next() {
            let fail = format!("a record of another version: {}", head.schema.escape_debug());
            return Err(Fail::usage(fail).hint(format!("this is for {}", R::SCHEMA)));
        }
        if head.schema.starts_with("ims.") {
            return Ok(Parsed::Other(head.schema));
        }
        return Err(Fail::usage(format!("not a record of ours: {}", head.schema.escape_debug())));
    }
    let record = serde_json::from_value(value)
        .map_err(|e| Fail::usage(format!("not a whole {} record", R::SCHEMA)).because(e))?;
    Ok(Parsed::Record(Piped { host: head.host, record }))
}
