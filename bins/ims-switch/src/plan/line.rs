//! The command line of each step: what an operator would type on that node to do the same by hand.

use ims::group::{Group, Kind, Ocf, Resource, Volume};
use ims::layer::Layer;
use ims::sys::exec::Line;
use ims::volume::Fstype;

use crate::plan::Verb;
use crate::plan::steps::Hints;

/// Where OCF resource agents stand.
pub const OCF_ROOT: &str = "/usr/lib/ocf";

/// The command line that starts or stops a resource.
pub fn of(group: &Group, resource: &Resource, verb: Verb, hints: &Hints) -> Line {
    let is_start = verb == Verb::Start;
    match &resource.kind {
        Kind::Nic { device } => Line::new(["ims-ipbind", "look", "--device", device]),
        Kind::LogicalIp { address, device } => {
            let verb = if is_start { "up" } else { "down" };
            let line =
                Line::new(["ims-ipbind", verb]).arg(address.to_string()).arg("--device").arg(device.clone());
            match hints.probe_wait_ms.filter(|_| is_start) {
                Some(ms) => line.arg("--probe-wait").arg(format!("{ms}ms")),
                None => line,
            }
        }
        Kind::DiskGroup { layers: stack } => {
            layers(Line::new(["ims-diskctl", if is_start { "take" } else { "release" }]), stack)
        }
        Kind::Volume(volume) => {
            let line = volume_line(volume, if is_start { "take" } else { "release" });
            let may_be_degraded = is_start && (hints.degraded || volume.degraded_start);
            if may_be_degraded { line.arg("--degraded") } else { line }
        }
        Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } => {
            let verb = if is_start { "start" } else { "stop" };
            Line::new(["ims-switch", verb, group.name.as_str(), resource.name.as_str()])
        }
        Kind::Command(commands) => Line::new(if is_start { &commands.start } else { &commands.stop }),
        Kind::Ocf(ocf) => agent(group, resource, ocf, if is_start { "start" } else { "stop" }),
    }
}

/// The command line that says whether a resource is up; none where that takes more than one.
pub fn look(group: &Group, resource: &Resource) -> Option<Line> {
    match &resource.kind {
        Kind::Nic { device } => Some(Line::new(["ims-ipbind", "look", "--device", device])),
        Kind::LogicalIp { address, device } => Some(
            Line::new(["ims-ipbind", "look"]).arg(address.to_string()).arg("--device").arg(device.clone()),
        ),
        Kind::DiskGroup { layers: stack } => Some(layers(Line::new(["ims-diskctl", "look"]), stack)),
        Kind::Volume(volume) => Some(volume_line(volume, "look")),
        Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } => None,
        Kind::Command(commands) => Some(Line::new(&commands.monitor)),
        Kind::Ocf(ocf) => Some(agent(group, resource, ocf, "monitor")),
    }
}

/// The command line that says how the legs of a mirror are; none of what cannot be told by the file system alone.
pub fn mirror(volume: &Volume) -> Option<Line> {
    (volume.fstype == Fstype::Btrfs).then(|| volume_line(volume, "mirror"))
}

/// The command line that writes a volume out while it is in use.
pub fn presync(volume: &Volume) -> Line {
    volume_line(volume, "release").arg("--presync").arg("--timeout").arg("100s")
}

/// Names the layers that a volume stands on.
fn layers(line: Line, layers: &[Layer]) -> Line {
    layers.iter().fold(line, |line, layer| line.arg("--layer").arg(layer.to_string()))
}

fn volume_line(volume: &Volume, verb: &str) -> Line {
    let mut line = layers(Line::new(["ims-diskctl", verb]), &volume.layers)
        .arg("--device")
        .arg(&volume.device)
        .arg("--mount")
        .arg(&volume.mount)
        .arg("--fstype")
        .arg(volume.fstype.word());
    if let Some(lease) = &volume.lease {
        line = line.arg("--lease").arg(lease.to_string());
    }
    if verb == "take" {
        if let Some(guard) = &volume.guard {
            line = line.arg("--guard").arg(guard);
        }
        if !volume.options.as_str().is_empty() {
            line = line.arg("--options").arg(volume.options.as_str());
        }
        // No proof is named: it finds that of the node which holds the volume, not of the node that was fenced, and
        // watches the guard where the proof does not count.
    }
    line
}

/// An OCF agent's action with its parameters in the environment, as the OCF resource agent API 1.1 has them.
pub fn agent(group: &Group, resource: &Resource, ocf: &Ocf, action: &str) -> Line {
    let path = format!("{OCF_ROOT}/resource.d/{}/{}", ocf.provider, ocf.agent);
    let line = Line::new([path.as_str(), action])
        .env("OCF_ROOT", OCF_ROOT)
        .env("OCF_RA_VERSION_MAJOR", "1")
        .env("OCF_RA_VERSION_MINOR", "1")
        .env("OCF_RESOURCE_TYPE", &ocf.agent)
        .env("OCF_RESOURCE_PROVIDER", &ocf.provider)
        .env("OCF_RESOURCE_INSTANCE", format!("{}.{}", group.name, resource.name));
    ocf.parameters.iter().fold(line, |line, (name, value)| line.env(format!("OCF_RESKEY_{name}"), value))
}
