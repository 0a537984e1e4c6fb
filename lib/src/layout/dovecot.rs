//! Dovecot in the `postfix-dovecot` layout: `<root>/msg-<i>/dovecot/dovecot.conf` and what it includes.
//!
//! The files alone are read, as Dovecot 2.3 reads them; `doveconf` may not be on a standby node.

mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::instance::Instance;
use crate::layout::{Bind, Listener, Program, Service, Stop, ports, runtime_folders};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::sys::file;
use crate::{Fail, Host};

pub use settings::{Setting, last, settings};

/// What Dovecot's processes take as an orderly end. To the master alone it takes a second more, for that waits for
/// its log process, and leaves the sessions behind; and it looks for its last processes every 100 ms only
/// (`services_monitor_wait` in Dovecot's src/master/service-monitor.c).
const SIGTERM: i32 = 15;

/// Dovecot's own listeners: the service, the listener, its port, whether it speaks TLS from the first byte, and
/// the protocol that must be enabled.
const BUILT_IN: [(&str, &str, u16, bool, &str); 6] = [
    ("imap-login", "imap", 143, false, "imap"),
    ("imap-login", "imaps", 993, true, "imap"),
    ("pop3-login", "pop3", 110, false, "pop3"),
    ("pop3-login", "pop3s", 995, true, "pop3"),
    ("submission-login", "submission", 587, false, "submission"),
    ("managesieve-login", "sieve", 4190, false, "sieve"),
];

/// Where Dovecot listens when nobody says otherwise.
const LISTEN: &str = "*, ::";

/// Dovecot's configuration file.
pub fn config_file(instance: &Instance) -> PathBuf {
    instance.mail_dir().join("dovecot/dovecot.conf")
}

/// Whether the instance has a Dovecot.
pub fn is_there(host: &Host, instance: &Instance) -> Result<bool, Fail> {
    file::is_there(&host.path(instance.mail_dir().join("dovecot")))
}

/// An `inet_listener` as the settings leave it.
#[derive(Debug, Clone, Default)]
struct Inet {
    address: Option<String>,
    port: Option<u16>,
    tls: Option<bool>,
    at: Option<Place>,
}

/// Every TCP listener of Dovecot.
pub fn listeners(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    if !is_there(host, instance)? {
        return Ok(Vec::new());
    }
    let settings = settings(host, instance)?;
    let main = Place::file(config_file(instance));
    let protocols = last(&settings, "protocols").map(|s| s.value.clone()).unwrap_or_default();
    let is_enabled = |protocol: &str| protocols.split_whitespace().any(|word| word == protocol);
    let with_tls = last(&settings, "ssl").is_none_or(|s| s.value != "no");
    let mut inets: BTreeMap<(String, String), Inet> = BTreeMap::new();
    for (service, name, port, tls, _) in BUILT_IN {
        let inet = Inet { port: Some(port), tls: Some(tls), ..Inet::default() };
        inets.insert((service.to_owned(), name.to_owned()), inet);
    }
    let mut needs: BTreeMap<String, String> = BUILT_IN
        .iter()
        .map(|(service, .., protocol)| ((*service).to_owned(), (*protocol).to_owned()))
        .collect();
    needs.insert("lmtp".to_owned(), "lmtp".to_owned());
    for setting in &settings {
        match setting.within.as_slice() {
            [service] if service.kind == "service" && setting.key == "protocol" => {
                needs.insert(service.title.clone(), setting.value.clone());
            }
            [service, inet] if service.kind == "service" && inet.kind == "inet_listener" => {
                let inet = inets.entry((service.title.clone(), inet.title.clone())).or_default();
                match setting.key.as_str() {
                    "address" => inet.address = Some(setting.value.clone()),
                    "ssl" => inet.tls = Some(setting.value == "yes"),
                    "port" => {
                        let port = setting.value.parse().map_err(|_| {
                            Fail::usage(format!(
                                "{}: not a port: '{}'",
                                setting.at,
                                setting.value.escape_debug()
                            ))
                        })?;
                        inet.port = Some(port);
                        inet.at = Some(setting.at.clone());
                    }
                    _ => {}
                }
                inet.at.get_or_insert_with(|| setting.at.clone());
            }
            _ => {}
        }
    }
    let listen = last(&settings, "listen");
    let mut listeners = Vec::new();
    for ((service, name), inet) in &inets {
        let Some(port) = inet.port.filter(|port| *port != 0) else { continue };
        let tls = inet.tls == Some(true);
        if (tls && !with_tls)
            || needs.get(service).is_some_and(|protocol| !protocol.is_empty() && !is_enabled(protocol))
        {
            continue;
        }
        let says = inet.at.clone().or_else(|| last(&settings, "protocols").map(|s| s.at.clone()));
        let at = says.unwrap_or_else(|| main.clone());
        let own = inet.address.as_deref().filter(|address| !address.is_empty());
        let value = own.or(listen.map(|s| s.value.as_str())).unwrap_or(LISTEN);
        for bind in binds(host, value, &at)? {
            let service = spoken(service, name, tls);
            listeners.push(Listener { server: "dovecot", service, bind, port, at: at.clone() });
        }
    }
    Ok(listeners)
}

