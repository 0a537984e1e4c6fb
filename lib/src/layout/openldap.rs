//! `OpenLDAP` in the `postfix-dovecot` layout: `<root>/slapd-<l>/slapd.conf`, and its listener URLs in a `default`
//! file with the names of Debian's `/etc/default/slapd`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conf::shell::Assignments;
use crate::conf::slapd::SlapdConf;
use crate::instance::Instance;
use crate::layout::{
    Bind, Listener, Program, Service, Stop, first_there, optional_text, ports, runtime_folders, text_of,
};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::{Fail, Host};

/// What slapd takes as an orderly end.
const SIGINT: i32 = 2;

/// How deep files include each other at most.
const DEEPEST: usize = 16;

/// What slapd listens on when nobody says otherwise.
pub const DEFAULT_URLS: &str = "ldap:///";

/// The file with the listener URLs.
pub fn default_file(instance: &Instance) -> Option<PathBuf> {
    instance.ldap_dir().map(|folder| folder.join("default"))
}

fn defaults(host: &Host, file: &Path) -> Result<Assignments, Fail> {
    let text = optional_text(host, file)?.unwrap_or_default();
    Assignments::parse(&text, file)
}

/// A value that is not empty and needs no shell to be told.
fn plain(defaults: &Assignments, file: &Path, name: &str) -> Result<Option<String>, Fail> {
    let Some(value) = defaults.get(name).filter(|value| !value.text.is_empty()) else { return Ok(None) };
    if value.text.contains(['$', '`', '\\']) {
        let place = Place::line(file, value.line);
        return Err(Fail::unknown(format!("{place}: {name} needs a shell to be told")).hint("write it out"));
    }
    Ok(Some(value.text))
}

/// How slapd is started and stopped; `None` when the instance has no directory server.
pub fn program(host: &Host, instance: &Instance) -> Result<Option<Program>, Fail> {
    let (Some(folder), Some(file)) = (instance.ldap_dir(), default_file(instance)) else { return Ok(None) };
    let config = folder.join("slapd.conf");
    let mut places = Places::default();
    places.gather(host, &config, &text_of(host, &config)?, DEEPEST)?;
    let defaults = defaults(host, &file)?;
    let value = |name: &str| plain(&defaults, &file, name);
    let urls = value("SLAPD_SERVICES")?.unwrap_or_else(|| DEFAULT_URLS.to_owned());
    let executable = first_there(host, ["/usr/sbin/slapd", "/usr/libexec/slapd", "/usr/lib/openldap/slapd"])?;
    let mut start = Line::new([host.path(executable)]).arg("-h").arg(&urls).arg("-f").arg(&config);
    let user = value("SLAPD_USER")?;
    if let Some(user) = &user {
        start = start.arg("-u").arg(user);
    }
    if let Some(group) = value("SLAPD_GROUP")? {
        start = start.arg("-g").arg(group);
    }
    for option in value("SLAPD_OPTIONS")?.unwrap_or_default().split_whitespace() {
        start = start.arg(option);
    }
    let pid_file = value("SLAPD_PIDFILE")?.or(places.pid_file).map(PathBuf::from);
    let owner = user.as_deref().unwrap_or("root");
    let places = [pid_file.clone(), places.args_file.map(PathBuf::from)];
    let mut folders = Vec::new();
    for folder in places.iter().flatten().filter_map(|path| path.parent()) {
        folders.extend(runtime_folders(folder, owner, 0o755));
    }
    folders.sort();
    folders.dedup();
    Ok(Some(Program {
        name: "slapd",
        start,
        stop: Stop::Signal(SIGINT),
        pid_file,
        executable: Some(executable.into()),
        patience: Duration::from_secs(30), // it flushes its database
        folders,
    }))
}

/// Where slapd writes its pid and its arguments.
#[derive(Debug, Default)]
struct Places {
    pid_file: Option<String>,
    args_file: Option<String>,
}

