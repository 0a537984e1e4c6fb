//! Where a file stands: its folder, opened on a way that nobody else can bend, and what is there under its name.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::{Exit, Fail};

/// The path of a folder without symbolic links on the way, `None` when nothing is there.
///
/// This may hang on a dead disk or server, as every look at a path may.
pub fn real_folder(path: &Path) -> io::Result<Option<PathBuf>> {
    let real = match std::fs::canonicalize(path) {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if real.metadata()?.is_dir() { Ok(Some(real)) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Opens the folder of a path, so that what follows happens in that very folder, and gives the last name in it.
///
/// Symbolic links on the way are followed only while every folder up to them belongs to root and can be
/// written by root alone; below anything else none is crossed.
pub fn folder_of(path: &Path) -> Result<(OwnedFd, &OsStr), Fail> {
    Place::of(path).map(|place| (place.folder, place.name)).map_err(|(_, fail)| fail)
}

/// Where a file stands, or would.
pub(super) struct Place<'a> {
    pub folder: OwnedFd,
    pub name: &'a OsStr,
    /// Whether nobody but root can put something there or on the way to it.
    pub is_roots_alone: bool,
}

impl<'a> Place<'a> {
    pub fn of(path: &'a Path) -> Result<Self, (Errno, Fail)> {
        let cannot = |e: Errno| {
            let what = format!("cannot open the folder of {}", path.display());
            let fail = Fail::io(Exit::Failed, what, &e.into());
            (
                e,
                if e == Errno::LOOP {
                    fail.hint("a symbolic link stands where others can write")
                } else {
                    fail
                },
            )
        };
        let bad = |what| (Errno::INVAL, Fail::usage(format!("{} {what}", path.display())));
        let name = path.file_name().ok_or_else(|| bad("names no file"))?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let start = if parent.is_absolute() { "/" } else { "." };
        let mut folder = rustix::fs::open(start, flags, Mode::empty()).map_err(cannot)?;
        let mut is_roots_alone = belongs_to_root(folder.as_fd()).map_err(cannot)?;
        for part in parent.components() {
            let std::path::Component::Normal(part) = part else {
                if matches!(part, std::path::Component::ParentDir) {
                    return Err(bad("leads through '..'"));
                }
                continue;
            };
            let resolve =
                if is_roots_alone { ResolveFlags::NO_MAGICLINKS } else { ResolveFlags::NO_SYMLINKS };
            folder = rustix::fs::openat2(&folder, part, flags, Mode::empty(), resolve).map_err(cannot)?;
            is_roots_alone = is_roots_alone && belongs_to_root(folder.as_fd()).map_err(cannot)?;
        }
        Ok(Self { folder, name, is_roots_alone })
    }
}

fn belongs_to_root(folder: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let stat = rustix::fs::fstat(folder)?;
    Ok(stat.st_uid == 0 && stat.st_mode & 0o022 == 0)
}

/// Opens nothing yet: to open a FIFO may wait for ever, and to open a device may set it off.
pub(super) const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// What stands under a name; a symbolic link is not followed.
pub(in crate::sys) enum Existing {
    Nothing,
    Regular(std::fs::File),
    Other,
}

pub(in crate::sys) fn existing(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<Existing> {
    match rustix::fs::openat(folder, name, LOOK | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(fd) => Ok(opened(&fd)?.map_or(Existing::Other, Existing::Regular)),
        Err(Errno::NOENT) => Ok(Existing::Nothing),
        Err(e) => Err(e.into()),
    }
}

/// Opens a file that was looked up, `None` when it is not a regular one.
pub(super) fn opened(fd: &OwnedFd) -> io::Result<Option<std::fs::File>> {
    if !FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode).is_file() {
        return Ok(None);
    }
    let same = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let file = rustix::fs::open(same, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(Some(file.into()))
}

pub(super) fn is_link(folder: BorrowedFd<'_>, name: &OsStr) -> bool {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_symlink())
}

/// A file that cannot be made, named or taken away; root is told what keeps even root from it.
pub(in crate::sys) fn denied(what: String, e: &io::Error) -> Fail {
    let fail = Fail::io(Exit::Failed, what, e);
    let is_denied = e.raw_os_error() == Some(Errno::PERM.raw_os_error());
    if is_denied && rustix::process::geteuid().is_root() {
        fail.hint("lsattr shows whether it is immutable, chattr -i mends it")
    } else {
        fail
    }
}

pub(super) fn link(path: &Path) -> Fail {
    Fail::failed(format!("{} is a symbolic link", path.display())).hint("put the file itself there")
}

pub(super) fn not_regular(path: &Path) -> Fail {
    Fail::usage(format!("{} is not a regular file", path.display()))
}
