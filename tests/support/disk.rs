//! A disk that several nodes see: one file, and for each node a way to it that can be pulled like a plug.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, OFlags, makedev};

use super::must::Must;
use super::rack::Rack;
use super::{kernel, until};

/// A disk; the same under the same name on each node that it is attached to.
#[derive(Clone)]
pub struct Disk(Arc<Inner>);

struct Inner {
    name: String,
    label: Option<String>,
    file: File,
}

impl Disk {
    /// Makes a disk of so many MiB with ext4 on it.
    pub fn ext4(name: String, mib: u64, options: &str) -> Self {
        let words: Vec<&str> = options.split_whitespace().collect();
        let label = words.iter().position(|word| *word == "-L").and_then(|at| words.get(at + 1));
        let disk = Self::blank(name, label.map(ToString::to_string), mib);
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).args(&words).arg(disk.image()).output();
        let made = made.must("run mkfs.ext4");
        assert!(made.status.success(), "mkfs.ext4 {options}: {}", String::from_utf8_lossy(&made.stderr));
        disk
    }

    /// Makes a disk of so many MiB with nothing on it.
    pub fn blank(name: String, label: Option<String>, mib: u64) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(folder).must("make cargo's folder for test files");
        // A file without a name: it is gone when its last user is.
        let file = File::options()
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::TMPFILE.bits().cast_signed())
            .open(folder)
            .must(format!("make a disk in {}", folder.display()));
        file.set_len(mib * 1024 * 1024).must("set the size of a disk");
        Self(Arc::new(Inner { name, label, file }))
    }

    /// Its device file on every node, such as `/dev/ims1`.
    pub fn device(&self) -> String {
        format!("/dev/{}", self.0.name)
    }

    /// The file that is the disk: what no cache of any node stands before.
    pub fn image(&self) -> PathBuf {
        super::fd_path(&self.0.file)
    }

    /// The file as the loop driver names it in `/sys/block/loop0/loop/backing_file`.
    pub fn backing(&self) -> String {
        fs::read_link(self.image()).must("look at a disk's file").display().to_string()
    }

    /// Bytes of the disk.
    pub fn read(&self, at: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.file.read_exact_at(&mut bytes, at).must("read a disk");
        bytes
    }

    /// Writes bytes to the disk, behind the back of every node.
    pub fn write(&self, at: u64, bytes: &[u8]) {
        let write = || self.0.file.write_all_at(bytes, at).and_then(|()| self.0.file.sync_all());
        // A node that writes the same page past the cache at this moment makes the kernel tell an error, once.
        write().or_else(|_| write()).must("write a disk");
    }

    /// Whether the journal of the ext4 on it has to be replayed: it was not unmounted.
    pub fn journal_is_dirty(&self) -> bool {
        const NEEDS_RECOVERY: u32 = 4;
        let incompatible = self.read(1024 + 0x60, 4).try_into().map(u32::from_le_bytes).unwrap();
        incompatible & NEEDS_RECOVERY != 0
    }

    /// The sequence number in the MMP block of the ext4 on it: `0xFF4D4D50` is clean.
    pub fn mmp_sequence(&self) -> u32 {
        let number = |at: u64, length| {
            self.read(at, length).iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let block_size = 1024 << number(1024 + 0x18, 4);
        number(number(1024 + 0x168, 8) * block_size + 4, 4).try_into().unwrap()
    }
}

/// The sequence number of an MMP block that nobody uses (fs/ext4/ext4.h).
pub const MMP_CLEAN: u32 = 0xFF4D_4D50;

/// One node's way to a disk: a loop device over a loop device over the file, all with direct I/O (else each had
/// a cache of its own). What the node has is the upper one; the lower one is where the plug is pulled, and then
/// neither the node nor the kernel's own unmounting can write any more.
pub struct Cable {
    disk: Disk,
    upper: Loop,
    lower: Loop,
}

