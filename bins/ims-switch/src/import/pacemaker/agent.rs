//! Primitives as resources of a group file: the agents that have a counterpart as that, any other OCF agent as
//! itself.

use std::net::Ipv4Addr;
use std::path::Path;

use ims::name::ResourceName;
use ims::volume::{Fstype, Options};

use super::cib::{Pair, Primitive};
use crate::import::{DraftResource, Given, Remark, RemarkKind, Value};

/// The provider of this project's own agents.
pub const OURS: &str = "ims";

/// What a primitive becomes; nothing when it has no counterpart, which is told.
pub fn became(
    primitive: &Primitive,
    given: &Given,
    file: &Path,
    remarks: &mut Vec<Remark>,
) -> Option<DraftResource> {
    let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, primitive.line, what));
    let name: ResourceName = match primitive.id.parse() {
        Ok(name) => name,
        Err(fail) => {
            say(RemarkKind::Missing, ims::Fail::to_string(&fail));
            return None;
        }
    };
    let (class, provider, agent) =
        (primitive.class.as_str(), primitive.provider.as_str(), primitive.agent.as_str());
    match (class, provider, agent) {
        ("ocf", "heartbeat", "IPaddr2" | "IPaddr") => Some(address(name, primitive, given, file, remarks)),
        ("ocf", "heartbeat", "Filesystem") if is_on_a_disk(primitive) => {
            Some(volume(name, primitive, file, remarks))
        }
        ("ocf", OURS, "messaging-server" | "directory-server" | "nic") => {
            let mut resource = DraftResource::new(name, agent);
            let read = if agent == "nic" { "device" } else { "instance" };
            take(primitive, &[(read, read)], &mut resource, file, remarks);
            Some(resource)
        }
        ("ocf", ..) => Some(itself(name, primitive, file, remarks)),
        ("systemd" | "service", ..) => {
            say(RemarkKind::Changed, format!("{name}: a unit that has failed counts as down"));
            let mut unit = DraftResource::new(name, "command");
            for (key, verb) in
                [("start", &["start"][..]), ("stop", &["stop"]), ("monitor", &["is-active", "--quiet"])]
            {
                let words = ["systemctl"].iter().chain(verb).copied().chain([agent]);
                unit.set(key, Value::Texts(words.map(ToOwned::to_owned).collect()));
            }
            unit.set("offline_status", Value::Numbers(vec![3]));
            Some(unit)
        }
        ("lsb", ..) => {
            let mut script = DraftResource::new(name, "command");
            for (key, verb) in [("start", "start"), ("stop", "stop"), ("monitor", "status")] {
                script.set(key, Value::Texts(vec![format!("/etc/init.d/{agent}"), verb.to_owned()]));
            }
            script.set("offline_status", Value::Numbers(vec![3]));
            Some(script)
        }
        ("stonith", ..) => {
            say(RemarkKind::Lost, format!("{name}: say fence for each node in /etc/ims/nodes.toml"));
            None
        }
        _ => {
            say(RemarkKind::Lost, format!("{name}: no counterpart of {class}:{agent}; it was left out"));
            None
        }
    }
}

fn get<'a>(primitive: &'a Primitive, name: &str) -> Option<&'a str> {
    primitive.parameters.iter().find(|pair| pair.name == name).map(|pair| pair.value.as_str())
}

/// Sets the keys of the parameters that are read, and tells those that are not.
fn take(
    primitive: &Primitive,
    read: &[(&str, &str)],
    resource: &mut DraftResource,
    file: &Path,
    remarks: &mut Vec<Remark>,
) {
    for pair in &primitive.parameters {
        match read.iter().find(|(name, _)| *name == pair.name) {
            Some((_, "")) => {}
            Some((_, key)) => resource.set(key, pair.value.as_str()),
            None => {
                let what = format!("{} of {}: {} has no such key", pair.name, primitive.id, resource.kind);
                remarks.push(Remark::at(RemarkKind::Lost, file, pair.line, what));
            }
        }
    }
}

