//! How a command begins and ends: its arguments, its one exit status, its last words.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Command};

use crate::fail::FailRecord;
use crate::output::{Format, lost};
use crate::sys::{stderr, stdout};
use crate::{Exit, Fail, Host, Out};

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]
    #[arg(short, long, value_name = "FORMAT", global = true, hide_possible_values = false)]
    pub output: Option<Format>,

    /// Look for files and helper programs below this folder
    #[arg(long, value_name = "FOLDER", global = true, hide = true, default_value = "/")]
    pub root: PathBuf,
}

/// The arguments of a command, which hold the common ones.
pub trait Arguments: clap::Parser {
    /// How records are shown, where that was said.
    fn output(&self) -> Option<Format>;

    /// The folder below which files and helper programs are looked for.
    fn root(&self) -> &Path;
}

/// Runs a command from its arguments to its exit status.
///
/// A failure is told on stderr and ends stdout with an `ims.fail/1` record. An answer that could not be
/// printed is not an answer: the status is then at least 3.
pub fn run<A: Arguments>(main: fn(A, &Host, &mut Out) -> Result<Exit, Fail>) -> ExitCode {
    let name = A::command().get_name().to_owned();
    let args = match A::try_parse() {
        Ok(args) => args,
        Err(error) => return ExitCode::from(refuse(&A::command(), error).code()),
    };
    let host = Host::below(args.root());
    let mut out = Out::stdout(Format::or_by_terminal(args.output()), host.name());
    let exit = main(args, &host, &mut out);
    ExitCode::from(end(&name, &mut out, exit).code())
}

fn end(name: &str, out: &mut Out, result: Result<Exit, Fail>) -> Exit {
    let mut said = None;
    let (exit, told) = match result {
        Ok(exit) => (exit, Ok(())),
        Err(fail) => {
            stderr::say(name, &fail);
            said = Some(fail.to_string());
            (fail.exit(), out.record(&FailRecord::from(&fail)))
        }
    };
    match told.and_then(|()| out.end(exit)) {
        Ok(()) => exit,
        Err(lost) => {
            // A run that failed because its answer was lost has said so already.
            if said.is_none_or(|said| said != lost.to_string()) {
                stderr::say(name, &lost);
            }
            // That nobody was told does not make a broken run less broken.
            exit.gravest(lost.exit())
        }
    }
}

/// Answers `--help` and `--version`, and tells a wrong command line in one line.
fn refuse(command: &Command, error: clap::Error) -> Exit {
    let name = command.get_name();
    let mut out = Out::stdout(Format::or_by_terminal(None), Host::below(Path::new("/")).name());
    if !error.use_stderr() {
        return match stdout::is_open().and_then(|()| error.print()) {
            Ok(()) => Exit::Ok,
            Err(e) => end(name, &mut out, Err(lost(e))),
        };
    }
    end(name, &mut out, Err(wrong(command, error)))
}

/// What is wrong with a command line. What is not for typing (hidden) is not spoken of.
pub fn wrong(command: &Command, mut error: clap::Error) -> Fail {
    let name = command.get_name();
    let is_verb_missing = matches!(
        error.kind(),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let text = error.render().to_string();
    if is_verb_missing && let Some(verbs) = verbs(command, &text) {
        return Fail::usage("nothing is said to be done").hint(format!("say {verbs}; see {name} --help"));
    }
    let hidden = hidden(command);
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg] {
        let suggested = error.get(kind).map(ToString::to_string).unwrap_or_default();
        if suggested.split(", ").any(|word| hidden.iter().any(|name| name == word)) {
            error.remove(kind);
        }
    }
    Fail::usage(one_line(&error.render().to_string())).hint(format!("see {name} --help"))
}

/// The verbs that could follow what was said, by the usage line of clap's message.
fn verbs(command: &Command, message: &str) -> Option<String> {
    let usage = message.lines().find_map(|line| line.strip_prefix("Usage: "))?;
    let said = usage.split_whitespace().skip(1).take_while(|word| !word.starts_with(['[', '<']));
    let at = said.into_iter().try_fold(command, |at, word| at.find_subcommand(word))?;
    let verbs: Vec<&str> =
        at.get_subcommands().filter(|verb| !verb.is_hide_set()).map(Command::get_name).collect();
    let (last, others) = verbs.split_last()?;
    Some(if others.is_empty() { (*last).to_owned() } else { format!("{} or {last}", others.join(", ")) })
}

/// The verbs and options that help does not show.
fn hidden(command: &Command) -> Vec<String> {
    let verbs =
        command.get_subcommands().filter(|verb| verb.is_hide_set()).map(|verb| verb.get_name().to_owned());
    let options = command.get_arguments().filter(|option| option.is_hide_set());
    verbs.chain(options.filter_map(|option| Some(format!("--{}", option.get_long()?)))).collect()
}

/// The message of clap without its usage block, on one line.
fn one_line(message: &str) -> String {
    let body = message.split("\n\nUsage:").next().unwrap_or(message);
    let body = body.split("\n\nFor more information").next().unwrap_or(body);
    let words: Vec<&str> = body.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{end, one_line};
    use crate::output::Format;
    use crate::{Exit, Fail, Out};

    /// Takes nothing.
    struct Full;

    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_lost_answer_makes_a_run_unknown_and_never_a_graver_one_lighter() {
        for (found, told) in [
            (Ok(Exit::Ok), Exit::Ok), // it had nothing to print
            (Err(Fail::usage("x")), Exit::Usage),
            (Err(Fail::unknown("x")), Exit::Unknown),
            (Err(Fail::refused("x")), Exit::Refused),
            (Err(Fail::broken("x")), Exit::Broken),
        ] {
            let mut out = Out::to(Full, Format::Json, "mail-1");
            assert_eq!(end("ims-x", &mut out, found), told);
        }
    }

    #[test]
    fn a_wrong_command_line_is_told_in_one_line() {
        let message = "error: unexpected argument '--frce' found\n\n  tip: a similar argument exists: '--force'\n\n\
                       Usage: ims-x [OPTIONS]\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(message),
            "unexpected argument '--frce' found tip: a similar argument exists: '--force'"
        );
    }
}
