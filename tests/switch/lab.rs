//! Two nodes with ssh between them, a shared disk, and a group of an address, a volume and a server that works on
//! the volume; and what must hold of them, seen from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::*;

/// For what should happen soon.
pub const SOON: Duration = Duration::from_secs(60);

/// The logical IP.
pub const IP: &str = "192.0.2.10";

/// The group that most tests use.
pub const GROUP: &str = r#"nodes = ["mail-1", "mail-2"]

[resource.network]
type = "nic"
device = "eth0"

[resource.logical_IP]
type = "logical-ip"
address = "192.0.2.10/24"
device = "eth0"
requires = ["network"]

[resource.mountshared]
type = "volume"
device = "/dev/ims1"
mount = "/global/ims"

[resource.svc]
type = "command"
start = ["svc", "start"]
stop = ["svc", "stop"]
monitor = ["svc", "monitor"]
requires = ["logical_IP", "mountshared"]
online_retry_limit = 0
"#;

/// A server that keeps a file of the volume open. Files in /run make it misbehave.
const SVC: &str = r#"#!/bin/sh
pid=/run/svc.pid
lives() { [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
case $1 in
    start)
        if [ -e /run/svc.broken ]; then echo "broken on purpose" >&2; exit 1; fi
        lives && exit 0
        hostname >>/global/ims/starts || exit 1
        tail -f /global/ims/starts </dev/null >/dev/null 2>&1 &
        echo $! >"$pid"
        until grep -q tail "/proc/$!/cmdline"; do sleep 0.01; done
        ;;
    stop)
        if [ -e /run/svc.stuck ]; then echo "stuck on purpose" >&2; exit 1; fi
        while [ -e /run/svc.slow ]; do : >/run/svc.stopping; sleep 0.01; done
        lives || exit 0
        kill "$(cat "$pid")"
        while lives; do sleep 0.01; done
        rm -f "$pid"
        ;;
    monitor) lives ;;
esac
"#;

/// The nodes and what is between them.
pub struct Lab {
    pub bed: Bed,
    pub mail_1: Node,
    pub mail_2: Node,
    pub disk: Disk,
}

impl Lab {
    /// Makes the nodes; the group is offline.
    pub fn new() -> Self {
        let bed = Bed::with_ssh();
        let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
        let disk = bed.disk(64, "-O mmp -E mmp_update_interval=1");
        mail_1.attach(&disk);
        mail_2.attach(&disk);
        let lab = Self { bed, mail_1, mail_2, disk };
        for node in lab.nodes() {
            node.script("/usr/local/sbin/svc", SVC);
            node.run(["mkdir", "-p", "/global/ims"]).ok();
        }
        lab.group(GROUP);
        lab.reach(&["ssh", "root@{}"]);
        lab.sign();
        lab
    }

    /// Tells each node how the others sign the volume's guard: to the kernel they are one machine.
    pub fn sign(&self) {
        let names = signatures(&self.nodes(), &self.disk);
        for node in self.nodes() {
            node.file("/etc/ims/guard-names.toml", &names);
        }
    }

    pub fn nodes(&self) -> [&Node; 2] {
        [&self.mail_1, &self.mail_2]
    }

    /// Gives both nodes the group's file.
    pub fn group(&self, text: &str) {
        for node in self.nodes() {
            node.file("/etc/ims/groups/IMS-RG.toml", text);
        }
    }

    /// Says how each node is reached, `{}` standing for its name; each is fenced by the bed's agent.
    pub fn reach(&self, words: &[&str]) {
        self.nodes_file(words, &self.bed.fence_command());
    }

    /// The same without a fence agent.
    pub fn reach_without_fencing(&self) {
        self.nodes_file(&["ssh", "root@{}"], &[]);
    }

    /// Writes the nodes' file on every node that is up.
    fn nodes_file(&self, words: &[&str], fence: &[String]) {
        let mut text = String::new();
        for node in self.nodes() {
            let reach: Vec<String> = words.iter().map(|word| word.replace("{}", node.name())).collect();
            text.push_str(&format!("[{}]\nreach = {reach:?}\nreach_timeout = 3\n", node.name()));
            if !fence.is_empty() {
                text.push_str(&format!("fence = {fence:?}\nfence_timeout = 5\n"));
            }
        }
        for node in self.nodes().into_iter().filter(|node| node.is_up()) {
            node.file("/etc/ims/nodes.toml", &text);
        }
    }

    /// Brings the group online on mail-1.
    pub fn online(&self) {
        self.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
        self.is_online_on(Some(&self.mail_1));
    }

    /// Checks from outside that all of the group is on this node, or nothing of it anywhere.
    #[track_caller]
    pub fn is_online_on(&self, owner: Option<&Node>) {
        for node in self.nodes() {
            let wanted = owner.is_some_and(|owner| owner.name() == node.name());
            assert_eq!(self.has(node), [wanted; 3], "address, volume and server of {}", node.name());
        }
    }

    /// Whether a node has the address, the volume and the server.
    pub fn has(&self, node: &Node) -> [bool; 3] {
        if !node.is_up() {
            return [false; 3];
        }
        [node.has_address(IP.parse().unwrap()), node.has_mounted(&self.disk), serves(node)]
    }

    /// Looks all the time whether two nodes have the same thing at once.
    pub fn watch(&self) -> Watch {
        let over = Arc::new(AtomicBool::new(false));
        let (nodes, disk) = ([self.mail_1.clone(), self.mail_2.clone()], self.disk.clone());
        let is_over = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let [one, two] = &nodes;
            let both = |has: &dyn Fn(&Node) -> bool| has(one) && has(two) && has(one);
            while !is_over.load(Ordering::Relaxed) {
                assert!(!both(&|node| node.has_mounted(&disk)), "two nodes have the volume");
                assert!(!both(&|node| node.has_address(IP.parse().unwrap())), "two nodes have the address");
                assert!(!both(&serves), "two nodes have the server");
                std::thread::sleep(Duration::from_millis(2)); // a look costs time of which the move is to have most
            }
        });
        Watch { over, thread }
    }
}

/// Whether the server runs on a node: the process, not what its script says.
pub fn serves(node: &Node) -> bool {
    node.processes().iter().any(|pid| {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words == b"tail\0-f\0/global/ims/starts\0"
    })
}

/// A watch under way.
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Ends it; ends the test if two nodes had the same thing.
    pub fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// The last record of a type that was printed.
#[track_caller]
pub fn record(ran: &Ran, schema: &str) -> serde_json::Value {
    let found = ran.records().into_iter().rfind(|record| record["schema"] == schema);
    found.unwrap_or_else(|| panic!("no {schema} in {ran}"))
}

/// The name and the arguments of a program of ours that a process runs.
pub fn program_of(pid: u32) -> Option<(String, Vec<String>)> {
    let exe =
        std::fs::read_link(format!("/proc/{pid}/exe")).ok()?.file_name()?.to_string_lossy().into_owned();
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    exe.starts_with("ims-").then(|| (exe, words.split('\0').map(str::to_owned).collect()))
}

/// The programs of ours that run on a node.
pub fn ours(node: &Node) -> Vec<String> {
    let ours = node.processes().into_iter().filter_map(program_of);
    ours.map(|(_, words)| words.join(" ")).collect()
}
