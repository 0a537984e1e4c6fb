//! The servers of iPlanet and Sun Messaging Server: the dispatcher and the Job Controller, which say where they listen
//! in their option files, and the message store, which has it in a store of its own that only `configutil` reads.
//!
//! They are the same in the layouts `iplanet-5` and `messaging-6`, which tell where the files are.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::conf::Value;
use crate::conf::imta::{self, Channels};
use crate::conf::option_file::{OptionFile, Scope, number};
use crate::instance::Instance;
use crate::layout::spliced::Spliced;
use crate::layout::{
    Bind, Layout, Listener, Program, Service, Stop, directory, iplanet5, messaging6, optional_text, ports,
    text_of,
};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::sys::file;
use crate::{Fail, Host};

/// The parameter with the address of the POP, IMAP and HTTP servers.
pub const LISTENADDR: &str = "service.listenaddr";

/// How long `configutil` may take, all questions together, unless somebody says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The Job Controller's port when nobody says otherwise.
pub const JOB_CONTROLLER: u16 = 27442;

/// Where an instance keeps what tells its mail servers where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The dispatcher's option file.
    pub dispatcher: PathBuf,
    /// The Job Controller's option file.
    pub job_controller: PathBuf,
    /// The channels, whose `interfaceaddress` is the source address of outgoing mail.
    pub channels: PathBuf,
    /// The tool that reads and writes the message store's parameters.
    pub configutil: PathBuf,
}

/// A channel of `imta.cnf` with a source address of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// The channel.
    pub channel: String,
    /// The address as it is written, empty when none follows the keyword.
    pub address: String,
    /// The line that says so.
    pub at: Place,
}

/// The one address of `ips` that an instance of this line can be bound to. Of its servers only the Directory Server
/// with a `dse.ldif` knows IPv6.
pub fn address(
    instance: &Instance,
    directory: Option<&directory::Config>,
    ips: &[IpAddr],
) -> Result<IpAddr, Fail> {
    let can_v6 = !instance.mail && matches!(directory, Some(directory::Config::Dse(_)));
    match ips {
        [one] if one.is_ipv4() || can_v6 => Ok(*one),
        _ => {
            let family = if can_v6 { "one" } else { "one IPv4" };
            let list = ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let layout = instance.layout;
            Err(Fail::usage(format!("an instance of {layout} is bound to {family} address, not to {list}")))
        }
    }
}

/// The channels with an `interfaceaddress`; a node without `imta.cnf` knows none.
pub fn outbound(host: &Host, instance: &Instance) -> Result<Vec<Outbound>, Fail> {
    let Some(files) = files(instance) else { return Ok(Vec::new()) };
    let Some((table, whole)) = channels(host, &files.channels)? else { return Ok(Vec::new()) };
    let own = table.channels.into_iter().filter_map(|channel| {
        let Value { text, line } = channel.interface?;
        Some(Outbound { channel: channel.name, address: text, at: whole.place(line) })
    });
    Ok(own.collect())
}

/// The channel table of `imta.cnf` with what that includes; `None` when there is none.
pub(super) fn channels(host: &Host, file: &Path) -> Result<Option<(Channels, Spliced)>, Fail> {
    let Some(text) = optional_text(host, file)? else { return Ok(None) };
    let whole = Spliced::of(host, file, &text, |text, _| Ok(imta::includes(text)))?;
    Ok(Some((Channels::parse(&whole.text), whole)))
}

/// The files of an instance's mail servers; `None` when it has none of this line.
pub fn files(instance: &Instance) -> Option<Files> {
    let files = match instance.layout {
        Layout::Iplanet5 => iplanet5::files(instance),
        Layout::Messaging6 => messaging6::files(instance),
        Layout::PostfixDovecot => return None,
    };
    instance.mail.then_some(files)
}

