//! Gives each instance of this node a Job Controller port of its own: all files, or none.
//!
//! It is the one port that may move: nobody but the instance itself uses it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ims::conf::option_file::{OptionFile, Scope};
use ims::conf::text;
use ims::edit::kept::Kept;
use ims::edit::look::Found;
use ims::edit::{Edit, Plan, Transaction, Way, carry_out_all, locks, look as edit_look, tell};
use ims::input::Piped;
use ims::instance::Instance;
use ims::layout::{Service, messaging};
use ims::place::Place;
use ims::sys::lock::Lock;
use ims::sys::stop::Stop;
use ims::sys::{file, sock, stderr};
use ims::{Exit, Fail, Host, Out};

use crate::cli::Assign;
use crate::look::{self, Configured};
use crate::outgoing::Outgoing;
use crate::overlap::overlap;
use crate::record::{Conflict, Verdict};
use crate::units::{self, Units};
use crate::{NAME, judge};

/// The option with the Job Controller's port.
const OPTION: &str = "TCP_PORT";

/// The option of `imta_tailor` that may name that port too.
const SERVICE: &str = "IMTA_JBC_SERVICE";

/// Runs `assign`. What collides still and is not its to change is told like every conflict.
pub fn run(host: &Host, args: &Assign, timeout: Duration, out: &mut Out) -> Result<Exit, Fail> {
    let given = look::given(host, &args.what)?;
    let instances: Vec<&Piped<Instance>> = given.asked.iter().collect();
    let _locks = if args.dry_run { Vec::new() } else { all_locks(host, &instances, timeout)? };
    let stop = if args.dry_run { None } else { Some(Stop::watch()?) };
    let mut configured = Vec::new();
    let mut theirs = Vec::new();
    for (of, all) in [(&given.asked, &mut configured), (&given.others, &mut theirs)] {
        for instance in of {
            // Only files that are read here can be changed here.
            all.extend(look::listeners(host, instance, &[])?);
        }
    }
    let known: Vec<&Instance> = instances.iter().copied().chain(&given.others).map(|of| &of.record).collect();
    let avoid = Avoid::on(host, &configured, &known)?;
    let ports = plan(&configured, &theirs, &avoid)?;
    let mut plans = Vec::new();
    for (index, port) in ports {
        let Some(one) = configured.get_mut(index) else { continue };
        let found = edit_look::found(host, &one.of.record, timeout)?;
        let plan = change(host, one, &found, port)?;
        one.listener.port = port;
        plans.push((one.of.record.clone(), found, plan));
    }
    if let Some(stop) = &stop {
        let transactions: Vec<Transaction<'_>> = plans
            .iter()
            .map(|(instance, found, plan)| Transaction {
                command: NAME,
                host,
                instance,
                found,
                plan,
                timeout,
                stop,
            })
            .collect();
        carry_out_all(&transactions)?;
    }
    for (instance, _, plan) in &plans {
        if !args.dry_run && plan.edits.iter().any(Edit::is_change) {
            let told = "its Job Controller has the new port from its next start on";
            stderr::say(NAME, format_args!("{}: {told}", instance.name));
        }
        plan.notes.iter().for_each(|note| stderr::say(NAME, note));
        tell(plan, args.dry_run, out)?;
    }
    let mut exit = Exit::Ok;
    configured.extend(theirs);
    for conflict in judge::configured(host.name(), &configured) {
        exit = exit.gravest(conflict.verdict.into());
        out.record(&conflict)?;
    }
    Ok(exit)
}

/// The lock between runs of `assign`, which would otherwise give two instances one free port, and those of the
/// instances.
fn all_locks(host: &Host, instances: &[&Piped<Instance>], timeout: Duration) -> Result<Vec<Lock>, Fail> {
    let mut held = vec![Lock::named(host, "portcheck-assign", timeout)?];
    let instances: Vec<&Instance> = instances.iter().map(|piped| &piped.record).collect();
    held.extend(locks(host, &instances, timeout)?);
    Ok(held)
}