impl Cable {
    /// Lays a cable and makes the device files in the node whose root is seen at `root`.
    pub fn lay(disk: &Disk, rack: &Rack, root: &Path) -> Self {
        let lower = Loop::over(&disk.0.file, rack);
        let upper = Loop::over(&lower.file, rack);
        let node = root.join("dev").join(&disk.0.name);
        make_block_device(&node, upper.number).must(format!("make {}", disk.device()));
        // By the kernel's own name too, for programs that ask sysfs.
        make_block_device(&root.join(format!("dev/loop{}", upper.number)), upper.number)
            .must("make a loop device's file");
        if let Some(label) = &disk.0.label {
            let folder = root.join("dev/disk/by-label");
            fs::create_dir_all(&folder).must("make /dev/disk/by-label");
            std::os::unix::fs::symlink(format!("../../{}", disk.0.name), folder.join(label))
                .must("make a link by label");
        }
        Self { disk: disk.clone(), upper, lower }
    }

    /// Whether it leads to this disk.
    pub fn is_to(&self, disk: &Disk) -> bool {
        Arc::ptr_eq(&self.disk.0, &disk.0)
    }

    /// The numbers of the node's device, as in mountinfo.
    pub fn numbers(&self) -> String {
        format!("7:{}", self.upper.number)
    }

    /// From now on no byte of the node reaches the disk.
    pub fn pull(&self) {
        // The first sector holds no part of ext4.
        kernel::loop_limit(&self.lower.file, 512).must(format!("pull {}", self.disk.device()));
    }

    /// From now on they do again. What was written meanwhile is not there.
    pub fn plug(&self) {
        kernel::loop_limit(&self.lower.file, 0).must(format!("plug {}", self.disk.device()));
    }

    /// Waits until nothing is mounted from it, the kernel's slow unmounting included.
    pub fn wait_unused(&self, at_most: Duration) {
        assert!(
            until(at_most, || self.upper.is_free()),
            "{} is still mounted after {at_most:?}",
            self.disk.device()
        );
    }
}

/// A loop device, which frees itself when the last user closes it.
struct Loop {
    number: u32,
    file: File,
    path: PathBuf,
}

impl Loop {
    fn over(backing: impl AsFd, rack: &Rack) -> Self {
        let control = rack.path("loop-control");
        if !control.exists() {
            let number = makedev(10, 237);
            let made = rustix::fs::mknodat(
                CWD,
                &control,
                FileType::CharacterDevice,
                Mode::from_raw_mode(0o600),
                number,
            );
            assert!(
                matches!(made, Ok(()) | Err(rustix::io::Errno::EXIST)),
                "cannot make loop-control: {made:?}"
            );
        }
        let control = File::options().read(true).write(true).open(control).must("open loop-control");
        let mut refusal = String::new();
        for _ in 0..100 {
            let number = kernel::loop_free(&control).must("find a free loop device");
            let path = rack.path(format!("loop{number}"));
            if !path.exists() {
                make_block_device(&path, number).must("make a loop device's file");
            }
            let file = File::options().read(true).write(true).open(&path).must("open a loop device");
            match kernel::loop_configure(&file, backing.as_fd()) {
                Ok(()) => return Self { number, file, path },
                Err(e) if e.raw_os_error() == Some(nix::libc::EBUSY) => refusal = e.to_string(), // another was faster
                Err(e) => {
                    panic!("cannot put loop device {number} over fd {}: {e}", backing.as_fd().as_raw_fd())
                }
            }
        }
        panic!("no free loop device after 100 attempts: {refusal}");
    }

    /// Whether no mount (nor anybody else) claims it.
    fn is_free(&self) -> bool {
        File::options().read(true).custom_flags(nix::libc::O_EXCL).open(&self.path).is_ok()
    }
}

fn make_block_device(path: &Path, number: u32) -> rustix::io::Result<()> {
    rustix::fs::mknodat(CWD, path, FileType::BlockDevice, Mode::from_raw_mode(0o660), makedev(7, number))
}
