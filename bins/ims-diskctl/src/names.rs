//! Which node signs a guard block with which name.
//!
//! The kernel signs with the name of the machine, which in a container is not the node's own, and with the name
//! that the device has there. Where a node signs otherwise than by its own name, `/etc/ims/guard-names.toml` says so, a
//! line a signature: `"host-7:loop3" = "mail-1"`, or `"host-7" = "mail-1"` for every device.

use std::collections::{BTreeMap, BTreeSet};

use ims::name::NodeName;
use ims::nodes::Nodes;
use ims::sys::file;
use ims::sys::reservation::Key;
use ims::{Fail, Host};

use crate::guard::mmp::Block;
use crate::guard::reservation;

/// Where the signatures stand.
pub const PATH: &str = "/etc/ims/guard-names.toml";

/// The nodes by their signatures and keys.
#[derive(Debug, Clone, Default)]
pub struct Names {
    signers: BTreeMap<String, NodeName>,
    /// Every node that is known by name.
    nodes: BTreeSet<String>,
}

impl Names {
    /// Reads the file of a host; without it every node signs by its own name.
    pub fn load(host: &Host) -> Result<Self, Fail> {
        let signers = signers(host)?;
        let mut nodes: BTreeSet<String> = signers.values().map(ToString::to_string).collect();
        nodes.insert(host.name().to_owned());
        // A file that is wrong names nobody, and is told of by whoever needs it.
        let described = Nodes::load(host).unwrap_or_default();
        nodes.extend(described.names().map(ToString::to_string));
        Ok(Self { signers, nodes })
    }

    /// The node that reserves by a key, or the key.
    pub fn reserver(&self, key: Key) -> String {
        let found = self.nodes.iter().find(|node| reservation::key(node) == key);
        found.map_or_else(|| key.to_string(), Clone::clone)
    }

    /// Whether it is the name of a node that is known.
    pub fn is_node(&self, name: &str) -> bool {
        self.nodes.contains(name)
    }

    /// The node that signed a guard block; absent when it is not signed.
    pub fn signer(&self, block: &Block) -> Option<String> {
        let device = format!("{}:{}", block.node, block.device);
        let named =
            self.signers.get(&device).or_else(|| self.signers.get(&block.node)).map(ToString::to_string);
        named.or_else(|| (!block.node.is_empty()).then(|| block.node.clone()))
    }
}

fn signers(host: &Host) -> Result<BTreeMap<String, NodeName>, Fail> {
    let Some(text) = file::read_text(&host.path(PATH))? else { return Ok(BTreeMap::new()) };
    toml::from_str(&text).map_err(|e| {
        let line =
            e.span().map_or(1, |span| 1 + text.get(..span.start).unwrap_or_default().matches('\n').count());
        Fail::usage(format!("{PATH}:{line}")).because(e.message().replace('\n', " "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(node: &str, device: &str) -> Block {
        let mut bytes = vec![0; crate::guard::mmp::LENGTH];
        bytes[..4].copy_from_slice(b"PMM\0");
        bytes[16..16 + node.len()].copy_from_slice(node.as_bytes());
        bytes[80..80 + device.len()].copy_from_slice(device.as_bytes());
        Block::parse(&bytes, None).unwrap()
    }

    #[test]
    fn a_node_signs_by_its_own_name_unless_the_file_says_otherwise() {
        let signers = toml::from_str("\"h7:loop3\" = \"mail-1\"\nh7 = \"mail-2\"\n").unwrap();
        let names = Names { signers, nodes: BTreeSet::from(["mail-1".to_owned()]) };
        assert_eq!(names.reserver(reservation::key("mail-1")), "mail-1");
        assert_eq!(names.reserver(Key(0x1234)), "0x0000000000001234");
        for (node, device, signer) in [
            ("h7", "loop3", Some("mail-1")),
            ("h7", "sda", Some("mail-2")),
            ("mail-3", "sda", Some("mail-3")),
            ("", "sda", None),
        ] {
            assert_eq!(names.signer(&block(node, device)).as_deref(), signer, "{node}:{device}");
        }
    }
}
