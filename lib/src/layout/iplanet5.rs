//! iPlanet Messaging Server 5.x with Directory Server 4.x: the `iplanet-5` layout.
//!
//! The dispatcher and the Job Controller say where they listen in their option files, the directory server in its
//! `slapd.conf`, and the message store in a store of its own, which only `configutil` reads.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::conf::Value;
use crate::conf::option_file::{OptionFile, Scope, number};
use crate::conf::slapd::SlapdConf;
use crate::instance::Instance;
use crate::layout::{Bind, Listener, Part, Program, Service, Stop, ports, text_of};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::{Fail, Host};

/// The parameter with the address of the POP, IMAP and HTTP servers.
pub const LISTENADDR: &str = "service.listenaddr";

/// How long `configutil` may take, all questions together.
const PATIENCE: Duration = Duration::from_secs(20);

/// The Job Controller's port when nobody says otherwise.
const JOB_CONTROLLER: u16 = 27442;

/// The dispatcher's option file.
pub fn dispatcher_file(instance: &Instance) -> PathBuf {
    instance.mail_dir().join("imta/config/dispatcher.cnf")
}

/// The Job Controller's option file.
pub fn job_controller_file(instance: &Instance) -> PathBuf {
    instance.mail_dir().join("imta/config/job_controller.cnf")
}

/// The directory server's configuration.
pub fn slapd_file(instance: &Instance) -> Option<PathBuf> {
    instance.ldap_dir().map(|folder| folder.join("config/slapd.conf"))
}

/// The tool that reads and writes the message store's parameters.
pub fn configutil(instance: &Instance) -> PathBuf {
    instance.mail_dir().join("configutil")
}

/// The programs of one part of an instance: the product's own scripts, each of which starts all of it.
pub fn programs(host: &Host, instance: &Instance, part: Part) -> Vec<Program> {
    let script = |folder: &Path, name: &str| Line::new([host.path(folder.join(name))]);
    let program = |name, folder: &Path, start: &str, stop: &str, pid_file, patience| Program {
        name,
        start: script(folder, start),
        stop: Stop::Command(script(folder, stop)),
        pid_file,
        executable: None,
        patience,
        folders: Vec::new(),
    };
    match part {
        Part::Mail if instance.mail => {
            let folder = instance.mail_dir();
            vec![program("msg", &folder, "start-msg", "stop-msg", None, Duration::from_secs(60))]
        }
        Part::Mail => Vec::new(),
        Part::Directory => instance
            .ldap_dir()
            .map(|folder| {
                let pid_file = Some(folder.join("logs/pid"));
                program("slapd", &folder, "start-slapd", "stop-slapd", pid_file, Duration::from_secs(60))
            })
            .into_iter()
            .collect(),
    }
}

/// The value of a `configutil` parameter; empty when it is not set.
pub fn parameter(host: &Host, instance: &Instance, name: &str, timeout: Duration) -> Result<String, Fail> {
    let tool = configutil(instance);
    let line = Line::new([host.path(&tool)]).arg("-o").arg(name);
    let cannot = || Fail::unknown(format!("cannot tell {name} of {}", instance.name));
    if !host.path(&tool).is_file() {
        return Err(Fail::unknown(format!("{} is not there", tool.display()))
            .hint("another node may master its volume"));
    }
    let ended = line.run(timeout).map_err(|fail| cannot().because(fail))?;
    if !ended.is_success() {
        return Err(
            cannot().because(format!("configutil: {}", crate::conf::secret::masked(&ended.last_words())))
        );
    }
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    Ok(told.lines().next().unwrap_or_default().trim().to_owned())
}

/// Every TCP listener of the mail server and of its directory server.
pub fn listeners(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    let mut listeners = Vec::new();
    if instance.mail {
        listeners.extend(dispatcher(host, instance)?);
        listeners.push(job_controller(host, instance)?);
        listeners.extend(store(host, instance)?);
    }
    listeners.extend(directory(host, instance)?);
    Ok(listeners)
}

fn options(host: &Host, file: &Path) -> Result<OptionFile, Fail> {
    OptionFile::parse(&text_of(host, file)?, file)
}

/// The services of `dispatcher.cnf`, each with its `PORT` and `TLS_PORT`, which may be lists.
fn dispatcher(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    let file = dispatcher_file(instance);
    let options = options(host, &file)?;
    let mut listeners = Vec::new();
    for section in options.sections().filter(|section| section.kind.eq_ignore_ascii_case("SERVICE")) {
        let scope = Scope::Section(&section.kind, &section.name);
        // What stands before the first section holds for every service that does not say otherwise.
        let value = |key: &str| options.get(scope, key).or_else(|| options.get(Scope::Global, key));
        let bind = bind(host, &file, value("INTERFACE_ADDRESS").as_ref())?;
        let name = section.name.to_ascii_uppercase();
        let (plain, tls) = match name.as_str() {
            "SMTP_SUBMIT" => (Service::Submission, Service::Smtps),
            name if name.starts_with("SMTP") => (Service::Smtp, Service::Smtps),
            name if name.starts_with("LMTP") => (Service::Lmtp, Service::Lmtp),
            _ => (Service::Other, Service::Other),
        };
        let usual = match name.as_str() {
            "SMTP" => Some(Value { text: "25".to_owned(), line: section.line }),
            "SMTP_SUBMIT" => Some(Value { text: "587".to_owned(), line: section.line }),
            _ => None,
        };
        let usual = usual.filter(|_| value("TLS_PORT").is_none());
        for (service, value) in [(plain, value("PORT").or(usual)), (tls, value("TLS_PORT"))] {
            let Some(value) = value else { continue };
            let at = Place::line(&file, value.line);
            for word in value.text.split(',').filter(|word| !word.trim().is_empty()) {
                let port = port(word, &at)?;
                listeners.push(Listener { server: "dispatcher", service, bind, port, at: at.clone() });
            }
        }
    }
    Ok(listeners)
}

