//! What runs now: the kernel's listening sockets, and which of them are an instance's own.

use std::collections::BTreeMap;

use ims::instance::Instance;
use ims::layout::{Bind, Listener, Part, programs};
use ims::sys::process::{self, Process};
use ims::sys::sock::{self, Listening, Owner};
use ims::whose::{Whose, whose};
use ims::{Fail, Host};

/// The servers by the names of their programs; what is behind another's socket is the one that opened it.
const SERVERS: [(&str, &str); 11] = [
    ("master", "postfix"),
    ("dovecot", "dovecot"),
    ("slapd", "slapd"),
    ("ns-slapd", "slapd"),
    ("dispatcher", "dispatcher"),
    ("tcp_smtp_server", "dispatcher"),
    ("tcp_lmtp_server", "dispatcher"),
    ("job_controller", "job_controller"),
    ("imapd", "store"),
    ("popd", "store"),
    ("mshttpd", "store"),
];

/// Every listening socket of this node and the processes that hold each.
#[derive(Debug, Default)]
pub struct Sockets {
    all: Vec<(Listening, Vec<Owner>)>,
    has_v6: bool,
    sees_all: bool,
}

impl Sockets {
    /// Asks the kernel. Nothing runs where the files of another system are looked at.
    pub fn look(host: &Host) -> Result<Self, Fail> {
        if host.is_elsewhere() {
            return Ok(Self { all: Vec::new(), has_v6: true, sees_all: true });
        }
        let listening = sock::listening()?;
        let inodes: Vec<u32> =
            listening.iter().map(|socket| socket.inode).filter(|inode| *inode != 0).collect();
        let mut owners: BTreeMap<u32, Vec<Owner>> = sock::owners(host, &inodes)?;
        let all = listening.into_iter().map(|socket| {
            let owners = owners.remove(&socket.inode).unwrap_or_default();
            (socket, owners)
        });
        Ok(Self { all: all.collect(), has_v6: sock::has_v6(host), sees_all: process::sees_all() })
    }
}

/// A listening socket of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it is bound to.
    pub bind: Bind,
    /// Its port.
    pub port: u16,
    /// The process that has it, the server's first one when it is among them.
    pub pid: u32,
    /// That one's executable.
    pub command: String,
    /// The server, when the program's name tells.
    pub server: Option<&'static str>,
}

/// What runs of an instance.
#[derive(Debug, Default)]
pub struct Live {
    /// Its sockets.
    pub own: Vec<Held>,
    /// The servers whose first process runs, whatever it listens on.
    pub running: Vec<&'static str>,
    /// The ports at which somebody listens of whom nothing could be found out.
    pub hidden: Vec<u16>,
    /// Whether every process of the node could be looked at.
    pub sees_all: bool,
    /// Whether the node speaks IPv6 at all.
    pub has_v6: bool,
}

/// Finds an instance's own among the sockets. `known` are the others that may have one.
pub fn of(host: &Host, sockets: &Sockets, instance: &Instance, known: &[&Instance]) -> Result<Live, Fail> {
    let mut live = Live { sees_all: sockets.sees_all, has_v6: sockets.has_v6, ..Live::default() };
    for (socket, owners) in &sockets.all {
        match whose(host, instance, known, owners) {
            Whose::Own => live.own.extend(held(socket, owners)),
            Whose::Unknown => live.hidden.push(socket.port),
            Whose::Other(_) | Whose::Foreign => {}
        }
    }
    if !host.is_elsewhere() {
        live.running = running(host, instance)?;
    }
    Ok(live)
}

fn held(socket: &Listening, owners: &[Owner]) -> Option<Held> {
    let first = owners.iter().find(|owner| server(&owner.command).is_some()).or(owners.first())?;
    let (pid, command) = (first.pid, first.command.clone());
    Some(Held { bind: socket.bind, port: socket.port, pid, server: server(&command), command })
}

fn server(command: &str) -> Option<&'static str> {
    let name = program(command).rsplit('/').next()?;
    SERVERS.iter().find(|(program, _)| *program == name).map(|(_, server)| *server)
}

/// An executable's path also when it was replaced while it runs, as an upgrade does.
fn program(command: &str) -> &str {
    command.strip_suffix(" (deleted)").unwrap_or(command)
}

/// The servers that run by their pid files; one that was left behind by another process or node proves nothing.
fn running(host: &Host, instance: &Instance) -> Result<Vec<&'static str>, Fail> {
    let mut found = Vec::new();
    let parts =
        [(Part::Mail, instance.mail.then(|| instance.mail_dir())), (Part::Directory, instance.ldap_dir())];
    for (part, folder) in parts {
        let Some(folder) = folder else { continue };
        for server in programs(host, instance, part)? {
            let (Some(file), Some(executable)) = (&server.pid_file, &server.executable) else { continue };
            let first = process::pid_in(&host.path(file)).and_then(Process::of);
            let runs_it = |process: &Process| {
                let now = process.executable();
                now.is_some_and(|now| program(&now.to_string_lossy()) == executable.to_string_lossy())
            };
            if first.is_some_and(|process| runs_it(&process) && process.belongs_below(&host.path(&folder))) {
                found.push(server.name);
            }
        }
    }
    Ok(found)
}

impl Live {
    /// Whether somebody who could not be looked at may be this listener's server.
    pub fn is_in_doubt(&self, listener: &Listener) -> bool {
        self.hidden.contains(&listener.port) || (!self.sees_all && !self.hidden.is_empty())
    }
}
