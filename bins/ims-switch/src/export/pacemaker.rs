//! Groups as lines for `crm configure load update FILE` or as a script of `pcs` commands. The forms are those of
//! crmsh 4.4 and pcs 0.11.

use ims::Fail;
use ims::group::{Group, Kind, PINGPONG_INTERVAL, Resource};
use ims::layer::Layer;

use super::common::{in_order, lost_load, lost_policy, remark, requirements, seconds, shell};
use super::{Exported, ExportedFile};
use crate::import::pacemaker::OURS;
use crate::import::{Remark, RemarkKind};

/// Which tool reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// crm of crmsh.
    Crmsh,
    /// pcs.
    Pcs,
}

/// How much better a node is liked than the one after it.
const LIKED: usize = 100;

/// What a resource sticks to its node with unless its group goes back: more than any node is liked.
const STICKS: usize = 1_000_000;

/// The file that pcs works on until all of it is there.
const SHADOW: &str = "ims-groups.xml";

/// Writes the groups.
pub fn write(dialect: Dialect, groups: &[Group]) -> Result<Exported, Fail> {
    let mut exported = Exported::default();
    let mut lines = match dialect {
        Dialect::Crmsh => Vec::new(),
        Dialect::Pcs => {
            vec!["#!/bin/sh".to_owned(), "set -e".to_owned(), format!("pcs cluster cib {SHADOW}")]
        }
    };
    for group in in_order(groups)? {
        one(dialect, group, &mut lines, &mut exported.remarks);
    }
    if dialect == Dialect::Pcs {
        lines.push(format!("pcs cluster cib-push {SHADOW} --config"));
    }
    let file = match dialect {
        Dialect::Crmsh => "ims-groups.crm",
        Dialect::Pcs => "ims-groups.sh",
    };
    exported.files.push(ExportedFile { file: file.into(), text: lines.join("\n") + "\n" });
    Ok(exported)
}

fn one(dialect: Dialect, group: &Group, lines: &mut Vec<String>, remarks: &mut Vec<Remark>) {
    let name = &group.name;
    let mut members: Vec<&Resource> = Vec::new();
    for resource in &group.resources {
        let Some((agent, mut parameters)) = agent(group, resource, remarks) else { continue };
        lost_policy(group, resource, remarks);
        if dialect == Dialect::Crmsh {
            parameters.retain(|(key, value)| {
                let is_taken = value.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
                if !is_taken {
                    let what = format!(
                        "{}: {key}: crm spoils what is not plain ASCII; set it in the CIB, or write for pcs",
                        resource.name
                    );
                    remarks.push(remark(RemarkKind::Lost, group, what));
                }
                is_taken
            });
        }
        lines.push(primitive(dialect, group, resource, &agent, &parameters));
        members.push(resource);
    }
    if members.is_empty() {
        remarks.push(remark(
            RemarkKind::Lost,
            group,
            format!("{name} has no resource that Pacemaker could have"),
        ));
        return;
    }
    let is_left_out = |resource: &Resource| !members.iter().any(|member| member.name == resource.name);
    let required = requirements(group, is_left_out);
    let is_chain = members
        .iter()
        .zip(members.iter().skip(1))
        .all(|(first, then)| required.get(&then.name).is_some_and(|names| names.contains(&&first.name)));
    if !is_chain {
        let what = format!("{name}: a group of Pacemaker is a chain, its members start one after the other");
        remarks.push(remark(RemarkKind::Changed, group, what));
    }
    let what =
        format!("{name}: nodes of the cluster that are not named may have it too, unless they are forbidden");
    remarks.push(remark(RemarkKind::Changed, group, what));
    let sticks = if group.failback { 0 } else { STICKS };
    match dialect {
        Dialect::Crmsh => {
            let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
            lines.push(format!("group {name} {} \\\n    meta resource-stickiness={sticks}", names.join(" ")));
        }
        Dialect::Pcs => {
            lines.push(format!("pcs -f {SHADOW} resource meta {name} resource-stickiness={sticks}"));
        }
    }
    let scores = (1..=group.nodes.len()).rev().map(|place| place * LIKED);
    for (node, score) in group.nodes.iter().zip(scores) {
        lines.push(match dialect {
            Dialect::Crmsh => format!("location {name}-on-{node} {name} {score}: {node}"),
            Dialect::Pcs => format!("pcs -f {SHADOW} constraint location {name} prefers {node}={score}"),
        });
    }
    bonds(dialect, group, lines, remarks);
    for first in group.needed_groups() {
        lines.push(match dialect {
            Dialect::Crmsh => format!("order {first}-before-{name} Mandatory: {first} {name}"),
            Dialect::Pcs => format!("pcs -f {SHADOW} constraint order start {first} then start {name}"),
        });
    }
}

