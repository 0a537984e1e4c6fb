//! Locks between runs of our own commands: a file of its own that is never renamed, locked with flock(2).

use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err::OpenOptions;
use fs_err::os::unix::fs::OpenOptionsExt;

use super::process;
use crate::{Exit, Fail, Host};

/// Where the locks of a node stand. The files are root's alone to open, so that nobody else can hold one.
pub const FOLDER: &str = "/run/ims/lock";

/// A lock that is held until it is dropped or its process ends.
#[derive(Debug)]
pub struct Lock {
    file: fs_err::File,
}

impl Lock {
    /// Takes this node's lock of that name, as [`Lock::take`] does.
    pub fn named(host: &Host, name: &str, patience: Duration) -> Result<Self, Fail> {
        Self::take(&host.path(FOLDER).join(format!("{name}.lock")), patience)
    }

    /// Takes the lock, waiting for at most `patience`; after that the failure is `busy` and says which pid holds it,
    /// when that can be seen.
    pub fn take(path: &Path, patience: Duration) -> Result<Self, Fail> {
        Self::take_by(path, patience, std::fs::File::try_lock)
    }

    /// Takes the lock beside others that share it; one that took it alone is waited for in the same way.
    pub fn share(path: &Path, patience: Duration) -> Result<Self, Fail> {
        Self::take_by(path, patience, std::fs::File::try_lock_shared)
    }

    fn take_by(
        path: &Path,
        patience: Duration,
        take: fn(&std::fs::File) -> Result<(), std::fs::TryLockError>,
    ) -> Result<Self, Fail> {
        let cannot =
            |e: &std::io::Error| Fail::io(Exit::Failed, format!("cannot lock {}", path.display()), e);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).map_err(|e| cannot(&e))?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600) // who can open it, to read even, can lock it
            .custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits())
            .open(path)
            .map_err(|e| cannot(&e))?;
        let end = Instant::now() + patience;
        // flock(2) has no deadline of its own, so a holder is asked again, ever less often.
        let mut pause = Duration::from_millis(1);
        while let Err(error) = take(file.file()) {
            match error {
                std::fs::TryLockError::WouldBlock if Instant::now() < end => {
                    std::thread::sleep(pause.min(end.saturating_duration_since(Instant::now())));
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
                std::fs::TryLockError::WouldBlock => {
                    let by = holder(&mut file).map_or_else(String::new, |pid| format!(" by pid {pid}"));
                    return Err(Fail::busy(format!("{} is held{by}", path.display()))
                        .hint("wait until that run ends, then run it again"));
                }
                std::fs::TryLockError::Error(e) => {
                    return Err(cannot(&e));
                }
            }
        }
        let mut lock = Self { file };
        match lock.sign() {
            // It is held all the same: where nothing can be written, things can be stopped and given away at least.
            Err(e) if matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => Ok(lock),
            signed => signed.map(|()| lock).map_err(|e| cannot(&e)),
        }
    }

    /// Whether a run holds the lock alone now. It is found out by sharing it for a moment, without a trace in the file.
    pub fn is_held(path: &Path) -> Result<bool, Fail> {
        let cannot = |e: &std::io::Error| {
            Fail::io(Exit::Unknown, format!("cannot tell whether {} is held", path.display()), e)
        };
        let file = match fs_err::File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(cannot(&e)),
        };
        match file.file().try_lock_shared() {
            Ok(()) => Ok(false),
            Err(std::fs::TryLockError::WouldBlock) => Ok(true),
            Err(std::fs::TryLockError::Error(e)) => Err(cannot(&e)),
        }
    }

    /// Gives it up for every process that has it from us; none of them may be at what it keeps others from.
    pub fn give_up(self) {
        let _ = self.file.file().unlock(); // the end of the last of them does it too
    }

    /// Leaves our pid in the file, for the one who finds it held.
    fn sign(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{}", std::process::id())
    }

    /// Has those who follow the lock's folder ([`super::news::News`]) look now whether it is held.
    pub fn announce(&self) -> Result<(), Fail> {
        let path = self.file.path();
        OpenOptions::new()
            .write(true)
            .open(path)
            .map(drop)
            .map_err(|e| Fail::io(Exit::Failed, format!("cannot tell that {} is held", path.display()), &e))
    }

    /// The open file, for a child that must keep the lock while it runs.
    pub const fn file(&self) -> &fs_err::File {
        &self.file
    }
}