/// What a `listen` or `address` value binds.
fn binds(host: &Host, value: &str, at: &Place) -> Result<Vec<Bind>, Fail> {
    let mut binds = Vec::new();
    for word in value.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        match word {
            "*" => binds.push(Bind::AnyV4),
            "::" | "[::]" => binds.push(Bind::AnyV6),
            name => {
                let found = ports::addresses(host, name)?;
                if found.is_empty() {
                    return Err(Fail::unknown(format!(
                        "{at}: '{}' is not in /etc/hosts",
                        name.escape_debug()
                    ))
                    .hint("write its address"));
                }
                binds.extend(found.into_iter().map(Bind::of));
            }
        }
    }
    if binds.contains(&Bind::AnyV4) && binds.contains(&Bind::AnyV6) {
        binds.retain(|bind| !matches!(bind, Bind::AnyV4 | Bind::AnyV6));
        binds.insert(0, Bind::Any);
    }
    Ok(binds)
}

fn spoken(service: &str, listener: &str, tls: bool) -> Service {
    match (service, tls) {
        ("imap-login", false) => Service::Imap,
        ("imap-login", true) => Service::Imaps,
        ("pop3-login", false) => Service::Pop3,
        ("pop3-login", true) => Service::Pop3s,
        ("submission-login", false) => Service::Submission,
        ("submission-login", true) => Service::Smtps,
        ("lmtp", _) => Service::Lmtp,
        _ if listener.starts_with("http") => {
            if tls {
                Service::Https
            } else {
                Service::Http
            }
        }
        _ => Service::Other,
    }
}

/// How Dovecot is started and stopped; `None` when the instance has none.
pub fn program(host: &Host, instance: &Instance) -> Result<Option<Program>, Fail> {
    if !is_there(host, instance)? {
        return Ok(None);
    }
    let settings = settings(host, instance)?;
    let value = |key: &str| last(&settings, key).map(|setting| setting.value.clone());
    let base = PathBuf::from(value("base_dir").unwrap_or_else(|| "/run/dovecot".to_owned()));
    let executable = PathBuf::from("/usr/sbin/dovecot");
    let mut folders = runtime_folders(&base, "root", 0o755);
    // Sockets may stand elsewhere, such as the LMTP socket beside the base folder.
    for setting in &settings {
        if let [.., socket] = setting.within.as_slice()
            && matches!(socket.kind.as_str(), "unix_listener" | "fifo_listener")
            && let Some(folder) = Path::new(&socket.title).parent().filter(|folder| folder.is_absolute())
        {
            folders.extend(runtime_folders(folder, "root", 0o755));
        }
    }
    folders.sort();
    folders.dedup();
    let config = config_file(instance);
    Ok(Some(Program {
        name: "dovecot",
        start: Line::new([host.path(&executable)]).arg("-c").arg(config),
        stop: Stop::SignalAll(SIGTERM),
        pid_file: Some(base.join("master.pid")),
        executable: Some(executable),
        patience: Duration::from_secs(10),
        folders,
    }))
}