fn job_controller(host: &Host, instance: &Instance) -> Result<Listener, Fail> {
    let file = job_controller_file(instance);
    let options = options(host, &file)?;
    let bind = bind(host, &file, options.get(Scope::Global, "INTERFACE_ADDRESS").as_ref())?;
    let (port, at) = match options.get(Scope::Global, "TCP_PORT") {
        Some(value) => {
            let at = Place::line(&file, value.line);
            (port(&value.text, &at)?, at)
        }
        None => (JOB_CONTROLLER, Place::file(&file)),
    };
    Ok(Listener { server: "job_controller", service: Service::JobController, bind, port, at })
}

/// The IMAP, POP and HTTP servers of the message store.
fn store(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    let end = Instant::now() + PATIENCE;
    let ask = |name: &str| {
        parameter(host, instance, name, end.saturating_duration_since(Instant::now()))
            .map(|v| v.to_lowercase())
    };
    let at = Place::file(configutil(instance));
    let address = ask(LISTENADDR)?;
    let bind = bind(host, &at.file, Some(&Value { text: address, line: 0 }))?;
    let mut listeners = Vec::new();
    for (name, plain, usual, tls, usual_tls, is_default) in [
        ("imap", Service::Imap, 143, Service::Imaps, 993, true),
        ("pop", Service::Pop3, 110, Service::Pop3s, 995, true),
        ("http", Service::Http, 80, Service::Other, 443, false),
    ] {
        let enabled = ask(&format!("service.{name}.enable"))?;
        if !is_yes(&enabled, is_default) {
            continue;
        }
        let mut add = |service, value: &str, usual| {
            let port = if value.is_empty() { Ok(usual) } else { port(value, &at) }?;
            if port != 0 {
                listeners.push(Listener { server: "store", service, bind, port, at: at.clone() });
            }
            Ok::<(), Fail>(())
        };
        add(plain, &ask(&format!("service.{name}.port"))?, usual)?;
        if is_yes(&ask(&format!("service.{name}.enablesslport"))?, false) {
            add(tls, &ask(&format!("service.{name}.sslport"))?, usual_tls)?;
        }
    }
    Ok(listeners)
}

fn is_yes(value: &str, default: bool) -> bool {
    match value {
        "" => default,
        "yes" | "y" | "true" | "1" | "on" => true,
        _ => false,
    }
}

fn directory(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    let Some(file) = slapd_file(instance) else { return Ok(Vec::new()) };
    let slapd = SlapdConf::parse(&text_of(host, &file)?, &file)?;
    let bind = bind(host, &file, slapd.get("listenhost").as_ref())?;
    let mut listeners = Vec::new();
    let is_secure = slapd.get("security").is_some_and(|value| value.text.eq_ignore_ascii_case("on"));
    for (key, service, usual, is_open) in
        [("port", Service::Ldap, 389, true), ("secure-port", Service::Ldaps, 636, is_secure)]
    {
        let value = slapd.get(key);
        let line = value.as_ref().map(|value| value.line);
        let at = Place { file: file.clone(), line };
        let port = value.map_or(Ok(usual), |value| port(&value.text, &at))?;
        if is_open && port != 0 {
            listeners.push(Listener { server: "slapd", service, bind, port, at });
        }
    }
    Ok(listeners)
}

/// What an address setting binds; the product knew no IPv6, and listens on every address when it is not told.
fn bind(host: &Host, file: &Path, value: Option<&Value>) -> Result<Bind, Fail> {
    let Some(value) = value.filter(|value| !is_any(&value.text)) else { return Ok(Bind::AnyV4) };
    let found: Vec<IpAddr> = ports::addresses(host, &value.text)?;
    found.first().map(|ip| Bind::of(*ip)).ok_or_else(|| {
        let at = Place { file: file.to_owned(), line: (value.line != 0).then_some(value.line) };
        Fail::unknown(format!("{at}: '{}' is not in /etc/hosts", value.text.escape_debug()))
            .hint("write its address")
    })
}

/// Whether an address setting means every address.
pub fn is_any(value: &str) -> bool {
    ["", "*", "all", "inaddr_any"].iter().any(|any| value.eq_ignore_ascii_case(any))
}

fn port(text: &str, at: &Place) -> Result<u16, Fail> {
    number(text).and_then(|port| u16::try_from(port).ok()).ok_or_else(|| {
        Fail::usage(format!("{at}: not a port: '{}'", text.trim().escape_debug())).hint("1 to 65535")
    })
}
