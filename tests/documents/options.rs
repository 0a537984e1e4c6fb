//! The OPTIONS of a man page, from what clap knows of a command.

use clap::{Arg, Command};

const BEGIN: &str = ".\\\" BEGIN OPTIONS\n";
const END: &str = ".\\\" END OPTIONS\n";

/// Puts a new block between the markers of a page.
pub fn put(page: &str, block: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("a page has BEGIN OPTIONS");
    let (_, after) = rest.split_once(END).expect("a page has END OPTIONS");
    format!("{before}{BEGIN}{block}{END}{after}")
}

/// The options of a command: a sub-section a verb, or a plain list when it has none, then what all verbs share.
pub fn block(command: &Command) -> String {
    let mut command = command.clone();
    command.build();
    let mut text = String::new();
    let verbs: Vec<&Command> =
        command.get_subcommands().filter(|verb| verb.get_name() != "help" && !verb.is_hide_set()).collect();
    // What a command with verbs does without one.
    text += &list(command.get_arguments().filter(|arg| !verbs.is_empty() && !is_everywhere(arg)));
    for verb in &verbs {
        let usage = Command::clone(verb).render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace(&format!("{} ", command.get_name()), "");
        text += &format!(".SS \"{}\"\n", escape(&usage));
        if let Some(about) = verb.get_about() {
            text += &format!("{}\n", folded(&escape(&format!("{about}."))));
        }
        text += &list(verb.get_arguments().filter(|arg| !arg.is_global_set()));
    }
    if verbs.is_empty() {
        text += &list(command.get_arguments().filter(|arg| !is_everywhere(arg)));
    }
    let shared = list(command.get_arguments().filter(|arg| is_everywhere(arg)));
    if !verbs.is_empty() {
        text += ".SS \"Everywhere\"\n";
    }
    text + &shared
}

fn is_everywhere(arg: &Arg) -> bool {
    arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version")
}

fn list<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    args.filter(|arg| !arg.is_hide_set() && arg.get_id() != "help" && arg.get_id() != "version")
        .map(entry)
        .collect()
}

fn entry(arg: &Arg) -> String {
    let value = arg
        .get_value_names()
        .filter(|_| arg.get_action().takes_values())
        .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    let mut head = String::new();
    if arg.is_positional() {
        head += &format!("\\fI{}\\fR", escape(&value.unwrap_or_default()));
    } else {
        let mut forms = Vec::new();
        forms.extend(arg.get_short().map(|short| format!("\\fB\\-{short}\\fR")));
        forms.extend(arg.get_long().map(|long| format!("\\fB\\-\\-{}\\fR", escape(long))));
        head += &forms.join(", ");
        if let Some(value) = value {
            head += &format!(" \\fI{}\\fR", escape(&value));
        }
    }
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        text += &format!("; one of {}", values.join(", "));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        text += &format!(" [default: {}]", defaults.join(", "));
    }
    format!(".TP\n{head}\n{}\n", folded(&escape(&format!("{text}."))))
}

/// Text in lines of at most 78 bytes, as the rest of a page is written.
fn folded(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            *line = word.to_owned();
        } else if line.len() + 1 + word.len() <= 78 {
            *line += &format!(" {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

/// Text as roff takes it.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('"', "\\(dq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
