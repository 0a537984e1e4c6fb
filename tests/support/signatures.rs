//! How nodes sign the guard of a disk.

use super::{Disk, Node};

/// The lines of `/etc/ims/guard-names.toml` for nodes that have this disk. To the kernel they are one machine: it signs
/// with that machine's name and with the name of the node's own device.
pub fn signatures(nodes: &[&Node], disk: &Disk) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let line = |node: &&Node| {
        let minor = node.sh(&format!("stat -c %Lr {}", disk.device())).ok().stdout;
        format!("\"{host}:loop{}\" = \"{}\"\n", minor.trim(), node.name())
    };
    nodes.iter().map(line).collect()
}
