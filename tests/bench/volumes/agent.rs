//! Start, stop and monitor, beside those of ocf:heartbeat:Filesystem.

use super::super::bound;
use super::super::pair::parts_in_turn;
use super::{Volume, bare};
use crate::support::{Bed, Node};

/// Where tests/setup unpacks the agents.
const ROOT: &str = "/var/lib/ims-tests/agents/usr/lib/ocf";

/// How much of the agent's time ours may take.
const SHARE: f64 = 0.5;

/// Each of the three; gives what was missed.
pub fn beside(bed: &Bed, node: &Node) -> Vec<String> {
    let volume = Volume::new(bed, node, 64, "-O mmp");
    let Volume { device, mount } = &volume;
    let agent = |action: &str| {
        let line = format!(
            "OCF_ROOT={ROOT} OCF_RESOURCE_INSTANCE=ims OCF_RESKEY_device={device} OCF_RESKEY_directory={mount} \
             OCF_RESKEY_fstype=ext4 exec {ROOT}/resource.d/heartbeat/Filesystem {action}"
        );
        node.sh(&line).ok().took
    };
    let ours = |verb: &str| volume.run(node, verb, &[]).ok().took;
    let bare: Vec<_> = (0..5).map(|_| (bare::mount(node, &volume), bare::unmount(node, &volume))).collect();
    println!(
        "the floor: mount(2) and umount(2) of a clean volume, in the process that calls them: {bare:.2?}"
    );
    let started = parts_in_turn(
        10,
        || {
            let took = ours("take");
            ours("release");
            took
        },
        || {
            let took = agent("start");
            agent("stop");
            took
        },
    );
    let looked = {
        ours("take");
        let looked = parts_in_turn(10, || ours("look"), || agent("monitor"));
        ours("release");
        looked
    };
    let stopped = parts_in_turn(
        10,
        || {
            ours("take");
            ours("release")
        },
        || {
            agent("start");
            agent("stop")
        },
    );
    let mut missed = Vec::new();
    for (pair, what, verb, action) in [
        (started, "a clean volume started", "take, claimed and looked at again", "start"),
        (looked, "a mounted volume looked at", "look, past the page cache", "monitor"),
        (stopped, "an idle volume stopped", "release, looked at again", "stop"),
    ] {
        pair.tell(what, &format!("ims-diskctl {verb}"), &format!("ocf:heartbeat:Filesystem {action}"));
        missed.extend(bound(pair.ratio() <= SHARE, format!("{what} within {SHARE} of {action}")));
    }
    missed
}
