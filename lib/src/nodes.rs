//! `/etc/ims/nodes.toml`: how each node is reached and how it is fenced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::keys::{self, Keys, Source};
use crate::load::Load;
use crate::name::NodeName;
use crate::{Fail, Host, sys};

/// Where the nodes are described, the same bytes on every node.
pub const PATH: &str = "/etc/ims/nodes.toml";

const KEYS: &[&str] = &[
    "reach",
    "reach_timeout",
    "lost_status",
    "fence",
    "fence_options",
    "fence_secrets",
    "fence_timeout",
    "capacity",
];

/// How one node is reached and fenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The command that runs another there, such as `ssh root@mail-2`; empty when it cannot be reached.
    pub reach: Vec<String>,
    /// How long it may take until the other end answers.
    pub reach_timeout: Duration,
    /// The exit statuses of `reach` that say that there is no connection; 255 for ssh.
    pub lost_status: Vec<i32>,
    /// The fence agent and its arguments; empty when the node cannot be fenced.
    pub fence: Vec<String>,
    /// What the fence agent is told on its stdin, one `key=value` a line.
    pub fence_options: Vec<(String, String)>,
    /// A file of further such lines, for passwords.
    pub fence_secrets: Option<PathBuf>,
    /// How long the fence agent may take.
    pub fence_timeout: Duration,
    /// How much the groups on it may ask for together; of what is not named there is no end.
    pub capacity: Load,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            reach: Vec::new(),
            reach_timeout: Duration::from_secs(5),
            lost_status: vec![255],
            fence: Vec::new(),
            fence_options: Vec::new(),
            fence_secrets: None,
            fence_timeout: Duration::from_secs(60),
            capacity: Load::default(),
        }
    }
}

/// Every node that is described.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nodes(BTreeMap<NodeName, Node>);

impl Nodes {
    /// Reads the file's text; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        keys::read(Source { file, text }, |top| {
            let mut nodes = BTreeMap::new();
            for (name, keys) in top.tables(None)? {
                let name: NodeName = name.parse().map_err(|e: Fail| keys.source().wrong(keys.span(), e))?;
                nodes.insert(name, node(&keys)?);
            }
            Ok(Self(nodes))
        })
    }

    /// Reads the nodes of a host; without the file no other node is known.
    pub fn load(host: &Host) -> Result<Self, Fail> {
        let path = host.path(PATH);
        sys::file::read_text(&path)?.map_or_else(|| Ok(Self::default()), |text| Self::parse(&text, &path))
    }

    /// The names of all of them.
    pub fn names(&self) -> impl Iterator<Item = &NodeName> {
        self.0.keys()
    }

    /// The node of that name.
    pub fn get(&self, name: &NodeName) -> Option<&Node> {
        self.0.get(name)
    }
}

fn node(keys: &Keys<'_>) -> Result<Node, Fail> {
    keys.only(KEYS)?;
    let usual = Node::default();
    let words = |key| keys.texts(key).map(|words| words.into_iter().map(ToOwned::to_owned).collect());
    Ok(Node {
        reach: words("reach")?,
        reach_timeout: keys.time("reach_timeout", usual.reach_timeout)?,
        lost_status: keys.numbers("lost_status")?.unwrap_or(usual.lost_status),
        fence: words("fence")?,
        fence_options: keys.pairs("fence_options")?,
        fence_secrets: keys.text("fence_secrets")?.map(PathBuf::from),
        fence_timeout: keys.time("fence_timeout", usual.fence_timeout)?,
        capacity: Load::new(keys.amounts("capacity")?.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_reached_and_fenced_by_commands() {
        let text = "[mail-2]\nreach = [\"ssh\", \"root@mail-2\"]\nfence = [\"fence_ipmilan\"]\n\
                    fence_options = { ip = \"192.0.2.200\", lanplus = true }\nreach_timeout = \"800ms\"\n";
        let nodes = Nodes::parse(text, Path::new("nodes.toml")).unwrap();
        let node = nodes.get(&"mail-2".parse().unwrap()).unwrap();
        assert_eq!(node.reach, ["ssh", "root@mail-2"]);
        assert_eq!(node.reach_timeout, Duration::from_millis(800));
        assert_eq!(
            node.fence_options,
            [("ip".to_owned(), "192.0.2.200".to_owned()), ("lanplus".to_owned(), "true".to_owned())]
        );
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, message) in [
            ("[mail-2]\nreech = []\n", "nodes.toml:2: unknown key 'reech' (did you mean 'reach'?)"),
            ("[mail-2]\nreach = \"ssh\"\n", "nodes.toml:2: reach is string, not a list of texts"),
            ("\nmail-2 = 1\n", "nodes.toml:2: mail-2 is integer, not a table"),
            ("[spare]\ncapacity = 1\n", "nodes.toml:2: capacity is integer, not a table"),
            ("[spare]\ncapacity = { groups = -1 }\n", "nodes.toml:2: groups is below 0 or too large"),
            (
                "[spare]\ncapacity = { groups = \"1\" }\n",
                "nodes.toml:2: groups is string, not a whole number",
            ),
        ] {
            let fail = Nodes::parse(text, Path::new("nodes.toml")).unwrap_err();
            assert_eq!(fail.to_string(), message, "{text}");
        }
    }
}
