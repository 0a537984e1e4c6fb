//! Groups as a script of Sun Cluster 3: `scrgadm` and `scswitch`, or `clrg`, `clrs` and their like. What its commands
//! cannot say of an address or a volume stands there in files of its own, and here in comments.

use ims::Fail;
use ims::group::{Group, Kind, Resource};
use ims::instance::Instance;
use ims::layer::Layer;
use ims::layout::Layout;
use ims::name::{GroupName, NodeName};

use super::common::{default_policy, in_order, lost_load, lost_policy, remark, requirements, seconds, shell};
use super::{Exported, ExportedFile};
use crate::import::{Remark, RemarkKind};

/// Which commands are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Those of 3.0 and 3.1.
    Scrgadm,
    /// Those of 3.2 and later.
    Clrg,
}

/// A resource as Sun Cluster has it: its type, and its properties, those of its type (`-x`) marked.
struct Sun {
    kind: &'static str,
    properties: Vec<(bool, String)>,
}

/// Writes the script.
pub fn write(dialect: Dialect, groups: &[Group], known: &[Instance]) -> Result<Exported, Fail> {
    let mut exported = Exported::default();
    let (mut head, mut body) = (Vec::new(), Vec::new());
    let mut types: Vec<&'static str> = Vec::new();
    for group in in_order(groups)? {
        body.push(String::new());
        let mut left_out = Vec::new();
        let mut made: Vec<(&Resource, Sun)> = Vec::new();
        for resource in &group.resources {
            match sun(group, resource, known, &mut head, &mut exported.remarks)? {
                Some(sun) => made.push((resource, sun)),
                None => left_out.push(&resource.name),
            }
            lost_policy(group, resource, &mut exported.remarks);
        }
        lost_load(group, &mut exported.remarks);
        let required = requirements(group, |resource| left_out.contains(&&resource.name));
        body.push(of_group(dialect, group, &made));
        let online = match dialect {
            Dialect::Scrgadm => format!("scswitch -Z -g {}", group.name),
            Dialect::Clrg => format!("clrg online -eM {}", group.name),
        };
        let mut has_directory = false;
        for (resource, sun) in made {
            // A mail server is validated as it is made, by what the directory server says.
            if sun.kind == "SUNW.ims" && has_directory {
                body.push(online.clone());
            }
            has_directory |= sun.kind == "SUNW.nsldap";
            let mut properties = sun.properties;
            let names = required.get(&resource.name).cloned().unwrap_or_default();
            if !names.is_empty() {
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                properties.push((false, format!("Resource_dependencies={}", names.join(","))));
            }
            properties.extend(times(resource));
            if sun.kind != "-" && !types.contains(&sun.kind) {
                types.push(sun.kind);
            }
            body.push(of_resource(dialect, group, resource, sun.kind, &properties));
        }
        body.push(online);
    }
    let mut lines = vec!["#!/bin/sh".to_owned(), "set -e".to_owned()];
    lines.extend(head.into_iter().map(|line| format!("# {line}")));
    lines.extend(types.into_iter().map(|kind| match dialect {
        Dialect::Scrgadm => format!("scrgadm -a -t {kind}"),
        Dialect::Clrg => format!("clrt register {kind}"),
    }));
    lines.append(&mut body);
    let file = match dialect {
        Dialect::Scrgadm => "scrgadm.sh",
        Dialect::Clrg => "clrg.sh",
    };
    exported.files.push(ExportedFile { file: file.into(), text: lines.join("\n") + "\n" });
    Ok(exported)
}

