//! What a person still has to do for a model, in the order in which it is done: the disks, the servers, the ports.

use ims::name::NodeName;

use crate::cli::model::{Fstype, Kind, Mirror};

use super::plan::{Laid, Placed};

/// Where the notes are kept.
pub const PATH: &str = "/etc/ims/model.txt";

/// The notes.
pub fn notes(laid: &Laid) -> String {
    let mut parts = vec![head(laid), storage(laid), nodes(laid), ports(laid), first(laid)];
    if !laid.decided.is_empty() {
        let lines: String = laid.decided.iter().map(|line| format!("  {line}\n")).collect();
        parts.push(format!("Decided because nothing was said\n{lines}"));
    }
    parts.join("\n")
}

fn list(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ")
}

fn head(laid: &Laid) -> String {
    let mut text = format!("Model: {}, nodes {}\n", laid.model.word(), list(&laid.nodes));
    for placed in &laid.instances {
        let mut nodes = placed.nodes.iter();
        let mut next = || nodes.next().map(ToString::to_string).unwrap_or_default();
        text += &format!(
            "  {} runs {}, and {} is its backup ({})\n",
            next(),
            placed.instance.name,
            next(),
            placed.group
        );
    }
    text += match laid.model {
        Kind::Asymmetric => "The backup is idle until then, and has nothing else to do.\n",
        Kind::Symmetric => {
            "After a failure one node runs all instances: both need the memory, processes and disk paths for all of them.\n\
             Repair the other soon and bring its groups back by hand (failback is false): ims-switch move GROUP --to NODE\n"
        }
        Kind::NPlusOne => {
            "No two primaries are each other's backup, so their instances never meet but on the standby. Nothing limits\n\
             how many groups the standby takes: it needs the memory, processes and disk paths for all of them at once.\n\
             After a repair bring the groups back by hand (failback is false): ims-switch move GROUP --to NODE\n"
        }
    };
    text
}

fn storage(laid: &Laid) -> String {
    let mut text = String::from("Storage, once, on one node; each command destroys what is on its disks\n");
    for placed in &laid.instances {
        let (name, device) = (&placed.instance.name, placed.device.display());
        let disk = match laid.mirror {
            Mirror::Md => {
                let [a, b] = ["first", "second"]
                    .map(|which| format!("DISK-OF-{name}-ON-THE-{}-ARRAY", which.to_uppercase()));
                text += &format!(
                    "  mdadm --create /dev/md/{name} --homehost=any --level=1 --raid-devices=2 --bitmap=internal {a} {b}\n"
                );
                device.to_string()
            }
            Mirror::Drbd => {
                text += &format!(
                    "  (on both nodes, with /etc/drbd.d/{name}.res) drbdadm create-md {name}; drbdadm up {name}\n  \
                     drbdadm primary --force {name}\n"
                );
                device.to_string()
            }
            Mirror::None if placed.device.starts_with("/dev/disk/by-label") => format!("DISK-OF-{name}"),
            Mirror::None => device.to_string(),
        };
        let label = placed.device.strip_prefix("/dev/disk/by-label").map_or_else(
            |_| name.as_str().get(..laid.fstype.longest_label()).unwrap_or(name.as_str()).to_owned(),
            |label| label.display().to_string(),
        );
        text += &match laid.fstype {
            Fstype::Ext4 => format!("  mkfs.ext4 -O mmp -L {label} {disk}\n"),
            Fstype::Xfs => format!("  mkfs.xfs -L {label} {disk}\n"),
        };
    }
    match laid.fstype {
        Fstype::Ext4 => {}
        Fstype::Xfs => {
            text += "XFS has no guard of its own: give its disk reservations (guard = \"reservation\") or a lease of sanlock\n\
                     (lease = ...), or it is not taken; see ims-diskctl(8).\n";
        }
    }
    text += match laid.mirror {
        Mirror::Md => {
            "Both nodes must reach both disk arrays, and neither may assemble the mirrors at boot:\n  \
             echo 'AUTO -all' >>/etc/mdadm/mdadm.conf; update-initramfs -u\n"
        }
        Mirror::Drbd => "Each node has one copy; DRBD keeps them alike.\n",
        Mirror::None => {
            "Both nodes of a group must reach its disk, and none may mount it at boot (not in /etc/fstab).\n"
        }
    };
    text
}

fn nodes(laid: &Laid) -> String {
    let mut text = format!("On each of {}\n", list(&laid.nodes));
    for placed in &laid.instances {
        text += &format!("  mkdir -p {}    # {}\n", placed.mount.display(), list(&placed.nodes));
    }
    text + "  the same groups, nodes.toml and entries of the registry, and the same numeric ids of the servers' users;\n  \
            a fence agent for each node in nodes.toml\n"
}

fn ports(laid: &Laid) -> String {
    let mut text = String::from(
        "Ports: instances that may meet on a node are told apart by their addresses; ims-ipbind set binds each to its own\n",
    );
    for placed in &laid.instances {
        text += &port(placed);
    }
    text + "  ims-portcheck says, with all of them installed, whether any two would still collide\n"
}

fn port(placed: &Placed) -> String {
    let name = &placed.instance.name;
    let addresses: Vec<String> = placed.instance.addresses.iter().map(ToString::to_string).collect();
    let mut text = format!("  {name} at {}", addresses.join(", "));
    if let Some((port, files)) = placed.job_controller.zip(ims::layout::messaging::files(&placed.instance)) {
        text += &format!(": TCP_PORT={port} in {}", files.job_controller.display());
    }
    text + "\n"
}

fn first(laid: &Laid) -> String {
    let mut text = String::from("Then, for each instance\n");
    for placed in &laid.instances {
        let addresses: String =
            placed.instance.addresses.iter().map(|address| format!(" --address {address}")).collect();
        text += &format!(
            "  {}: install it below {} where its volume and address are, then ims-ipbind set {}{addresses}\n",
            placed.group,
            placed.instance.root.display(),
            placed.instance.name,
        );
    }
    text + "  ims-switch check; ims-switch online GROUP; ims-switch move GROUP, there and back\n"
}
