//! One session with another node, opened before anything is touched, so that no step waits for a connection.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ims::Fail;
use ims::name::{GroupName, NodeName};
use ims::nodes::Node;
use ims::sys::exec::Line;
use ims::sys::process::Process;

use super::heard::{Shared, held};
use super::serve::BEAT;
use super::wire::{Ask, Hello, Reply, Request, Say, VERSION, answers_another};

/// How long the other end may take to finish once its stdin is closed.
const GOODBYE: Duration = Duration::from_secs(10);

/// How long the far program may take to tell its exit status once its outputs are closed.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What ssh says when the node answers and does not let it in: its status is the same as without a connection.
const REFUSALS: [&str; 4] = [
    "Permission denied (",
    "Host key verification failed",
    "Too many authentication failures",
    "Unable to negotiate with",
];

/// A session that was opened.
#[derive(Debug)]
pub struct Session {
    node: NodeName,
    child: Mutex<Child>,
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    next: AtomicU64,
    /// The heart beats as long as this is there.
    _life: Sender<()>,
    shared: Arc<Shared>,
    /// Ends with the other end's stderr.
    last_words: Mutex<Receiver<()>>,
}

/// What a session is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The group and its resources.
    Group,
    /// The group's file, which may not be there.
    File,
}

/// What came of reaching a node.
#[derive(Debug)]
pub enum Reached {
    /// It answered.
    Yes(Session, Hello),
    /// It did not, and why.
    Lost(String),
}

