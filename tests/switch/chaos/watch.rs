//! What must hold at every moment, looked at from outside while things are moved and struck.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::lab::*;
use super::super::mail::{SERVERS, running};
use crate::support::*;

/// Looks all the time whether both nodes have the volume, the address or a server, and whether a server runs without
/// its volume or its address.
pub struct Watch {
    over: Arc<AtomicBool>,
    seen: Arc<Mutex<Option<String>>>,
    thread: JoinHandle<u64>,
}

impl Watch {
    pub fn begin(lab: &Lab) -> Self {
        let (over, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let (nodes, disk) = ([lab.mail_1.clone(), lab.mail_2.clone()], lab.disk.clone());
        let (is_over, broken) = (Arc::clone(&over), Arc::clone(&seen));
        let thread = std::thread::spawn(move || {
            let mut looks = 0;
            while !is_over.load(Ordering::Relaxed) {
                // Servers cost more to look for, and change less often.
                let found = twice(&nodes, &disk)
                    .or_else(|| (looks % 4 == 0).then(|| on_nothing(&nodes, &disk)).flatten());
                if let Some(found) = found {
                    broken.lock().unwrap().get_or_insert(found);
                }
                looks += 1;
                std::thread::sleep(Duration::from_millis(5)); // a look costs time of which the move is to have most
            }
            looks
        });
        Self { over, seen, thread }
    }

    /// The first thing that was seen and must not be.
    pub fn seen(&self) -> Option<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        assert!(self.thread.join().unwrap() > 0, "nobody looked");
    }
}

/// What both nodes have. Two looks at the first stand round the one at the second: only then both had it at the same
/// time.
fn twice([one, two]: &[Node; 2], disk: &Disk) -> Option<String> {
    let looked = [one, two, one].map(|node| node.holds(disk, IP.parse().unwrap()));
    let what = ["the volume", "the address"].into_iter().enumerate();
    let mut both = what.filter(|(index, _)| looked.iter().all(|held| held[*index]));
    both.next().map(|(_, what)| format!("both nodes have {what}"))
}

/// A server that runs without its volume or its address: the same process before and after the look at these.
fn on_nothing(nodes: &[Node; 2], disk: &Disk) -> Option<String> {
    let servers = |node: &Node| SERVERS.map(|server| running(node, server)).concat();
    let mut have: Vec<&str> = Vec::new();
    for node in nodes {
        let before = servers(node);
        if before.is_empty() {
            continue;
        }
        let held = node.holds(disk, IP.parse().unwrap());
        let after = servers(node);
        let stayed = before.iter().any(|pid| after.contains(pid));
        for (is_held, what) in held.into_iter().zip(["volume", "address"]) {
            if stayed && !is_held {
                return Some(format!("a server runs on {} without its {what}", node.name()));
            }
        }
        have.extend(stayed.then(|| node.name()));
    }
    let [first, _] = have.as_slice() else { return None };
    // Both had one at some moment of the look; at the same moment if the first still has.
    let first = nodes.iter().find(|node| node.name() == *first)?;
    (!servers(first).is_empty()).then(|| "both nodes have servers".to_owned())
}

/// A program of somebody else with a server's name on each node. Nobody but a power cut may end it.
pub struct Strangers([Option<Stranger>; 2]);

struct Stranger {
    /// The pid 1 of the node's life that it belongs to.
    init: u32,
    program: Running,
}

impl Strangers {
    pub fn none() -> Self {
        Self([None, None])
    }

    /// Starts one where the node has come up since.
    pub fn settle(&mut self, lab: &Lab) {
        for (node, stranger) in lab.nodes().into_iter().zip(&mut self.0) {
            let is_of_now = stranger.as_ref().is_some_and(|stranger| stranger.init == node.pid());
            if !is_of_now {
                node.sh("[ -e /usr/local/lib/slapd ] || cp /bin/sleep /usr/local/lib/slapd").ok();
                let program = node.spawn(["/usr/local/lib/slapd", "infinity"]);
                *stranger = Some(Stranger { init: node.pid(), program });
            }
        }
    }

    /// The node whose stranger was ended while it had power. Nobody may cut the power now.
    pub fn ended<'a>(&self, lab: &'a Lab) -> Option<&'a str> {
        let was_ended = |(node, stranger): &(&Node, &Option<Stranger>)| {
            node.is_up()
                && stranger.as_ref().is_some_and(|it| it.init == node.pid() && !it.program.is_running())
        };
        lab.nodes().into_iter().zip(&self.0).find(was_ended).map(|(node, _)| node.name())
    }
}
