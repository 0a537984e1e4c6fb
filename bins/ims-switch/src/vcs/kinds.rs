//! The resource types of VCS as ours. What has no counterpart becomes a command whose state nobody can tell, so that
//! nothing which requires it is started before a person has written what it is.

use std::path::Path;

use ims::address::LogicalIp;
use ims::name::ResourceName;

use super::application;
use super::attributes::Attributes;
use super::policy;
use super::syntax::Block;
use super::types::Types;
use crate::import::{Draft, DraftResource, Given, RemarkKind, Value};

/// What resources are read beside.
pub struct World<'a> {
    /// What the command line says.
    pub given: &'a Given,
    /// The types that the files declare.
    pub types: Types<'a>,
    /// Every resource of every group.
    pub resources: Vec<&'a Block>,
}

/// Why a block is no resource of a group file.
enum Without {
    /// Nothing is to be started; what requires it requires what it requires itself.
    Nothing(&'static str),
    /// It has no counterpart.
    Counterpart(String),
    /// A value is missing that an option can say.
    Value(String),
}

/// Reads a resource; none when there is nothing to be started.
pub fn resource(of: &mut Attributes<'_>, name: ResourceName, world: &World<'_>) -> Option<DraftResource> {
    let kept = of.kept();
    let kind = kept.iter().find_map(|(key, value)| match (key.as_str(), value) {
        ("type", Value::Text(kind)) => Some(kind.clone()),
        _ => None,
    });
    let said = match kind {
        Some(kind) => Ok(DraftResource::new(name.clone(), kind)),
        None => by_type(of, name.clone(), world),
    };
    let mut resource = match said {
        Ok(resource) => resource,
        Err(Without::Nothing(why)) => {
            of.tell(RemarkKind::Changed, why);
            of.passes_all();
            return None;
        }
        Err(Without::Counterpart(why)) => never(of, name.clone(), &why),
        Err(Without::Value(what)) => {
            of.tell(RemarkKind::Missing, what);
            placeholder(name.clone())
        }
    };
    policy::read(of, &world.types, &mut resource);
    let is_all = kept.iter().any(|(key, _)| key == "type");
    for (key, value) in kept {
        if key != "type" && key != "name" {
            resource.set(&key, value);
        }
    }
    if is_all {
        of.passes_all();
    }
    of.usual("Critical", "1", "a fault moves the group here, whatever it says");
    of.usual("Enabled", "1", "it is not started in VCS, and is here");
    of.usual("AutoStart", "1", "it is started with its group here");
    of.rest();
    match invalid(&resource) {
        Some(why) => Some(never(of, name, &why)),
        None => Some(resource),
    }
}

/// What the reader of group files says against a resource alone.
fn invalid(resource: &DraftResource) -> Option<String> {
    let mut draft = Draft::new("x".parse().ok()?);
    draft.nodes = vec!["x".parse().ok()?];
    draft.resources = vec![DraftResource { requires: Vec::new(), ..resource.clone() }];
    let fail = draft.parse(Path::new("")).err()?.to_string();
    Some(fail.split_once(": ").map_or(fail.clone(), |(_, what)| what.to_owned()))
}

fn never(of: &mut Attributes<'_>, name: ResourceName, why: &str) -> DraftResource {
    of.tell(
        RemarkKind::Lost,
        format!("{why}; a command whose state is unknown stands for it, write its command lines"),
    );
    of.passes_all();
    placeholder(name)
}

/// A command that cannot be started, cannot be stopped and whose state is unknown.
fn placeholder(name: ResourceName) -> DraftResource {
    let mut command = DraftResource::new(name, "command");
    for verb in ["start", "stop", "monitor"] {
        command.set(verb, Value::Texts(["/bin/sh", "-c", "exit 3"].map(ToOwned::to_owned).to_vec()));
    }
    command
}

fn by_type(of: &mut Attributes<'_>, name: ResourceName, world: &World<'_>) -> Result<DraftResource, Without> {
    let kind = match of.block.word.as_str() {
        "NIC" | "MultiNICA" | "MultiNICB" | "Proxy" => "nic",
        "IP" | "IPMultiNIC" | "IPMultiNICB" => "logical-ip",
        "DiskGroup" | "LVMVolumeGroup" | "LVMVG" | "LVMLogicalVolume" | "Zpool" | "DRBDPrimary" => {
            "disk-group"
        }
        "Mount" => "volume",
        "MsgSrv" => "messaging-server",
        "Application" => "command",
        "Volume" => return Err(Without::Nothing("its volume is started with the disk group")),
        "Phantom" => return Err(Without::Nothing("there is nothing of it to be started")),
        other => return Err(Without::Counterpart(format!("type {other} has no counterpart"))),
    };
    let mut made = DraftResource::new(name, kind);
    match kind {
        "nic" => made.set("device", nic(of, world)?),
        "logical-ip" => address(of, world, &mut made)?,
        "disk-group" if of.block.word == "DiskGroup" => made.set("disk_group", must(of, "DiskGroup")?),
        "disk-group" => made.set("layers", Value::Texts(vec![layer(of)?])),
        "volume" => volume(of, world.given, &mut made)?,
        "messaging-server" => server(of, world.given, &mut made)?,
        _command => application::read(of, &mut made).map_err(Without::Counterpart)?,
    }
    Ok(made)
}

fn must(of: &mut Attributes<'_>, name: &str) -> Result<String, Without> {
    of.text(name).ok_or_else(|| Without::Counterpart(format!("it has no {name}")))
}

fn interface(of: &mut Attributes<'_>, world: &World<'_>) -> Result<String, Without> {
    world.given.interface.clone().ok_or_else(|| {
        Without::Value(format!("{} names no interface: say it with --interface", of.block.word))
    })
}

/// The interface that is looked at; a proxy's is that of the resource it stands for.
fn nic(of: &mut Attributes<'_>, world: &World<'_>) -> Result<String, Without> {
    match of.block.word.as_str() {
        "NIC" => match of.text("Device") {
            Some(device) => Ok(device),
            None => interface(of, world),
        },
        "Proxy" => {
            let target = must(of, "TargetResName")?;
            let found = world.resources.iter().find(|block| block.name == target && block.word == "NIC");
            let Some(found) = found else {
                return Err(Without::Counterpart(format!("it stands for {target}, which is no NIC")));
            };
            let device = Attributes::new(found, of.file, of.nodes).text("Device");
            of.tell(RemarkKind::Changed, format!("it looks at the interface of {target} itself"));
            device.map_or_else(|| interface(of, world), Ok)
        }
        _several => {
            of.lost("Device", "Linux bonds interfaces; the one of --interface is looked at");
            interface(of, world)
        }
    }
}

fn address(of: &mut Attributes<'_>, world: &World<'_>, made: &mut DraftResource) -> Result<(), Without> {
    let address = must(of, "Address")?;
    let bits =
        of.text("NetMask").and_then(|mask| prefix(&mask)).or_else(|| of.text("PrefixLen")?.parse().ok());
    let said: Option<LogicalIp> = world.given.address(&address);
    let whole = said.map(|said| said.to_string()).or_else(|| bits.map(|bits| format!("{address}/{bits}")));
    made.set(
        "address",
        whole.ok_or_else(|| {
            Without::Value(format!("no NetMask: say it with --address {address}={address}/PREFIX"))
        })?,
    );
    let device = match of.block.word.as_str() {
        "IP" => of.text("Device"),
        _of_several => {
            of.lost(
                "MultiNICResName",
                "Linux bonds interfaces; the address is put on the one of --interface",
            );
            of.lost("BaseResName", "Linux bonds interfaces; the address is put on the one of --interface");
            None
        }
    };
    made.set("device", device.map_or_else(|| interface(of, world), Ok)?);
    Ok(())
}

/// The prefix length of a mask such as `255.255.255.0` or `0xffffff00`.
fn prefix(mask: &str) -> Option<u32> {
    let bits = match mask.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => mask.parse::<std::net::Ipv4Addr>().ok()?.to_bits(),
    };
    (bits.leading_ones() == bits.count_ones()).then_some(bits.count_ones())
}

