//! A node: a machine of its own for everything that runs in it, with a wire, disks, and a power plug.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::process::ChildStdin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sched::CloneFlags;

use super::boot::{Booted, Plan, boot};
use super::cgroup::Cgroup;
use super::disk::{Cable, Disk};
use super::must::Must;
use super::rack::Rack;
use super::run::{self, Call, Ran, Running};
use super::{lock, ssh, thread, until};

/// How long the end of a node may take: killed processes, and the kernel's unmounting.
const END: Duration = Duration::from_secs(20);

/// How often any node came up: part of the names of their wires.
static LIVES: AtomicU32 = AtomicU32::new(1);

/// One node. A clone is the same node.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    name: String,
    number: u8,
    group: String,
    rack: Arc<Rack>,
    has_ssh: bool,
    /// Held while the node comes up or goes down.
    plug: Mutex<Vec<Disk>>,
    up: Mutex<Option<Up>>,
}

/// What a node has while it is up.
struct Up {
    pid: u32,
    pidfd: OwnedFd,
    /// The bridge's end of its wire.
    port: String,
    init: Child,
    /// What will become the next program that runs here.
    starter: Option<Child>,
    cgroup: Cgroup,
    cables: Vec<Cable>,
    /// Pid 1 ends when this is closed.
    _life: ChildStdin,
}

impl Node {
    pub(super) fn new(name: &str, number: u8, bed: u32, rack: &Arc<Rack>, has_ssh: bool) -> Self {
        let node = Self(Arc::new(Inner {
            name: name.to_owned(),
            number,
            group: format!("{bed}-{name}"),
            rack: Arc::clone(rack),
            has_ssh,
            plug: Mutex::new(Vec::new()),
            up: Mutex::new(None),
        }));
        node.start_again();
        node
    }