/// What a resource is there; nothing when there is no such thing, which is told.
fn sun(
    group: &Group,
    resource: &Resource,
    known: &[Instance],
    head: &mut Vec<String>,
    remarks: &mut Vec<Remark>,
) -> Result<Option<Sun>, Fail> {
    let name = &resource.name;
    let mut say = |kind, what: String| remarks.push(remark(kind, group, what));
    let (kind, own): (&'static str, Vec<String>) = match &resource.kind {
        Kind::Nic { device } => {
            say(
                RemarkKind::Lost,
                format!("{name}: logical hosts watch their interfaces themselves ({device})"),
            );
            return Ok(None);
        }
        Kind::LogicalIp { address, device } => {
            head.push(format!("/etc/hosts: {} {name}", address.address()));
            let told =
                format!("{name}: {address} on {device} stands in /etc/hosts, /etc/netmasks and IPMP there");
            say(RemarkKind::Changed, told);
            ("-", vec![name.to_string()])
        }
        Kind::Volume(volume) => {
            let mount = volume.mount.display();
            let (device, fstype) = (volume.device.display(), volume.fstype.word());
            let options = Some(volume.options.as_str()).filter(|options| !options.is_empty()).unwrap_or("-");
            head.push(format!("/etc/vfstab: {device} - {mount} {fstype} - no {options}"));
            say(RemarkKind::Changed, format!("{name}: {device} of {mount} stands in /etc/vfstab there"));
            if volume.guard.is_some() || volume.lease.is_some() || !volume.layers.is_empty() {
                say(
                    RemarkKind::Lost,
                    format!("{name}: layers, guard and lease; the cluster reserves its disks"),
                );
            }
            ("SUNW.HAStoragePlus", vec![format!("FilesystemMountPoints={mount}")])
        }
        Kind::DiskGroup { layers } => {
            let pools: Option<Vec<&str>> = layers
                .iter()
                .map(|layer| match layer {
                    Layer::Zfs(pool) => Some(pool.as_str()),
                    Layer::Md(_) | Layer::Lvm { .. } | Layer::Drbd(_) | Layer::Btrfs(_) | Layer::Vxvm(_) => {
                        None
                    }
                })
                .collect();
            let Some(pools) = pools else {
                say(RemarkKind::Lost, format!("{name}: device groups are brought along by their volumes"));
                return Ok(None);
            };
            ("SUNW.HAStoragePlus", vec![format!("Zpools={}", pools.join(","))])
        }
        Kind::DirectoryServer { instance } => {
            let found = known.iter().find(|known| known.ldap.as_ref() == Some(instance));
            let folder = found.and_then(Instance::ldap_dir).ok_or_else(|| {
                Fail::usage(format!(
                    "{}: no entry of the registry has the directory server '{instance}'",
                    group.name
                ))
                .hint("add it with ims-registry add; Sun Cluster is told its folder")
            })?;
            ("SUNW.nsldap", vec![format!("Confdir_list={}", folder.display())])
        }
        Kind::MessagingServer { instance } => {
            let found = known.iter().find(|known| known.name == *instance).ok_or_else(|| {
                Fail::usage(format!("{}: no instance '{instance}' in the registry", group.name))
                    .hint("add it with ims-registry add; Sun Cluster is told its server root")
            })?;
            let root = format!("IMS_serverroot={}", found.root.display());
            match found.layout {
                Layout::Iplanet5 => ("SUNW.ims", vec![root, format!("IMS_instance={instance}")]),
                Layout::Messaging6 => ("SUNW.ims", vec![root]),
                Layout::PostfixDovecot => {
                    say(RemarkKind::Lost, format!("{name}: Sun Cluster has no type for Postfix and Dovecot"));
                    return Ok(None);
                }
            }
        }
        Kind::Command(commands) => {
            let lines = [&commands.start, &commands.stop, &commands.monitor];
            if lines.iter().any(|words| words.iter().any(|word| shell(word) != *word)) {
                say(RemarkKind::Lost, format!("{name}: a word of its command lines needs quotes"));
                return Ok(None);
            }
            if commands.offline_status != [1] {
                say(RemarkKind::Lost, format!("{name}: offline_status; there any status but 0 is a fault"));
            }
            let named = ["Start_command", "Stop_command", "Probe_command"].into_iter().zip(lines);
            ("SUNW.gds", named.map(|(key, words)| format!("{key}={}", words.join(" "))).collect())
        }
        Kind::Ocf(_) => {
            say(RemarkKind::Lost, format!("{name}: Sun Cluster runs no OCF agents"));
            return Ok(None);
        }
    };
    Ok(Some(Sun { kind, properties: own.into_iter().map(|property| (true, property)).collect() }))
}