/// Ports that no instance is given.
#[derive(Debug, Default)]
struct Avoid {
    /// What something has, or would have at boot.
    ports: BTreeSet<u16>,
    /// The Job Controllers of ours that cannot stand beside a stranger at their port.
    strangers: BTreeSet<Place>,
    outgoing: Outgoing,
}

impl Avoid {
    /// What listens on this node, what systemd would open, and what outgoing connections get.
    fn on(host: &Host, ours: &[Configured], known: &[&Instance]) -> Result<Self, Fail> {
        let Units { sockets: units, unknown } = units::units(host)?;
        if let Some(fail) = unknown.into_iter().next() {
            return Err(
                fail.hint("a port that systemd would open there cannot be avoided; mend it or mask the unit")
            );
        }
        let mut ports: BTreeSet<u16> = sock::listening()?.iter().map(|socket| socket.port).collect();
        ports.extend(units.iter().map(|socket| socket.port));
        let ours: Vec<Configured> = ours.iter().filter(|c| may_move(c)).cloned().collect();
        let mut conflicts = judge::units(host.name(), &ours, &units, false);
        conflicts.extend(judge::live(host, &ours, &look::taken(host, &ours)?, &units, known, &conflicts));
        let is_strange = |c: &&Conflict| c.verdict == Verdict::Conflict && c.b.instance.is_none();
        let strangers = conflicts.iter().filter(is_strange).filter_map(|c| c.a.at.clone()).collect();
        Ok(Self { ports, strangers, outgoing: Outgoing::of(host)? })
    }

    fn has(&self, port: u16) -> bool {
        self.ports.contains(&port) || self.outgoing.may_take(port)
    }
}

/// Whether a Job Controller has its port in its own option file, where it can be set; one that a `<file` line includes
/// is left as it is.
fn may_move(one: &Configured) -> bool {
    one.listener.service == Service::JobController
        && messaging::files(&one.of.record).is_some_and(|files| files.job_controller == one.listener.at.file)
}

/// The port of each Job Controller among `ours` that may move, by its place there. One that is nobody else's stays,
/// and of several with one port the first keeps it; the others get the next that nothing has.
fn plan(ours: &[Configured], theirs: &[Configured], avoid: &Avoid) -> Result<Vec<(usize, u16)>, Fail> {
    let mut used: BTreeSet<u16> = ours.iter().chain(theirs).map(|c| c.listener.port).collect();
    // Everything that keeps its port; of those that may move the ones that are found to.
    let mut fixed: Vec<&Configured> = theirs.iter().chain(ours.iter().filter(|c| !may_move(c))).collect();
    let mut ports = Vec::new();
    for (index, one) in ours.iter().enumerate().filter(|(_, c)| may_move(c)) {
        let collides = |other: &&&Configured| {
            other.listener.port == one.listener.port
                && (other.listener.service == Service::JobController
                    || overlap(other.listener.bind, one.listener.bind).is_some())
        };
        let has_stranger = avoid.strangers.contains(&one.listener.at);
        if !has_stranger && !fixed.iter().any(|other| collides(&other)) {
            fixed.push(one);
            ports.push((index, one.listener.port));
            continue;
        }
        let port = (one.listener.port..=u16::MAX)
            .find(|port| !used.contains(port) && !avoid.has(*port))
            .ok_or_else(|| {
                let (name, port) = (&one.of.record.name, one.listener.port);
                Fail::refused(format!("no port above {port} is free for the Job Controller of {name}"))
                    .hint(format!("give it one by hand in {}", one.listener.at))
            })?;
        used.insert(port);
        ports.push((index, port));
    }
    Ok(ports)
}

/// The change of one instance; none when it has that port.
fn change(host: &Host, one: &Configured, found: &Found, port: u16) -> Result<Plan, Fail> {
    let (instance, file) = (&one.of.record, &one.listener.at.file);
    found.vouches_for(file)?;
    let mut options = OptionFile::parse(&found.text(file)?.unwrap_or_default(), file)?;
    let mut notes = Vec::new();
    if port != one.listener.port {
        options.set(Scope::Global, OPTION, &port.to_string());
        notes.extend(tailored(host, file)?);
    }
    let edits = vec![found.edit(file, &options.to_string())?];
    let kept = Some(Kept::after(instance, found, &edits));
    Ok(Plan { way: Way::Set, edits, kept, listenaddr: None, notes, layout: instance.layout })
}

