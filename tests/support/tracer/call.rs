//! What a system call that changes something is about: its name and the files it names.

use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::Pid;

/// A system call that a traced program is about to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name, as in its manual page.
    pub name: &'static str,
    /// What it does.
    pub does: Does,
    /// The file it is about; of one that moves or links, the file's first name.
    pub path: PathBuf,
    /// The second name.
    pub to: Option<PathBuf>,
    /// Whether the program itself makes it, and not one that it started.
    pub is_own: bool,
}

/// What a system call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Looks a path up and changes nothing.
    Look,
    /// Makes a file or empties one.
    Make,
    /// Changes what is in a file, or its owner, mode, times or attributes.
    Write,
    /// Gives a file another name.
    Move,
    /// Gives a file one more name.
    Link,
    /// Takes a name away.
    Remove,
    /// Has what was changed written to the disk.
    Sync,
    /// Says something to the kernel or to a neighbour.
    Send,
}

impl Call {
    /// Whether it changes something, or makes a change last.
    pub fn is_change(&self) -> bool {
        self.does != Does::Look
    }

    /// Whether a file of this folder has a part in it.
    pub fn is_below(&self, folder: &Path) -> bool {
        self.path.starts_with(folder) || self.to.as_ref().is_some_and(|to| to.starts_with(folder))
    }

    /// The call that a stopped process is about to make, if it is one of those that matter.
    pub(super) fn of(pid: Pid, number: u64, args: [u64; 6], is_own: bool, looks: bool) -> Option<Self> {
        let table = TABLE.iter().find(|row| row.0.cast_unsigned() == number)?;
        let (_, name, mut does, shape) = *table;
        let process = Process(pid);
        let flags = match number.cast_signed() {
            libc::SYS_open => args[1],
            libc::SYS_openat => args[2],
            libc::SYS_openat2 => process.word(args[2])?,
            _ => 0,
        };
        let makes = (libc::O_CREAT | libc::O_TRUNC).cast_unsigned();
        if does == Does::Look && flags & u64::from(makes) != 0 {
            does = Does::Make;
        }
        if does == Does::Look && !looks {
            return None;
        }
        let here = libc::AT_FDCWD;
        let (path, to) = match shape {
            Shape::Fd => (process.file(fd(args[0]))?, None),
            Shape::FdOut => (process.file(fd(args[2]))?, None),
            Shape::Path => (process.at(here, args[0])?, None),
            Shape::At => (process.at(fd(args[0]), args[1])?, None),
            Shape::Two => (process.at(here, args[0])?, process.at(here, args[1])),
            Shape::TwoAt => (process.at(fd(args[0]), args[1])?, process.at(fd(args[2]), args[3])),
            Shape::SymlinkAt => (process.at(fd(args[1]), args[2])?, None),
        };
        Some(Self { name, does, path, to, is_own })
    }
}

/// Where a call has its files.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Fd,
    FdOut,
    Path,
    At,
    Two,
    TwoAt,
    SymlinkAt,
}