    /// Its host name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its own IPv4 address.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, self.0.number)
    }

    /// Its own IPv6 address, which ends in the same digits.
    pub fn address6(&self) -> Ipv6Addr {
        format!("2001:db8::{}", self.0.number).parse().must("make an address")
    }

    /// Whether it has power.
    pub fn is_up(&self) -> bool {
        lock(&self.0.up).is_some()
    }

    /// Its pid 1 as the host sees it.
    pub fn pid(&self) -> u32 {
        self.with(|up| up.pid)
    }

    /// Runs a program to its end, for at most a minute.
    pub fn run<W: Into<OsString>>(&self, words: impl IntoIterator<Item = W>) -> Ran {
        self.command(words).run()
    }

    /// Starts a program.
    pub fn spawn<W: Into<OsString>>(&self, words: impl IntoIterator<Item = W>) -> Running {
        self.command(words).spawn()
    }

    /// A command line to be given more (stdin, environment, a deadline) before it is run or spawned.
    pub fn command<W: Into<OsString>>(&self, words: impl IntoIterator<Item = W>) -> Call<'_> {
        Call::new(self, words)
    }

    /// Runs a script of POSIX sh.
    pub fn sh(&self, script: &str) -> Ran {
        self.run(["sh", "-euc", script])
    }

    /// Does some of the test's own work in the node's network: connect, listen, send, hear.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::inside(self.pidfd(), CloneFlags::CLONE_NEWNET, work)
    }

    /// Does some of the test's own work in all of the node but its pids; not for long, as it keeps mounts in use.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::inside(self.pidfd(), everything(), work)
    }

    /// Writes a file, with the folders above it.
    pub fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let (path, content) = (path.as_ref(), content.as_ref());
        let written = self.enter(|| {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            fs::write(path, content)
        });
        written.must(format!("write {} of {}", path.display(), self.name()));
    }

    /// Writes a file that can be run.
    pub fn script(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        self.file(&path, content);
        let path = path.as_ref();
        self.enter(|| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
            .must(format!("set the mode of {}", path.display()));
    }

    /// Reads a file, if it is there.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        let path = path.as_ref();
        self.enter(|| fs::read_to_string(path))
    }

    /// The path of something in the node, for the host. It crosses no symbolic link to an absolute path rightly:
    /// `file` and `read` do.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        PathBuf::from(format!("/proc/{}/root", self.pid())).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether one of its interfaces has this address, and can use it.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.inside(|| UdpSocket::bind((address, 0)).is_ok())
    }

    /// Whether something of this disk is mounted in it.
    pub fn has_mounted(&self, disk: &Disk) -> bool {
        let pid = self.pid();
        let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).must("read a node's mounts");
        let device = self.with(|up| up.cables.iter().find(|cable| cable.is_to(disk)).map(Cable::numbers));
        device.is_some_and(|device| mounts.lines().any(|line| line.split(' ').nth(2) == Some(&device)))
    }

    /// The processes in it, pid 1 among them, as the host sees them.
    pub fn processes(&self) -> Vec<u32> {
        self.with(|up| {
            let starter = up.starter.as_ref().map(Child::id);
            up.cgroup.processes().into_iter().filter(|pid| Some(*pid) != starter).collect()
        })
    }

    /// The name of its control group, among those of the beds.
    pub fn control_group(&self) -> String {
        self.with(|up| up.cgroup.name().to_owned())
    }

    /// Attaches a disk, now and whenever the node comes up.
    pub fn attach(&self, disk: &Disk) {
        let mut disks = lock(&self.0.plug);
        disks.push(disk.clone());
        let root = self.path("/");
        self.with(|up| up.cables.push(Cable::lay(disk, &self.0.rack, &root)));
    }

    /// Cuts its wire: its link is down, and nobody hears it.
    pub fn cut(&self) {
        self.wire(false);
    }

    /// Joins its wire again.
    pub fn join(&self) {
        self.wire(true);
    }

    fn wire(&self, on: bool) {
        let port = self.with(|up| up.port.clone());
        self.switch(&port, on);
    }

    fn switch(&self, port: &str, on: bool) {
        let switched = self.0.rack.wires(|wires| wires.switch(port, on));
        switched.must(format!("switch the wire of {}", self.name()));
    }

    /// Stops every process in it, as a machine that hangs.
    pub fn freeze(&self) {
        assert!(self.with(|up| up.cgroup.freeze(true, END)), "{} did not freeze", self.name());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        assert!(self.with(|up| up.cgroup.freeze(false, END)), "{} did not thaw", self.name());
    }

    /// Cuts its power. Nothing is written any more, nothing is said, and no process is left; a volume stays as it
    /// was at this moment, its journal and its MMP block dirty. A node that is down stays down.
    pub fn power_cut(&self) {
        let _plug = lock(&self.0.plug);
        let Some(up) = lock(&self.0.up).take() else { return };
        // Everything stops at once, so no process lives to see its disk or its wire go first. One that waits for
        // the kernel freezes only when that is done; it must not hold the plug.
        up.cgroup.freeze(true, Duration::from_millis(100));
        up.cables.iter().for_each(Cable::pull);
        // Its network may live a moment longer, and would go on answering ARP.
        self.switch(&up.port, false);
        self.end(up);
    }

    /// Kills its pid 1, and so all of it. Gentler than a power cut: the kernel unmounts its volumes.
    pub fn kill(&self) {
        let _plug = lock(&self.0.plug);
        let Some(up) = lock(&self.0.up).take() else { return };
        self.switch(&up.port, false);
        self.end(up);
    }

    /// Gives it power again: it comes up with the root file system as it was, its disks, and nothing in /run and
    /// /tmp. A node that is up stays up.
    pub fn start_again(&self) {
        let disks = lock(&self.0.plug);
        if self.is_up() {
            return;
        }
        // The wire of its last life may hang on the bridge a moment longer.
        let port = format!("{}-{}", self.0.number, LIVES.fetch_add(1, Ordering::Relaxed));
        let cgroup = Cgroup::make(&self.0.group);
        let Booted { pid, pidfd, init, life } = boot(&Plan {
            name: &self.0.name,
            hardware: [0x02, 0, 192, 0, 2, self.0.number], // locally administered
            addresses: [(self.address().into(), 24), (self.address6().into(), 64)],
            port: &port,
            rack: &self.0.rack,
            cgroup: &cgroup,
        });
        let root = PathBuf::from(format!("/proc/{pid}/root"));
        let cables = disks.iter().map(|disk| Cable::lay(disk, &self.0.rack, &root)).collect();
        *lock(&self.0.up) = Some(Up { pid, pidfd, port, init, starter: None, cgroup, cables, _life: life });
        self.prepare_starter();
        if self.0.has_ssh {
            ssh::serve(self);
        }
    }

    /// Ends what is left of it, and waits until that is nothing.
    fn end(&self, mut up: Up) {
        up.init.kill().must(format!("kill the pid 1 of {}", self.name()));
        if let Some(mut starter) = up.starter.take() {
            let _ = starter.kill(); // dead already, as all of the node
            starter.wait().must("reap what was to become a program");
        }
        // A frozen process dies too, and one that was just being born.
        assert!(
            until(END, || up.cgroup.is_empty() || {
                up.cgroup.kill();
                false
            }),
            "{} does not die",
            self.name()
        );
        assert!(
            until(END, || up.init.try_wait().must("wait for a node's pid 1").is_some()),
            "the pid 1 of {} does not end",
            self.name()
        );
        up.cables.iter().for_each(|cable| cable.wait_unused(END));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Up) -> T) -> T {
        match &mut *lock(&self.0.up) {
            Some(up) => work(up),
            None => panic!("{} is down", self.name()),
        }
    }

    /// Gives the process that becomes the next program, and has another made ready.
    pub(super) fn starter(&self) -> Child {
        let ready = self.with(|up| up.starter.take());
        let starter = ready.unwrap_or_else(|| self.enter(run::starter).must("start a program"));
        self.prepare_starter();
        starter
    }

    fn prepare_starter(&self) {
        let node = self.clone();
        std::thread::spawn(move || {
            let Some((pid, pidfd)) = node.init() else { return };
            let made = thread::try_inside(&pidfd, everything(), run::starter);
            let Ok(Ok(made)) = made else { return };
            let left = match &mut *lock(&node.0.up) {
                Some(up) if up.pid == pid => up.starter.replace(made),
                _ => Some(made),
            };
            // The node has gone meanwhile, or another was faster: unreaped, it would keep its pid 1 from ending.
            left.map(|mut left| left.kill().and_then(|()| left.wait()));
        });
    }

    /// Its pid 1, if it is up.
    fn init(&self) -> Option<(u32, OwnedFd)> {
        let up = lock(&self.0.up);
        up.as_ref().map(|up| (up.pid, up.pidfd.try_clone().must("hold a node's pid 1")))
    }

    pub(super) fn rack(&self) -> &Rack {
        &self.0.rack
    }

    fn pidfd(&self) -> OwnedFd {
        self.init().unwrap_or_else(|| panic!("{} is down", self.name())).1
    }
}

/// All that a node has of its own.
fn everything() -> CloneFlags {
    CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWCGROUP
}
