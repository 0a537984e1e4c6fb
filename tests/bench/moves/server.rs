//! The trivial server: it greets whoever connects, in the words of SMTP, and keeps a file of the volume open. Its own
//! start returns once it listens, its stop once it is gone, and neither asks on a clock.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio, exit};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

const START: &str = "trivial-start";
const SERVE: &str = "trivial-serve";
const STOP: &str = "trivial-stop";
const LOOK: &str = "trivial-look";

const PID: &str = "/run/trivial.pid";

/// Runs the part that this program is asked to be; says whether it was one.
pub fn be_asked() -> bool {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [START, at, folder] => start(at, folder),
        [SERVE, at, folder] => serve(at, folder),
        [STOP] => stop(),
        [LOOK] => exit(i32::from(process().is_none())),
        _ => return false,
    }
    true
}

/// Its command line: start, serve in the foreground, stop, and the question whether it runs.
pub struct Words {
    pub start: [String; 4],
    pub serve: [String; 4],
    pub stop: [String; 2],
    pub look: [String; 2],
}

/// The command lines of one that listens at an address and works in a folder.
pub fn words(at: &str, folder: &str) -> Words {
    let own = std::env::current_exe().unwrap().display().to_string();
    let (at, folder) = (at.to_owned(), folder.to_owned());
    Words {
        start: [own.clone(), START.to_owned(), at.clone(), folder.clone()],
        serve: [own.clone(), SERVE.to_owned(), at, folder],
        stop: [own.clone(), STOP.to_owned()],
        look: [own, LOOK.to_owned()],
    }
}

fn process() -> Option<Pid> {
    let pid = Pid::from_raw(fs::read_to_string(PID).ok()?.trim().parse().ok()?)?;
    Path::new("/proc").join(pid.as_raw_nonzero().to_string()).exists().then_some(pid)
}

// The server outlives this process, which ends here, and init waits for it.
#[allow(clippy::zombie_processes)]
fn start(at: &str, folder: &str) {
    let own = std::env::current_exe().unwrap();
    let mut server = Command::new(own)
        .args([SERVE, at, folder])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "listens\n");
}

fn serve(at: &str, folder: &str) {
    let mut greeted =
        File::options().create(true).append(true).open(Path::new(folder).join("starts")).unwrap();
    greeted.write_all(b"started\n").unwrap();
    let listener = TcpListener::bind(at).unwrap();
    fs::write(PID, std::process::id().to_string()).unwrap();
    println!("listens");
    for client in listener.incoming().flatten() {
        let mut client = client;
        let _ = client.write_all(b"220 trivial\r\n"); // it may have gone meanwhile
    }
}

fn stop() {
    let Some(pid) = process() else { return };
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let _ = pidfd_send_signal(&pidfd, Signal::TERM); // it may have ended this moment
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None).unwrap();
    fs::remove_file(PID).unwrap();
}
