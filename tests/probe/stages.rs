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
mod postfix;
mod slapd;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::verdict;
use crate::support::{Node, until};
use Change::{Append, Replace, Run};

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
    /// What all of them answer: the state, the stage, and a part of the words.
    pub told: (&'static str, &'static str, &'static str),
}

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
        let wrong: Vec<String> = rows.iter().filter_map(|row| self.row(row).err()).collect();
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    }

    fn row(&self, row: &Row) -> Result<(), String> {
        let start = std::time::Instant::now();
        let fail = |when: &str, found: &[Value]| {
            let told: Vec<_> = found.iter().map(|answer| (&answer["endpoint"], verdict(answer))).collect();
            format!("{} {} {}: {when}: {told:?}", row.asked[0], row.level, row.what)
        };
        self.until(row, row.level, is_up).map_err(|found| fail("before", &found))?;
        let was: Vec<String> = row.by.iter().map(|change| self.make(change)).collect();
        self.renew(row);
        let is_told = |answer: &Value| {
            let (told, wanted) = (verdict(answer), row.told);
            (told.0, told.1) == (wanted.0, wanted.1) && told.2.contains(wanted.2)
        };
        let broken = self.until(row, row.level, is_told).map_err(|found| fail("broken", &found));
        let above = below(row.level).map_or(Ok(()), |level| {
            self.until(row, level, is_up).map_err(|found| fail(&format!("{level}, which works"), &found))
        });
        row.by.iter().zip(was).rev().for_each(|(change, was)| self.undo(change, &was));
        self.renew(row);
        let after = self.until(row, row.level, is_up).map_err(|found| fail("mended", &found));
        eprintln!("{:?} {} {}", start.elapsed(), row.asked[0], row.what);
        broken.and(above).and(after)
    }

    /// Asks until all answer as they should twice, as a process of before may take one more connection.
    fn until(&self, row: &Row, level: &str, holds: impl Fn(&Value) -> bool) -> Result<(), Vec<Value>> {
        let (mut found, mut times) = (Vec::new(), 0);
        let is_so = || {
            found = self.ask(row.asked, level);
            times = if found.iter().all(&holds) { times + 1 } else { 0 };
            times == 2
        };
        if until(PATIENCE, is_so) { Ok(()) } else { Err(found) }
    }

    fn ask(&self, asked: &[&str], level: &str) -> Vec<Value> {
        // A connection alone has no TLS and no login.
        let options = if level == "connect" { &[] } else { self.options };
        let words = [&["ims-probe", "--timeout", "1s", "--level", level][..], asked, options].concat();
        let found = self.asker.run(words).records();
        assert!(found.len() >= asked.len(), "{found:?}");
        found
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

    /// Writes a file that is there.
    fn write(&self, file: &str, text: &str) {
        let path = self.node.path(file);
        fs_err::write(&path, text).unwrap();
        // Postfix reads a main.cf again and again until it is two seconds old.
        let past = SystemTime::now() - Duration::from_secs(10);
        fs_err::File::options().write(true).open(&path).unwrap().set_modified(past).unwrap();
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

fn is_up(answer: &Value) -> bool {
    verdict(answer).0 == "up"
}

/// The level that is one less deep.
fn below(level: &str) -> Option<&'static str> {
    let levels = ["connect", "greet", "session", "login", "deliver"];
    let at = levels.iter().position(|it| *it == level).unwrap();
    at.checked_sub(1).map(|at| levels[at])
}