/// The times and limits that are not the usual ones.
fn times(resource: &Resource) -> Vec<(bool, String)> {
    let (policy, limits, usual) = (&resource.policy, &resource.limits, default_policy());
    let five_minutes = std::time::Duration::from_secs(300);
    let mut told = Vec::new();
    for (key, time, usual) in [
        ("Start_timeout", limits.online_timeout, five_minutes),
        ("Stop_timeout", limits.offline_timeout, five_minutes),
        ("Thorough_probe_interval", policy.monitor_interval, usual.monitor_interval),
        ("Retry_interval", policy.conf_interval, usual.conf_interval),
    ] {
        if time != usual {
            told.push((false, format!("{key}={}", seconds(time))));
        }
    }
    if policy.restart_limit != usual.restart_limit {
        told.push((false, format!("Retry_count={}", policy.restart_limit)));
    }
    if policy.monitor_timeout != usual.monitor_timeout {
        told.push((true, format!("Probe_timeout={}", seconds(policy.monitor_timeout))));
    }
    told
}

fn of_group(dialect: Dialect, group: &Group, made: &[(&Resource, Sun)]) -> String {
    let nodes: Vec<&str> = group.nodes.iter().map(NodeName::as_str).collect();
    let mut properties = Vec::new();
    if !group.requires_groups.is_empty() {
        let names: Vec<&str> = group.requires_groups.iter().map(GroupName::as_str).collect();
        properties.push(format!("RG_dependencies={}", names.join(",")));
    }
    if group.failback {
        properties.push("Failback=TRUE".to_owned());
    }
    if group.pingpong_interval.as_secs() != 3600 {
        properties.push(format!("Pingpong_interval={}", group.pingpong_interval.as_secs()));
    }
    let signs = ["++", "--", "+", "-"];
    let bonds = signs
        .iter()
        .zip(group.bonds.lists())
        .flat_map(|(sign, (_, names))| names.iter().map(move |name| format!("{sign}{name}")));
    let bonds: Vec<String> = bonds.collect();
    if !bonds.is_empty() {
        properties.push(format!("RG_affinities={}", bonds.join(",")));
    }
    if !has_the_implied(group, made) {
        properties.push("Implicit_network_dependencies=FALSE".to_owned());
    }
    let told: Vec<String> = properties
        .iter()
        .map(|property| match dialect {
            Dialect::Scrgadm => format!(" -y {}", shell(property)),
            Dialect::Clrg => format!(" -p {}", shell(property)),
        })
        .collect();
    match dialect {
        Dialect::Scrgadm => format!("scrgadm -a -g {} -h {}{}", group.name, nodes.join(","), told.concat()),
        Dialect::Clrg => format!("clrg create -n {}{} {}", nodes.join(","), told.concat(), group.name),
    }
}

/// Whether each server requires what Sun Cluster would have it require: every address, unless another server that it
/// requires does.
fn has_the_implied(group: &Group, made: &[(&Resource, Sun)]) -> bool {
    let is_server = |sun: &Sun| ["SUNW.nsldap", "SUNW.ims", "SUNW.gds"].contains(&sun.kind);
    let addresses: Vec<&Resource> =
        made.iter().filter(|(_, sun)| sun.kind == "-").map(|(resource, _)| *resource).collect();
    made.iter().filter(|(_, sun)| is_server(sun)).all(|(resource, _)| {
        let waits =
            resource.requires.iter().filter_map(|name| group.get(name)).any(|required| {
                made.iter().any(|(other, sun)| other.name == required.name && is_server(sun))
            });
        waits || addresses.iter().all(|address| resource.requires.contains(&address.name))
    })
}

fn of_resource(
    dialect: Dialect,
    group: &Group,
    resource: &Resource,
    kind: &str,
    properties: &[(bool, String)],
) -> String {
    let (group, name) = (&group.name, &resource.name);
    let is_address = kind == "-";
    let told: Vec<String> = properties
        .iter()
        .filter(|(_, property)| property.contains('='))
        .map(|(is_own, property)| {
            let letter = match (dialect, is_own) {
                (Dialect::Scrgadm, true) => "x",
                (Dialect::Scrgadm, false) => "y",
                (Dialect::Clrg, _) => "p",
            };
            format!(" \\\n    -{letter} {}", shell(property))
        })
        .collect();
    let told = told.concat();
    match (dialect, is_address) {
        (Dialect::Scrgadm, true) => format!("scrgadm -a -L -g {group} -j {name} -l {name}{told}"),
        (Dialect::Scrgadm, false) => format!("scrgadm -a -j {name} -t {kind} -g {group}{told}"),
        (Dialect::Clrg, true) => format!("clrslh create -g {group} -h {name}{told} {name}"),
        (Dialect::Clrg, false) => format!("clrs create -g {group} -t {kind}{told} \\\n    {name}"),
    }
}
