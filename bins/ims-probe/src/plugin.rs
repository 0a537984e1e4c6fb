//! A run as a monitoring plugin: the numbers it exits with are a plugin's and not those of ims(7), also where it
//! fails, for there 2 is *critical* and a wrong command line is not.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use ims::command::{Arguments, wrong};
use ims::output::Format;
use ims::sys::stderr;
use ims::{Fail, Host, Out};

use crate::cli::Args;
use crate::report::nagios::{Status, line};

/// Whether a command line asks for a plugin, be it valid or not.
pub fn is_asked(words: impl IntoIterator<Item = OsString>) -> bool {
    // A path need not be UTF-8.
    let text = |word: OsString| word.to_string_lossy().into_owned();
    let mut words = words.into_iter().map(text).take_while(|word| word != "--");
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            "-o" | "--output" => words.next(),
            _ => ["--output=", "-o=", "-o"]
                .into_iter()
                .find_map(|option| word.strip_prefix(option))
                .map(ToOwned::to_owned),
        };
        if value.as_deref() == Some("nagios") {
            return true;
        }
    }
    false
}

/// Runs as a plugin.
pub fn run() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => return failed(&wrong(&Args::command(), error)),
        Err(_) => return ims::command::run(crate::main), // --help and --version
    };
    let host = Host::below(args.root());
    match crate::probe(&args, &host) {
        Ok(ended) => ExitCode::from(ended.status.code()),
        Err(fail) => failed(&fail),
    }
}

/// Tells a failure, which is never more than unknown.
fn failed(fail: &Fail) -> ExitCode {
    stderr::say("ims-probe", fail);
    let mut out = Out::stdout(Format::Table, "");
    let told = out.text(&line(Status::Unknown, &fail.to_string())).and_then(|()| out.flush());
    if let Err(lost) = told {
        stderr::say("ims-probe", lost);
    }
    ExitCode::from(Status::Unknown.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_wrong_line_that_asks_for_a_plugin_is_told_as_one() {
        for (line, asked) in [
            ("-o nagios smtp://192.0.2.10", true),
            ("--nonsense --output nagios", true),
            ("--output=nagios", true),
            ("-onagios", true),
            ("-o json nagios", false),
            ("nagios -o", false),
            ("-- -o nagios", false),
            ("smtp://192.0.2.10", false),
        ] {
            assert_eq!(is_asked(line.split(' ').map(OsString::from)), asked, "{line}");
        }
        let path = OsString::from_vec(b"/etc/ims/\xe9.pem".to_vec());
        let words = ["--ca".into(), path, "-o".into(), "nagios".into()];
        assert!(is_asked(words), "behind a path that is no UTF-8");
    }
}
