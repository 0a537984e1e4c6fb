//! Where the servers of instances listen and where their mail leaves from, by their configuration; and whether the
//! servers that run do as it says.

mod judge;
mod live;
mod record;
mod sent;

use std::net::IpAddr;
use std::time::Instant;

use ims::instance::Instance;
use ims::layout::outbound::sources;
use ims::layout::{Listener, listeners_until};
use ims::registry::Registry;
use ims::sys::{file, stderr};
use ims::{Exit, Fail, Host, Out};

use super::kept::mark;
use super::{NAME, chosen, cli};
use live::{Live, Sockets};
use record::Agreement;
pub use record::{Shown, Stray};
pub use sent::Sent;

/// Prints every listener, every way out and every stray socket. A listener that is not bound to a logical address of
/// its instance alone is a no, and so is a drift.
pub fn show(host: &Host, args: &cli::Show, out: &mut Out) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    let mut failed: Option<Fail> = None;
    let mut told = Told::default();
    let instances = chosen::to_show(host, args)?;
    let view = View::of(host, &instances, Instant::now() + args.timeout.0);
    for instance in &instances {
        match view.of_instance(instance, args, &mut told) {
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
    told.listeners.iter().try_for_each(|record| out.record(record))?;
    told.strays.iter().try_for_each(|record| out.record(record))?;
    told.sent.iter().try_for_each(|record| out.record(record))?;
    failed.map_or(Ok(exit), Err)
}

/// What is to be printed, a table each.
#[derive(Default)]
struct Told {
    listeners: Vec<Shown>,
    strays: Vec<Stray>,
    sent: Vec<Sent>,
}

/// What is the same for every instance.
struct View<'a> {
    host: &'a Host,
    /// `None` when the kernel could not be asked.
    sockets: Option<Sockets>,
    known: Vec<Instance>,
    /// When the message stores' tools are given up.
    until: Instant,
}

impl<'a> View<'a> {
    fn of(host: &'a Host, instances: &[Instance], until: Instant) -> Self {
        let sockets = Sockets::look(host).map_err(|fail| stderr::say(NAME, fail)).ok();
        // A registry that cannot be read knows nobody else; whoever needed it has failed before.
        let others = Registry::load(host).map(|registry| registry.instances().cloned().collect::<Vec<_>>());
        let known = instances.iter().cloned().chain(others.unwrap_or_default()).collect();
        Self { host, sockets, known, until }
    }

    fn of_instance(&self, instance: &Instance, args: &cli::Show, told: &mut Told) -> Result<Exit, Fail> {
        let addresses = if args.addresses.is_empty() { &instance.addresses } else { &args.addresses };
        let logical: Vec<IpAddr> = addresses.iter().map(|address| address.ip()).collect();
        let name = &instance.name;
        if logical.is_empty() {
            stderr::say(
                NAME,
                format_args!("{name}: its logical address is not known; add --address ADDRESS"),
            );
        }
        if file::is_there(&self.host.path(mark(instance)))? {
            let what = "a change of its files was interrupted; the same set or restore run again finishes it";
            stderr::say(NAME, format_args!("{name}: {what}"));
        }
        let listeners = listeners_until(self.host, instance, self.until)?;
        let mut exit = self.listeners(instance, &logical, &listeners, told);
        let sources = sources(self.host, instance)?;
        for fail in &sources.unread {
            stderr::say(NAME, fail);
            exit = exit.gravest(fail.exit());
        }
        for outbound in sources.known {
            let sent = Sent::of(name, &logical, outbound);
            exit = exit.gravest(sent.exit());
            told.sent.push(sent);
        }
        Ok(exit)
    }

    fn listeners(&self, instance: &Instance, logical: &[IpAddr], all: &[Listener], told: &mut Told) -> Exit {
        let name = &instance.name;
        let mut exit = Exit::Ok;
        let live = self.live(instance);
        let (judged, strays) = live.as_ref().map(|live| judge::judge(all, live)).unwrap_or_default();
        let mut judged = judged.into_iter();
        for listener in all {
            let (running, now) =
                judged.next().map_or((Agreement::Unknown, Vec::new()), |j| (j.running, j.now));
            let shown = Shown::of(name, logical, listener, running, &now);
            exit = exit.gravest(shown.exit());
            told.listeners.push(shown);
        }
        for held in strays {
            exit = exit.gravest(Exit::No);
            told.strays.push(Stray::of(name, held));
        }
        exit
    }

    /// What runs of an instance; why that is unknown is told.
    fn live(&self, instance: &Instance) -> Option<Live> {
        let known: Vec<&Instance> = self.known.iter().collect();
        let live = live::of(self.host, self.sockets.as_ref()?, instance, &known);
        live.map_err(|fail| stderr::say(NAME, format_args!("{}: {fail}", instance.name))).ok()
    }
}
