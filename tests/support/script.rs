//! Programs that tests write and run.

use std::fs::{File, Permissions, set_permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;

/// How long a copy of an open file may live on in a process that is being started.
const PATIENCE: Duration = Duration::from_secs(10);
/// Names the signal that tells of a lease (include/uapi/asm-generic/fcntl.h); the libc crate has no name for it.
const F_SETSIG: libc::c_int = 10;

/// Writes a file that can be run as soon as this returns.
pub fn write(path: &Path, text: impl AsRef<[u8]>) -> io::Result<()> {
    std::fs::write(path, text)?;
    set_permissions(path, Permissions::from_mode(0o755))?;
    settle(path)
}

/// Waits until nobody has a file open to write it: until then the kernel does not run it (`ETXTBSY`), and a process that
/// another test starts at that moment has a copy of every open file of ours until it runs its own program.
///
/// A lease to read is given just then (fcntl(2), `F_SETLEASE`).
pub fn settle(path: &Path) -> io::Result<()> {
    let (file, end) = (File::open(path)?, Instant::now() + PATIENCE);
    loop {
        match lease(&file, libc::F_RDLCK) {
            Ok(()) => return Ok(lease(&file, libc::F_UNLCK)?),
            Err(Errno::EAGAIN) if Instant::now() < end => std::thread::sleep(Duration::from_millis(1)),
            Err(e) => return Err(e.into()),
        }
    }
}

/// Takes a lease or gives it back. One that is not given back outlives `file` in such a process's copy of it, and who then
/// writes the file ends this whole process: the kernel tells the holder by a signal, `SIGIO` unless another is named.
#[allow(unsafe_code)]
fn lease(file: &File, kind: libc::c_int) -> nix::Result<()> {
    // SAFETY: the file is open, and nothing but numbers are handed over. SIGURG is ignored unless it is asked for.
    let set = unsafe {
        libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG);
        libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind)
    };
    Errno::result(set).map(drop)
}

#[test]
fn a_program_is_run_when_nobody_has_it_open_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    write(&path, "#!/bin/sh\n").unwrap();
    let open = File::options().write(true).open(&path).unwrap();
    let run = || std::process::Command::new(&path).status();
    assert_eq!(run().unwrap_err().kind(), io::ErrorKind::ExecutableFileBusy);
    std::thread::scope(|scope| {
        let settled = scope.spawn(|| settle(&path));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!settled.is_finished());
        drop(open);
        settled.join().unwrap().unwrap();
    });
    assert!(run().unwrap().success());
}

/// As root may go on when the file is a copy in a process that has not run its own program yet.
#[test]
fn a_program_is_written_anew_while_a_copy_of_the_open_file_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    write(&path, "#!/bin/sh\nexit 1\n").unwrap();
    let file = File::open(&path).unwrap();
    lease(&file, libc::F_RDLCK).unwrap();
    let kept = file.try_clone().unwrap();
    lease(&file, libc::F_UNLCK).unwrap();
    drop(file);
    let again = Instant::now();
    write(&path, "#!/bin/sh\n").unwrap();
    assert!(again.elapsed() < Duration::from_secs(1), "the kernel waited for a lease of ours");
    drop(kept);
    assert!(std::process::Command::new(&path).status().unwrap().success());
}
