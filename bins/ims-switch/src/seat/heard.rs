//! What is heard from the other end of a session: replies, a failure, its last words.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ims::fail::FailRecord;
use ims::{Exit, Record};

use super::wire::Reply;

/// What the readers of the other end's outputs and those who wait share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Who waits for a reply.
    pub waiting: Mutex<Waiting>,
    /// The last line of its stderr.
    pub words: Mutex<String>,
}

/// Who waits for a reply, and whether one can come.
#[derive(Debug, Default)]
pub struct Waiting {
    /// By the number of the request.
    pub replies: HashMap<u64, Sender<Reply>>,
    /// Whether the other end closed.
    pub over: bool,
    /// The failure that it told instead of serving.
    pub failure: Option<(Exit, String)>,
}

/// Locks, whoever else failed meanwhile.
pub fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Hands each reply to the one who waits for it, until the other end closes.
    pub fn read(&self, stdout: impl BufRead) {
        for line in stdout.lines().map_while(Result::ok) {
            if let Ok(reply) = serde_json::from_str::<Reply>(&line) {
                if let Some(sender) = held(&self.waiting).replies.remove(&reply.id) {
                    // Whoever waited may have given up at its deadline.
                    let _ = sender.send(reply);
                }
            } else if let Some(failure) = failure(&line) {
                held(&self.waiting).failure = Some(failure);
            }
        }
        let mut waiting = held(&self.waiting);
        waiting.over = true;
        waiting.replies.clear();
    }
}

fn failure(line: &str) -> Option<(Exit, String)> {
    #[derive(serde::Deserialize)]
    struct Failure {
        schema: String,
        exit: i32,
        message: String,
    }
    let failure: Failure = serde_json::from_str(line).ok()?;
    (failure.schema == FailRecord::SCHEMA)
        .then(|| Some((Exit::from_code(failure.exit)?, failure.message)))
        .flatten()
}
