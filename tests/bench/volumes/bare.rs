//! The floor: mount(2) and umount(2) themselves, timed in the process that calls them.

use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, UnmountFlags};

use super::Volume;
use crate::support::Node;

const MOUNT: &str = "bare-mount";
const UNMOUNT: &str = "bare-unmount";

/// Runs the part that this program is asked to be; says whether it was one.
pub fn be_asked() -> bool {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let began = Instant::now();
    match words[..] {
        [MOUNT, device, mount] => {
            rustix::mount::mount(device, mount, "ext4", MountFlags::empty(), None).unwrap();
        }
        [UNMOUNT, mount] => rustix::mount::unmount(mount, UnmountFlags::NOFOLLOW).unwrap(),
        _ => return false,
    }
    println!("{}", began.elapsed().as_nanos());
    true
}

/// What the kernel takes to mount a volume.
pub fn mount(node: &Node, volume: &Volume) -> Duration {
    asked(node, &[MOUNT, &volume.device, &volume.mount])
}

/// What it takes to unmount it.
pub fn unmount(node: &Node, volume: &Volume) -> Duration {
    asked(node, &[UNMOUNT, &volume.mount])
}

fn asked(node: &Node, words: &[&str]) -> Duration {
    let own = std::env::current_exe().unwrap();
    let own = own.to_str().unwrap();
    let ran = node.run([own].iter().chain(words).copied()).ok();
    Duration::from_nanos(ran.stdout.trim().parse().unwrap())
}
