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
        let title = "Decided because nothing was said".to_owned();
        parts.push(
            std::iter::once(title).chain(laid.decided.iter().map(|line| format!("  {line}"))).collect(),
        );
    }
    let parts: Vec<String> = parts.into_iter().map(|lines| lines.join("\n") + "\n").collect();
    parts.join("\n")
}

fn list(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ")
}

fn head(laid: &Laid) -> Vec<String> {
    let mut lines = vec![format!("Model: {}, nodes {}", laid.model.word(), list(&laid.nodes))];
    for placed in &laid.instances {
        let (name, group) = (&placed.instance.name, &placed.group);
        if let [node, backup] = placed.nodes.as_slice() {
            lines.push(format!("  {node} runs {name}, and {backup} is its backup ({group})"));
        }
    }
    let words: &[&str] = match laid.model {
        Kind::Asymmetric => &["The backup is idle until then, and has nothing else to do."],
        Kind::Symmetric => &[
            "After a failure one node runs all instances: both need the memory, processes and disk paths for all of them.",
            "Repair the other soon and bring its groups back by hand (failback is false): ims-switch move GROUP --to NODE",
        ],
        Kind::NPlusOne => &[
            "No two primaries are each other's backup, so their instances never meet but on the standby.",
            "After a repair bring the groups back by hand (failback is false): ims-switch move GROUP --to NODE",
        ],
    };
    lines.extend(words.iter().map(ToString::to_string));
    if let (Some(capacity), Some(standby)) = (laid.capacity, laid.nodes.last()) {
        lines.push(format!(
            "{standby} takes {capacity} groups at most, and refuses more: it needs the memory, processes and disk paths"
        ));
        lines.push(format!(
            "for so many at once. A nodes.toml that was there needs capacity = {{ groups = {capacity} }} below [{standby}]."
        ));
    }
    lines
}

fn storage(laid: &Laid) -> Vec<String> {
    let mut lines = vec!["Storage, once, on one node; each command destroys what is on its disks".to_owned()];
    for placed in &laid.instances {
        lines.extend(made(laid, placed).into_iter().map(|line| format!("  {line}")));
    }
    if unguarded(laid) {
        lines.extend(
            [
                "XFS has no guard of its own: give its disk reservations (guard = \"reservation\") or a lease of sanlock",
                "(lease = ...) in the group file, or the volume is not taken; see ims-diskctl(8).",
            ]
            .map(ToOwned::to_owned),
        );
    }
    let words: &[&str] = match laid.mirror {
        Mirror::Md => &[
            "Both nodes must reach both disk arrays, and neither may assemble the mirrors at boot:",
            "  echo 'AUTO -all' >>/etc/mdadm/mdadm.conf; update-initramfs -u",
        ],
        Mirror::Drbd => &["Each node has one copy; DRBD keeps them alike."],
        Mirror::None => {
            &["Both nodes of a group must reach its disk, and none may mount it at boot (not in /etc/fstab)."]
        }
    };
    lines.extend(words.iter().map(ToString::to_string));
    lines
}

/// Whether nothing yet keeps a second node off the volumes: neither the file system nor DRBD does.
const fn unguarded(laid: &Laid) -> bool {
    match (laid.fstype, laid.mirror) {
        (Fstype::Ext4, _) | (Fstype::Xfs, Mirror::Drbd) => false,
        (Fstype::Xfs, Mirror::Md | Mirror::None) => true,
    }
}

/// The commands that make the volume of an instance.
fn made(laid: &Laid, placed: &Placed) -> Vec<String> {
    let (name, device) = (&placed.instance.name, placed.device.display());
    let by_label = placed.device.strip_prefix("/dev/disk/by-label").ok();
    let disk = match (laid.mirror, by_label) {
        (Mirror::None, Some(_)) => format!("DISK-OF-{name}"),
        (Mirror::Md | Mirror::Drbd | Mirror::None, _) => device.to_string(),
    };
    let label = by_label.map_or_else(
        || name.as_str().chars().take(laid.fstype.longest_label()).collect(),
        |label| label.display().to_string(),
    );
    let file_system = match laid.fstype {
        Fstype::Ext4 => format!("mkfs.ext4 -O mmp -L {label} {disk}"),
        Fstype::Xfs => format!("mkfs.xfs -L {label} {disk}"),
    };
    match laid.mirror {
        Mirror::Md => vec![
            format!(
                "mdadm --create /dev/md/{name} --homehost=any --level=1 --raid-devices=2 --bitmap=internal \\"
            ),
            format!("    DISK-OF-{name}-IN-THE-FIRST-ARRAY DISK-OF-{name}-IN-THE-SECOND-ARRAY"),
            file_system,
            format!("mdadm --stop /dev/md/{name}"),
        ],
        Mirror::Drbd => vec![
            format!(
                "drbdadm create-md {name}; drbdadm up {name}    # on both nodes, with /etc/drbd.d/{name}.res"
            ),
            format!("drbdadm primary --force {name}"),
            file_system,
            format!("drbdadm secondary {name}"),
        ],
        Mirror::None => vec![file_system],
    }
}

fn nodes(laid: &Laid) -> Vec<String> {
    let mut lines = vec![format!("On each of {}", list(&laid.nodes))];
    lines.extend(
        laid.instances
            .iter()
            .map(|placed| format!("  mkdir -p {}    # {}", placed.mount.display(), list(&placed.nodes))),
    );
    lines.push(
        "  the same groups, nodes.toml and entries of the registry, and the same numeric ids of the servers' users;"
            .to_owned(),
    );
    lines.push("  a fence agent for each node in nodes.toml".to_owned());
    lines
}

fn ports(laid: &Laid) -> Vec<String> {
    let mut lines = vec![
        "Ports: instances that may meet on a node are told apart by their addresses; ims-ipbind set binds each to its own"
            .to_owned(),
    ];
    lines.extend(laid.instances.iter().map(port));
    lines.push(
        "  ims-portcheck says, with all of them installed, whether any two would still collide".to_owned(),
    );
    lines
}

fn port(placed: &Placed) -> String {
    let addresses: Vec<String> = placed.instance.addresses.iter().map(ToString::to_string).collect();
    let at = format!("  {} at {}", placed.instance.name, addresses.join(", "));
    match placed.job_controller.zip(ims::layout::messaging::files(&placed.instance)) {
        Some((port, files)) => format!("{at}: TCP_PORT={port} in {}", files.job_controller.display()),
        None => at,
    }
}

fn first(laid: &Laid) -> Vec<String> {
    let mut lines = vec!["Then, for each instance".to_owned()];
    for placed in &laid.instances {
        let (group, name, root) = (&placed.group, &placed.instance.name, placed.instance.root.display());
        lines.push(format!(
            "  {group}: install it below {root} where its volume and address are, then ims-ipbind set {name}"
        ));
    }
    lines.push(
        "  ims-switch check; ims-switch online GROUP; ims-switch move GROUP, there and back".to_owned(),
    );
    lines
}
