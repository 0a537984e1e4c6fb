//! Whether stdout was closed when the program began (`>&-`): Rust puts `/dev/null` there before `main` runs, so that what
//! is printed would be lost without a word.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Run by the loader, before anything of Rust is.
#[used]
#[allow(unsafe_code)]
// SAFETY: functions of `.init_array` are called once, on the one thread there is, by the C ABI; what they are given is
// not looked at. This one makes a system call and sets a static.
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

extern "C" fn begin() {
    // SAFETY: 1 is not owned by anything yet, and is only asked about.
    #[allow(unsafe_code)]
    let stdout = unsafe { std::os::fd::BorrowedFd::borrow_raw(1) };
    CLOSED.store(rustix::io::fcntl_getfd(stdout) == Err(rustix::io::Errno::BADF), Ordering::Relaxed);
}

/// Fails when nobody can read what is printed.
pub fn is_open() -> io::Result<()> {
    if CLOSED.load(Ordering::Relaxed) { Err(rustix::io::Errno::BADF.into()) } else { Ok(()) }
}

/// The standard output; one that was closed takes nothing.
pub struct Stdout;

impl io::Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        is_open()?;
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}
