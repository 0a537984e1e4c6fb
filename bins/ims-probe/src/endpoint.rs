//! What is probed: a service at a host and port, written as a URL.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ims::Fail;
use ims::address;
use ims::layout::Service;
use ims::suggest::nearest;

/// The schemes that may be given, with their services and usual ports.
const SCHEMES: [(&str, Service, Option<u16>); 13] = [
    ("tcp", Service::Other, None),
    ("smtp", Service::Smtp, Some(25)),
    ("smtps", Service::Smtps, Some(465)),
    ("submission", Service::Submission, Some(587)),
    ("lmtp", Service::Lmtp, Some(24)),
    ("imap", Service::Imap, Some(143)),
    ("imaps", Service::Imaps, Some(993)),
    ("pop3", Service::Pop3, Some(110)),
    ("pop3s", Service::Pop3s, Some(995)),
    ("ldap", Service::Ldap, Some(389)),
    ("ldaps", Service::Ldaps, Some(636)),
    ("http", Service::Http, Some(80)),
    ("https", Service::Https, Some(443)),
];

/// One port of one host, and what is spoken there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// What is spoken there.
    pub service: Service,
    /// Where.
    pub at: At,
    /// The TCP port.
    pub port: u16,
}

/// A host by its address or its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum At {
    /// An address.
    Ip(IpAddr),
    /// A name that the resolver must know.
    Name(String),
}

/// The scheme under which a service is printed.
const fn scheme(service: Service) -> &'static str {
    match service {
        Service::JobController | Service::Other => "tcp",
        Service::Smtp
        | Service::Submission
        | Service::Smtps
        | Service::Lmtp
        | Service::Imap
        | Service::Imaps
        | Service::Pop3
        | Service::Pop3s
        | Service::Http
        | Service::Https
        | Service::Ldap
        | Service::Ldaps => service.word(),
    }
}

impl Endpoint {
    /// The host and the port, as a URL has them.
    pub fn authority(&self) -> String {
        match &self.at {
            At::Ip(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.port),
            At::Ip(IpAddr::V4(ip)) => format!("{ip}:{}", self.port),
            At::Name(name) => format!("{name}:{}", self.port),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", scheme(self.service), self.authority())
    }
}

impl FromStr for Endpoint {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| Fail::usage(format!("not a URL: '{}'", text.escape_debug())))?;
        let (_, service, usual) = SCHEMES
            .into_iter()
            .find(|(known, ..)| scheme.eq_ignore_ascii_case(known))
            .ok_or_else(|| unknown(scheme))?;
        if rest.contains('@') {
            // The text may hold a password, so it is not repeated.
            return Err(Fail::usage(format!("{scheme}:// with an '@'"))
                .hint("no user or password goes into a target"));
        }
        let bad = |why: &str| Fail::usage(format!("'{}': {why}", text.escape_debug()));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(bad("a target ends with its port"));
        }
        let (host, port) =
            split(rest).ok_or_else(|| bad("an IPv6 address stands in brackets, like [2001:db8::10]"))?;
        let port = match port {
            Some(port) => port
                .parse()
                .ok()
                .filter(|number| *number != 0 && !port.starts_with('+'))
                .ok_or_else(|| bad("not a port from 1 to 65535"))?,
            None => usual.ok_or_else(|| bad("tcp:// needs a port"))?,
        };
        Ok(Self { service, at: host.parse()?, port })
    }
}

/// The host without its brackets, and the text of the port.
fn split(rest: &str) -> Option<(&str, Option<&str>)> {
    if let Some(inner) = rest.strip_prefix('[') {
        let (host, after) = inner.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => host.contains(':').then_some((host, Some(port))),
            None => (after.is_empty() && host.contains(':')).then_some((host, None)),
        };
    }
    match rest.split_once(':') {
        Some((host, port)) => (!port.contains(':')).then_some((host, Some(port))),
        None => Some((rest, None)),
    }
}

fn unknown(scheme: &str) -> Fail {
    let fail = Fail::usage(format!("no scheme '{}'", scheme.escape_debug()));
    match nearest(scheme, SCHEMES.map(|(known, ..)| known)) {
        Some(meant) => fail.hint(format!("did you mean {meant}?")),
        None => fail.hint(format!("there are {}", SCHEMES.map(|(known, ..)| known).join(", "))),
    }
}

impl FromStr for At {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        // What the resolver would read as an address in an old way (010.0.0.1, 0x7f000001) is refused here.
        let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let hexadecimal = last.len() > 2 && last.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("0x"));
        if text.contains(':') || last.chars().all(|c| c.is_ascii_digit()) && !text.is_empty() || hexadecimal {
            return address::host(text).map(Self::Ip);
        }
        let named = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.len() <= 253;
        if named {
            Ok(Self::Name(text.to_owned()))
        } else {
            Err(Fail::usage(format!("not a host: '{}'", text.escape_debug())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_prints_as_a_url_with_its_port() {
        for (text, shown) in [
            ("smtp://192.0.2.10:2525", "smtp://192.0.2.10:2525"),
            ("smtp://192.0.2.10", "smtp://192.0.2.10:25"),
            ("SUBMISSION://mail.example.org/", "submission://mail.example.org:587"),
            ("imap://[2001:db8::10]", "imap://[2001:db8::10]:143"),
            ("ldap://[2001:db8::10]:1389", "ldap://[2001:db8::10]:1389"),
            ("pop3://mail-1", "pop3://mail-1:110"),
            ("lmtp://192.0.2.10", "lmtp://192.0.2.10:24"),
            ("tcp://192.0.2.10:27442", "tcp://192.0.2.10:27442"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_wrong_target_is_told_in_one_line_and_never_repeats_a_password() {
        for (text, told) in [
            ("smpt://192.0.2.10", "no scheme 'smpt' (did you mean smtp?)"),
            (
                "gopher://192.0.2.10",
                "no scheme 'gopher' (there are tcp, smtp, smtps, submission, lmtp, imap, imaps, pop3, pop3s, ldap, ldaps, http, https)",
            ),
            ("imap://joe:secret@192.0.2.10", "imap:// with an '@' (no user or password goes into a target)"),
            ("tcp://192.0.2.10", "'tcp://192.0.2.10': tcp:// needs a port"),
            ("smtp://192.0.2.10:0", "'smtp://192.0.2.10:0': not a port from 1 to 65535"),
            ("smtp://192.0.2.10:+25", "'smtp://192.0.2.10:+25': not a port from 1 to 65535"),
            ("smtp://192.0.2.10:65536", "'smtp://192.0.2.10:65536': not a port from 1 to 65535"),
            ("smtp://192.0.2.10:25/x", "'smtp://192.0.2.10:25/x': a target ends with its port"),
            (
                "smtp://2001:db8::10",
                "'smtp://2001:db8::10': an IPv6 address stands in brackets, like [2001:db8::10]",
            ),
            ("smtp://0.0.0.0", "no server can be bound to 0.0.0.0 alone (give one host's address)"),
            ("smtp://", "not a host: ''"),
            ("smtp://a b", "not a host: 'a b'"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap_err().to_string(), told);
        }
        for disguised in ["010.0.37.10", "0x7f000001", "127.1", "2130706433", "mail.0X1f"] {
            assert!(format!("smtp://{disguised}").parse::<Endpoint>().is_err(), "{disguised}");
        }
    }
}