/// Bonds with other groups as colocations; a score of 1 says which of them is only rather so.
fn bonds(dialect: Dialect, group: &Group, lines: &mut Vec<String>, remarks: &mut Vec<Remark>) {
    let name = &group.name;
    let scores = ["INFINITY", "-INFINITY", "1", "-1"];
    for (score, (_, others)) in scores.into_iter().zip(group.bonds.lists()) {
        for other in others {
            lines.push(match dialect {
                Dialect::Crmsh => format!("colocation {name}-and-{other} {score}: {name} {other}"),
                Dialect::Pcs => {
                    format!("pcs -f {SHADOW} constraint colocation add {name} with {other} {score}")
                }
            });
        }
    }
    if !group.bonds.together_with.is_empty() {
        let what = format!("{name}: read back, what is always together is one group");
        remarks.push(remark(RemarkKind::Changed, group, what));
    }
    lost_load(group, remarks);
    if group.pingpong_interval != PINGPONG_INTERVAL {
        let seconds = group.pingpong_interval.as_secs();
        let what = format!("pingpong_interval = {seconds}: a node is open again after the failure-timeout");
        remarks.push(remark(RemarkKind::Lost, group, what));
    }
}

type Parameters = Vec<(String, String)>;

/// The agent of a resource and its parameters; nothing when there is none, which is told.
fn agent(group: &Group, resource: &Resource, remarks: &mut Vec<Remark>) -> Option<(String, Parameters)> {
    let name = &resource.name;
    let mut say = |kind, what: String| remarks.push(remark(kind, group, what));
    let of = |agent: &str, parameters: &[(&str, String)]| {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Some((format!("ocf:{agent}"), parameters))
    };
    match &resource.kind {
        Kind::Nic { device } => {
            say(
                RemarkKind::Lost,
                format!("{name}: {device} would be watched by a clone of ocf:heartbeat:ethmonitor"),
            );
            None
        }
        Kind::LogicalIp { address, device } => of(
            "heartbeat:IPaddr2",
            &[
                ("ip", address.address().to_string()),
                ("cidr_netmask", address.prefix().to_string()),
                ("nic", device.clone()),
            ],
        ),
        Kind::Volume(volume) => {
            if volume.guard.is_some() || volume.lease.is_some() || !volume.layers.is_empty() {
                say(
                    RemarkKind::Lost,
                    format!("{name}: layers, guard and lease; Pacemaker relies on its fencing"),
                );
            }
            let mut parameters = vec![
                ("device", volume.device.display().to_string()),
                ("directory", volume.mount.display().to_string()),
                ("fstype", volume.fstype.word().to_owned()),
            ];
            let options = volume.options.as_str();
            if !options.is_empty() {
                parameters.push(("options", options.to_owned()));
            }
            of("heartbeat:Filesystem", &parameters)
        }
        Kind::DiskGroup { layers } => match layers.as_slice() {
            [Layer::Zfs(pool)] => {
                say(RemarkKind::Changed, format!("{name} is ocf:heartbeat:ZFS"));
                of("heartbeat:ZFS", &[("pool", pool.clone())])
            }
            [Layer::Lvm { group: volumes, volume: None }] => {
                say(RemarkKind::Changed, format!("{name} is ocf:heartbeat:LVM-activate, by system_id"));
                let access = ("vg_access_mode", "system_id".to_owned());
                of("heartbeat:LVM-activate", &[("vgname", volumes.clone()), access])
            }
            _ => {
                say(RemarkKind::Lost, format!("{name}: no one agent has these layers"));
                None
            }
        },
        Kind::DirectoryServer { instance } => {
            of(&format!("{OURS}:directory-server"), &[("instance", instance.to_string())])
        }
        Kind::MessagingServer { instance } => {
            of(&format!("{OURS}:messaging-server"), &[("instance", instance.to_string())])
        }
        Kind::Command(_) => {
            say(RemarkKind::Lost, format!("{name}: Pacemaker runs agents, no command lines; make it a unit"));
            None
        }
        Kind::Ocf(ocf) => Some((format!("ocf:{}:{}", ocf.provider, ocf.agent), ocf.parameters.clone())),
    }
}

fn primitive(
    dialect: Dialect,
    group: &Group,
    resource: &Resource,
    agent: &str,
    parameters: &[(String, String)],
) -> String {
    let (name, limits, policy) = (&resource.name, &resource.limits, &resource.policy);
    let quote = |value: &str| match dialect {
        Dialect::Crmsh => quoted(value),
        Dialect::Pcs => shell(value),
    };
    let told: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={}", quote(value))).collect();
    let told = told.join(" ");
    let start = format!("start timeout={}s interval=0s", seconds(limits.online_timeout));
    let stop = format!("stop timeout={}s interval=0s", seconds(limits.offline_timeout));
    let (every, within) = (seconds(policy.monitor_interval), seconds(policy.monitor_timeout));
    let monitor = format!("monitor interval={every}s timeout={within}s");
    let threshold = policy.restart_limit.saturating_add(1);
    let meta = format!("migration-threshold={threshold} failure-timeout={}s", seconds(policy.conf_interval));
    match dialect {
        Dialect::Crmsh => {
            let params = if told.is_empty() { String::new() } else { format!(" \\\n    params {told}") };
            format!(
                "primitive {name} {agent}{params} \\\n    op {start} \\\n    op {stop} \\\n    op {monitor} \\\n    meta {meta}"
            )
        }
        Dialect::Pcs => {
            let told = if told.is_empty() { String::new() } else { format!(" {told}") };
            format!(
                "pcs -f {SHADOW} resource create {name} {agent}{told} \\\n    op {start} {stop} {monitor} \\\n    meta {meta} --group {}",
                group.name
            )
        }
    }
}

/// A value as crmsh takes it.
fn quoted(value: &str) -> String {
    let is_plain =
        !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@,%+".contains(c));
    if is_plain {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