impl Places {
    /// Reads a file and those it includes, each in its place; the last word counts, wherever it stands.
    fn gather(&mut self, host: &Host, file: &Path, text: &str, left: usize) -> Result<(), Fail> {
        for (directive, value) in SlapdConf::parse(text, file)?.directives() {
            let place = Place::line(file, value.line);
            match directive.to_ascii_lowercase().as_str() {
                "pidfile" => self.pid_file = Some(value.text),
                "argsfile" => self.args_file = Some(value.text),
                "include" => {
                    let Some(left) = left.checked_sub(1) else {
                        return Err(Fail::usage(format!("{place}: files include each other too deep")));
                    };
                    let name = value.text.escape_debug();
                    let path = Path::new(&value.text);
                    if !path.is_absolute() {
                        return Err(Fail::unknown(format!("{place}: cannot tell where {name} is"))
                            .hint("slapd looks for it where it is started; write the whole path"));
                    }
                    let text = optional_text(host, path)?
                        .ok_or_else(|| Fail::unknown(format!("{place}: {name} is not there")))?;
                    self.gather(host, path, &text, left)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Every TCP listener of slapd, from its listener URLs.
pub fn listeners(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    let (Some(folder), Some(file)) = (instance.ldap_dir(), default_file(instance)) else {
        return Ok(Vec::new());
    };
    // Without its slapd.conf there is no such server here.
    text_of(host, &folder.join("slapd.conf"))?;
    let defaults = defaults(host, &file)?;
    let urls = plain(&defaults, &file, "SLAPD_SERVICES")?;
    let line = urls.as_ref().and(defaults.get("SLAPD_SERVICES")).map(|value| value.line);
    let at = Place { file: file.clone(), line };
    let mut listeners = Vec::new();
    for url in urls.as_deref().unwrap_or(DEFAULT_URLS).split_whitespace() {
        let url: Url = url.parse().map_err(|fail| Fail::usage(at.to_string()).because(fail))?;
        let scheme = url.scheme.to_ascii_lowercase();
        let service = match scheme.as_str() {
            "ldap" => Service::Ldap,
            "ldaps" => Service::Ldaps,
            // For a proxy in between, which says first who the client is: no client speaks LDAP there.
            "pldap" | "pldaps" => Service::Other,
            "ldapi" => continue,
            other => return Err(Fail::usage(format!("{at}: slapd has no '{}' URLs", other.escape_debug()))),
        };
        let usual = if scheme.ends_with("ldaps") { 636 } else { 389 };
        let binds = match url.host.as_str() {
            "" | "*" => vec![Bind::Any],
            name => ports::addresses(host, name)?.into_iter().map(Bind::of).collect(),
        };
        if binds.is_empty() {
            return Err(Fail::unknown(format!("{at}: '{}' is not in /etc/hosts", url.host.escape_debug()))
                .hint("write its address"));
        }
        let port = url.port.unwrap_or(usual);
        listeners.extend(binds.into_iter().map(|bind| Listener {
            server: "slapd",
            service,
            bind,
            port,
            at: at.clone(),
        }));
    }
    Ok(listeners)
}

/// A listener URL of slapd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `ldap`, `ldaps`, `ldapi`, or `pldap` and `pldaps` behind a proxy.
    pub scheme: String,
    /// The host as it is written, brackets included; empty for every address.
    pub host: String,
    /// The port, when one is written.
    pub port: Option<u16>,
    /// What stands behind: `/` and more.
    pub rest: String,
}

impl std::str::FromStr for Url {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let bad = || {
            Fail::usage(format!("not a listener URL: '{}'", text.escape_debug()))
                .hint("like ldap://192.0.2.10:389/")
        };
        let (scheme, behind) = text.split_once("://").ok_or_else(bad)?;
        let (place, rest) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
        let bracket = place.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match place.get(bracket..).unwrap_or_default().rfind(':') {
            Some(at) => place.split_at(bracket + at),
            None => (place, ""),
        };
        let port = match port.strip_prefix(':') {
            None | Some("") => None,
            Some(number) => Some(number.parse().map_err(|_| bad())?),
        };
        Ok(Self { scheme: scheme.to_owned(), host: host.to_owned(), port, rest: rest.to_owned() })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.rest)
    }
}
