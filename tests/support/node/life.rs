//! How a node comes up and goes down, by its plug, its wire and its disks.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::super::boot::{Booted, Plan, boot};
use super::super::cgroup::Cgroup;
use super::super::disk::{Cable, Disk};
use super::super::must::Must;
use super::super::{lock, ssh, until};
use super::{Node, Up};

/// How long the end of a node may take: killed processes, and the kernel's unmounting.
const END: Duration = Duration::from_secs(60);

/// How often any node came up: part of the names of their wires.
static LIVES: AtomicU32 = AtomicU32::new(1);

impl Node {
    /// Attaches a disk, now and whenever the node comes up.
    pub fn attach(&self, disk: &Disk) {
        let mut disks = lock(&self.0.plug);
        disks.push(disk.clone());
        let root = self.path("/");
        self.with(|up| up.cables.push(Cable::lay(disk, &self.0.rack, &root)));
    }

    /// Takes a disk away from it, as by the loss of an array: from now on every read and write fails.
    pub fn pull(&self, disk: &Disk) {
        self.with(|up| up.cables.iter().filter(|cable| cable.is_to(disk)).for_each(Cable::pull));
    }

    /// Gives it the disk again, as it is.
    pub fn plug(&self, disk: &Disk) {
        self.with(|up| up.cables.iter().filter(|cable| cable.is_to(disk)).for_each(Cable::plug));
    }

    /// Cuts its wire: its link is down, and nobody hears it.
    pub fn cut(&self) {
        self.wire(false);
    }

    /// Joins its wire again.
    pub fn join(&self) {
        self.wire(true);
    }

    /// Cuts its wire if it has power, which it may lose at any moment; says whether it had.
    pub fn cut_if_up(&self) -> bool {
        self.if_up(|up| self.switch(&up.port, false)).is_some()
    }

    /// Stops every process in it if it has power; says whether it had.
    pub fn freeze_if_up(&self) -> bool {
        self.if_up(|up| assert!(up.cgroup.freeze(true, END), "{} did not freeze", self.name())).is_some()
    }

    /// Joins its wire and lets it go on, unless it lost its power meanwhile.
    pub fn recover(&self) {
        self.if_up(|up| {
            self.switch(&up.port, true);
            up.cgroup.freeze(false, END);
        });
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
}
