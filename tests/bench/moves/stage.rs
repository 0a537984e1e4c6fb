//! Two nodes, a disk that both see, and a client; what a group of ours needs on them.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::{Bed, Disk, Node, Ran, signatures};

/// The logical IP.
pub const IP: &str = "192.0.2.10";
/// Where the volume is mounted.
pub const MOUNT: &str = "/global/ims";
/// How the file of a group begins.
pub const NODES: &str = "nodes = [\"mail-1\", \"mail-2\"]\n";

/// The nodes and what is between them.
pub struct Stage {
    pub bed: Bed,
    pub mail_1: Node,
    pub mail_2: Node,
    pub disk: Disk,
}

impl Stage {
    /// Makes them; each node reaches the other by ssh and can have it fenced.
    pub fn set() -> Self {
        let bed = Bed::with_ssh();
        let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
        let disk = bed.disk(64, "-O mmp");
        let mut nodes = String::new();
        for node in [&mail_1, &mail_2] {
            node.attach(&disk);
            node.sh(&format!("mkdir -p {MOUNT}")).ok();
            let name = node.name();
            nodes += &format!(
                "[{name}]\nreach = [\"ssh\", \"root@{name}\"]\nfence = {:?}\nfence_options = {{ plug = \"{name}\" }}\n",
                bed.fence_command()
            );
        }
        let stage = Self { bed, mail_1, mail_2, disk };
        for node in stage.nodes() {
            node.file("/etc/ims/nodes.toml", &nodes);
        }
        stage.sign();
        stage
    }

    /// Both nodes.
    pub fn nodes(&self) -> [&Node; 2] {
        [&self.mail_1, &self.mail_2]
    }

    /// Tells each node how the other signs the volume's guard; again when one came up anew.
    pub fn sign(&self) {
        let names = signatures(&self.nodes(), &self.disk);
        for node in self.nodes() {
            node.file("/etc/ims/guard-names.toml", &names);
        }
    }

    /// Gives both nodes the file of a group.
    pub fn group(&self, name: &str, text: &str) {
        for node in self.nodes() {
            node.file(format!("/etc/ims/groups/{name}.toml"), text);
        }
    }

    /// The address and the volume of a group, which everything else of it stands on.
    pub fn base(&self) -> String {
        format!(
            "{NODES}[resource.logical_IP]\ntype = \"logical-ip\"\naddress = \"{IP}/24\"\ndevice = \"eth0\"\n\
             [resource.mountshared]\ntype = \"volume\"\ndevice = \"{}\"\nmount = \"{MOUNT}\"\nfstype = \"ext4\"\n",
            self.disk.device()
        )
    }
}

/// `ims-switch VERB GROUP …` on a node; what it took and found out is in the records.
pub fn ims_switch(node: &Node, words: &[&str]) -> Ran {
    let line = ["ims-switch"].iter().chain(words).copied();
    node.command(line).deadline(Duration::from_secs(120)).run().ok()
}

/// Where the time of the last run of a group went that this node drove.
pub fn timeline(node: &Node, group: &str) -> String {
    let told = ims_switch(node, &["history", group, "--last", "1", "--timeline", "-o", "table"]).stdout;
    told.lines().flat_map(|line| ["        ", line, "\n"]).collect()
}

/// Where clients find a port of the service.
pub fn at(port: u16) -> SocketAddr {
    SocketAddr::new(IP.parse().unwrap(), port)
}