fn layer(of: &mut Attributes<'_>) -> Result<String, Without> {
    Ok(match of.block.word.as_str() {
        "LVMLogicalVolume" => format!("lvm:{}/{}", must(of, "VolumeGroup")?, must(of, "LogicalVolume")?),
        "Zpool" => format!("zfs:{}", must(of, "PoolName")?),
        "DRBDPrimary" => format!("drbd:{}", must(of, "ResName")?),
        _volume_group => format!("lvm:{}", must(of, "VolumeGroup")?),
    })
}

fn volume(of: &mut Attributes<'_>, given: &Given, made: &mut DraftResource) -> Result<(), Without> {
    let mount = must(of, "MountPoint")?;
    let said = given.volume(Path::new(&mount));
    let device = of.text("BlockDevice");
    let device = said.map(|said| said.device.display().to_string()).or(device);
    made.set(
        "device",
        device
            .ok_or_else(|| Without::Value(format!("no BlockDevice: say it with --volume {mount}=DEVICE")))?,
    );
    made.set("mount", mount);
    let fstype = of.text("FSType");
    match said.and_then(|said| said.fstype.clone()).or(fstype) {
        Some(fstype) => made.set("fstype", fstype),
        None => of.tell(RemarkKind::Changed, "no FSType; a group file's default is ext4"),
    }
    if let Some(options) = of.text("MountOpt") {
        made.set("options", options);
    }
    of.lost("FsckOpt", "no file system is checked here; the kernel replays its journal");
    Ok(())
}

fn server(of: &mut Attributes<'_>, given: &Given, made: &mut DraftResource) -> Result<(), Without> {
    let instance = must(of, "InstanceName")?;
    let host = of.text("LogHostName");
    let address = host.as_ref().and_then(|host| given.address(host)).map(|ip| ip.address().to_string());
    let address = address.or_else(|| host.filter(|host| host.parse::<std::net::IpAddr>().is_ok()));
    let address = address.unwrap_or_else(|| "ADDRESS".to_owned());
    of.tell(
        RemarkKind::Note,
        format!(
            "VCS does not know where it stands; register it: ims-registry add {instance} --layout iplanet-5 \
             --server-root DIR --address {address}"
        ),
    );
    for name in ["PrtStatus", "DebugMode"] {
        of.usual(name, "FALSE", "what the agent writes to VCS's log");
    }
    made.set("instance", instance);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn a_mask_is_a_prefix_length_when_its_ones_come_first() {
        for (mask, bits) in [
            ("255.255.255.0", Some(24)),
            ("0xffffff00", Some(24)),
            ("255.255.255.255", Some(32)),
            ("255.0.255.0", None),
            ("hme0", None),
        ] {
            assert_eq!(prefix(mask), bits, "{mask}");
        }
    }
}
