//! Postfix in the `postfix-dovecot` layout: `<root>/msg-<i>/postfix/{main,master}.cf`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conf::main_cf::MainCf;
use crate::conf::master_cf::{MasterCf, Service as Entry};
use crate::instance::Instance;
use crate::layout::{
    Bind, Listener, Program, Service, Stop, first_there, optional_text, ports, runtime_folders, text_of,
};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::sys::file;
use crate::{Fail, Host};

/// The programs that deliver: what they have handed over and not yet marked in the queue would be delivered twice.
const AGENTS: [&str; 8] = ["lmtp", "smtp", "local", "virtual", "pipe", "error", "bounce", "discard"];

/// How long they may finish: they need milliseconds, unless the server behind them hangs.
const MOMENT: Duration = Duration::from_millis(300);

/// The folder of Postfix's configuration.
pub fn folder(instance: &Instance) -> PathBuf {
    instance.mail_dir().join("postfix")
}

/// Whether the instance has a Postfix.
pub fn is_there(host: &Host, instance: &Instance) -> Result<bool, Fail> {
    file::is_there(&host.path(folder(instance)))
}

/// Both files, and where they are.
pub(super) struct Config<'a> {
    host: &'a Host,
    pub(super) main_file: PathBuf,
    pub(super) main: MainCf,
    pub(super) master_file: PathBuf,
    pub(super) master: MasterCf,
}

impl<'a> Config<'a> {
    pub(super) fn load(host: &'a Host, instance: &Instance) -> Result<Self, Fail> {
        let (main_file, master_file) = (folder(instance).join("main.cf"), folder(instance).join("master.cf"));
        let main = MainCf::parse(&text_of(host, &main_file)?, &main_file)?;
        let master = MasterCf::parse(&text_of(host, &master_file)?, &master_file)?;
        Ok(Self { host, main_file, main, master_file, master })
    }

    pub(super) fn value(&self, key: &str) -> Result<String, Fail> {
        expanded(self.host, &self.main, &self.main_file, key)
    }
}

/// A parameter's value with what it names replaced, or the default of Debian's Postfix.
fn expanded(host: &Host, main: &MainCf, file: &Path, key: &str) -> Result<String, Fail> {
    let daemons = daemons(host)?;
    let default = |name: &str| {
        Some(match name {
            "inet_interfaces" | "inet_protocols" => "all".to_owned(),
            "process_id_directory" => "pid".to_owned(),
            "queue_directory" => "/var/spool/postfix".to_owned(),
            "daemon_directory" => daemons.clone(),
            "myhostname" => host.name().to_owned(),
            "master_service_disable" | "smtp_bind_address" | "smtp_bind_address6" => String::new(),
            _ => return None,
        })
    };
    main.expanded(key, &default).ok_or_else(|| {
        let line = main.get(key).map(|value| value.line);
        let place = Place { file: file.to_owned(), line };
        Fail::unknown(format!("{place}: cannot tell what {key} stands for")).hint("write its value out")
    })
}

fn daemons(host: &Host) -> Result<String, Fail> {
    let masters = ["/usr/lib/postfix/sbin/master", "/usr/libexec/postfix/master", "/usr/lib/postfix/master"];
    first_there(host, masters).map(|master| master.trim_end_matches("/master").to_owned())
}

/// How Postfix is started and stopped; `None` when the instance has none.
///
/// Its `master` is started directly: that takes a twentieth of the time of `postfix start`, whose checks
/// `ims-ipbind set` has run. `-w` returns once every port is bound.
pub fn program(host: &Host, instance: &Instance) -> Result<Option<Program>, Fail> {
    if !is_there(host, instance)? {
        return Ok(None);
    }
    let config = Config::load(host, instance)?;
    let folder = folder(instance);
    let daemons = PathBuf::from(config.value("daemon_directory")?);
    let master = daemons.join("master");
    let queue = PathBuf::from(config.value("queue_directory")?);
    let pids = queue.join(config.value("process_id_directory")?);
    let mut folders = runtime_folders(&queue, "root", 0o755);
    folders.extend(runtime_folders(&pids, "root", 0o755));
    let start = Line::new([host.path(&master)]).arg("-c").arg(&folder).arg("-w");
    Ok(Some(Program {
        name: "postfix",
        start: start.env("MAIL_CONFIG", folder.as_os_str()),
        stop: Stop::Drain { agents: AGENTS.iter().map(|name| daemons.join(name)).collect(), moment: MOMENT },
        pid_file: Some(pids.join("master.pid")),
        executable: Some(master),
        patience: Duration::from_secs(5), // as long as `postfix stop` waits
        folders,
    }))
}

