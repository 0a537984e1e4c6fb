//! One resource of a group as a block of `main.cf`.

use ims::group::{Group, Kind, Resource, Volume};
use ims::instance::Instance;
use ims::layer::Layer;
use ims::layout::Layout;
use ims::name::{DirectoryName, InstanceName};
use ims::sys::exec::Line;

use super::syntax::Block;
use super::{application, kept, policy};
use crate::import::{RemarkKind, Value as Said};
use crate::plan::{Hints, Verb, line};

/// How VCS's engine finds these commands, and they find what they run, wherever they are installed.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Writes a resource under its name in VCS.
pub fn block(
    group: &Group,
    of: &Resource,
    name: &str,
    known: &[Instance],
    tell: &mut impl FnMut(RemarkKind, String),
) -> Block {
    let mut block = Block::new(0, "Application", name);
    match &of.kind {
        Kind::Nic { device } => say(&mut block, "NIC", &[("Device", device)]),
        Kind::LogicalIp { address, device } => {
            let ip = address.address().ip();
            say(&mut block, "IP", &[("Device", device), ("Address", &ip.to_string())]);
            if ip.is_ipv4() {
                block.say("NetMask", &mask(address.prefix()));
            } else {
                block.say("PrefixLen", &address.prefix());
            }
        }
        Kind::DiskGroup { layers } => match layers.as_slice() {
            [Layer::Vxvm(name)] => say(&mut block, "DiskGroup", &[("DiskGroup", name)]),
            [Layer::Lvm { group, volume: None }] => {
                say(&mut block, "LVMVolumeGroup", &[("VolumeGroup", group)]);
            }
            [Layer::Lvm { group, volume: Some(volume) }] => {
                say(&mut block, "LVMLogicalVolume", &[("LogicalVolume", volume), ("VolumeGroup", group)]);
            }
            [Layer::Zfs(pool)] => say(&mut block, "Zpool", &[("PoolName", pool)]),
            layers => {
                block.kept = vec![kept_type(&of.kind), kept::said("layers", &texts(layers))];
            }
        },
        Kind::Volume(volume) => self::volume(&mut block, of, volume, tell),
        Kind::MessagingServer { instance } => server(&mut block, of, instance, known),
        Kind::DirectoryServer { instance } => {
            block.kept = vec![kept_type(&of.kind), kept::said("instance", &instance.as_str().into())];
        }
        Kind::Command(commands) => {
            block.kept = vec![
                kept_type(&of.kind),
                kept::said("start", &Said::Texts(commands.start.clone())),
                kept::said("stop", &Said::Texts(commands.stop.clone())),
                kept::said("monitor", &Said::Texts(commands.monitor.clone())),
                kept::said("offline_status", &Said::Numbers(commands.offline_status.clone())),
            ];
        }
        Kind::Ocf(ocf) => {
            block.kept =
                vec![kept_type(&of.kind), kept::said("parameters", &Said::Pairs(ocf.parameters.clone()))];
        }
    }
    let is_application = block.word == "Application";
    if is_application {
        programs(&mut block, group, of, known);
        tell(
            RemarkKind::Changed,
            format!("resource {} is an Application that runs its command lines", of.name),
        );
    }
    policy::write(of, is_application, &mut block);
    block
}

fn say(block: &mut Block, word: &str, attributes: &[(&str, &str)]) {
    word.clone_into(&mut block.word);
    for (name, value) in attributes {
        block.say(name, value);
    }
}

fn kept_type(kind: &Kind) -> (usize, String) {
    kept::said("type", &Said::Text(kind.word()))
}

fn texts(layers: &[Layer]) -> Said {
    Said::Texts(layers.iter().map(ToString::to_string).collect())
}

/// The mask of an IPv4 prefix length.
fn mask(prefix: u8) -> std::net::Ipv4Addr {
    let ones = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(prefix))).unwrap_or(0);
    std::net::Ipv4Addr::from_bits(ones)
}

