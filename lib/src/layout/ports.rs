//! Names in configuration that stand for ports and addresses, looked up in files alone: `/etc/services` and
//! `/etc/hosts`. A name service is never asked, for it may answer otherwise on another node, or not at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::sys::file;
use crate::{Fail, Host};

/// The ports of mail and directory services, for a node whose `/etc/services` does not say.
const KNOWN: [(&str, u16); 11] = [
    ("smtp", 25),
    ("mail", 25),
    ("submission", 587),
    ("submissions", 465),
    ("smtps", 465),
    ("imap", 143),
    ("imaps", 993),
    ("pop3", 110),
    ("pop3s", 995),
    ("ldap", 389),
    ("ldaps", 636),
];

/// The TCP port that a number or a service's name stands for.
pub fn port(host: &Host, name: &str) -> Result<Option<u16>, Fail> {
    if let Ok(port) = name.parse() {
        return Ok(Some(port));
    }
    let text = file::read_text(&host.path("/etc/services"))?.unwrap_or_default();
    let listed = text.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (first, number) = (words.next()?, words.next()?);
        let port = number.strip_suffix("/tcp")?.parse().ok()?;
        (first == name || words.any(|alias| alias == name)).then_some(port)
    });
    Ok(listed.or_else(|| KNOWN.into_iter().find(|(known, _)| *known == name).map(|(_, port)| port)))
}

/// The addresses that an address or a host's name stands for; empty when the name is not in `/etc/hosts`.
pub fn addresses(host: &Host, name: &str) -> Result<Vec<IpAddr>, Fail> {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    if let Ok(ip) = bare.parse() {
        return Ok(vec![ip]);
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let text = file::read_text(&host.path(Path::new("/etc/hosts")))?.unwrap_or_default();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    Ok(lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let ip: IpAddr = words.next()?.parse().ok()?;
            words.any(|word| word.eq_ignore_ascii_case(name)).then_some(ip)
        })
        .collect())
}
