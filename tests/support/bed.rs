//! A bed: some nodes on one bridge, the disks that they share, and a power switch. All of it ends with the bed.

use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::disk::Disk;
use super::fence::{AGENT, Fence, Switch};
use super::lock;
use super::must::Must;
use super::node::Node;
use super::rack::Rack;
use super::ssh;

/// The beds that this process has made: part of the names of what belongs to each.
static BEDS: AtomicU32 = AtomicU32::new(1);

/// A test bed. Many can stand beside each other.
pub struct Bed {
    number: u32,
    rack: Arc<Rack>,
    nodes: Arc<Mutex<Vec<Node>>>,
    has_ssh: bool,
    fence: Fence,
    disks: AtomicU32,
}

impl Bed {
    /// Makes one without nodes; ends the test when that needs a right that we have not (see `needs_root`).
    #[allow(clippy::new_without_default)] // it is work, and it can fail
    pub fn new() -> Self {
        assert!(rustix::process::geteuid().is_root(), "a test bed needs root");
        let rack = Arc::new(Rack::build());
        fs::write(rack.path("shared/hosts"), "127.0.0.1 localhost\n::1 localhost\n")
            .must("write the hosts file");
        let nodes = Arc::default();
        let fence = Fence::serve(&rack, &nodes);
        let number = BEDS.fetch_add(1, Ordering::Relaxed);
        Self { number, rack, nodes, has_ssh: false, fence, disks: AtomicU32::new(1) }
    }

    /// The same, with an sshd in every node, so that `ssh root@mail-2` works from each to each.
    pub fn with_ssh() -> Self {
        let mut bed = Self::new();
        ssh::prepare(&bed.rack);
        bed.has_ssh = true;
        bed
    }

    /// Brings a node up, or gives the one of that name. `mail-1` has the address 192.0.2.11 and `2001:db8::11`,
    /// `mail-2` .12 and so on; `client` has .100; any other name gets one from .101 on.
    pub fn node(&self, name: &str) -> Node {
        let mut nodes = lock(&self.nodes);
        if let Some(node) = nodes.iter().find(|node| node.name() == name) {
            return node.clone();
        }
        let number = match name.strip_prefix("mail-").and_then(|number| number.parse::<u8>().ok()) {
            Some(number @ 1..=9) => 10 + number,
            _ if name == "client" => 100,
            _ => {
                (101..=250).find(|free| nodes.iter().all(|node| node.address().octets()[3] != *free)).unwrap()
            }
        };
        let hosts = fs::File::options().append(true).open(self.rack.path("shared/hosts"));
        let line = format!("192.0.2.{number} {name}\n2001:db8::{number} {name}\n");
        hosts.and_then(|mut hosts| hosts.write_all(line.as_bytes())).must("add to the hosts file");
        let node = Node::new(name, number, self.number, &self.rack, self.has_ssh);
        nodes.push(node.clone());
        node
    }

    /// The node that stands for the users' machines.
    pub fn client(&self) -> Node {
        self.node("client")
    }

    /// A disk of so many MiB with ext4 made with these options of mkfs.ext4.
    pub fn disk(&self, mib: u64, options: &str) -> Disk {
        Disk::ext4(self.disk_name(), mib, options)
    }

    /// A disk of so many MiB with nothing on it.
    pub fn blank_disk(&self, mib: u64) -> Disk {
        Disk::blank(self.disk_name(), None, mib)
    }

    fn disk_name(&self) -> String {
        format!("ims{}", self.disks.fetch_add(1, Ordering::Relaxed))
    }

    /// The fence agent's command line, the same in every node: options as `action=off` and `plug=mail-2` on its
    /// stdin; it ends with 0 when the node's power is cut.
    #[allow(clippy::unused_self)] // it is the bed's, whatever it takes to answer
    pub fn fence_command(&self) -> Vec<String> {
        vec![AGENT.to_owned()]
    }

    /// Says how the power switch behind the fence agent behaves from now on.
    pub fn power_switch(&self, switch: Switch) {
        self.fence.set(switch);
    }

    /// What the fence agents were asked until now, such as `off mail-2`.
    pub fn fence_requests(&self) -> Vec<String> {
        self.fence.asked()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let nodes = self.nodes.lock().map(|mut nodes| std::mem::take(&mut *nodes)).unwrap_or_default();
        for node in nodes {
            if !std::thread::panicking() {
                node.kill();
            } else if catch_unwind(AssertUnwindSafe(|| node.kill())).is_err() {
                // The test's own failure is what matters; a second panic would hide it.
                eprintln!("{} could not be taken down", node.name());
            }
        }
    }
}
