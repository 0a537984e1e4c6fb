//! Postfix `master.cf`: a service a logical line, of eight fields, continued by lines that begin with blank space.
//! master(5).

use std::fmt;
use std::path::Path;

use super::lines::Lines;
use super::main_cf::{joined, logical};
use super::{bad, shown};
use crate::Fail;

/// A `master.cf`, which prints back as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterCf {
    lines: Lines,
    services: Vec<Service>,
}

/// One service of a `master.cf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The first field: `smtp`, `192.0.2.10:smtp`, `[2001:db8::10]:25`.
    pub name: String,
    /// The second field: `inet`, `unix`, `pass`.
    pub kind: String,
    /// The program it runs, without its arguments.
    pub command: String,
    /// The program's arguments.
    pub arguments: Vec<String>,
    /// The line it begins on, counted from 1.
    pub line: usize,
}

impl Service {
    /// The address and the port of an `inet` service; a name without an address listens on `inet_interfaces`.
    pub fn endpoint(&self) -> (Option<&str>, &str) {
        if let Some((host, port)) = self.name.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
            return (Some(host), port);
        }
        match self.name.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() => (Some(host), port),
            Some((_, port)) => (None, port),
            None => (None, &self.name),
        }
    }

    /// The value that a `-o name=value` gives a parameter; the last one counts.
    pub fn option(&self, parameter: &str) -> Option<String> {
        let text = self.arguments.join(" ");
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut found = None;
        for (index, word) in words.iter().enumerate() {
            let rest = match *word {
                "-o" => words.get(index + 1..).unwrap_or_default().join(" "),
                word => match word.strip_prefix("-o") {
                    Some(rest) => rest.to_owned(),
                    None => continue,
                },
            };
            // `-o { name = value with blanks }` is the long form of the same.
            let pair = rest.strip_prefix('{').map_or_else(
                || rest.split(' ').next().unwrap_or_default(),
                |long| long.split('}').next().unwrap_or_default(),
            );
            if let Some((name, value)) = pair.split_once('=')
                && name.trim() == parameter
            {
                found = Some(value.trim().to_owned());
            }
        }
        found
    }
}

impl MasterCf {
    /// Reads a `master.cf`; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let lines = Lines::of(text);
        let mut services = Vec::new();
        for (row, rows) in logical(&lines) {
            if lines.get(row).starts_with(char::is_whitespace) {
                return Err(bad(file, row + 1, format!("nothing to continue: '{}'", shown(lines.get(row)))));
            }
            let joined = joined(&lines, &rows);
            let mut words = joined.split_whitespace().map(ToOwned::to_owned);
            let (name, kind, command) = (words.next(), words.next(), words.nth(5));
            let (Some(name), Some(kind), Some(command)) = (name, kind, command) else {
                return Err(bad(
                    file,
                    row + 1,
                    format!("a service has eight fields, not '{}'", shown(&joined)),
                ));
            };
            services.push(Service { name, kind, command, arguments: words.collect(), line: row + 1 });
        }
        Ok(Self { lines, services })
    }

    /// The services in the order of the file.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Gives the service that begins on a line another name; blank space is given or taken so that the columns stay.
    pub fn rename(&mut self, line: usize, name: &str) {
        let Some(service) = self.services.iter_mut().find(|service| service.line == line) else { return };
        let row = line.saturating_sub(1);
        let old = self.lines.get(row);
        let rest = old.strip_prefix(service.name.as_str()).unwrap_or_default();
        let fields = rest.trim_start();
        let column = service.name.len() + (rest.len() - fields.len());
        let blank = rest.get(..rest.len() - fields.len()).unwrap_or_default();
        // One blank is no column; and what stands there stays where the name's length does not change.
        let blank = if blank.len() <= 1 || name.len() == service.name.len() {
            blank.to_owned()
        } else {
            " ".repeat(column.saturating_sub(name.len()).max(1))
        };
        let new = format!("{name}{blank}{fields}");
        self.lines.replace(row, &new);
        name.clone_into(&mut service.name);
    }
}

impl fmt::Display for MasterCf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MASTER: &str = "# service type\nsmtp      inet  n       -       y       -       -       smtpd\n\
        192.0.2.9:submission inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=no\n# in between\n  -o { syslog_name = a b }\n\
        [2001:db8::9]:465 inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\npickup unix n - y 60 1 pickup\n";

    fn parse(text: &str) -> MasterCf {
        MasterCf::parse(text, Path::new("master.cf")).unwrap()
    }

    #[test]
    fn services_are_read_with_their_address_and_options() {
        let master = parse(MASTER);
        let ends: Vec<_> = master.services().iter().map(Service::endpoint).collect();
        assert_eq!(
            ends,
            [
                (None, "smtp"),
                (Some("192.0.2.9"), "submission"),
                (Some("2001:db8::9"), "465"),
                (None, "pickup")
            ]
        );
        let [_, submission, smtps, _] = master.services() else { panic!("{master:?}") };
        assert_eq!((submission.line, smtps.line), (3, 7));
        assert_eq!(submission.option("syslog_name").as_deref(), Some("a b"));
        assert_eq!(submission.option("smtpd_tls_wrappermode").as_deref(), Some("no"));
        assert_eq!(smtps.option("smtpd_tls_wrappermode").as_deref(), Some("yes"));
        assert_eq!(smtps.option("syslog_name"), None);
    }

    #[test]
    fn a_renamed_service_leaves_every_other_byte() {
        let mut master = parse(MASTER);
        master.rename(3, "192.0.2.10:submission");
        assert_eq!(master.to_string(), MASTER.replace("192.0.2.9:", "192.0.2.10:"));
        let mut master = parse(MASTER);
        master.rename(2, "imap");
        assert_eq!(master.to_string(), MASTER.replace("smtp      inet", "imap      inet"));
    }

    #[test]
    fn a_torn_line_is_refused_with_its_place() {
        let fail = MasterCf::parse("smtp inet n - y", Path::new("master.cf")).unwrap_err();
        assert!(fail.to_string().starts_with("master.cf:1: a service has eight fields"), "{fail}");
    }

    proptest! {
        #[test]
        fn whatever_is_read_prints_back(text in "(([ #]?[a-z:]{0,4}( [a-z-]){0,9})(\n|\r\n)?){0,6}") {
            if let Ok(master) = MasterCf::parse(&text, Path::new("master.cf")) {
                prop_assert_eq!(master.to_string(), text);
            }
        }
    }
}
