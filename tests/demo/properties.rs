//! What must hold, seen from outside: in the nodes' mount tables, on their interfaces, in their processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::stage::{Stage, address};
use crate::support::{Disk, Node};

/// What a node has of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Has {
    address: bool,
    volume: bool,
    servers: bool,
}

const NOTHING: Has = Has { address: false, volume: false, servers: false };
const ALL: Has = Has { address: true, volume: true, servers: true };

/// The first process of each server.
const SERVERS: [&str; 3] = ["master", "dovecot", "slapd"];

fn of(node: &Node, disk: &Disk) -> Has {
    if !node.is_up() {
        return NOTHING;
    }
    let servers = node.processes().iter().any(|pid| {
        let executable = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        SERVERS.iter().any(|server| executable.ends_with(server))
    });
    Has { address: node.has_address(address()), volume: node.has_mounted(disk), servers }
}

/// Nothing of the group is anywhere.
pub fn none_is_online(stage: &Stage) {
    for node in stage.nodes() {
        assert_eq!(of(node, &stage.disk), NOTHING, "{}", node.name());
    }
}

/// All of the group is on this node, and nothing of it on any other.
pub fn is_online_on(stage: &Stage, owner: &Node) {
    for node in stage.nodes() {
        let wanted = if node.name() == owner.name() { ALL } else { NOTHING };
        assert_eq!(of(node, &stage.disk), wanted, "{}", node.name());
    }
}

/// Looks all the time, while something is moved, whether two nodes have the volume or the address at once.
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Watch {
    /// Begins to look. No node may lose its power meanwhile.
    pub fn begin(stage: &Stage) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let nodes: Vec<Node> = stage.nodes().into_iter().filter(|node| node.is_up()).cloned().collect();
        let (disk, is_over) = (stage.disk.clone(), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            let mut looks = 0;
            while !is_over.load(Ordering::Relaxed) {
                at_most_one(&nodes, "the volume", |node| node.has_mounted(&disk));
                at_most_one(&nodes, "the address", |node| node.has_address(address()));
                looks += 1;
                std::thread::sleep(Duration::from_millis(5)); // a look costs time of which the move is to have most
            }
            looks
        });
        Self { over, thread }
    }

    /// Ends it; ends the demo if two nodes had the same thing.
    pub fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        let looks = self.thread.join().expect("two nodes had the same thing");
        assert!(looks > 0, "nobody looked");
    }
}

/// Two looks at the first node round the one at the second: only then were both at the same time.
fn at_most_one(nodes: &[Node], what: &str, has: impl Fn(&Node) -> bool) {
    if let [one, other] = nodes {
        let both = has(one) && has(other) && has(one);
        assert!(!both, "both nodes have {what}");
    }
}
