//! A small library to make nodes, disks, wires, clients and power cuts in a few lines.
//!
//! ```ignore
//! let bed = Bed::new();
//! let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
//! let disk = bed.disk(64, "-O mmp -E mmp_update_interval=1");
//! mail_1.attach(&disk);
//! mail_2.attach(&disk);
//! mail_1.sh("mkdir /srv/ims; mount /dev/ims1 /srv/ims").ok();
//! mail_1.power_cut();
//! mail_2.run(["ims-diskctl", "look", "--device", "/dev/ims1", "--mount", "/srv/ims"]).status_is(3);
//! ```
//!
//! A node is made of namespaces (network, mount, UTS, IPC, PID, control groups) and the kernel is the real one.
//! Threads of this process enter them, so that starting a program in a node costs what starting a program costs.
//! Everything hangs on file descriptors of this process and ends with it, SIGKILL included.
#![allow(dead_code, unused_imports)] // each test target uses a part of it
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm
)]

mod bed;
mod boot;
mod call;
mod cgroup;
pub mod crowd;
mod disk;
mod fence;
mod kernel;
mod machine;
pub mod mail;
mod must;
mod netlink;
mod node;
mod rack;
mod running;
pub mod script;
mod signatures;
mod ssh;
pub mod stamps;
mod terminal;
pub mod thread;
#[cfg(target_arch = "x86_64")]
pub mod tracer;

use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use bed::Bed;
pub use call::Call;
pub use cgroup::control_groups;
pub use disk::{Disk, MMP_CLEAN};
pub use fence::Switch;
pub use machine::Machine;
pub use must::Must;
pub use node::Node;
pub use rack::programs;
pub use running::{Ran, Running};
pub use signatures::signatures;
pub use terminal::{CTRL_C, CTRL_D, Terminal};

/// Waits until something holds; says whether it came to hold in time. It is looked at again after a pause that a test
/// does not feel and other work can use.
pub fn until(at_most: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + at_most;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1)); // nothing tells that it changed
    }
}

/// Whether we are root. If not, under `CI` the test fails; elsewhere it says that it is skipped.
#[must_use]
pub fn needs_root() -> bool {
    needs("root", rustix::process::geteuid().is_root())
}

/// Whether something that a test needs is there. If not, under `CI` the test fails; elsewhere it says, past the
/// test harness, that it is skipped.
#[must_use]
pub fn needs(what: &str, is_there: bool) -> bool {
    if !is_there {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        assert!(std::env::var_os("CI").is_none(), "{test} needs {what}");
        let _ = writeln!(std::io::stderr(), "skipped: {test} needs {what}"); // nobody may be listening
    }
    is_there
}

/// Locks, also after a test that failed while it held the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path of an open file, for any process of the host.
pub fn fd_path(fd: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), fd.as_fd().as_raw_fd()))
}
