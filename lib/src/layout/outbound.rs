//! Where outgoing mail leaves from: the source address that each sending program of an instance is told.

use std::net::IpAddr;
use std::path::Path;

use crate::instance::Instance;
use crate::layout::postfix::{self, Config, interfaces, protocols};
use crate::layout::{Bind, messaging, ports};
use crate::place::Place;
use crate::{Fail, Host};

/// The source address of one sending program, for one family of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// The server that sends: `postfix`, or `mta` of the iPlanet line.
    pub server: &'static str,
    /// What it calls the way out: a service of `master.cf`, a channel of `imta.cnf`.
    pub client: String,
    /// Whether it is about IPv6.
    pub is_v6: bool,
    /// The address; `None` leaves the choice to the kernel, which takes one of the node.
    pub source: Option<IpAddr>,
    /// The line that says so, or that could.
    pub at: Place,
}

/// All that is said of sources, and what is not known of them.
#[derive(Debug, Default)]
pub struct Sources {
    /// Each sending program, a family at a time.
    pub known: Vec<Outbound>,
    /// Why there may be more: lines that include files which could not be read.
    pub unread: Vec<Fail>,
}

/// Where the mail of an instance leaves from.
pub fn sources(host: &Host, instance: &Instance) -> Result<Sources, Fail> {
    if !instance.mail {
        return Ok(Sources::default());
    }
    match messaging::files(instance) {
        Some(files) => mta(host, &files.channels),
        None => smtp(host, instance),
    }
}

/// The SMTP channels, each with its `interfaceaddress`; without `imta.cnf` there is no MTA and nothing is sent.
fn mta(host: &Host, file: &Path) -> Result<Sources, Fail> {
    let Some((table, whole)) = messaging::channels(host, file)? else { return Ok(Sources::default()) };
    let mut sources = Sources::default();
    // The channels that speak TCP are those of this name.
    for channel in table.channels.into_iter().filter(|channel| channel.name.starts_with("tcp_")) {
        let at = whole.place(channel.interface.as_ref().map_or(channel.line, |value| value.line));
        let source = match &channel.interface {
            None => None,
            Some(value) => specific(one(host, &value.text, &at)?),
        };
        sources.known.push(Outbound { server: "mta", client: channel.name, is_v6: false, source, at });
    }
    let unread = table.includes.into_iter();
    sources.unread = unread.map(|line| whole.unknown(line, "may name more channels")).collect();
    Ok(sources)
}

/// Postfix's SMTP clients: what `master.cf` tells one of them, else what `main.cf` tells all of them, else the only
/// address that Postfix listens on in that family (`postconf(5)`, `smtp_bind_address`).
fn smtp(host: &Host, instance: &Instance) -> Result<Sources, Fail> {
    let mut sources = Sources::default();
    if !postfix::is_there(host, instance)? {
        return Ok(sources);
    }
    let config = Config::load(host, instance)?;
    let speaks = protocols(&config.value("inet_protocols")?);
    let families = [(false, "smtp_bind_address", speaks.0), (true, "smtp_bind_address6", speaks.1)];
    for client in config.master.services().iter().filter(|service| service.command == "smtp") {
        for (is_v6, parameter, _) in families.iter().filter(|(_, _, is_spoken)| *is_spoken) {
            let own =
                client.option(parameter).map(|text| (text, Place::line(&config.master_file, client.line)));
            let everyones = || {
                let line = config.main.get(parameter).map(|value| value.line);
                let at = Place { file: config.main_file.clone(), line };
                config.value(parameter).map(|text| (text, at))
            };
            let (text, at) = own.map_or_else(everyones, Ok)?;
            let (source, at) = if text.is_empty() {
                only_address(&config, speaks, *is_v6)?
                    .map_or((None, Place::line(&config.master_file, client.line)), |(ip, at)| (Some(ip), at))
            } else {
                (specific(one(host, &text, &at)?), at)
            };
            let client = client.name.clone();
            sources.known.push(Outbound { server: "postfix", client, is_v6: *is_v6, source, at });
        }
    }
    Ok(sources)
}

