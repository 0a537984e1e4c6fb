//! Dovecot in the `postfix-dovecot` layout: `<root>/msg-<i>/dovecot/dovecot.conf` and what it includes.
//!
//! The files alone are read, as Dovecot 2.3 reads them; `doveconf` may not be on a standby node.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conf::dovecot::{Block, DovecotConf, Item};
use crate::instance::Instance;
use crate::layout::{Bind, Listener, Program, Service, Stop, ports, runtime_folders, text_of};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::sys::file;
use crate::{Fail, Host};

/// What Dovecot's processes take as an orderly end. To the master alone it takes a second more, for that waits for
/// its log process, and leaves the sessions behind.
const SIGTERM: i32 = 15;

/// How deep files include each other at most.
const DEEPEST: usize = 16;

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

/// Dovecot's configuration file.
pub fn config_file(instance: &Instance) -> PathBuf {
    instance.mail_dir().join("dovecot/dovecot.conf")
}

/// Whether the instance has a Dovecot.
pub fn is_there(host: &Host, instance: &Instance) -> bool {
    host.path(instance.mail_dir().join("dovecot")).exists()
}

/// A setting with the blocks round it and the place that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The blocks round it, outermost first.
    pub within: Vec<Block>,
    /// The key.
    pub key: String,
    /// The value, with the `$key` of before replaced.
    pub value: String,
    /// Where it stands.
    pub at: Place,
}

/// Every setting of the configuration in the order in which Dovecot reads it, included files in their place.
pub fn settings(host: &Host, instance: &Instance) -> Result<Vec<Setting>, Fail> {
    let file = config_file(instance);
    let text = text_of(host, &file)?;
    let mut found = Vec::new();
    gather(host, &file, &text, DEEPEST, &mut found)?;
    Ok(found)
}

fn gather(host: &Host, file: &Path, text: &str, left: usize, found: &mut Vec<Setting>) -> Result<(), Fail> {
    let conf = DovecotConf::parse(text, file)?;
    for item in conf.items() {
        match item {
            Item::Setting { within, key, value, line } => {
                let before = |name: &str| {
                    let last = found.iter().rfind(|s| s.within.is_empty() && s.key == name);
                    last.map(|setting| setting.value.clone()).unwrap_or_default()
                };
                let value = with_names(value, &before);
                let at = Place::line(file, *line);
                found.push(Setting { within: within.clone(), key: key.clone(), value, at });
            }
            Item::Include { pattern, optional, line } => {
                let place = Place::line(file, *line);
                let Some(left) = left.checked_sub(1) else {
                    return Err(Fail::usage(format!("{place}: files include each other too deep")));
                };
                let files = included(host, file, pattern)?;
                if files.is_empty() && !optional && !pattern.contains('*') {
                    return Err(Fail::usage(format!("{place}: {} is not there", pattern.escape_debug())));
                }
                for file in files {
                    if let Some(text) = file::read_text(&host.path(&file))? {
                        gather(host, &file, &text, left, found)?;
                    }
                }
            }
            Item::Open { .. } | Item::Close { .. } => {}
        }
    }
    Ok(())
}

/// The files that an include's path or pattern names, sorted as Dovecot reads them.
fn included(host: &Host, file: &Path, pattern: &str) -> Result<Vec<PathBuf>, Fail> {
    let path = file.parent().unwrap_or(Path::new("/")).join(pattern);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !name.contains('*') {
        return Ok(host.path(&path).is_file().then_some(path).into_iter().collect());
    }
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    let entries = match fs_err::read_dir(host.path(&folder)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Fail::io(crate::Exit::Unknown, "cannot list included files", &e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Fail::io(crate::Exit::Unknown, "cannot list included files", &e))?;
        let entry = entry.file_name().to_string_lossy().into_owned();
        if !entry.starts_with('.') && fits(&name, &entry) {
            found.push(folder.join(entry));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| fits(tail, rest.get(at..).unwrap_or_default()))
        }),
    }
}

/// A value with each `$key` replaced by what the key was before.
fn with_names(value: &str, before: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((head, tail)) = rest.split_once('$') {
        let end = tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len());
        let (name, behind) = tail.split_at(end);
        out.push_str(head);
        if name.is_empty() {
            out.push('$');
        } else {
            out.push_str(&before(name));
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The value of a top-level key, the last one when there are several.
pub fn last<'a>(settings: &'a [Setting], key: &str) -> Option<&'a Setting> {
    settings.iter().rfind(|setting| setting.within.is_empty() && setting.key == key)
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
    if !is_there(host, instance) {
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
        let value = own.or(listen.map(|s| s.value.as_str())).unwrap_or("*, ::");
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
        _ if listener.starts_with("http") => Service::Http,
        _ => Service::Other,
    }
}

/// How Dovecot is started and stopped; `None` when the instance has none.
pub fn program(host: &Host, instance: &Instance) -> Result<Option<Program>, Fail> {
    if !is_there(host, instance) {
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
