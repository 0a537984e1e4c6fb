//! A pseudo-terminal with a program at it: what stands on its screen, and keys that are pressed.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::pty::{Winsize, openpty};

use super::must::Must;
use super::until;

/// How long the screen may take to show what is waited for.
const SOON: Duration = Duration::from_secs(20);

/// The key that ends the input.
pub const CTRL_D: &str = "\x04";
/// The key that sends SIGINT.
pub const CTRL_C: &str = "\x03";

/// A terminal of 80 columns that echoes what is typed, as terminals do.
pub struct Terminal {
    keyboard: File,
    child: Child,
    shown: Vec<u8>,
}

impl Terminal {
    /// Runs a command line with the terminal as its own, and as each of its standard streams that was not set to
    /// something else. `setsid -c` makes it the one that CTRL-C speaks to, and becomes the program.
    pub fn run(words: &Command, stdout: Option<Stdio>) -> Self {
        let size = Winsize { ws_row: 50, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).must("open a pseudo-terminal");
        for end in [&pty.master, &pty.slave] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).must("keep a terminal to itself");
        }
        let theirs = || Stdio::from(pty.slave.try_clone().must("hold a terminal"));
        let mut command = Command::new("setsid");
        command.arg("-c").arg(words.get_program()).args(words.get_args());
        command.stdin(theirs()).stdout(stdout.unwrap_or_else(theirs)).stderr(theirs());
        let child = command.spawn().must("run a program at a terminal");
        let flags = rustix::fs::OFlags::NONBLOCK;
        rustix::fs::fcntl_setfl(pty.master.as_fd(), flags).must("make a terminal non-blocking");
        Self { keyboard: File::from(pty.master), child, shown: Vec::new() }
    }

    /// Everything that was ever shown, with plain line ends.
    pub fn screen(&mut self) -> String {
        let mut bytes = [0; 4096];
        loop {
            match self.keyboard.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => self.shown.extend(&bytes[..count]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.raw_os_error() == Some(5) => break, // EIO: nobody has the other end open any more
                Err(e) => panic!("cannot read a terminal: {e}"),
            }
        }
        String::from_utf8_lossy(&self.shown).replace("\r\n", "\n")
    }

    /// Waits until the screen ends with this.
    #[track_caller]
    pub fn until(&mut self, end: &str) {
        let came = until(SOON, || self.screen().ends_with(end));
        assert!(came, "no {end:?} at the end of:\n{}", self.screen());
    }

    /// Changes the size of its window.
    pub fn resize(&self, rows: u16, columns: u16) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.keyboard, size).must("change the size of a terminal");
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).must("press keys");
    }

    /// Waits for a question and answers it.
    #[track_caller]
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.until(question);
        self.press(&format!("{answer}\n"));
    }

    /// Waits for the program's end, and gives its status and the screen.
    #[track_caller]
    pub fn end(mut self) -> (ExitStatus, String) {
        let mut status = None;
        until(SOON, || {
            self.screen(); // a terminal that is full would keep it from ending
            status = self.child.try_wait().must("wait for a program");
            status.is_some()
        });
        let screen = self.screen();
        (status.unwrap_or_else(|| panic!("it is not over:\n{screen}")), screen)
    }

    /// The program's pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
