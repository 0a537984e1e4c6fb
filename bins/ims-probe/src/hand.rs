//! A report's file is replaced by a child of ours (`ims::sys::hand`): a disk that does not answer holds up the child
//! alone. A thread that waits for such a disk would keep the whole process from its end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::sys::file;
use ims::sys::hand::{self, Hand, Heard};
use ims::{Exit, Fail};
use serde::{Deserialize, Serialize};

/// The words that start one, before the pid of its starter.
const WORDS: &[&str] = &["--hand"];
/// Nobody waits for it longer than for what comes next, and it is asked again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    path: PathBuf,
    text: String,
}

/// Why the file was not replaced.
#[derive(Debug, Serialize, Deserialize)]
struct Refusal {
    exit: u8,
    words: String,
}

/// Answers until nobody asks any more.
pub fn serve(starter: u32) -> Result<(), Fail> {
    hand::serve(starter, |page: Page| {
        file::replace(&page.path, page.text.as_bytes())
            .map_err(|fail| Refusal { exit: fail.exit().code(), words: fail.to_string() })
    })
}

/// Replaces a file, however long that takes.
pub fn replace(path: &Path, text: String) -> Result<(), Fail> {
    let cannot = |error| Fail::io(Exit::Failed, format!("cannot write {}", path.display()), &error);
    let mut hand = Hand::start(WORDS, None)?;
    // The hand stands in another folder.
    hand.ask(&Page { path: std::path::absolute(path).map_err(cannot)?, text })?;
    loop {
        match hand.answer::<Result<(), Refusal>>(PATIENCE, None)? {
            Heard::Answer(Ok(())) => return Ok(()),
            Heard::Answer(Err(Refusal { exit, words })) => {
                return Err(Fail::new(Exit::from_code(exit.into()).unwrap_or(Exit::Unknown), words));
            }
            Heard::Silence | Heard::Stopped(_) => {}
        }
    }
}
