//! The resource types of Sun Cluster as those of a group file.

use std::path::Path;

use ims::instance::Instance;
use ims::layout::Layout;
use ims::name::{DirectoryName, InstanceName};

use super::action::{LOGICAL_HOST, list};
use super::cluster::Made;
use super::property;
use crate::import::{DraftResource, Given, Remark, RemarkKind, Value};

/// What a resource becomes.
#[derive(Debug, Default)]
pub struct Became {
    /// The resources in the group: several where one has several addresses or mount points, none where it is lost.
    pub resources: Vec<DraftResource>,
    /// What the registry should know of it.
    pub instance: Option<Instance>,
    /// Whether it is a server, which by its type uses the addresses of its group.
    pub is_server: bool,
}

/// What a resource becomes. Names are those of the script where each is one resource.
pub fn became(made: &Made, given: &Given, remarks: &mut Vec<Remark>) -> Became {
    let mut became = Became::default();
    let read: &[&str] = match made.kind.to_lowercase().as_str() {
        kind if kind == LOGICAL_HOST.to_lowercase() => {
            let hosts = items(made, "HostnameList");
            became.resources = parts(made, &hosts, "logical-ip", remarks, |host, part, remarks| {
                address(made, host, part, given, remarks);
            });
            netif(made, given, remarks);
            &["hostnamelist", "netiflist"]
        }
        "sunw.hastorage" | "sunw.hastorageplus" => {
            storage(made, given, &mut became, remarks);
            &["servicepaths", "filesystemmountpoints", "zpools", "affinityon"]
        }
        "sunw.nsldap" | "sunw.dsldap" => {
            directory(made, given, &mut became, remarks);
            &["confdir_list"]
        }
        "sunw.ims" => {
            messaging(made, given, &mut became, remarks);
            &["ims_serverroot", "ims_instance"]
        }
        "sunw.gds" => {
            command(made, &mut became, remarks);
            &["start_command", "stop_command", "probe_command"]
        }
        _ => {
            let what = format!("{}: no counterpart of the type {}; it was left out", made.name, made.kind);
            remarks.push(made.remark(RemarkKind::Lost, what));
            return became;
        }
    };
    for resource in &mut became.resources {
        property::common(made, read, resource, &mut Vec::new());
    }
    // Once, not for each part.
    if let Some(first) = became.resources.first() {
        property::common(made, read, &mut first.clone(), remarks);
    }
    became
}

fn items(made: &Made, name: &str) -> Vec<String> {
    made.get(name).map(list).unwrap_or_default()
}

/// One resource for each item; with several, each is named after its item too.
fn parts(
    made: &Made,
    items: &[String],
    kind: &str,
    remarks: &mut Vec<Remark>,
    mut fill: impl FnMut(&str, &mut DraftResource, &mut Vec<Remark>),
) -> Vec<DraftResource> {
    let mut parts = Vec::new();
    for item in items {
        let last = item.trim_end_matches('/').rsplit('/').next().unwrap_or(item);
        let name = if items.len() == 1 { made.name.clone() } else { format!("{}-{last}", made.name) };
        let Some(name) = named(made, &name, remarks) else { continue };
        let mut part = DraftResource::new(name, kind);
        fill(item, &mut part, remarks);
        parts.push(part);
    }
    if items.len() > 1 {
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let what = format!("{} is one resource for each of what it has: {}", made.name, names.join(", "));
        remarks.push(made.remark(RemarkKind::Changed, what));
    }
    parts
}

/// A name that a group file takes.
fn named<T: std::str::FromStr<Err = ims::Fail>>(
    made: &Made,
    name: &str,
    remarks: &mut Vec<Remark>,
) -> Option<T> {
    match name.parse() {
        Ok(name) => Some(name),
        Err(fail) => {
            remarks.push(made.remark(RemarkKind::Missing, fail.to_string()));
            None
        }
    }
}

fn address(made: &Made, host: &str, part: &mut DraftResource, given: &Given, remarks: &mut Vec<Remark>) {
    match given.address(host) {
        Some(address) => part.set("address", address.to_string()),
        None => remarks.push(made.remark(
            RemarkKind::Missing,
            format!("the address of {host} stands in no command: add --address {host}=ADDRESS/PREFIX"),
        )),
    }
    if let Some(device) = &given.interface {
        part.set("device", device.as_str());
    }
}

fn netif(made: &Made, given: &Given, remarks: &mut Vec<Remark>) {
    if given.interface.is_none() {
        let what = format!("the interface of {} stands in no command: add --interface DEVICE", made.name);
        remarks.push(made.remark(RemarkKind::Missing, what));
    } else if let Some(groups) = made.get("NetIfList") {
        let what = format!(
            "{groups}: groups of interfaces are the kernel's bonds here; the interface is that given"
        );
        remarks.push(made.remark(RemarkKind::Changed, what));
    }
}

