//! A node's control group (v2): to freeze it, to know that all of it is gone, and to end it at once.
//!
//! Groups have no owner that the kernel would take them away with, so one small process a test run, the
//! janitor, outlives it by a moment and takes away what is left, also after a SIGKILL.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sched::CloneFlags;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::must::Must;
use super::{thread, until};

/// Ends what is left in the groups of test run `$1` when it is over (a frozen node does not end by itself), takes
/// the groups away, and also the empty ones of runs that are long gone.
const JANITOR: &str = r#"
trap '' INT TERM HUP
sweep() { rmdir ims-bed-"$1"-*/*/*/*/ ims-bed-"$1"-*/*/*/ ims-bed-"$1"-*/*/ ims-bed-"$1"-*/; } 2>/dev/null
for group in ims-bed-*/; do
    run=${group#ims-bed-} run=${run%%-*}
    [ -d "/proc/$run" ] || sweep "$run"
done
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    sweep "$1"
    set -- "$1" ims-bed-"$1"-*/
    [ -d "$2" ] || exit 0
    for group in ims-bed-"$1"-*/; do echo 1 >"$group/cgroup.kill"; done
    sleep 0.1
done
"#;

/// The group of one node.
pub struct Cgroup {
    name: String,
    folder: OwnedFd,
}

impl Cgroup {
    /// Makes a group below that of the test process.
    pub fn make(name: &str) -> Self {
        let name = format!("ims-bed-{}-{name}", std::process::id());
        rustix::fs::mkdirat(root(), &name, Mode::from_raw_mode(0o755)).must("make a control group");
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(root(), &name, flags, Mode::empty()).must("open a control group");
        Self { name, folder }
    }

    /// Its name among the beds' control groups.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that takes the pids of those who join.
    pub fn entrance(&self) -> File {
        self.open("cgroup.procs", OFlags::WRONLY).must("open a control group's cgroup.procs")
    }

    /// Its folder, for this process.
    pub fn path(&self) -> PathBuf {
        super::fd_path(&self.folder)
    }

    /// Stops every process in it, or lets them go on; waits until they all have.
    pub fn freeze(&self, frozen: bool, at_most: Duration) -> bool {
        self.write("cgroup.freeze", if frozen { "1" } else { "0" });
        let wanted = format!("frozen {}", u8::from(frozen));
        until(at_most, || self.read("cgroup.events").lines().any(|line| line == wanted))
    }

    /// Ends every process in it with SIGKILL, frozen ones too.
    pub fn kill(&self) {
        self.write("cgroup.kill", "1");
    }

    /// Whether no process is left in it or below it.
    pub fn is_empty(&self) -> bool {
        self.read("cgroup.events").lines().any(|line| line == "populated 0")
    }

    /// The processes in it and below it.
    pub fn processes(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        let mut groups = vec![self.path()];
        while let Some(group) = groups.pop() {
            let inside = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            pids.extend(inside.lines().filter_map(|pid| pid.parse::<u32>().ok()));
            let entries = std::fs::read_dir(group).into_iter().flatten().flatten();
            groups.extend(entries.map(|entry| entry.path()).filter(|path| path.is_dir()));
        }
        pids
    }

    fn open(&self, name: &str, flags: OFlags) -> rustix::io::Result<File> {
        rustix::fs::openat(&self.folder, name, flags | OFlags::CLOEXEC, Mode::empty()).map(File::from)
    }

    fn write(&self, name: &str, value: &str) {
        let done = self
            .open(name, OFlags::WRONLY)
            .map_err(Into::into)
            .and_then(|mut f| f.write_all(value.as_bytes()));
        done.must(format!("write {value} to {name} of {}", self.name));
    }

    fn read(&self, name: &str) -> String {
        let mut text = String::new();
        let read =
            self.open(name, OFlags::RDONLY).map_err(Into::into).and_then(|mut f| f.read_to_string(&mut text));
        read.must(format!("read {name} of {}", self.name));
        text
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove_below(&self.path());
        // The janitor takes away what is still in use now.
        let _ = rustix::fs::unlinkat(root(), &self.name, AtFlags::REMOVEDIR);
    }
}

/// The names of the control groups of all beds beside ours.
pub fn control_groups() -> Vec<String> {
    let entries = std::fs::read_dir(super::fd_path(root())).must("read the control groups");
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("ims-bed-")).collect()
}

/// Removes the groups that were made inside a group, the innermost first.
fn remove_below(group: &std::path::Path) {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_below(&entry.path());
            let _ = std::fs::remove_dir(entry.path()); // the janitor comes once more
        }
    }
}

/// The test process's own group, in a mount that stands nowhere in the file system.
fn root() -> &'static OwnedFd {
    static ROOT: OnceLock<(OwnedFd, ChildStdin)> = OnceLock::new();
    let (root, _) = ROOT.get_or_init(|| {
        // A namespace of our own: mounting cgroup2 from the first one would reset the host's mount options.
        let root = thread::apart(CloneFlags::CLONE_NEWCGROUP, || {
            let context = rustix::mount::fsopen("cgroup2", FsOpenFlags::FSOPEN_CLOEXEC)?;
            rustix::mount::fsconfig_create(context.as_fd())?;
            rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        });
        let root = root.must("mount control groups (version 2)");
        let janitor = janitor(&root);
        (root, janitor)
    });
    root
}

/// Starts the janitor; it goes to work when the given pipe is closed, which the end of this process does.
fn janitor(root: &OwnedFd) -> ChildStdin {
    thread::apart(CloneFlags::empty(), || {
        rustix::process::fchdir(root).must("enter the control groups");
        let mut child = Command::new("/bin/sh");
        child.args(["-c", JANITOR, "ims-bed-janitor", &std::process::id().to_string()]);
        child.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut child, 0);
        child.spawn().must("start the janitor").stdin.take().unwrap()
    })
}