/// A process that holds the lock of this file: the one that signed it or, when that has handed it on and ended, the one
/// that has it now. `None` when it cannot be seen from here.
fn holder(file: &mut fs_err::File) -> Option<i32> {
    let lock = number(&file.metadata().ok()?);
    let mut text = String::new();
    let signed = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
    let others = || process::all().into_iter().map(|process| process.pid);
    signed.into_iter().chain(std::iter::once_with(others).flatten()).find(|pid| holds(*pid, lock))
}

/// Whether a process has this file open and, by its `/proc/PID/fdinfo`, locked: others wait for it with it open.
fn holds(pid: i32, lock: (u64, u64)) -> bool {
    let Ok(open) = fs_err::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|fd| {
        let info = PathBuf::from(format!("/proc/{pid}/fdinfo")).join(fd.file_name());
        fd.path().metadata().is_ok_and(|meta| number(&meta) == lock)
            && fs_err::read_to_string(info).is_ok_and(|text| text.contains("FLOCK"))
    })
}

/// What tells a file from every other one.
fn number(meta: &std::fs::Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;
    use crate::sys::exec::Line;

    /// A program that another test starts has a copy of every lock until it runs: what is free is free soon.
    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/x.lock");
        assert!(!Lock::is_held(&path).unwrap());
        let held = Lock::take(&path, Duration::ZERO).unwrap();
        assert!(Lock::is_held(&path).unwrap());
        let fail = Lock::take(&path, Duration::from_millis(5)).unwrap_err();
        assert_eq!(fail.exit(), Exit::Busy);
        assert!(fail.to_string().contains(&format!("by pid {}", std::process::id())), "{fail}");
        drop(held);
        assert!(Lock::take(&path, SOON).is_ok());
    }

    #[test]
    fn a_lock_that_was_handed_on_is_told_by_who_has_it_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let mut lock = Lock::take(&path, Duration::ZERO).unwrap();
        let held = lock.file().file().try_clone().unwrap();
        let mut child = Line::new(["sleep", "60"]).spawn(held.into(), Stdio::null(), Stdio::null()).unwrap();
        let id = child.id();
        // As one leaves it that has ended, whatever has its number now.
        for left in [String::new(), "x\n".to_owned(), format!("{}\n", i32::MAX), "1\n".to_owned()] {
            lock.file.set_len(0).and_then(|()| lock.file.rewind()).unwrap();
            lock.file.write_all(left.as_bytes()).unwrap();
            let told = |fail: &Fail| {
                [id, std::process::id()]
                    .iter()
                    .any(|pid| fail.to_string().contains(&format!("by pid {pid} ")))
            };
            let fail = Lock::take(&path, Duration::ZERO).unwrap_err();
            assert!(told(&fail), "{fail}");
        }
        drop(lock);
        let fail = Lock::take(&path, Duration::ZERO).unwrap_err();
        assert!(fail.to_string().contains(&format!("is held by pid {id} ")), "{fail}");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn nobody_else_can_open_a_lock_and_so_hold_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        drop(Lock::take(&path, Duration::ZERO).unwrap());
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }

    #[test]
    fn many_share_a_lock_that_one_alone_then_waits_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let one = Lock::share(&path, Duration::ZERO).unwrap();
        let two = Lock::share(&path, Duration::ZERO).unwrap();
        drop(one);
        assert_eq!(Lock::take(&path, Duration::ZERO).unwrap_err().exit(), Exit::Busy);
        drop(two);
        let _alone = Lock::take(&path, SOON).unwrap();
        assert_eq!(Lock::share(&path, Duration::ZERO).unwrap_err().exit(), Exit::Busy);
    }
}
