//! The ports that the kernel gives to outgoing connections: one of them may be taken before its server starts.

use ims::sys::file;
use ims::{Fail, Host};

/// The first and the last such port.
pub const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Ports, and ranges of them, that are left out.
const RESERVED: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";

/// The ports of outgoing connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    range: Option<(u16, u16)>,
    reserved: Vec<(u16, u16)>,
}

impl Outgoing {
    /// Asks the kernel; one that does not tell gives none.
    pub fn of(host: &Host) -> Result<Self, Fail> {
        let text = |path| file::read_text(&host.path(path)).map(Option::unwrap_or_default);
        Self::parse(&text(RANGE)?, &text(RESERVED)?)
    }

    /// Reads what the kernel's two files say.
    pub fn parse(range: &str, reserved: &str) -> Result<Self, Fail> {
        let bad = |what: &str| Fail::unknown(format!("not a range of ports: '{}'", what.escape_debug()));
        let number = |word: &str| word.parse::<u16>().map_err(|_| bad(word));
        let mut words = range.split_whitespace();
        let range = match (words.next(), words.next()) {
            (Some(first), Some(last)) => Some((number(first)?, number(last)?)),
            _ => None,
        };
        let mut ranges = Vec::new();
        for part in reserved.trim().split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            ranges.push((number(first)?, number(last)?));
        }
        Ok(Self { range, reserved: ranges })
    }

    /// Whether an outgoing connection may get this port.
    pub fn may_take(&self, port: u16) -> bool {
        let is_in = |(first, last): &(u16, u16)| (*first..=*last).contains(&port);
        self.range.as_ref().is_some_and(is_in) && !self.reserved.iter().any(is_in)
    }

    /// What sysctl(8) is to be told so that these ports are left out too; what is left out already stays so.
    pub fn reserve(&self, ports: &[u16]) -> String {
        let shown = |(first, last): &(u16, u16)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        let mut words: Vec<String> = self.reserved.iter().map(shown).collect();
        words.extend(ports.iter().map(ToString::to_string));
        format!("net.ipv4.ip_local_reserved_ports={}", words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_may_be_taken_when_it_is_in_the_range_and_not_reserved() {
        let outgoing = Outgoing::parse("32768\t60999\n", "40000,50000-50010\n").unwrap();
        for (port, may) in [
            (32767, false),
            (32768, true),
            (60999, true),
            (61000, false),
            (40000, false),
            (50005, false),
            (50011, true),
        ] {
            assert_eq!(outgoing.may_take(port), may, "{port}");
        }
        assert_eq!(outgoing.reserve(&[33000]), "net.ipv4.ip_local_reserved_ports=40000,50000-50010,33000");
        assert!(!Outgoing::parse("", "").unwrap().may_take(33000));
        assert!(Outgoing::parse("a b", "").is_err());
    }
}