fn address(
    name: ResourceName,
    primitive: &Primitive,
    given: &Given,
    file: &Path,
    remarks: &mut Vec<Remark>,
) -> DraftResource {
    let mut resource = DraftResource::new(name, "logical-ip");
    let mut missing =
        |what: String| remarks.push(Remark::at(RemarkKind::Missing, file, primitive.line, what));
    let ip = get(primitive, "ip").unwrap_or_default();
    let told = get(primitive, "cidr_netmask").and_then(prefix).map(|prefix| format!("{ip}/{prefix}"));
    match told.or_else(|| given.address(ip).map(|address| address.to_string())) {
        Some(address) => resource.set("address", address),
        None => missing(format!(
            "the prefix length of {ip} is taken from a route there: add --address {ip}={ip}/PREFIX"
        )),
    }
    let nic = get(primitive, "nic").map(|nic| nic.split(':').next().unwrap_or(nic).to_owned());
    match nic.or_else(|| given.interface.clone()) {
        Some(device) => resource.set("device", device),
        None => missing(format!("the interface of {ip} is taken from a route there: add --interface DEVICE")),
    }
    take(primitive, &[("ip", ""), ("cidr_netmask", ""), ("nic", "")], &mut resource, file, remarks);
    resource
}

/// A prefix length: `24` or `255.255.255.0`.
fn prefix(text: &str) -> Option<u32> {
    if let Ok(mask) = text.parse::<Ipv4Addr>() {
        let bits = u32::from(mask);
        return (bits.leading_ones() == bits.count_ones()).then(|| bits.leading_ones());
    }
    text.parse().ok()
}

/// Whether a Filesystem is one of a disk, of a type and with options that a volume takes.
fn is_on_a_disk(primitive: &Primitive) -> bool {
    let device = get(primitive, "device").unwrap_or_default();
    let fstype = get(primitive, "fstype").unwrap_or_default();
    let options = get(primitive, "options").unwrap_or_default();
    (device.starts_with("/dev/") || device.starts_with("-U") || device.starts_with("-L"))
        && fstype.parse::<Fstype>().is_ok()
        && options.parse::<Options>().is_ok()
        && !["tmpfs", "none", "gfs2", "ocfs2"].contains(&fstype)
}

fn volume(
    name: ResourceName,
    primitive: &Primitive,
    file: &Path,
    remarks: &mut Vec<Remark>,
) -> DraftResource {
    let mut resource = DraftResource::new(name, "volume");
    let device = get(primitive, "device").unwrap_or_default();
    let by = |folder: &str, name: &str| format!("/dev/disk/{folder}/{}", name.trim());
    resource.set(
        "device",
        match (device.strip_prefix("-U"), device.strip_prefix("-L")) {
            (Some(uuid), _) => by("by-uuid", uuid),
            (_, Some(label)) => by("by-label", label),
            (None, None) => device.to_owned(),
        },
    );
    let read = [("device", ""), ("directory", "mount"), ("fstype", "fstype"), ("options", "options")];
    take(primitive, &read, &mut resource, file, remarks);
    resource
}

/// An OCF agent with its parameters. What is secret in them does not go into a file that anybody may read.
fn itself(
    name: ResourceName,
    primitive: &Primitive,
    file: &Path,
    remarks: &mut Vec<Remark>,
) -> DraftResource {
    let kind = format!("ocf:{}:{}", primitive.provider, primitive.agent);
    let mut resource = DraftResource::new(name, kind);
    let (secret, plain): (Vec<&Pair>, Vec<&Pair>) =
        primitive.parameters.iter().partition(|pair| is_secret(&pair.name));
    for pair in secret {
        let what = format!(
            "{} of {}: a secret does not go into a group file, add it by hand",
            pair.name, primitive.id
        );
        remarks.push(Remark::at(RemarkKind::Lost, file, pair.line, what));
    }
    if !plain.is_empty() {
        let pairs = plain.into_iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
        resource.set("parameters", Value::Pairs(pairs));
    }
    resource
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("passw") || name.contains("secret") || name.ends_with("_pw") || name.contains("credential")
}
