//! How a node comes up: its own root, devices, network, processes and control groups, and its pid 1.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, FileType, Mode};
use rustix::mount::UnmountFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::cgroup::Cgroup;
use super::must::Must;
use super::rack::{BRIDGE, PLACE, Rack, mount};
use super::thread;

/// Pid 1: joins the node's control group and makes it the root of what the node sees, mounts /proc (which shows
/// the pids of who mounts it), and becomes a `cat` that says "up" when it is told to and reaps orphans, as a
/// parent that ignores SIGCHLD has none. It ends when the test process closes the pipe, or is no more.
const INIT: &str =
    "echo 0; mount -t proc proc /proc && exec unshare --cgroup env --ignore-signal=CHLD cat >&2";

/// The folders of the host's root that may be mounts of their own and belong to a node's root all the same.
const PARTS_OF_ROOT: [&str; 11] =
    ["usr", "var", "etc", "opt", "home", "srv", "root", "lib", "lib64", "bin", "sbin"];

/// Those device nodes that every program may expect.
const DEVICES: [&str; 7] = ["null", "zero", "full", "random", "urandom", "tty", "fuse"];

/// What a node is to be.
pub struct Plan<'a> {
    /// Its host name.
    pub name: &'a str,
    /// The hardware address of its interface, which it keeps for all its lives.
    pub hardware: [u8; 6],
    /// Its addresses, each with the length of the prefix.
    pub addresses: [(IpAddr, u8); 2],
    /// Its end of the wire on the bridge.
    pub port: &'a str,
    /// Where it stands.
    pub rack: &'a Rack,
    /// Its control group.
    pub cgroup: &'a Cgroup,
}

/// A node that is up.
pub struct Booted {
    /// Its pid 1, as the host sees it.
    pub pid: u32,
    /// The same, safe from another process taking the number.
    pub pidfd: OwnedFd,
    /// Pid 1 as a child of ours, to be waited for.
    pub init: Child,
    /// Closing it ends the node.
    pub life: ChildStdin,
}

/// Brings a node up.
pub fn boot(plan: &Plan) -> Booted {
    let booted = thread::inside(&plan.rack.mounts, CloneFlags::CLONE_NEWNS, || {
        unshare(
            CloneFlags::CLONE_NEWNS
                | CloneFlags::CLONE_NEWNET
                | CloneFlags::CLONE_NEWUTS
                | CloneFlags::CLONE_NEWIPC
                | CloneFlags::CLONE_NEWPID,
        )
        .must("make a node's namespaces");
        nix::unistd::sethostname(plan.name).must("name a node");
        // As systemd has it. With the kernel's 10 all of Postfix blocks for good when it logs more than that while its
        // postlogd is between two lives, for its master is who starts that.
        fs::write("/proc/sys/net/unix/max_dgram_qlen", "512").must("let a node's logs wait");
        enter_root(plan.name);
        connect(plan).must(format!("connect {} to the bridge", plan.name));
        start_init(plan)
    });
    plan.rack
        .wires(|wires| wires.plug(plan.port, BRIDGE).and_then(|()| wires.switch(plan.port, true)))
        .must(format!("plug {} into the bridge", plan.name));
    // The group's own namespace began when pid 1 was in it: what is mounted from there has the group as its root.
    thread::inside(&booted.pidfd, CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP, || {
        mount("cgroup2", Path::new("/sys/fs/cgroup"), "cgroup2", "").must("mount a node's control groups");
    });
    booted
}

/// Makes the node's root out of the host's, with all that is written kept in the rack, and enters it.
fn enter_root(name: &str) {
    let own = Path::new(PLACE).join("disks").join(name);
    let root = own.join("root");
    fs::create_dir_all(&root).must("make a node's folder");
    overlay(Path::new("/"), &own.join("top"), &root);
    for part in parts_of_root() {
        let key = part.to_string_lossy().replace('/', "_");
        overlay(&part, &own.join(key), &root.join(part.strip_prefix("/").unwrap_or(&part)));
    }
    let at = |below: &str| root.join(below);
    mount("dev", &at("dev"), "tmpfs", "mode=755").must("mount /dev");
    devices(&at("dev"));
    mount("sysfs", &at("sys"), "sysfs", "").must("mount /sys");
    mount("run", &at("run"), "tmpfs", "mode=755").must("mount /run");
    mount("tmp", &at("tmp"), "tmpfs", "mode=1777").must("mount /tmp");
    for folder in ["run/lock", "run/sshd", "run/ims-bed", "var/lib/ims"] {
        fs::create_dir_all(at(folder)).must(format!("make /{folder}"));
    }
    // Nobody's own shell start-up files belong to a node.
    let home = format!("disks/{name}/home");
    fs::create_dir_all(Path::new(PLACE).join(&home)).must("make root's home");
    for (from, to) in [
        ("shared", "run/ims-bed"),
        ("bin", "run/ims-bed/bin"),
        ("shared/hosts", "etc/hosts"),
        (home.as_str(), "root"),
    ] {
        let from = Path::new(PLACE).join(from);
        rustix::mount::mount_bind(&from, at(to)).must(format!("bind /{to}"));
    }
    fs::write(at("etc/hostname"), format!("{name}\n")).must("write /etc/hostname");
    rustix::process::chdir(&root).must("enter a node's root");
    rustix::process::pivot_root(".", ".").must("make a node's root the root");
    rustix::mount::unmount(".", UnmountFlags::DETACH).must("leave the host's root");
    rustix::process::chdir("/").must("stand in a node's root");
}

