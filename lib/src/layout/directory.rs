//! The directory server of `iplanet-5`, `<root>/slapd-<l>`: Directory Server 4.x with its `slapd.conf`, and Directory
//! Server 5 or its living descendant 389 Directory Server with their `dse.ldif`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conf::Value;
use crate::conf::ldif::Ldif;
use crate::conf::slapd::SlapdConf;
use crate::instance::Instance;
use crate::layout::messaging::{self, port};
use crate::layout::{Bind, Listener, Program, Service, Stop, ports, runtime_folders, text_of};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::sys::file;
use crate::{Fail, Host};

/// The entry of `dse.ldif` with the settings of the server itself.
pub const ENTRY: &str = "cn=config";

/// The attributes of that entry with the addresses to listen on, without TLS and with.
pub const HOSTS: [&str; 2] = ["nsslapd-listenhost", "nsslapd-securelistenhost"];

/// What 389 Directory Server takes as an orderly end.
const SIGTERM: i32 = 15;

/// How long a directory server may take to write its cache down.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server's own configuration file, of one grammar or the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    /// `config/slapd.conf`, Directory Server 4.x.
    Slapd(PathBuf),
    /// `config/dse.ldif`, or `dse.ldif` as 389 Directory Server has it below `/etc/dirsrv`.
    Dse(PathBuf),
}

impl Config {
    /// Where it is.
    pub fn file(&self) -> &Path {
        match self {
            Self::Slapd(file) | Self::Dse(file) => file,
        }
    }
}

/// Where the configuration may be in a directory server's folder; the first that is there counts.
pub fn candidates(folder: &Path) -> [Config; 3] {
    [
        Config::Slapd(folder.join("config/slapd.conf")),
        Config::Dse(folder.join("config/dse.ldif")),
        Config::Dse(folder.join("dse.ldif")),
    ]
}

/// The configuration in a directory server's folder, when there is one.
pub fn found(host: &Host, folder: &Path) -> Result<Option<Config>, Fail> {
    for config in candidates(folder) {
        if file::is_there(&host.path(config.file()))? {
            return Ok(Some(config));
        }
    }
    Ok(None)
}

/// The configuration of an instance's directory server; where there is none yet it is a `slapd.conf`.
pub fn config(host: &Host, instance: &Instance) -> Result<Option<Config>, Fail> {
    let Some(folder) = instance.ldap_dir() else { return Ok(None) };
    let found = found(host, &folder)?;
    Ok(Some(found.unwrap_or_else(|| Config::Slapd(folder.join("config/slapd.conf")))))
}

/// How the server is started and stopped: by its own scripts, or, where there are none, as `dirsrv@.service` of 389
/// Directory Server does it.
///
/// 389 takes the name of its instance from the path behind `slapd-` and does not run when there is a `/` in it, so it
/// is only started where its files are in that very folder.
pub fn program(host: &Host, instance: &Instance) -> Result<Option<Program>, Fail> {
    let (Some(folder), Some(config)) = (instance.ldap_dir(), config(host, instance)?) else {
        return Ok(None);
    };
    let script = |name: &str| Line::new([host.path(folder.join(name))]);
    let scripts = Program {
        name: "slapd",
        start: script("start-slapd"),
        stop: Stop::Command(script("stop-slapd")),
        pid_file: Some(folder.join("logs/pid")),
        executable: None,
        patience: PATIENCE,
        folders: Vec::new(),
    };
    match config {
        Config::Dse(file)
            if file.parent() == Some(&folder) && !file::is_there(&host.path(folder.join("start-slapd")))? =>
        {
            let dse = Ldif::parse(&text_of(host, &file)?, &file)?;
            let value =
                |name: &str| dse.get(ENTRY, name).map(|value| value.text).filter(|text| !text.is_empty());
            let run = PathBuf::from(value("nsslapd-rundir").unwrap_or_else(|| "/run/dirsrv".to_owned()));
            let user = value("nsslapd-localuser").unwrap_or_else(|| "dirsrv".to_owned());
            let pid_file = run.join(format!("{}.pid", folder.file_name().unwrap_or_default().display()));
            let places = [Some(run), value("nsslapd-lockdir").map(PathBuf::from)];
            let folders = places.iter().flatten().flat_map(|folder| runtime_folders(folder, &user, 0o770));
            let executable = PathBuf::from("/usr/sbin/ns-slapd");
            let start = Line::new([host.path(&executable)]).arg("-D").arg(&folder);
            Ok(Some(Program {
                start: start.arg("-i").arg(&pid_file),
                stop: Stop::Signal(SIGTERM),
                pid_file: Some(pid_file),
                executable: Some(executable),
                folders: folders.collect(),
                ..scripts
            }))
        }
        Config::Slapd(_) | Config::Dse(_) => Ok(Some(scripts)),
    }
}

/// Every TCP listener of the server.
pub fn listeners(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    match config(host, instance)? {
        None => Ok(Vec::new()),
        Some(Config::Slapd(file)) => {
            let slapd = SlapdConf::parse(&text_of(host, &file)?, &file)?;
            let bind = messaging::bind(host, &file, slapd.get("listenhost").as_ref())?;
            let is_secure = is_on(slapd.get("security").as_ref());
            let ports = [slapd.get("port"), slapd.get("secure-port")];
            opened(&file, [bind, bind].map(|bind| vec![bind]), ports, is_secure)
        }
        Some(Config::Dse(file)) => {
            let dse = Ldif::parse(&text_of(host, &file)?, &file)?;
            let [plain, tls] = HOSTS.map(|name| binds(host, &file, dse.get(ENTRY, name)));
            let is_secure = is_on(dse.get(ENTRY, "nsslapd-security").as_ref());
            let ports = ["nsslapd-port", "nsslapd-secureport"].map(|name| dse.get(ENTRY, name));
            opened(&file, [plain?, tls?], ports, is_secure)
        }
    }
}

fn is_on(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.text.trim().eq_ignore_ascii_case("on"))
}

/// Where an attribute with an address has 389 Directory Server listen: on every address of a name, and on every one
/// of the node without it.
fn binds(host: &Host, file: &Path, value: Option<Value>) -> Result<Vec<Bind>, Fail> {
    let Some(value) = value.filter(|value| !value.text.trim().is_empty()) else { return Ok(vec![Bind::Any]) };
    let found = ports::addresses(host, value.text.trim())?;
    if found.is_empty() {
        let at = Place::line(file, value.line);
        return Err(Fail::unknown(format!("{at}: '{}' is not in /etc/hosts", value.text.escape_debug()))
            .hint("write its address"));
    }
    Ok(found.into_iter().map(Bind::of).collect())
}

/// The listeners without TLS and with, each with its addresses and its port.
fn opened(
    file: &Path,
    binds: [Vec<Bind>; 2],
    ports: [Option<Value>; 2],
    is_secure: bool,
) -> Result<Vec<Listener>, Fail> {
    let mut listeners = Vec::new();
    let kinds = [(Service::Ldap, 389, true), (Service::Ldaps, 636, is_secure)];
    for (((service, usual, is_open), binds), value) in kinds.into_iter().zip(binds).zip(ports) {
        let at = Place { file: file.to_owned(), line: value.as_ref().map(|value| value.line) };
        let port = value.map_or(Ok(usual), |value| port(&value.text, &at))?;
        if is_open && port != 0 {
            let listener = |bind| Listener { server: "slapd", service, bind, port, at: at.clone() };
            listeners.extend(binds.into_iter().map(listener));
        }
    }
    Ok(listeners)
}
