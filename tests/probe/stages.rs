//! Each stage of a probe, broken on purpose in the configuration of a real server: rows of data, and the one function
//! that drives them. A row is broken alone, is told of at exactly its stage while one level less deep all is well, and
//! is mended before the next.
//!
//! The rows stand by server: Postfix, Dovecot, `OpenLDAP`, Exim, Cyrus, and what is around them. Each is a test of its
//! own, on nodes of its own.

mod around;
mod cyrus;
mod dovecot;
mod exim;
mod farm;
mod mailboxes;
mod postfix;
mod slapd;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use super::verdict;
use crate::support::{Node, Ran, until};
use Change::{Append, Replace, Run};

/// All rows.
pub const TABLES: [&[Row]; 12] = [
    around::WAYS,
    around::FILES,
    dovecot::LOGINS,
    mailboxes::MESSAGES,
    mailboxes::MAILDROPS,
    dovecot::PAGES,
    dovecot::SECRETLY,
    postfix::SESSIONS,
    postfix::MESSAGES,
    postfix::SECRETLY,
    slapd::ROWS,
    slapd::SECRETLY,
];

/// One way to break a server, and what is said of it then.
pub struct Row {
    /// What is wrong.
    pub what: &'static str,
    /// How it comes to be.
    pub by: &'static [Change],
    /// Who is asked: URLs or names of instances, all in one run.
    pub asked: &'static [&'static str],
    /// How deeply.
    pub level: &'static str,
    /// What all of them answer.
    pub told: Told,
}

/// A state, a stage, and a part of the words.
pub type Told = (&'static str, &'static str, &'static str);

const UP: Told = ("up", "-", "");

/// A change that can be taken back.
pub enum Change {
    /// Lines come to the end of a file.
    Append(&'static str, &'static str),
    /// A text in a file gives way to another.
    Replace(&'static str, &'static str, &'static str),
    /// A script does it, and another one undoes it.
    Run(&'static str, &'static str),
}

/// Servers that work, and who asks them.
pub struct Farm<'a> {
    /// Where they run.
    pub node: &'a Node,
    /// Where they are asked from.
    pub asker: &'a Node,
    /// What is asked with besides the level.
    pub options: &'a [&'a str],
    /// Has the server that a file belongs to go by it as it is now.
    pub renew: &'a dyn Fn(&Node, &str),
}

/// How long a server may take to go by what has changed.
const PATIENCE: Duration = Duration::from_secs(20);

impl Farm<'_> {
    /// Drives every row, and tells of all that are not as they should be at once.
    pub fn drive(&self, rows: &[Row]) {
        let wrong: Vec<String> =
            rows.iter().filter_map(|row| Some(format!("{}: {}", row.what, self.row(row).err()?))).collect();
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    }

    fn row(&self, row: &Row) -> Result<(), String> {
        self.until(row, row.level, UP).map_err(|found| format!("before: {found}"))?;
        let was: Vec<String> = row.by.iter().map(|change| self.make(change)).collect();
        self.renew(row);
        let broken = self.until(row, row.level, row.told).map_err(|found| format!("broken: {found}"));
        let above = below(row.level).map_or(Ok(()), |level| {
            self.until(row, level, UP).map_err(|found| format!("{level}, which works: {found}"))
        });
        row.by.iter().zip(was).rev().for_each(|(change, was)| self.undo(change, &was));
        self.renew(row);
        let mended = self.until(row, row.level, UP).map_err(|found| format!("mended: {found}"));
        broken.and(above).and(mended)
    }

    /// Asks until all answer as they should twice, as a process of before may take one more connection.
    fn until(&self, row: &Row, level: &str, wanted: Told) -> Result<(), String> {
        let (mut last, mut times) = (String::new(), 0);
        let is_so = || {
            let ran = self.ask(row.asked, level);
            last = format!("{ran}");
            let is_told = ran.status == Some(status(wanted.0))
                && ran.records().iter().all(|answer| {
                    let told = verdict(answer);
                    (told.0, told.1) == (wanted.0, wanted.1) && told.2.contains(wanted.2)
                });
            times = if is_told { times + 1 } else { 0 };
            times == 2
        };
        if until(PATIENCE, is_so) { Ok(()) } else { Err(last) }
    }

    fn ask(&self, asked: &[&str], level: &str) -> Ran {
        // A connection alone has no TLS and no login.
        let options = if level == "connect" { &[] } else { self.options };
        let ran = self
            .asker
            .run([&["ims-probe", "--timeout", "1s", "--level", level][..], asked, options].concat());
        assert!(ran.records().len() >= asked.len(), "{ran}");
        ran
    }

    /// Makes a change, and gives what was before.
    fn make(&self, change: &Change) -> String {
        let text = |file: &str| self.node.read(file).unwrap();
        match change {
            Append(file, lines) => {
                let was = text(file);
                self.write(file, &format!("{was}{lines}\n"));
                was
            }
            Replace(file, old, new) => {
                let was = text(file);
                assert!(was.contains(old), "{file} has no {old}: {was}");
                self.write(file, &was.replace(old, new));
                was
            }
            Run(script, _) => self.node.sh(script).ok().stdout,
        }
    }

    fn undo(&self, change: &Change, was: &str) {
        match change {
            Append(file, _) | Replace(file, ..) => self.write(file, was),
            Run(_, script) => drop(self.node.sh(script).ok()),
        }
    }

    /// Puts another text in the place of a file, at once: a server that was told of the change before may read the file
    /// just now, and Dovecot 2.3.19 that comes upon half of it hears of no other change for as long as it runs.
    fn write(&self, file: &str, text: &str) {
        let path = self.node.path(file);
        let new = path.with_extension("new");
        fs_err::copy(&path, &new).unwrap(); // with its mode
        let was = fs_err::metadata(&path).unwrap();
        std::os::unix::fs::chown(&new, Some(was.uid()), Some(was.gid())).unwrap();
        fs_err::write(&new, text).unwrap();
        // Postfix reads a main.cf again and again until it is two seconds old.
        let past = SystemTime::now() - Duration::from_secs(10);
        fs_err::File::options().write(true).open(&new).unwrap().set_modified(past).unwrap();
        fs_err::rename(new, path).unwrap();
    }

    /// Has every server whose files a row changes go by them, once.
    fn renew(&self, row: &Row) {
        let files = row.by.iter().filter_map(|change| match change {
            Append(file, _) | Replace(file, ..) => Some(*file),
            Run(..) => None,
        });
        let files: BTreeSet<&str> = files.collect();
        for file in files {
            (self.renew)(self.node, file);
        }
    }
}

/// The exit status of a run whose answers are all in this state.
fn status(state: &str) -> i32 {
    match state {
        "up" => 0,
        "down" => 1,
        _ => 3,
    }
}

/// The level that is one less deep.
fn below(level: &str) -> Option<&'static str> {
    let levels = ["connect", "greet", "session", "login", "deliver"];
    let at = levels.iter().position(|it| *it == level).unwrap();
    at.checked_sub(1).map(|at| levels[at])
}