/// The only address of a family that `inet_interfaces` names, when it is not a loopback one.
fn only_address(
    config: &Config<'_>,
    speaks: (bool, bool),
    is_v6: bool,
) -> Result<Option<(IpAddr, Place)>, Fail> {
    let named = interfaces(config, speaks)?;
    let line = config.main.get("inet_interfaces").map(|value| value.line);
    let at = Place { file: config.main_file.clone(), line };
    let mut of_family = named.into_iter().filter(|bind| match bind {
        Bind::Any => true,
        Bind::AnyV4 => !is_v6,
        Bind::AnyV6 => is_v6,
        Bind::One(ip) => ip.is_ipv6() == is_v6,
    });
    match (of_family.next(), of_family.next()) {
        (Some(Bind::One(ip)), None) if !ip.is_loopback() => Ok(Some((ip, at))),
        _ => Ok(None),
    }
}

/// `0.0.0.0` and `::` leave the choice to the kernel.
fn specific(ip: IpAddr) -> Option<IpAddr> {
    (!ip.is_unspecified()).then_some(ip)
}

fn one(host: &Host, name: &str, at: &Place) -> Result<IpAddr, Fail> {
    ports::addresses(host, name)?.first().copied().ok_or_else(|| {
        Fail::unknown(format!("{at}: '{}' is not in /etc/hosts", name.escape_debug()))
            .hint("write its address")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;
    use crate::sys::file;

    const MASTER: &str = "\
smtp inet n - n - - smtpd
smtp unix - - n - - smtp
relay unix - - n - - smtp
  -o smtp_bind_address=192.0.2.77
lmtp unix - - n - - lmtp
";

    fn told(main: &str) -> Vec<(String, bool, Option<String>, String)> {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::below(folder.path());
        let instance = Instance {
            name: "stork".parse().unwrap(),
            layout: Layout::PostfixDovecot,
            root: "/srv".into(),
            addresses: Vec::new(),
            ldap: None,
            mail: true,
        };
        let path = host.path(postfix::folder(&instance));
        fs_err::create_dir_all(&path).unwrap();
        for (name, text) in [("main.cf", main), ("master.cf", MASTER)] {
            file::replace(&path.join(name), text.as_bytes()).unwrap();
        }
        let known = sources(&host, &instance).unwrap().known;
        let short = |at: Place| at.to_string().rsplit('/').next().unwrap().to_owned();
        let of = |o: Outbound| (o.client, o.is_v6, o.source.map(|ip| ip.to_string()), short(o.at));
        known.into_iter().map(of).collect()
    }

    #[test]
    fn postfix_sends_from_what_it_is_told_or_from_the_only_address_it_listens_on() {
        let row = |client: &str, is_v6, source: Option<&str>, at: &str| {
            (client.to_owned(), is_v6, source.map(ToOwned::to_owned), at.to_owned())
        };
        let relay = row("relay", false, Some("192.0.2.77"), "master.cf:3");
        let nothing = |client: &str, line: usize| row(client, true, None, &format!("master.cf:{line}"));
        assert_eq!(
            told("inet_protocols = all\n"),
            [row("smtp", false, None, "master.cf:2"), nothing("smtp", 2), relay.clone(), nothing("relay", 3)]
        );
        assert_eq!(
            told("inet_protocols = ipv4\ninet_interfaces = 192.0.2.10\n"),
            [row("smtp", false, Some("192.0.2.10"), "main.cf:2"), relay.clone()]
        );
        let two = "inet_protocols = ipv4\ninet_interfaces = 192.0.2.10, 192.0.2.11\n";
        assert_eq!(told(two), [row("smtp", false, None, "master.cf:2"), relay.clone()]);
        let said = format!("{two}smtp_bind_address = 192.0.2.11\n");
        assert_eq!(told(&said), [row("smtp", false, Some("192.0.2.11"), "main.cf:3"), relay.clone()]);
        let open = "inet_protocols = ipv4\ninet_interfaces = 192.0.2.10\nsmtp_bind_address = 0.0.0.0\n";
        assert_eq!(told(open), [row("smtp", false, None, "main.cf:3"), relay]);
    }
}
