//! What comes on stdin where `-` stands for instances or targets: records of ours, one a line.

use std::io::{self, BufRead, Read};
use std::str::FromStr;

use serde::de::DeserializeOwned;

use crate::fail::FailRecord;
use crate::name::InstanceName;
use crate::sys::stderr;
use crate::{Exit, Fail, Record};

/// The longest line that is taken, in bytes: a change of a registry with some 100,000 entries, as a diff.
pub const LONGEST: u64 = 16 * 1024 * 1024;

/// An operand that names an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameOrStdin {
    /// `-`: the instances whose records come on stdin.
    Stdin,
    /// A name.
    Name(InstanceName),
}

impl FromStr for NameOrStdin {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        if text == "-" { Ok(Self::Stdin) } else { text.parse().map(Self::Name) }
    }
}

/// Reads records of one type, and the host each speaks of, until the end of the input.
///
/// Other records of ours are passed over with a note on stderr, once a type; a line that is no record, or one of
/// another version, is an error with its line number; after one that is longer than 16 MiB nothing more is read. After a run that failed (`ims.fail/1`) the input is not
/// whole: what came is given, and at its end the answer is unknown.
pub fn records<R: Record + DeserializeOwned>(
    command: &str,
    input: impl BufRead,
) -> impl Iterator<Item = Result<Piped<R>, Fail>> {
    let command = command.to_owned();
    let mut passed_over: Vec<String> = Vec::new();
    let mut failed: Option<Fail> = None;
    let (mut input, mut count) = (Some(input), 0);
    std::iter::from_fn(move || {
        while let Some(read) = input.as_mut().map(line) {
            count += 1;
            let place = format!("stdin:{count}");
            let line = match read {
                Ok(Next::Line(line)) => line,
                Ok(Next::End) => {
                    input = None;
                    break;
                }
                Ok(Next::TooLong) => {
                    input = None;
                    return Some(Err(Fail::usage(place)
                        .because(format!("a line of more than {} MiB", LONGEST >> 20))
                        .hint("one record a line")));
                }
                Err(e) => {
                    input = None;
                    return Some(Err(Fail::io(Exit::Unknown, "cannot read stdin", &e)));
                }
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

/// What was read.
enum Next {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The beginning of one that nobody would wait for the end of.
    TooLong,
    /// Nothing more.
    End,
}

fn line(input: &mut impl BufRead) -> io::Result<Next> {
    let mut line = Vec::new();
    let read = input.take(LONGEST).read_until(b'\n', &mut line)?;
    if line.pop_if(|last| *last == b'\n').is_some() {
        Ok(Next::Line(line))
    } else if read == 0 {
        Ok(Next::End)
    } else if u64::try_from(read) == Ok(LONGEST) {
        Ok(Next::TooLong)
    } else {
        Ok(Next::Line(line)) // the last one lacks its end
    }
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

#[cfg(test)]
mod tests {
    use std::io::{BufReader, repeat};

    use super::*;
    use crate::instance::Instance;

    #[test]
    fn a_line_that_does_not_end_is_given_up() {
        let mut found = records::<Instance>("ims-x", BufReader::new(b"\n".chain(repeat(b' '))));
        let fail = found.next().unwrap().unwrap_err();
        assert_eq!(fail.exit(), Exit::Usage);
        assert_eq!(fail.to_string(), "stdin:2: a line of more than 16 MiB (one record a line)");
        assert!(found.next().is_none(), "the rest of it is no line");
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        let record =
            r#"{"schema":"ims.instance/1","host":"x","name":"stork","layout":"iplanet-5","root":"/x"}"#;
        for end in ["", "\n", "\n\n"] {
            let text = format!("{record}\n{record}{end}");
            let found: Vec<_> = records::<Instance>("ims-x", text.as_bytes()).collect();
            assert_eq!(found.iter().filter(|piped| piped.is_ok()).count(), 2, "{end:?}");
            assert_eq!(found.len(), 2, "{end:?}");
        }
    }
}
