//! The words of the cluster commands in a text: a shell script, or a transcript with prompts and prose as manuals
//! print it.

use std::collections::HashMap;
use std::path::Path;

use crate::import::{Remark, RemarkKind, Source};

/// The commands of the resource group manager, by all of their names.
pub const TOOLS: &[&str] = &[
    "scrgadm",
    "scswitch",
    "scstat",
    "clresourcegroup",
    "clrg",
    "clresource",
    "clrs",
    "clreslogicalhostname",
    "clrslh",
    "clressharedaddress",
    "clrssa",
    "clresourcetype",
    "clrt",
];

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, without its quotes.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
    /// How many blanks part it from the word before it.
    pub gap: usize,
}

/// What a text holds.
#[derive(Debug, Default)]
pub struct Script {
    /// The commands, each with its name first.
    pub commands: Vec<Vec<Word>>,
    /// Whether it is a transcript, where prose may follow a command on its line.
    pub is_transcript: bool,
}

/// Reads the commands of a text.
///
/// `#` begins a comment in a script and a prompt in a transcript. A text is a transcript when its commands stand
/// behind prompts alone.
pub fn read(source: &Source, remarks: &mut Vec<Remark>) -> Script {
    let lines: Vec<&str> = source.text.lines().collect();
    let is_plain = |line: &&str| is_tool(line);
    let is_transcript = !source.text.starts_with("#!")
        && !lines.iter().any(|line| is_plain(&line.trim_start()))
        && lines.iter().any(|line| prompted(line).is_some());
    let mut reader = Reader { file: &source.file, remarks, variables: HashMap::new(), is_transcript };
    let mut script = Script { commands: Vec::new(), is_transcript };
    let mut passed_over = 0;
    let mut numbered = lines.into_iter().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = numbered.next() {
        let begun = if is_transcript { prompted(line) } else { Some(line.trim_start()) };
        let Some(begun) =
            begun.filter(|begun| !begun.is_empty() && (is_transcript || !begun.starts_with('#')))
        else {
            passed_over += usize::from(is_transcript && !line.trim().is_empty());
            continue;
        };
        let mut words = Vec::new();
        let mut rest = begun;
        let mut at = number;
        while reader.words(rest, at, &mut words) {
            let Some((next, line)) = numbered.next() else { break };
            (at, rest) = (next, line);
        }
        if let Some(command) = reader.command(words) {
            script.commands.push(command);
        }
    }
    if passed_over > 0 {
        let what = format!("{passed_over} lines without a prompt were taken for prose and passed over");
        remarks.push(Remark::of(RemarkKind::Note, &source.file, what));
    }
    script
}

fn is_tool(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    TOOLS.contains(&first.rsplit('/').next().unwrap_or_default())
}

/// What stands behind a prompt: `# `, `$ `, or a host's name before one.
fn prompted(line: &str) -> Option<&str> {
    let (prompt, rest) = line.trim_start().split_once(|c: char| c.is_whitespace())?;
    let rest = rest.trim_start();
    (prompt.ends_with(['#', '$', '%', '>']) && is_tool(rest)).then_some(rest)
}

struct Reader<'a> {
    file: &'a Path,
    remarks: &'a mut Vec<Remark>,
    variables: HashMap<String, String>,
    is_transcript: bool,
}

impl Reader<'_> {
    /// Adds the words of a line; says whether the next line continues it.
    fn words(&mut self, line: &str, number: usize, words: &mut Vec<Word>) -> bool {
        let mut chars = line.chars().peekable();
        let mut gap = 0;
        while let Some(&c) = chars.peek() {
            if c.is_whitespace() {
                gap += 1;
                chars.next();
                continue;
            }
            if c == '#' {
                return false;
            }
            if c == '\\' && self.continues(&chars.clone().skip(1).collect::<String>(), number) {
                return true;
            }
            let mut word = String::new();
            let mut quote = None;
            while let Some(&c) = chars.peek() {
                match (quote, c) {
                    (None, c) if c.is_whitespace() => break,
                    (None, '\'' | '"') => quote = Some(c),
                    (Some(open), c) if open == c => quote = None,
                    (None | Some('"'), '\\') => {
                        chars.next();
                        word.extend(chars.peek());
                    }
                    (None | Some('"'), '$') if !self.is_transcript => {
                        chars.next();
                        word.push_str(&self.variable(&mut chars, number));
                        continue;
                    }
                    (_, c) => word.push(c),
                }
                chars.next();
            }
            words.push(Word { text: word, line: number, gap });
            gap = 0;
        }
        false
    }

    /// Whether what follows a backslash lets the line go on: nothing, or in a transcript a remark of its writer.
    fn continues(&mut self, rest: &str, number: usize) -> bool {
        if rest.is_empty() {
            return true;
        }
        let goes_on = rest.starts_with(char::is_whitespace);
        if goes_on {
            let what = if rest.trim().is_empty() {
                "blanks stand after the backslash: a shell would end the command here".to_owned()
            } else {
                format!("'{}' stands after the backslash: a shell would end the command here", rest.trim())
            };
            self.remarks.push(Remark::at(RemarkKind::Slip, self.file, number, what));
        }
        goes_on
    }

    /// The value of a variable that was set before.
    fn variable(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, number: usize) -> String {
        let braced = chars.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
        if braced && chars.next_if_eq(&'}').is_none() {
            name.clear();
        }
        if let Some(value) = self.variables.get(&name) {
            return value.clone();
        }
        let what = format!("no value of ${name} is set in this file");
        self.remarks.push(Remark::at(RemarkKind::Missing, self.file, number, what));
        String::new()
    }

    /// A command of the cluster; settings of variables are kept, anything else is told.
    fn command(&mut self, mut words: Vec<Word>) -> Option<Vec<Word>> {
        let first = words.first()?.clone();
        let tool = first.text.rsplit('/').next().unwrap_or_default();
        if TOOLS.contains(&tool) {
            tool.clone_into(&mut words.first_mut()?.text);
            return Some(words);
        }
        match first.text.split_once('=') {
            Some((name, value))
                if words.len() == 1 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
            {
                self.variables.insert(name.to_owned(), value.to_owned());
            }
            Some(_) | None => {
                let what = format!("'{}' is no command of the cluster and was not carried out", first.text);
                self.remarks.push(Remark::at(RemarkKind::Lost, self.file, first.line, what));
            }
        }
        None
    }
}
