//! Volumes beside the resource agent that clusters use for them, and beside the two system calls that cannot be spared.

mod agent;
mod bare;
mod crash;
mod dirty;

use std::time::Duration;

use super::bound;
use super::pair::parts_in_turn;
use crate::support::{Bed, Node, Ran};

pub use bare::be_asked;

/// What ten idle volumes may take to be released, the median of the run.
const TEN_RELEASED: Duration = Duration::from_millis(300);

/// All of it; gives what was missed.
pub fn volumes() -> Vec<String> {
    let mut missed = Vec::new();
    {
        let bed = Bed::new();
        let node = bed.node("mail-1");
        missed.extend(agent::beside(&bed, &node));
        missed.extend(ten(&bed, &node));
        dirty::files(&bed, &node);
    }
    missed.extend(crash::takeover());
    missed
}

/// A volume at a folder of a node.
struct Volume {
    device: String,
    mount: String,
}

impl Volume {
    /// A new disk with the options of mkfs.ext4, at its own folder of the node.
    fn new(bed: &Bed, node: &Node, mib: u64, options: &str) -> Self {
        let disk = bed.disk(mib, options);
        node.attach(&disk);
        let device = disk.device();
        let mount = format!("/srv{}", device.trim_start_matches("/dev"));
        node.sh(&format!("mkdir -p {mount}")).ok();
        Self { device, mount }
    }

    /// `ims-diskctl VERB` of it.
    fn run(&self, node: &Node, verb: &str, more: &[&str]) -> Ran {
        let fixed = ["ims-diskctl", verb, "--device", &self.device, "--mount", &self.mount];
        node.command(fixed.iter().chain(more).copied()).deadline(Duration::from_secs(120)).run()
    }
}

/// Ten idle volumes released at once, beside ten bare unmounts.
fn ten(bed: &Bed, node: &Node) -> Option<String> {
    let volumes: Vec<Volume> = (0..10).map(|_| Volume::new(bed, node, 16, "-O mmp")).collect();
    let mut group = "nodes = [\"mail-1\"]\n".to_owned();
    for (number, volume) in volumes.iter().enumerate() {
        let Volume { device, mount } = volume;
        group +=
            &format!("[resource.v{number}]\ntype = \"volume\"\ndevice = \"{device}\"\nmount = \"{mount}\"\n");
    }
    node.file("/etc/ims/groups/TEN-RG.toml", &group);
    let released = parts_in_turn(
        10,
        || {
            node.run(["ims-diskctl", "take", "TEN-RG"]).ok();
            node.run(["ims-diskctl", "release", "TEN-RG"]).ok().took
        },
        || {
            for volume in &volumes {
                bare::mount(node, volume);
            }
            volumes.iter().map(|volume| bare::unmount(node, volume)).sum()
        },
    );
    released.tell(
        "ten idle volumes released",
        "ims-diskctl release GROUP",
        "ten umount(2), one after the other",
    );
    bound(released.ours() <= TEN_RELEASED, format!("ten idle volumes released within {TEN_RELEASED:?}"))
}
