//! What `check` prints: a record for each finding, then one for each entry.

use ims::fail::Fail;
use ims::instance::Instance;
use ims::name::InstanceName;
use ims::place::Place;
use ims::{Exit, Record, State};
use schemars::JsonSchema;
use serde::Serialize;

/// What of an entry a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// The server root.
    Root,
    /// A folder or file that must be there.
    Folder,
    /// How it is laid out.
    Layout,
    /// A symbolic link.
    Link,
    /// What a configuration file says.
    Config,
    /// Whom its files belong to, and who can write them.
    Owner,
    /// An address that another entry has too, or that its servers cannot be bound to.
    Address,
    /// A directory server that another entry has too.
    Directory,
    /// A port that another entry wants too.
    Port,
}

impl Aspect {
    const fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Folder => "folder",
            Self::Layout => "layout",
            Self::Link => "link",
            Self::Config => "config",
            Self::Owner => "owner",
            Self::Address => "address",
            Self::Directory => "directory",
            Self::Port => "port",
        }
    }
}

/// One thing that does not fit, or could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The entry.
    pub name: InstanceName,
    /// Down when it does not fit for certain, unknown when it cannot be seen from this node now.
    pub state: State,
    /// What it is about.
    pub aspect: Aspect,
    /// The file, and the line when there is one.
    pub at: Place,
    /// What was found.
    pub what: String,
    /// The way out.
    pub mend: String,
}

impl Finding {
    /// What does not fit for certain.
    pub fn down(
        of: &Instance,
        aspect: Aspect,
        at: Place,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { name: of.name.clone(), state: State::Down, aspect, at, what: what.into(), mend: mend.into() }
    }

    /// What cannot be seen from here now.
    pub fn unknown(
        of: &Instance,
        aspect: Aspect,
        at: Place,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { state: State::Unknown, ..Self::down(of, aspect, at, what, mend) }
    }

    /// A configuration that could not be read; its file and line are those that the failure begins with.
    pub fn of_config(of: &Instance, entry: &Place, fail: &Fail) -> Self {
        let (told, mend) = what_and_mend(fail, "correct it, and run ims-registry check again");
        let (at, what) = match place(&told) {
            Some((at, what)) => (at, what),
            None => (entry.clone(), told.as_str()),
        };
        let is_certain = fail.exit() == Exit::Usage;
        let new = if is_certain { Self::down } else { Self::unknown };
        new(of, Aspect::Config, at, what, mend)
    }
}

/// A failure as a finding tells it: without its way out, and that by itself.
pub fn what_and_mend(fail: &Fail, otherwise: &str) -> (String, String) {
    let mend = fail.way_out().unwrap_or(otherwise);
    let told = fail.to_string();
    (told.strip_suffix(&format!(" ({mend})")).unwrap_or(&told).to_owned(), mend.to_owned())
}

/// A message's leading `file:line: `, and the rest.
fn place(told: &str) -> Option<(Place, &str)> {
    let (place, rest) = told.split_once(": ")?;
    let (file, line) = place.rsplit_once(':')?;
    Some((Place::line(file, line.parse().ok()?), rest))
}

impl Record for Finding {
    const SCHEMA: &'static str = "ims.finding/1";

    fn columns() -> &'static [&'static str] {
        &["name", "state", "aspect", "at", "what", "mend"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.name.to_string(),
            self.state.to_string(),
            self.aspect.word().to_owned(),
            self.at.to_string(),
            self.what.clone(),
            self.mend.clone(),
        ]
    }
}

/// What `check` found of one entry, all findings together.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// The entry.
    pub name: InstanceName,
    /// Up when it fits, down when it does not, unknown when it cannot be told on this node now.
    pub state: State,
    /// What is wrong or cannot be seen, in words.
    pub findings: Vec<String>,
}

impl Checked {
    /// The sum of an entry's findings: one that is certain outweighs what could not be seen.
    pub fn of(name: InstanceName, findings: &[Finding]) -> Self {
        let has = |state| findings.iter().any(|finding| finding.state == state);
        let state = if has(State::Down) {
            State::Down
        } else if findings.is_empty() {
            State::Up
        } else {
            State::Unknown
        };
        Self { name, state, findings: findings.iter().map(|finding| finding.what.clone()).collect() }
    }
}

impl Record for Checked {
    const SCHEMA: &'static str = "ims.registry-check/1";

    fn columns() -> &'static [&'static str] {
        &["name", "state", "findings"]
    }

    fn row(&self) -> Vec<String> {
        vec![self.name.to_string(), self.state.to_string(), self.findings.len().to_string()]
    }
}
