//! A node: a machine of its own for everything that runs in it, with a wire, disks, and a power plug.

mod contents;
mod life;

use std::ffi::OsString;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin};
use std::sync::{Arc, Mutex};

use nix::sched::CloneFlags;

use super::call::{self, Call};
use super::cgroup::Cgroup;
use super::disk::{Cable, Disk};
use super::must::Must;
use super::rack::Rack;
use super::running::{Ran, Running};
use super::{lock, thread};

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

    fn if_up<T>(&self, work: impl FnOnce(&mut Up) -> T) -> Option<T> {
        lock(&self.0.up).as_mut().map(work)
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
        let starter = ready.unwrap_or_else(|| self.enter(call::starter).must("start a program"));
        self.prepare_starter();
        starter
    }

    fn prepare_starter(&self) {
        let node = self.clone();
        std::thread::spawn(move || {
            let Some((pid, pidfd)) = node.init() else { return };
            let made = thread::try_inside(&pidfd, everything(), call::starter);
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