fn overlay(below: &Path, own: &Path, at: &Path) {
    let (top, work) = (own.join("top"), own.join("work"));
    fs::create_dir_all(&top).must("make the top layer");
    let _ = fs::remove_dir_all(&work); // there only when the node comes up again
    fs::create_dir_all(&work).must("make the work layer");
    // The top layer's root is what is seen of the folder itself.
    let seen = fs::metadata(below).must("look at the root below");
    fs::set_permissions(&top, seen.permissions()).must("set the mode of the top layer");
    let options =
        format!("lowerdir={},upperdir={},workdir={}", below.display(), top.display(), work.display());
    mount("overlay", at, "overlay", &options)
        .must(format!("lay a node's own layer over {}", below.display()));
}

/// The mounts below the host's root that are parts of the system.
fn parts_of_root() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").must("read the mounts");
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let is_part = |point: &&str| {
        point.trim_start_matches('/').split('/').next().is_some_and(|top| PARTS_OF_ROOT.contains(&top))
    };
    points.filter(is_part).map(PathBuf::from).filter(|point| point.is_dir()).collect()
}

fn devices(dev: &Path) {
    for name in DEVICES {
        let Ok(meta) = fs::metadata(Path::new("/dev").join(name)) else { continue };
        if meta.file_type().is_char_device() {
            let mode = Mode::from_raw_mode(0o666);
            rustix::fs::mknodat(CWD, dev.join(name), FileType::CharacterDevice, mode, meta.rdev())
                .must(format!("make /dev/{name}"));
            fs::set_permissions(dev.join(name), fs::Permissions::from_mode(0o666))
                .must("set a device's mode");
        }
    }
    for folder in ["pts", "shm", "mqueue"] {
        fs::create_dir(dev.join(folder)).must(format!("make /dev/{folder}"));
    }
    mount("devpts", &dev.join("pts"), "devpts", "newinstance,ptmxmode=666,mode=620").must("mount /dev/pts");
    mount("shm", &dev.join("shm"), "tmpfs", "mode=1777").must("mount /dev/shm");
    for (to, name) in [
        ("/proc/self/fd", "fd"),
        ("fd/0", "stdin"),
        ("fd/1", "stdout"),
        ("fd/2", "stderr"),
        ("pts/ptmx", "ptmx"),
    ] {
        symlink(to, dev.join(name)).must(format!("make /dev/{name}"));
    }
}

fn connect(plan: &Plan) -> std::io::Result<()> {
    let netlink = super::netlink::Netlink::open()?;
    netlink.switch("lo", true)?;
    netlink.add_wire("eth0", plan.hardware, plan.port, plan.rack.network.as_fd())?;
    netlink.switch("eth0", true)?;
    plan.addresses.iter().try_for_each(|(address, prefix)| netlink.add_address("eth0", *address, *prefix))
}

fn start_init(plan: &Plan) -> Booted {
    let mut init = Command::new("/bin/sh")
        .args(["-c", INIT, "init"])
        .env_clear()
        .env("PATH", super::call::PATH)
        .stdin(Stdio::piped())
        .stdout(plan.cgroup.entrance())
        .stderr(Stdio::piped())
        .spawn()
        .must("start a node's pid 1");
    let (mut life, ready) = (init.stdin.take().unwrap(), init.stderr.take().unwrap());
    life.write_all(b"up\n").must("speak to a node's pid 1");
    let mut said = String::new();
    BufReader::new(ready).read_line(&mut said).must("hear from a node's pid 1");
    assert_eq!(said, "up\n", "the pid 1 of {} did not come up", plan.name);
    let pid = Pid::from_child(&init);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).must("hold a node's pid 1");
    Booted { pid: init.id(), pidfd, init, life }
}
