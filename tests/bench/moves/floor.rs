//! The floor: the bare programs that an operator would put into a script, one after the other, and nothing looked at
//! before or after. The other node is reached over a connection of ssh(1) that is open already.

use super::server::Words;
use super::stage::{IP, MOUNT, Stage};
use crate::support::Node;

/// Tells the neighbours, as ip(8) does not; a client would wait for its own table to age otherwise. It is the program
/// of Pacemaker's address agent, and runs beside what follows.
const ANNOUNCE: &str =
    "/var/lib/ims-tests/agents/usr/libexec/heartbeat/send_arp -i 10 -r 1 -p /run/send_arp.pid eth0";

/// The socket of the open connection.
const SSH: &str = "ssh -S /run/floor.ssh root@mail-2";

/// The script, its two halves.
pub struct Floor {
    up: String,
    down: String,
}

impl Floor {
    /// The script for a server; opens the connection.
    pub fn new(stage: &Stage, server: &Words) -> Self {
        stage.mail_1.sh(&format!("{SSH} -M -f -N")).ok();
        let announce = format!("{ANNOUNCE} {IP} auto not_used not_used >/dev/null 2>&1 &");
        Self {
            up: format!(
                "set -e; mount -t ext4 {} {MOUNT}; ip address add {IP}/24 dev eth0; {announce} {}",
                stage.disk.device(),
                server.start.join(" ")
            ),
            down: format!(
                "set -e; {}; umount {MOUNT}; ip address del {IP}/24 dev eth0",
                server.stop.join(" ")
            ),
        }
    }

    /// Brings it up where nothing is.
    pub fn begin(&self, node: &Node) {
        node.sh(&self.up).ok();
    }

    /// Takes it down.
    pub fn end(&self, node: &Node) {
        node.sh(&self.down).ok();
    }

    /// Moves it from mail-1 to mail-2.
    pub fn moves(&self, mail_1: &Node) {
        mail_1.sh(&format!("{}; {SSH} '{}'", self.down, self.up)).ok();
    }
}