impl Session {
    /// Reaches a node. Only a connection that fails, or an answer that does not come, makes a node lost; a node that
    /// answers with a failure is there.
    pub fn open(name: &NodeName, node: &Node, group: &GroupName, what: What) -> Result<Reached, Fail> {
        let line = Line::new(["ims-switch", "serve", group.as_str(), "--output", "json"]);
        let line = match what {
            What::Group => line,
            What::File => line.arg("--file"),
        };
        let line = line.behind(&node.reach);
        let mut child = line.spawn(Stdio::piped(), Stdio::piped(), Stdio::piped())?;
        let stdin = Arc::new(Mutex::new(child.stdin.take()));
        let shared = Arc::new(Shared::default());
        if let Some(stdout) = child.stdout.take() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.read(BufReader::new(stdout)));
        }
        let (speaks, last_words) = channel();
        if let Some(stderr) = child.stderr.take() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                let _speaks = speaks;
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    if !line.trim().is_empty() {
                        line.trim().clone_into(&mut held(&shared.words));
                    }
                }
            });
        }
        let session = Self {
            node: name.clone(),
            child: Mutex::new(child),
            _life: beat(Arc::clone(&stdin))?,
            stdin,
            next: AtomicU64::new(1),
            shared,
            last_words: Mutex::new(last_words),
        };
        session.greet(node)
    }

    fn greet(self, node: &Node) -> Result<Reached, Fail> {
        let name = self.node.clone();
        let answer = self.reply_to(Ask::Hello, node.reach_timeout);
        let reply = match answer {
            Ok(reply) => reply,
            Err(RecvTimeoutError::Timeout) => {
                self.hang_up();
                return Ok(Reached::Lost(format!("no answer within {:?}", node.reach_timeout)));
            }
            Err(RecvTimeoutError::Disconnected) => return self.refused(node),
        };
        let Say::Hello(hello) = reply.result(&name)? else { return Err(answers_another(&name)) };
        if hello.version != VERSION {
            return Err(Fail::usage(format!(
                "ims-switch on {name} speaks version {} of the session, this one {VERSION}",
                hello.version
            ))
            .hint("install the same version on every node"));
        }
        if hello.node != name {
            return Err(Fail::usage(format!("reach of {name} leads to {}", hello.node))
                .hint(format!("correct it in {}", ims::nodes::PATH)));
        }
        Ok(Reached::Yes(self, hello))
    }

    /// Tells a connection that failed from a node that answers and does not serve.
    fn refused(&self, node: &Node) -> Result<Reached, Fail> {
        let status = self.status();
        if let Some((exit, message)) = held(&self.shared.waiting).failure.take() {
            return Err(Fail::new(exit, format!("{}: {message}", self.node)));
        }
        // Both outputs end at once, and nothing else is ever said there.
        let _ = held(&self.last_words).recv_timeout(LAST_WORDS);
        let words = held(&self.shared.words).clone();
        if REFUSALS.iter().any(|refusal| words.contains(refusal)) {
            return Err(Fail::unknown(format!("{} answers and does not let this node in", self.node))
                .because(words)
                .hint(format!("{} must work without a question", node.reach.join(" "))));
        }
        let lost = match status {
            Some(status) => node.lost_status.contains(&status),
            None => true, // a signal ended what reaches it
        };
        if lost {
            let why = if words.is_empty() { "the connection failed".to_owned() } else { words };
            return Ok(Reached::Lost(why));
        }
        let status = status.unwrap_or_default();
        Err(Fail::unknown(format!(
            "{} does not serve: {} ended with status {status}",
            self.node,
            node.reach.join(" ")
        ))
        .because(if words.is_empty() { "it said nothing".to_owned() } else { words })
        .hint("is ims-switch installed there and on the search path?"))
    }

    /// The exit status of what reaches the node, `None` when a signal ended it or it does not end.
    fn status(&self) -> Option<i32> {
        let mut child = held(&self.child);
        let process = i32::try_from(child.id()).ok().and_then(Process::of);
        let is_over =
            process.is_none_or(|process| process.wait(Instant::now() + LAST_WORDS).unwrap_or(false));
        if is_over { child.wait().ok().and_then(|status| status.code()) } else { None }
    }

    /// The node.
    pub const fn node(&self) -> &NodeName {
        &self.node
    }

    /// Why the session was lost, when it was.
    pub fn lost(&self) -> Option<String> {
        let over = held(&self.shared.waiting).over;
        over.then(|| {
            let words = held(&self.shared.words).clone();
            if words.is_empty() { "the session ended".to_owned() } else { words }
        })
    }

    /// Asks for something and waits for what was done. A reply that does not come ends the session: what happens
    /// there is unknown from then on.
    pub fn ask(&self, ask: Ask, timeout: Duration) -> Result<Say, Fail> {
        match self.reply_to(ask, timeout) {
            Ok(reply) => reply.result(&self.node),
            Err(RecvTimeoutError::Timeout) => {
                self.hang_up();
                Err(Fail::unknown(format!("{} did not answer within {timeout:?}", self.node)))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Fail::unknown(format!("lost {}", self.node))
                .because(self.lost().unwrap_or_else(|| "the session ended".to_owned()))),
        }
    }

    fn reply_to(&self, ask: Ask, timeout: Duration) -> Result<Reply, RecvTimeoutError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.send(&Request { id, ask })?.recv_timeout(timeout)
    }

    fn send(&self, request: &Request) -> Result<Receiver<Reply>, RecvTimeoutError> {
        let (sender, receiver) = channel();
        let mut line = serde_json::to_vec(request).map_err(|_| RecvTimeoutError::Disconnected)?;
        line.push(b'\n');
        {
            let mut waiting = held(&self.shared.waiting);
            if !waiting.over {
                waiting.replies.insert(request.id, sender);
            }
        }
        if let Some(stdin) = held(&self.stdin).as_mut() {
            // When it fails, the reader tells why, as soon as it comes to the end of the other end's outputs.
            let _ = stdin.write_all(&line).and_then(|()| stdin.flush());
        }
        Ok(receiver)
    }

    /// Ends what reaches the node at once.
    fn hang_up(&self) {
        drop(held(&self.stdin).take());
        // It may have ended by itself; either way it is reaped when the session is dropped.
        let _ = held(&self.child).kill();
        held(&self.shared.waiting).over = true;
    }
}

/// Lets the other end hear of this one, until what this gives is dropped or the session is over.
fn beat(stdin: Arc<Mutex<Option<ChildStdin>>>) -> Result<Sender<()>, Fail> {
    let mut line = serde_json::to_vec(&Request { id: 0, ask: Ask::Beat })
        .map_err(|e| Fail::failed("cannot write a request").because(e))?;
    line.push(b'\n');
    let (alive, end) = channel::<()>();
    std::thread::spawn(move || {
        while end.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
            let Some(stdin) = &mut *held(&stdin) else { return };
            if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
                return; // the readers tell why
            }
        }
    });
    Ok(alive)
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(held(&self.stdin).take());
        let mut child = held(&self.child);
        let process = i32::try_from(child.id()).ok().and_then(Process::of);
        let is_over = process.is_none_or(|process| process.wait(Instant::now() + GOODBYE).unwrap_or(false));
        if !is_over {
            // It was asked by the end of its stdin; the far end finishes its step by itself.
            let _ = child.kill();
        }
        // Reaps it.
        let _ = child.wait();
    }
}