/// The value of a `configutil` parameter; empty when it is not set.
pub fn parameter(host: &Host, instance: &Instance, name: &str, timeout: Duration) -> Result<String, Fail> {
    let cannot = || Fail::unknown(format!("cannot tell {name} of {}", instance.name));
    let tool = files(instance).ok_or_else(cannot)?.configutil;
    let line = Line::new([host.path(&tool)]).arg("-o").arg(name);
    if !file::is_there(&host.path(&tool))? {
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

/// What `configutil` says of the address of the POP, IMAP and HTTP servers. What is neither an address nor a host's
/// name nor stands for every address, such as words of an error, is unknown: it could not be put back.
pub fn listenaddr(host: &Host, instance: &Instance, timeout: Duration) -> Result<String, Fail> {
    let told = parameter(host, instance, LISTENADDR, timeout)?;
    if is_any(&told) || told.parse::<IpAddr>().is_ok() || is_host_name(&told) {
        return Ok(told);
    }
    Err(Fail::unknown(format!("cannot tell {LISTENADDR} of {}", instance.name))
        .because(format!("configutil says '{}', which is no address", told.escape_debug())))
}

/// Whether a word can be the name of a host, RFC 1123; one of digits alone is an address that is not whole.
fn is_host_name(word: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    word.split('.').all(is_label) && word.chars().any(|c| c.is_ascii_alphabetic())
}

/// All of the mail servers, which the product's own scripts in a folder start and stop as one.
pub fn program(host: &Host, scripts: &Path) -> Program {
    let script = |name: &str| Line::new([host.path(scripts.join(name))]);
    Program {
        name: "msg",
        start: script("start-msg"),
        stop: Stop::Command(script("stop-msg")),
        pid_file: None,
        executable: None,
        patience: Duration::from_secs(60),
        folders: Vec::new(),
    }
}

/// Every TCP listener of the mail servers; `configutil` is given up at a moment.
pub fn listeners(host: &Host, instance: &Instance, until: Instant) -> Result<Vec<Listener>, Fail> {
    let Some(files) = files(instance) else { return Ok(Vec::new()) };
    let mut listeners = dispatcher(host, &files.dispatcher)?;
    listeners.push(job_controller(host, &files.job_controller)?);
    listeners.extend(store(host, instance, &files.configutil, until)?);
    Ok(listeners)
}

/// An option file with what it includes; where that is not known, neither is where its servers listen.
fn options(host: &Host, file: &Path) -> Result<(OptionFile, Spliced), Fail> {
    let includes = |text: &str, file: &Path| Ok(OptionFile::parse(text, file)?.includes().collect());
    let whole = Spliced::of(host, file, &text_of(host, file)?, includes)?;
    let options = OptionFile::parse(&whole.text, file)?;
    if let Some(line) = options.includes().next() {
        return Err(whole.unknown(line, "may name more ports"));
    }
    Ok((options, whole))
}

/// The services of `dispatcher.cnf`, each with its `PORT` and `TLS_PORT`, which may be lists.
fn dispatcher(host: &Host, file: &Path) -> Result<Vec<Listener>, Fail> {
    let (options, whole) = options(host, file)?;
    let mut listeners = Vec::new();
    for section in options.sections().filter(|section| section.kind.eq_ignore_ascii_case("SERVICE")) {
        let scope = Scope::Section(&section.kind, &section.name);
        // What stands before the first section holds for every service that does not say otherwise.
        let value = |key: &str| options.get(scope, key).or_else(|| options.get(Scope::Global, key));
        let bind = bound(host, &whole, value("INTERFACE_ADDRESS"))?;
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
            let at = whole.place(value.line);
            for word in value.text.split(',').filter(|word| !word.trim().is_empty()) {
                let port = port(word, &at)?;
                listeners.push(Listener { server: "dispatcher", service, bind, port, at: at.clone() });
            }
        }
    }
    Ok(listeners)
}

fn job_controller(host: &Host, file: &Path) -> Result<Listener, Fail> {
    let (options, whole) = options(host, file)?;
    let bind = bound(host, &whole, options.get(Scope::Global, "INTERFACE_ADDRESS"))?;
    let (port, at) = match options.get(Scope::Global, "TCP_PORT") {
        Some(value) => {
            let at = whole.place(value.line);
            (port(&value.text, &at)?, at)
        }
        None => (JOB_CONTROLLER, Place::file(file)),
    };
    Ok(Listener { server: "job_controller", service: Service::JobController, bind, port, at })
}

/// The IMAP, POP and HTTP servers of the message store.
fn store(host: &Host, instance: &Instance, tool: &Path, until: Instant) -> Result<Vec<Listener>, Fail> {
    let ask = |name: &str| {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let what = format!("cannot tell {name} of {}", instance.name);
            return Err(Fail::unknown(what).because("configutil took all the time there was"));
        }
        parameter(host, instance, name, left).map(|v| v.to_lowercase())
    };
    let at = Place::file(tool);
    let is_on = |name: &str, default: bool| {
        let value = ask(name)?;
        is_yes(&value, default).ok_or_else(|| {
            Fail::unknown(format!("{at}: {name} is neither yes nor no: '{}'", value.escape_debug()))
        })
    };
    let address = ask(LISTENADDR)?;
    let bind = bind(host, &at.file, Some(&Value { text: address, line: 0 }))?;
    let mut listeners = Vec::new();
    for (name, plain, usual, tls, usual_tls, is_default) in [
        ("imap", Service::Imap, 143, Service::Imaps, 993, true),
        ("pop", Service::Pop3, 110, Service::Pop3s, 995, true),
        ("http", Service::Http, 80, Service::Https, 443, false),
    ] {
        if !is_on(&format!("service.{name}.enable"), is_default)? {
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
        if is_on(&format!("service.{name}.enablesslport"), false)? {
            add(tls, &ask(&format!("service.{name}.sslport"))?, usual_tls)?;
        }
    }
    Ok(listeners)
}

/// Whether a parameter is on; `None` when its word is not known.
fn is_yes(value: &str, default: bool) -> Option<bool> {
    match value {
        "" => Some(default),
        "yes" | "y" | "true" | "1" | "on" => Some(true),
        "no" | "n" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// What an address setting of an option file binds.
fn bound(host: &Host, whole: &Spliced, value: Option<Value>) -> Result<Bind, Fail> {
    let Some(value) = value else { return Ok(Bind::AnyV4) };
    let at = whole.place(value.line);
    bind(host, &at.file, Some(&Value { line: at.line.unwrap_or_default(), ..value }))
}

/// What an address setting binds; the product knew no IPv6, and listens on every address when it is not told.
pub(super) fn bind(host: &Host, file: &Path, value: Option<&Value>) -> Result<Bind, Fail> {
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

pub(super) fn port(text: &str, at: &Place) -> Result<u16, Fail> {
    number(text).and_then(|port| u16::try_from(port).ok()).ok_or_else(|| {
        Fail::usage(format!("{at}: not a port: '{}'", text.trim().escape_debug())).hint("1 to 65535")
    })
}
