//! What comes on stdin: instances, and listeners of instances whose files were read on another node.

use std::io::{BufRead, Read};

use ims::input::{LONGEST, Piped, nothing_came, records};
use ims::instance::Instance;
use ims::layout::{Bind, Listener, Service};
use ims::name::InstanceName;
use ims::place::Place;
use ims::record::Envelope;
use ims::{Exit, Fail, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A listener as `ims-ipbind show` tells it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The instance.
    pub instance: InstanceName,
    /// The program that listens.
    pub server: String,
    /// What is spoken there.
    pub service: Service,
    /// The address it binds; `*` for every one, `0.0.0.0` and `::` for every one of their family.
    pub address: String,
    /// The TCP port.
    pub port: u16,
    /// The line that says so.
    pub at: Place,
    /// Whether it is bound to a logical address of the instance alone; absent when no such address is known.
    #[serde(default)]
    pub bound: Option<bool>,
}

impl Record for Told {
    const SCHEMA: &'static str = "ims.listener/1";
}

impl Told {
    /// The listener of an instance, to be told to another node.
    pub fn of(instance: &Instance, listener: &Listener) -> Self {
        let is_logical = |ip| instance.addresses.iter().any(|address| address.ip() == ip);
        Self {
            instance: instance.name.clone(),
            server: listener.server.to_owned(),
            service: listener.service,
            address: listener.bind.to_string(),
            port: listener.port,
            at: listener.at.clone(),
            bound: (!instance.addresses.is_empty())
                .then(|| matches!(listener.bind, Bind::One(ip) if ip.is_loopback() || is_logical(ip))),
        }
    }

    /// What it asks for.
    pub fn listener(&self) -> Result<Listener, Fail> {
        let bind = match self.address.as_str() {
            "*" => Bind::Any,
            address => Bind::of(address.parse().map_err(|_| {
                Fail::usage(format!("{}: not an address: '{}'", self.at, address.escape_debug()))
            })?),
        };
        let known = ["postfix", "dovecot", "slapd", "ns-slapd", "dispatcher", "job_controller", "store"];
        let server = known.into_iter().find(|name| *name == self.server).unwrap_or("server");
        Ok(Listener { server, service: self.service, bind, port: self.port, at: self.at.clone() })
    }
}

/// What came.
#[derive(Debug, Default)]
pub struct Came {
    /// The instances.
    pub instances: Vec<Piped<Instance>>,
    /// The listeners.
    pub listeners: Vec<Piped<Told>>,
}

/// Reads it all, or as far as a line that is no record of anybody's: what writes such lines may never end. Nothing at
/// all is unknown.
pub fn read(mut input: impl BufRead) -> Result<Came, Fail> {
    // Each type is read by itself, with blank lines in place of the other's, so that line numbers stay.
    let (mut instances, mut listeners) = (Vec::new(), Vec::new());
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = input
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .map_err(|e| Fail::io(Exit::Unknown, "cannot read stdin", &e))?;
        if length == 0 {
            break;
        }
        let schema = schema(&line);
        let is_listener = schema.as_ref().is_some_and(|schema| schema.starts_with("ims.listener/"));
        let (here, there) =
            if is_listener { (&mut listeners, &mut instances) } else { (&mut instances, &mut listeners) };
        here.extend_from_slice(&line);
        there.push(b'\n');
        let is_endless = u64::try_from(length) == Ok(LONGEST);
        if schema.is_none() && (is_endless || !line.trim_ascii().is_empty()) {
            break;
        }
    }
    let came = Came {
        listeners: records::<Told>("ims-portcheck", listeners.as_slice()).collect::<Result<_, _>>()?,
        instances: records::<Instance>("ims-portcheck", instances.as_slice()).collect::<Result<_, _>>()?,
    };
    if came.instances.is_empty() && came.listeners.is_empty() {
        return Err(nothing_came::<Instance>());
    }
    Ok(came)
}

/// The schema of a line that is a record, of whomever.
fn schema(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
        #[serde(rename = "host")]
        _host: String,
    }
    serde_json::from_slice::<Head>(line).ok().map(|head| head.schema)
}

/// Records as lines that the same command on another node reads.
pub fn line<R: Record>(host: &str, record: &R) -> Result<String, Fail> {
    let line = Envelope::new(host, record).line();
    line.map(|line| line + "\n").map_err(|e| Fail::unknown(format!("cannot print {}", R::SCHEMA)).because(e))
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read};

    use super::*;

    /// Who reads on does not come to an end here.
    struct Endless;

    impl Read for Endless {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("it was read on"))
        }
    }

    #[test]
    fn what_is_no_record_is_told_although_it_never_ends() {
        let input = b"\ny\n".chain(Endless);
        let fail = read(BufReader::new(input)).unwrap_err();
        assert_eq!(fail.exit(), Exit::Usage, "{fail}");
        assert!(fail.to_string().starts_with("stdin:2: not JSON"), "{fail}");
    }
}
