//! Files read whole, none of them for ever.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::place::{LOOK, Place, is_link, link, not_regular, opened};
use crate::{Exit, Fail};

/// The largest file that is read whole; configuration is far smaller, and a device or a FIFO has no end.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads a text file, `None` when it is not there; anything but a regular file of UTF-8 is an error.
pub fn read_text(path: &Path) -> Result<Option<String>, Fail> {
    read(path)?.map(|bytes| text(&bytes, path).map(ToOwned::to_owned)).transpose()
}

/// The text that a file holds; one that is not UTF-8 is an error with its line.
pub fn text<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a str, Fail> {
    std::str::from_utf8(bytes).map_err(|e| {
        let good = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        Fail::usage(format!("{}:{line}: not UTF-8 text", path.display())).hint("convert the file with iconv")
    })
}

/// Reads a file, `None` when it is not there. A symbolic link to nothing is not nothing: it is an error.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Fail> {
    match rustix::fs::open(path, LOOK, Mode::empty()) {
        Ok(fd) => whole(&fd, path).map(Some),
        Err(Errno::NOENT | Errno::NOTDIR) => match rustix::fs::readlink(path, Vec::new()) {
            Ok(to) => Err(leads_nowhere(path, &to.to_string_lossy())),
            Err(_) => Ok(None),
        },
        Err(e) => Err(cannot_read(path, &e.into())),
    }
}

/// Whether something stands under a path. A symbolic link to nothing, or a folder on the way that does not tell, is
/// neither yes nor no.
pub fn is_there(path: &Path) -> Result<bool, Fail> {
    status(path).map(|found| found.is_some())
}

/// Whether a folder stands under a path, by the same rule; something else there is a no.
pub fn is_folder(path: &Path) -> Result<bool, Fail> {
    let is_one = |found: Stat| FileType::from_raw_mode(found.st_mode).is_dir();
    status(path).map(|found| found.is_some_and(is_one))
}

fn status(path: &Path) -> Result<Option<Stat>, Fail> {
    match rustix::fs::stat(path) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT | Errno::NOTDIR) => match rustix::fs::readlink(path, Vec::new()) {
            Ok(to) => Err(leads_nowhere(path, &to.to_string_lossy())),
            Err(_) => Ok(None),
        },
        Err(e) => Err(Fail::io(Exit::Unknown, format!("cannot look for {}", path.display()), &e.into())),
    }
}

/// Reads a file that is to be replaced by something made of it: found as [`folder_of`] finds it, so that what root
/// alone may read does not come by a link into a file of somebody else's. `None` when it is not there.
pub fn read_own(path: &Path) -> Result<Option<Vec<u8>>, Fail> {
    let (folder, name) = match Place::of(path) {
        Ok(place) if place.is_roots_alone => return read(path),
        Ok(place) => (place.folder, place.name),
        Err((Errno::NOENT | Errno::NOTDIR, _)) => return Ok(None),
        Err((Errno::LOOP | Errno::INVAL, fail)) => return Err(fail),
        Err((_, fail)) => return Err(fail.with_exit(Exit::Unknown)),
    };
    match rustix::fs::openat(&folder, name, LOOK | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(fd) if is_link(fd.as_fd(), OsStr::new("")) => Err(link(path)),
        Ok(fd) => whole(&fd, path).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(cannot_read(path, &e.into())),
    }
}

/// Reads a file that `by` names: one for everybody to read, or for whoever owns `by`. So nobody who writes a name into
/// a configuration learns by root's words what the file says. `None` when it is not there.
pub fn read_named(path: &Path, by: &Path) -> Result<Option<Vec<u8>>, Fail> {
    if !is_there(path)? {
        return Ok(None);
    }
    let cannot = |e: Errno| cannot_read(path, &e.into());
    let fd = rustix::fs::open(path, LOOK, Mode::empty()).map_err(cannot)?;
    let found = rustix::fs::fstat(&fd).map_err(cannot)?;
    let owner = rustix::fs::stat(by).map_err(|e| cannot_read(by, &e.into()))?;
    let mode = Mode::from_raw_mode(found.st_mode);
    let is_for_all = owner.st_uid == 0 || mode.contains(Mode::ROTH);
    let is_theirs = found.st_uid == owner.st_uid && mode.contains(Mode::RUSR);
    let is_their_group = found.st_gid == owner.st_gid && mode.contains(Mode::RGRP);
    if is_for_all || is_theirs || is_their_group {
        return whole(&fd, path).map(Some);
    }
    let told = format!("{} is not for the owner of {} to read", path.display(), by.display());
    Err(Fail::unknown(told).hint("give it the same group, and let that read it"))
}

/// All of a regular file that was looked up.
pub(super) fn whole(fd: &OwnedFd, path: &Path) -> Result<Vec<u8>, Fail> {
    let cannot = |e: &io::Error| cannot_read(path, e);
    let file = opened(fd).map_err(|e| cannot(&e))?.ok_or_else(|| not_regular(path))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| cannot(&e))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(Fail::usage(format!("{} is larger than 64 MiB", path.display())));
    }
    Ok(bytes)
}

pub(super) fn cannot_read(path: &Path, e: &io::Error) -> Fail {
    Fail::io(Exit::Unknown, format!("cannot read {}", path.display()), e)
}

fn leads_nowhere(path: &Path, to: &str) -> Fail {
    Fail::unknown(format!(
        "{} is a symbolic link to {}, which is not there",
        path.display(),
        to.escape_debug()
    ))
    .hint("mount what it leads to, or put the file itself there")
}
