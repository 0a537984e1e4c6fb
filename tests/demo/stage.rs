//! What the demo plays on: two nodes, a client, a shared disk, the server root on it and the group's description.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::support::mail::{Directory, Mail, ServerRoot};
use crate::support::{Bed, Disk, Node, signatures};

/// The resource group.
pub const GROUP: &str = "IMS-RG";
/// The mail instance, `msg-stork`.
pub const INSTANCE: &str = "stork";
/// The directory instance, `slapd-mail`.
pub const LDAP: &str = "mail";
/// The logical IP.
pub const IP: &str = "192.0.2.10";
/// Where the shared volume is mounted.
pub const MOUNT: &str = "/global/ims";
/// The server root on it.
pub const ROOT: &str = "/global/ims/server5";
/// The shared disk, the same on both nodes.
const DEVICE: &str = "/dev/ims1";

/// The nodes and what is between them.
pub struct Stage {
    pub bed: Bed,
    pub mail_1: Node,
    pub mail_2: Node,
    pub client: Node,
    pub disk: Disk,
}

impl Stage {
    /// Makes the nodes, attaches the disk to both, and makes its mount point.
    pub fn set() -> Self {
        let bed = Bed::with_ssh();
        let (mail_1, mail_2, client) = (bed.node("mail-1"), bed.node("mail-2"), bed.client());
        let disk = bed.disk(64, "-O mmp");
        for node in [&mail_1, &mail_2] {
            node.attach(&disk);
            node.run(["mkdir", "-p", MOUNT]).ok();
        }
        Self { bed, mail_1, mail_2, client, disk }
    }

    /// The two nodes that can have the group.
    pub fn nodes(&self) -> [&Node; 2] {
        [&self.mail_1, &self.mail_2]
    }

    /// Takes the volume on mail-1 and lays the server root on it, as its installer would with the logical IP up.
    pub fn lay_the_server_root(&self) {
        let take = ["ims-diskctl", "take", "--device", DEVICE, "--mount", MOUNT];
        self.mail_1.run(take).ok();
        self.mail_1.run(["ims-ipbind", "up", &format!("{IP}/24"), "--device", "eth0"]).ok();
        let root = ServerRoot::postfix_dovecot(ROOT)
            .mail(Mail::new(INSTANCE, &format!("ldap://{IP}:389/")))
            .directory(Directory::new(LDAP));
        self.mail_1.enter(|| root.lay(Path::new("/"))).expect("cannot lay the server root");
        let settled = root.settle(|words| {
            self.mail_1.run(words).ok();
            Ok::<(), std::convert::Infallible>(())
        });
        settled.expect("cannot happen");
    }

    /// Takes the address and the volume off mail-1 again: from here on they are the group's.
    pub fn give_the_disk_up(&self) {
        self.mail_1.run(["ims-ipbind", "down", &format!("{IP}/24"), "--device", "eth0"]).ok();
        self.mail_1.run(["ims-diskctl", "release", "--device", DEVICE, "--mount", MOUNT]).ok();
    }

    /// What the mail servers say of themselves where the service is now: the ends of their logs, the queue, and each
    /// mailbox's files.
    pub fn evidence(&self) -> String {
        let of = format!("{ROOT}/msg-{INSTANCE}");
        let words = format!(
            "cd {of}; find . -name '*.log' -exec tail -n 60 {{}} +; postqueue -c {of}/postfix -p; \
             find . -path '*mailboxes*' ! -type d -printf '%p %s %T+\\n' | sort"
        );
        self.mail_1.sh(&words).stdout
    }

    /// Writes the group's and the nodes' description, the same bytes on both nodes.
    pub fn describe_the_group(&self) {
        let fence = &self.bed.fence_command();
        let nodes: Vec<String> = self
            .nodes()
            .iter()
            .map(|node| {
                let name = node.name();
                format!(
                    "[{name}]\nreach = [\"ssh\", \"root@{name}\"]\nfence = {fence:?}\n\
                     fence_options = {{ plug = \"{name}\" }}\n\n"
                )
            })
            .collect();
        let signatures = signatures(&self.nodes(), &self.disk);
        for node in self.nodes() {
            node.file(format!("/etc/ims/groups/{GROUP}.toml"), include_str!("IMS-RG.toml"));
            node.file("/etc/ims/nodes.toml", nodes.concat());
            node.file("/etc/ims/guard-names.toml", &signatures);
        }
    }
}

/// Where clients find a port of the service.
pub fn at(port: u16) -> SocketAddr {
    SocketAddr::new(address(), port)
}

/// The logical IP.
pub fn address() -> IpAddr {
    IP.parse().expect("a constant")
}