/// Every TCP listener of Postfix: the `inet` services of `master.cf`, each on its own address or on
/// `inet_interfaces`.
pub fn listeners(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    if !is_there(host, instance)? {
        return Ok(Vec::new());
    }
    let config = Config::load(host, instance)?;
    let (v4, v6) = protocols(&config.value("inet_protocols")?);
    let disabled = config.value("master_service_disable")?;
    let mut listeners = Vec::new();
    for entry in config.master.services().iter().filter(|entry| entry.kind == "inet") {
        if is_disabled(&disabled, entry) {
            continue;
        }
        let at = Place::line(&config.master_file, entry.line);
        let (address, name) = entry.endpoint();
        let port = ports::port(host, name)?.ok_or_else(|| {
            Fail::usage(format!("{at}: no port is known for '{}'", name.escape_debug()))
                .hint("write its number")
        })?;
        let binds = match address {
            Some(address) => named(host, address, &at)?,
            None => interfaces(&config, (v4, v6))?,
        };
        let fits = |bind: &Bind| match bind {
            Bind::One(ip) => {
                if ip.is_ipv4() {
                    v4
                } else {
                    v6
                }
            }
            Bind::Any => true,
            Bind::AnyV4 => v4,
            Bind::AnyV6 => v6,
        };
        listeners.extend(binds.into_iter().filter(fits).map(|bind| Listener {
            server: "postfix",
            service: service(entry, port),
            bind,
            port,
            at: at.clone(),
        }));
    }
    Ok(listeners)
}

/// Whether the instance's Postfix speaks IPv4 and IPv6; one that is not there speaks neither.
pub fn allowed_protocols(host: &Host, instance: &Instance) -> Result<(bool, bool), Fail> {
    if !is_there(host, instance)? {
        return Ok((false, false));
    }
    let file = folder(instance).join("main.cf");
    let main = MainCf::parse(&text_of(host, &file)?, &file)?;
    Ok(protocols(&expanded(host, &main, &file, "inet_protocols")?))
}

/// The ports that the names of `inet` services in the instance's `master.cf` stand for, numbers among them; a name that
/// stands for none is left out.
pub fn ports(host: &Host, instance: &Instance) -> Result<BTreeMap<String, u16>, Fail> {
    let file = folder(instance).join("master.cf");
    let text = optional_text(host, &file)?.unwrap_or_default();
    let mut found = BTreeMap::new();
    for entry in MasterCf::parse(&text, &file)?.services().iter().filter(|entry| entry.kind == "inet") {
        let (_, name) = entry.endpoint();
        found.extend(ports::port(host, name)?.map(|port| (name.to_owned(), port)));
    }
    Ok(found)
}

/// What a value of `inet_protocols` allows: IPv4, IPv6.
pub(super) fn protocols(value: &str) -> (bool, bool) {
    let has = |word: &str| value.split([',', ' ', '\t']).any(|part| part.eq_ignore_ascii_case(word));
    (has("all") || has("ipv4"), has("all") || has("ipv6"))
}

pub(super) fn interfaces(config: &Config<'_>, (v4, v6): (bool, bool)) -> Result<Vec<Bind>, Fail> {
    let value = config.value("inet_interfaces")?;
    let line = config.main.get("inet_interfaces").map(|value| value.line);
    let at = Place { file: config.main_file.clone(), line };
    let mut binds = Vec::new();
    for word in value.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "all" if v4 && v6 => binds.push(Bind::Any),
            "all" if v6 => binds.push(Bind::AnyV6),
            "all" => binds.push(Bind::AnyV4),
            "loopback-only" => binds.extend(named(config.host, "localhost", &at)?),
            _ => binds.extend(named(config.host, word, &at)?),
        }
    }
    binds.dedup();
    Ok(binds)
}

fn named(host: &Host, name: &str, at: &Place) -> Result<Vec<Bind>, Fail> {
    let found = ports::addresses(host, name)?;
    if found.is_empty() {
        return Err(Fail::unknown(format!("{at}: '{}' is not in /etc/hosts", name.escape_debug()))
            .hint("write its address"));
    }
    Ok(found.into_iter().map(Bind::of).collect())
}

/// Whether `master_service_disable` names a service, by its type or as `name/type`; `!` takes one out again.
fn is_disabled(list: &str, entry: &Entry) -> bool {
    let fits = |word: &str| match word.rsplit_once('/') {
        Some((name, kind)) => name == entry.name && kind == entry.kind,
        None => word == entry.kind,
    };
    let mut words = list.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    words
        .find_map(|word| match word.strip_prefix('!') {
            Some(word) => fits(word).then_some(false),
            None => fits(word).then_some(true),
        })
        .unwrap_or(false)
}

fn service(entry: &Entry, port: u16) -> Service {
    match entry.command.as_str() {
        "smtpd" if entry.option("smtpd_tls_wrappermode").as_deref() == Some("yes") => Service::Smtps,
        "smtpd" if port == 587 => Service::Submission,
        "smtpd" | "postscreen" => Service::Smtp,
        _ => Service::Other,
    }
}