/// A volume is a `Mount` when VCS can do all that is asked; layers and a lease are left to `ims-diskctl`.
fn volume(block: &mut Block, of: &Resource, volume: &Volume, tell: &mut impl FnMut(RemarkKind, String)) {
    let (device, mount) = (volume.device.display().to_string(), volume.mount.display().to_string());
    if volume.layers.is_empty() && volume.lease.is_none() {
        let fstype = volume.fstype.word();
        say(block, "Mount", &[("MountPoint", &mount), ("BlockDevice", &device), ("FSType", fstype)]);
        if !volume.options.as_str().is_empty() {
            block.say("MountOpt", &volume.options.as_str());
        }
        block.say("FsckOpt", &"-y");
        tell(
            RemarkKind::Changed,
            format!("resource {}: VCS mounts without looking at the volume's guard", of.name),
        );
        block.kept.extend(volume.guard.as_ref().map(|guard| kept::said("guard", &guard.clone().into())));
        return;
    }
    block.kept = vec![kept_type(&of.kind)];
    let mut keep = |key: &str, value: Option<Said>| {
        block.kept.extend(value.map(|value| kept::said(key, &value)));
    };
    keep("layers", (!volume.layers.is_empty()).then(|| texts(&volume.layers)));
    keep("device", Some(device.into()));
    keep("mount", Some(mount.into()));
    keep("fstype", Some(volume.fstype.word().into()));
    keep("options", Some(volume.options.as_str()).filter(|options| !options.is_empty()).map(Into::into));
    keep("guard", volume.guard.clone().map(Said::Text));
    keep("lease", volume.lease.as_ref().map(|lease| lease.to_string().into()));
}

/// The vendor's agent `MsgSrv` runs instances of iplanet-5; those of other layouts are run by `ims-switch`.
fn server(block: &mut Block, of: &Resource, instance: &InstanceName, known: &[Instance]) {
    let entry = known.iter().find(|known| known.name == *instance);
    match entry.map(|entry| entry.layout) {
        None | Some(Layout::Iplanet5) => {
            say(block, "MsgSrv", &[("InstanceName", instance.as_str())]);
            if let Some(address) = entry.and_then(|entry| entry.addresses.first()) {
                block.say("LogHostName", address);
            }
        }
        Some(Layout::Messaging6 | Layout::PostfixDovecot) => {
            block.kept = vec![kept_type(&of.kind), kept::said("instance", &instance.as_str().into())];
        }
    }
}

/// The registry's name of a directory server: that of the entry which has it.
fn entry<'a>(directory: &'a DirectoryName, known: &'a [Instance]) -> &'a str {
    known
        .iter()
        .find(|known| known.ldap.as_ref() == Some(directory))
        .map_or(directory.as_str(), |known| known.name.as_str())
}

/// The three programs of an `Application`: what a plan's steps would run. Our own commands say 0 for up, 1 for down
/// and nothing that VCS reads otherwise; the statuses of other monitors are turned into those.
fn programs(block: &mut Block, group: &Group, of: &Resource, known: &[Instance]) {
    let look = match &of.kind {
        Kind::MessagingServer { instance } => probe(instance.as_str(), "mail"),
        Kind::DirectoryServer { instance } => probe(entry(instance, known), "directory"),
        Kind::Nic { .. }
        | Kind::LogicalIp { .. }
        | Kind::DiskGroup { .. }
        | Kind::Volume(_)
        | Kind::Command(_)
        | Kind::Ocf(_) => line::look(group, of).unwrap_or_else(|| Line::new(["false"])),
    };
    let run = |line: &Line| line.clone().behind(&environment(line)).to_string();
    let step = |verb| run(&line::of(group, of, verb, &Hints::default()));
    block.say("StartProgram", &step(Verb::Start));
    block.say("StopProgram", &step(Verb::Stop));
    let monitor = match &of.kind {
        Kind::Command(commands) => application::to_theirs(&run(&look), "0", &commands.offline_status),
        Kind::Ocf(_) => application::to_theirs(&run(&look), "0|190", &[7]),
        Kind::Nic { .. }
        | Kind::LogicalIp { .. }
        | Kind::DiskGroup { .. }
        | Kind::Volume(_)
        | Kind::DirectoryServer { .. }
        | Kind::MessagingServer { .. } => run(&look),
    };
    block.say("MonitorProgram", &monitor);
}

fn probe(name: &str, part: &str) -> Line {
    Line::new(["ims-probe", name, "--part", part])
}

fn environment(line: &Line) -> Vec<String> {
    let mut words = vec!["/usr/bin/env".to_owned(), PATH.to_owned()];
    let own = line
        .variables()
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()));
    words.extend(own);
    words
}