/// What to say of an `imta_tailor` beside a Job Controller's file that names a service for it: which port that is to
/// have is not published, so that it is left.
fn tailored(host: &Host, job_controller: &Path) -> Result<Option<String>, Fail> {
    let path = job_controller.with_file_name("imta_tailor");
    let Some(bytes) = file::read_own(&host.path(&path))? else { return Ok(None) };
    let options = OptionFile::parse(&text::decoded(&bytes, &path)?, &path)?;
    Ok(options.get(Scope::Global, SERVICE).map(|value| {
        let at = Place::line(&path, value.line);
        format!("{at}: {SERVICE} is {}, which may have to follow the new port, and is left", value.text)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ims::layout::{Bind, Layout, Listener};

    fn listener(name: &str, service: Service, bind: Bind, port: u16) -> Configured {
        let record = Instance {
            name: name.parse().unwrap(),
            layout: Layout::Iplanet5,
            root: "/opt".into(),
            addresses: Vec::new(),
            ldap: None,
            mail: true,
        };
        let at = Place::line(format!("/opt/msg-{name}/imta/config/{}.cnf", service.word()), 2);
        let of = Piped { host: "mail-1".to_owned(), record };
        Configured { of, listener: Listener { server: "job_controller", service, bind, port, at } }
    }

    fn controller(name: &str, port: u16) -> Configured {
        listener(name, Service::JobController, Bind::AnyV4, port)
    }

    fn included(name: &str, port: u16) -> Configured {
        let mut one = controller(name, port);
        one.listener.at = Place::line("/opt/site.cnf", 1);
        one
    }

    #[test]
    fn a_port_of_its_own_stays_and_a_shared_one_moves_to_the_next_free() {
        let avoid = Avoid {
            ports: BTreeSet::from([27444, 27600]),
            strangers: BTreeSet::from([controller("s", 27600).listener.at]),
            outgoing: Outgoing::parse("32768 60999", "").unwrap(),
        };
        let imap = |name, bind| listener(name, Service::Imap, bind, 27442);
        let one = Bind::One("192.0.2.7".parse().unwrap());
        for (what, ours, theirs, ports) in [
            ("unique", vec![controller("a", 27442), controller("b", 27443)], vec![], vec![27442, 27443]),
            ("the same", vec![controller("a", 27442), controller("b", 27442)], vec![], vec![27442, 27443]),
            (
                "three of them, and one in between",
                vec![
                    controller("a", 27442),
                    controller("b", 27442),
                    controller("c", 27443),
                    controller("d", 27442),
                ],
                vec![],
                vec![27442, 27445, 27443, 27446],
            ),
            ("another instance's", vec![controller("a", 27442)], vec![controller("b", 27442)], vec![27443]),
            ("another server's", vec![controller("a", 27442), imap("b", one)], vec![], vec![27443]),
            (
                "a stranger's",
                vec![controller("s", 27600), controller("b", 27600)],
                vec![],
                vec![27601, 27600],
            ),
            (
                "included, and so not ours to set",
                vec![included("b", 27442), controller("a", 27442)],
                vec![],
                vec![27443],
            ),
            (
                "outgoing connections'",
                vec![controller("a", 32767), controller("b", 32767)],
                vec![],
                vec![32767, 61000],
            ),
        ] {
            let found: Vec<u16> =
                plan(&ours, &theirs, &avoid).unwrap().into_iter().map(|(_, port)| port).collect();
            assert_eq!(found, ports, "{what}");
        }
        let full = [controller("a", 65535), controller("b", 65535)];
        assert_eq!(plan(&full, &[], &avoid).unwrap_err().exit(), Exit::Refused);
    }
}