fn storage(made: &Made, given: &Given, became: &mut Became, remarks: &mut Vec<Remark>) {
    let mut paths = items(made, "ServicePaths");
    paths.extend(items(made, "FilesystemMountPoints"));
    let (devices, mounts): (Vec<String>, Vec<String>) =
        paths.into_iter().partition(|path| !path.starts_with('/') || path.starts_with("/dev/"));
    for device in devices {
        let what =
            format!("{}: the device group {device} has no file system that a group could mount", made.name);
        remarks.push(made.remark(RemarkKind::Lost, what));
    }
    became.resources = parts(made, &mounts, "volume", remarks, |mount, part, remarks| {
        // Solaris lets NODE:PATH name a local mount point.
        part.set("mount", mount);
        match given.volume(Path::new(mount)) {
            Some(volume) => {
                part.set("device", volume.device.display().to_string());
                if let Some(fstype) = &volume.fstype {
                    part.set("fstype", fstype.as_str());
                }
            }
            None => remarks.push(made.remark(
                RemarkKind::Missing,
                format!("the device of {mount} stands in no command: add --volume {mount}=DEVICE"),
            )),
        }
    });
    if !mounts.is_empty() && made.kind.eq_ignore_ascii_case("SUNW.HAStorage") {
        let what = format!(
            "{}: a global file system is mounted on every node there; here it is mounted where its group is",
            made.name
        );
        remarks.push(made.remark(RemarkKind::Changed, what));
    }
    let pools = items(made, "Zpools");
    let layers: Vec<String> = pools.iter().map(|pool| format!("zfs:{pool}")).collect();
    if let (false, Some(name)) = (layers.is_empty(), named(made, &made.name, remarks)) {
        let mut pool = DraftResource::new(name, "disk-group");
        pool.set("layers", Value::Texts(layers));
        became.resources.push(pool);
    }
}

/// The last part of a path without its leading `prefix`, and what is before it.
fn below<'a>(path: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let (root, last) = path.trim_end_matches('/').rsplit_once('/')?;
    Some((root, last.strip_prefix(prefix)?))
}

fn directory(made: &Made, given: &Given, became: &mut Became, remarks: &mut Vec<Remark>) {
    became.is_server = true;
    let folders = items(made, "Confdir_list");
    let found = folders.first().and_then(|folder| below(folder, "slapd-"));
    let Some((root, instance)) = found else {
        let told = made.get("Confdir_list").unwrap_or_default();
        let what = format!("{}: Confdir_list names no folder slapd-NAME: '{told}'", made.name);
        remarks.push(made.remark(RemarkKind::Missing, what));
        return;
    };
    let Some(ldap) = named::<DirectoryName>(made, instance, remarks) else { return };
    for more in folders.iter().skip(1) {
        let what = format!("{}: one directory server is one resource, {more} was left out", made.name);
        remarks.push(made.remark(RemarkKind::Lost, what));
    }
    became.resources = parts(made, &[instance.to_owned()], "directory-server", remarks, |_, part, _| {
        part.set("instance", instance);
    });
    // Messaging Server 6 has its directory server below a root of its own, laid out as before.
    let layout = given.layout.filter(|layout| *layout != Layout::Messaging6).unwrap_or(Layout::Iplanet5);
    told_layout(made, given, layout, remarks);
    became.instance = named::<InstanceName>(made, instance, remarks).map(|name| Instance {
        name,
        layout,
        root: root.into(),
        addresses: Vec::new(),
        ldap: Some(ldap),
        mail: false,
    });
}

/// Says which layout was taken where nobody said one.
fn told_layout(made: &Made, given: &Given, layout: Layout, remarks: &mut Vec<Remark>) {
    if given.layout.is_none() {
        let what = format!(
            "{}: its servers are taken for {layout}, as {} runs those; --layout says another",
            made.name, made.kind
        );
        remarks.push(made.remark(RemarkKind::Note, what));
    }
}

fn messaging(made: &Made, given: &Given, became: &mut Became, remarks: &mut Vec<Remark>) {
    became.is_server = true;
    let Some(root) = made.get("IMS_serverroot").filter(|root| root.starts_with('/')) else {
        let what = format!("{}: IMS_serverroot names no server root", made.name);
        remarks.push(made.remark(RemarkKind::Missing, what));
        return;
    };
    // Messaging Server 6 and later have one instance a server root, and no name for it.
    let named_so = made.get("IMS_instance").map(|name| name.strip_prefix("msg-").unwrap_or(name));
    let implied = if named_so.is_some() { Layout::Iplanet5 } else { Layout::Messaging6 };
    let layout = given.layout.unwrap_or(implied);
    let instance = named_so.unwrap_or(&made.name);
    if named_so.is_none() {
        let what =
            format!("{}: without IMS_instance it is {layout}, which goes by the resource's name", made.name);
        remarks.push(made.remark(RemarkKind::Changed, what));
    }
    told_layout(made, given, layout, remarks);
    became.resources = parts(made, &[instance.to_owned()], "messaging-server", remarks, |_, part, _| {
        part.set("instance", instance);
    });
    became.instance = named(made, instance, remarks).map(|name| Instance {
        name,
        layout,
        root: root.trim_end_matches('/').into(),
        addresses: Vec::new(),
        ldap: None,
        mail: true,
    });
}

/// Any service by its commands; one that names no way to stop or to probe it cannot be run here.
fn command(made: &Made, became: &mut Became, remarks: &mut Vec<Remark>) {
    became.is_server = true;
    let lines = ["Start_command", "Stop_command", "Probe_command"].map(|name| (name, made.get(name)));
    for (name, line) in lines {
        if line.is_none_or(|line| line.trim().is_empty()) {
            let what = format!("{} has no {name}, which a command needs; it was left out", made.name);
            remarks.push(made.remark(RemarkKind::Lost, what));
            return;
        }
    }
    became.resources = parts(made, std::slice::from_ref(&made.name), "command", remarks, |_, part, _| {
        for ((_, line), key) in lines.into_iter().zip(["start", "stop", "monitor"]) {
            let words = line.unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect();
            part.set(key, Value::Texts(words));
        }
    });
    let what = format!(
        "{}: its command lines are run without a shell; a probe's status 1 is down, 2 and more unknown",
        made.name
    );
    remarks.push(made.remark(RemarkKind::Changed, what));
}
