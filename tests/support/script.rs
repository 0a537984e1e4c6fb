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

/// Writes a file that can be run as soon as this returns.
pub fn write(path: &Path, text: impl AsRef<[u8]>) -> io::Result<()> {
    std::fs::write(path, text)?;
    set_permissions(path, Permissions::from_mode(0o755))?;
    settle(path)
}

/// Waits until nobody has a file open to write it: until then the kernel does not run it (`ETXTBSY`), and a process that
/// another test starts at that moment has a copy of every open file of ours until it runs its own program.
///
/// A lease to read is given just then (fcntl(2), `F_SETLEASE`); it ends with the file that is opened here.
#[allow(unsafe_code)]
pub fn settle(path: &Path) -> io::Result<()> {
    let (file, end) = (File::open(path)?, Instant::now() + PATIENCE);
    loop {
        // SAFETY: the file is open, and nothing but a number is handed over.
        let set = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) };
        match Errno::result(set) {
            Ok(_) => return Ok(()),
            Err(Errno::EAGAIN) if Instant::now() < end => std::thread::sleep(Duration::from_millis(1)),
            Err(e) => return Err(e.into()),
        }
    }
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
