//! Where the servers of instances listen, by their configuration.

use std::net::IpAddr;

use ims::instance::Instance;
use ims::layout::{Bind, Listener, Service, listeners};
use ims::name::InstanceName;
use ims::place::Place;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, Record};
use schemars::JsonSchema;
use serde::Serialize;

use super::kept::mark;
use super::{NAME, chosen, cli};

/// One TCP listener of an instance.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
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
    /// Whether it is bound to a logical address of the instance and to nothing else. A listener on the node's own
    /// loopback, which no client sees, counts as bound.
    pub bound: bool,
}

impl Shown {
    fn of(instance: &Instance, logical: &[IpAddr], listener: Listener) -> Self {
        let (address, bound) = match listener.bind {
            Bind::Any => ("*".to_owned(), false),
            Bind::AnyV4 => ("0.0.0.0".to_owned(), false),
            Bind::AnyV6 => ("::".to_owned(), false),
            Bind::One(ip) => (ip.to_string(), ip.is_loopback() || logical.contains(&ip)),
        };
        Self {
            instance: instance.name.clone(),
            server: listener.server.to_owned(),
            service: listener.service,
            address,
            port: listener.port,
            at: listener.at,
            bound,
        }
    }
}

impl Record for Shown {
    const SCHEMA: &'static str = "ims.listener/1";

    fn columns() -> &'static [&'static str] {
        &["instance", "server", "service", "address", "port", "bound", "at"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.instance.to_string(),
            self.server.clone(),
            self.service.word().to_owned(),
            self.address.clone(),
            self.port.to_string(),
            if self.bound { "yes" } else { "no" }.to_owned(),
            self.at.to_string(),
        ]
    }
}

/// Prints every listener; one that is not bound to a logical address of its instance alone is a no.
pub fn show(host: &Host, args: &cli::Show, out: &mut Out) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    let mut failed: Option<Fail> = None;
    for instance in chosen::to_show(host, args)? {
        match of(host, &instance, args, out) {
            Ok(found) => exit = exit.gravest(found),
            Err(fail) => {
                let graver = match failed.take() {
                    Some(other) if other.exit().gravest(fail.exit()) == other.exit() => {
                        stderr::say(NAME, &fail);
                        other
                    }
                    Some(other) => {
                        stderr::say(NAME, &other);
                        fail
                    }
                    None => fail,
                };
                failed = Some(graver);
            }
        }
    }
    failed.map_or(Ok(exit), Err)
}

fn of(host: &Host, instance: &Instance, args: &cli::Show, out: &mut Out) -> Result<Exit, Fail> {
    let known = if args.addresses.is_empty() { &instance.addresses } else { &args.addresses };
    let logical: Vec<IpAddr> = known.iter().map(|address| address.ip()).collect();
    let name = &instance.name;
    if logical.is_empty() {
        stderr::say(NAME, format_args!("{name}: its logical address is not known; add --address ADDRESS"));
    }
    if host.path(mark(instance)).exists() {
        let told = "a change of its files was interrupted; the same set or restore run again finishes it";
        stderr::say(NAME, format_args!("{name}: {told}"));
    }
    let mut exit = Exit::Ok;
    for listener in listeners(host, instance)? {
        let shown = Shown::of(instance, &logical, listener);
        exit = exit.gravest(if shown.bound { Exit::Ok } else { Exit::No });
        out.record(&shown)?;
    }
    Ok(exit)
}