/// The calls that can be watched: number, name, what each does and where it has its files.
#[rustfmt::skip]
pub(super) const TABLE: &[(libc::c_long, &str, Does, Shape)] = &[
    (libc::SYS_open, "open", Does::Look, Shape::Path),
    (libc::SYS_openat, "openat", Does::Look, Shape::At),
    (libc::SYS_openat2, "openat2", Does::Look, Shape::At),
    (libc::SYS_stat, "stat", Does::Look, Shape::Path),
    (libc::SYS_lstat, "lstat", Does::Look, Shape::Path),
    (libc::SYS_newfstatat, "newfstatat", Does::Look, Shape::At),
    (libc::SYS_statx, "statx", Does::Look, Shape::At),
    (libc::SYS_access, "access", Does::Look, Shape::Path),
    (libc::SYS_readlink, "readlink", Does::Look, Shape::Path),
    (libc::SYS_creat, "creat", Does::Make, Shape::Path),
    (libc::SYS_mkdir, "mkdir", Does::Make, Shape::Path),
    (libc::SYS_mkdirat, "mkdirat", Does::Make, Shape::At),
    (libc::SYS_mknodat, "mknodat", Does::Make, Shape::At),
    (libc::SYS_symlink, "symlink", Does::Make, Shape::Two),
    (libc::SYS_symlinkat, "symlinkat", Does::Make, Shape::SymlinkAt),
    (libc::SYS_write, "write", Does::Write, Shape::Fd),
    (libc::SYS_writev, "writev", Does::Write, Shape::Fd),
    (libc::SYS_pwrite64, "pwrite64", Does::Write, Shape::Fd),
    (libc::SYS_copy_file_range, "copy_file_range", Does::Write, Shape::FdOut),
    (libc::SYS_sendfile, "sendfile", Does::Write, Shape::Fd),
    (libc::SYS_fallocate, "fallocate", Does::Write, Shape::Fd),
    (libc::SYS_ftruncate, "ftruncate", Does::Write, Shape::Fd),
    (libc::SYS_truncate, "truncate", Does::Write, Shape::Path),
    (libc::SYS_fchmod, "fchmod", Does::Write, Shape::Fd),
    (libc::SYS_chmod, "chmod", Does::Write, Shape::Path),
    (libc::SYS_fchmodat, "fchmodat", Does::Write, Shape::At),
    (libc::SYS_fchown, "fchown", Does::Write, Shape::Fd),
    (libc::SYS_chown, "chown", Does::Write, Shape::Path),
    (libc::SYS_lchown, "lchown", Does::Write, Shape::Path),
    (libc::SYS_fchownat, "fchownat", Does::Write, Shape::At),
    (libc::SYS_fsetxattr, "fsetxattr", Does::Write, Shape::Fd),
    (libc::SYS_utimensat, "utimensat", Does::Write, Shape::At),
    (libc::SYS_rename, "rename", Does::Move, Shape::Two),
    (libc::SYS_renameat, "renameat", Does::Move, Shape::TwoAt),
    (libc::SYS_renameat2, "renameat2", Does::Move, Shape::TwoAt),
    (libc::SYS_link, "link", Does::Link, Shape::Two),
    (libc::SYS_linkat, "linkat", Does::Link, Shape::TwoAt),
    (libc::SYS_unlink, "unlink", Does::Remove, Shape::Path),
    (libc::SYS_unlinkat, "unlinkat", Does::Remove, Shape::At),
    (libc::SYS_rmdir, "rmdir", Does::Remove, Shape::Path),
    (libc::SYS_fsync, "fsync", Does::Sync, Shape::Fd),
    (libc::SYS_fdatasync, "fdatasync", Does::Sync, Shape::Fd),
    (libc::SYS_syncfs, "syncfs", Does::Sync, Shape::Fd),
    (libc::SYS_sendto, "sendto", Does::Send, Shape::Fd),
    (libc::SYS_sendmsg, "sendmsg", Does::Send, Shape::Fd),
];

/// A file descriptor is an `int`; the upper half of its register says nothing.
#[allow(clippy::cast_possible_truncation)]
fn fd(arg: u64) -> i32 {
    arg as i32
}

struct Process(Pid);

impl Process {
    /// What an open file is called now.
    fn file(&self, fd: i32) -> Option<PathBuf> {
        let entry = match fd {
            libc::AT_FDCWD => format!("/proc/{}/cwd", self.0),
            fd => format!("/proc/{}/fd/{fd}", self.0),
        };
        std::fs::read_link(entry).ok()
    }

    /// The path at an address, below an open folder when it is relative.
    fn at(&self, folder: i32, address: u64) -> Option<PathBuf> {
        let mut bytes = vec![0; 4096];
        let n = self.memory()?.read_at(&mut bytes, address).unwrap_or_default();
        let end = bytes.get(..n)?.iter().position(|byte| *byte == 0)?;
        bytes.truncate(end);
        let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
        if path.is_absolute() { Some(path) } else { Some(self.file(folder)?.join(path)) }
    }

    fn word(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.memory()?.read_exact_at(&mut bytes, address).ok()?;
        Some(u64::from_ne_bytes(bytes))
    }

    fn memory(&self) -> Option<File> {
        File::open(format!("/proc/{}/mem", self.0)).ok()
    }
}
