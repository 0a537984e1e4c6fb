//! A node's control group (v2): to freeze it, to know that all of it is gone, and to end it at once.
//!
//! Groups have no owner that the kernel would take them away with, so one small process a test run, the
//! janitor, outlives it by a moment and takes away what is left, also after a SIGKILL. A run holds a lock on each
//! of its groups, which ends with it: who has the lock may take the group away. Pids would not do, as two runs in
//! different pid namespaces (two containers) may see the same control groups.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sched::CloneFlags;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::must::Must;
use super::{thread, until};

/// Takes away the groups whose run is over, with what is left in them (a frozen node does not end by itself): once
/// before it says so, for runs that could not, and when its stdin is closed until none is left. A killed process
/// leaves its group only when it is gone, so there is a pause before it tries again.
const JANITOR: &str = r#"
trap '' INT TERM HUP
take='echo 1 >"$1/cgroup.kill"; find "$1" -depth -type d -delete; [ ! -d "$1" ] || exit 8'
sweep() {
    all=0
    for group in ims-bed.*/; do
        [ ! -d "$group" ] || flock -n -E 9 "$group" sh -c "$take" sh "$group" || [ $? -eq 9 ] || all=1
    done
    return $all
} 2>/dev/null
sweep
echo ready
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    sweep && exit 0
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
        // A pid says something only beside its namespace.
        let pids = std::fs::metadata("/proc/self/ns/pid").must("look at our pid namespace").ino();
        let name = format!("ims-bed.{pids}.{}.{name}", std::process::id());
        loop {
            rustix::fs::mkdirat(root(), &name, Mode::from_raw_mode(0o755)).must("make a control group");
            // Another run's janitor may have taken it away before it was locked.
            if let Some(folder) = locked(&name).must("lock a control group") {
                return Self { name, folder };
            }
        }
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

/// A group's folder with the lock that says that its run is alive; `None` when the group is gone.
fn locked(name: &str) -> rustix::io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = match rustix::fs::openat(root(), name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        folder => folder?,
    };
    rustix::fs::flock(&folder, FlockOperation::LockExclusive)?;
    match rustix::fs::statat(root(), name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(None),
        there => Ok((there?.st_ino == rustix::fs::fstat(&folder)?.st_ino).then_some(folder)),
    }
}

/// The names of the control groups of all beds beside ours.
pub fn control_groups() -> Vec<String> {
    let entries = std::fs::read_dir(super::fd_path(root())).must("read the control groups");
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("ims-bed.")).collect()
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

/// Starts the janitor, and waits until it has taken away what dead runs left; it goes to work again when the given
/// pipe is closed, which the end of this process does.
#[allow(clippy::zombie_processes)] // it outlives us
fn janitor(root: &OwnedFd) -> ChildStdin {
    thread::apart(CloneFlags::empty(), || {
        rustix::process::fchdir(root).must("enter the control groups");
        let mut child = Command::new("/bin/sh");
        child.args(["-c", JANITOR, "ims-bed-janitor"]);
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut child, 0);
        let mut child = child.spawn().must("start the janitor");
        let mut said = String::new();
        let heard = BufReader::new(child.stdout.take().unwrap()).read_line(&mut said);
        heard.must("hear from the janitor");
        assert_eq!(said, "ready\n", "the janitor did not come up");
        child.stdin.take().unwrap()
    })
}
