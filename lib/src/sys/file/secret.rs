//! Files that hold secrets: they are read only when nobody else can read or write them.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::place::{LOOK, Place, is_link, link, not_regular};
use super::read::{cannot_read, text, whole};
use crate::{Exit, Fail};

/// How long whoever writes into a pipe may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read out of a pipe.
const LARGEST: usize = 1024 * 1024;

/// Reads a text file of secrets: a regular one that belongs to root or to the caller, that nobody else may read or
/// write, and that no symbolic link leads to where others can write. Anything else is refused.
pub fn read_secret(path: &Path) -> Result<String, Fail> {
    let missing = || Fail::usage(format!("there is no {}", path.display()));
    let place = match Place::of(path) {
        Ok(place) => place,
        Err((Errno::NOENT | Errno::NOTDIR, _)) => return Err(missing()),
        Err((Errno::LOOP, fail)) => return Err(fail.with_exit(Exit::Refused)),
        Err((Errno::INVAL, fail)) => return Err(fail),
        Err((_, fail)) => return Err(fail.with_exit(Exit::Unknown)),
    };
    let flags = if place.is_roots_alone { LOOK } else { LOOK | OFlags::NOFOLLOW };
    match rustix::fs::openat(&place.folder, place.name, flags, Mode::empty()) {
        Ok(fd) if is_link(fd.as_fd(), OsStr::new("")) => Err(link(path).with_exit(Exit::Refused)),
        Ok(fd) => {
            private(&fd, path)?;
            Ok(text(&whole(&fd, path)?, path)?.to_owned())
        }
        Err(Errno::NOENT) => Err(missing()),
        Err(e) => Err(cannot_read(path, &e.into())),
    }
}

/// Reads secrets from a descriptor that whoever started this process left open: a pipe, which is read to its end
/// within ten seconds, or a file, of which the same is asked as if it were named.
pub fn read_secret_from(descriptor: u32) -> Result<String, Fail> {
    let name = PathBuf::from(format!("descriptor {descriptor}"));
    let link = format!("/proc/self/fd/{descriptor}");
    let fd = match rustix::fs::open(&link, LOOK, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => {
            return Err(Fail::usage(format!("descriptor {descriptor} is not open"))
                .hint(format!("open it in the shell: {descriptor}< FILE")));
        }
        Err(e) => return Err(cannot_read(&name, &e.into())),
    };
    let kind =
        FileType::from_raw_mode(rustix::fs::fstat(&fd).map_err(|e| cannot_read(&name, &e.into()))?.st_mode);
    let bytes = if kind.is_fifo() {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe =
            rustix::fs::open(&link, flags, Mode::empty()).map_err(|e| cannot_read(&name, &e.into()))?;
        to_its_end(pipe, Instant::now() + PATIENCE).map_err(|e| cannot_read(&name, &e))?
    } else {
        private(&fd, &name)?;
        whole(&fd, &name)?
    };
    Ok(text(&bytes, &name)?.to_owned())
}

/// Refuses what somebody else can read, write or replace.
fn private(fd: &OwnedFd, path: &Path) -> Result<(), Fail> {
    let found = rustix::fs::fstat(fd).map_err(|e| cannot_read(path, &e.into()))?;
    let shown = path.display();
    if !FileType::from_raw_mode(found.st_mode).is_file() {
        return Err(not_regular(path).with_exit(Exit::Refused));
    }
    if found.st_uid != 0 && found.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Fail::refused(format!("{shown} holds secrets and belongs to uid {}", found.st_uid))
            .hint(format!("chown root {shown}")));
    }
    if found.st_mode & 0o077 != 0 {
        let mode = found.st_mode & 0o7777;
        return Err(Fail::refused(format!(
            "{shown} holds secrets and is not its owner's alone (mode {mode:04o})"
        ))
        .hint(format!("chmod 600 {shown}")));
    }
    Ok(())
}

fn to_its_end(pipe: OwnedFd, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut pipe = std::fs::File::from(pipe);
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        match pipe.read(&mut some) {
            Ok(0) => return Ok(bytes),
            Ok(read) => bytes.extend(some.iter().take(read)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                let left = deadline.saturating_duration_since(Instant::now());
                let left = Timespec::try_from(left).map_err(io::Error::other)?;
                match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&left)) {
                    Ok(0) => return Err(io::Error::other("its writer never closed it")),
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        if bytes.len() > LARGEST {
            return Err(io::Error::other("it holds more than 1 MiB"));
        }
    }
}
