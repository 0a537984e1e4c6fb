//! Brings an address up: asks, puts it on, tells the neighbours, looks again, and puts back what stood there before when
//! a later step fails.

use std::time::Instant;

use ims::sys::net::{self, Claim, Former, Link, Mac, Maker, Net};
use ims::sys::stderr;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Out, State};

use super::look::{Found, Place, told};
use super::plan::{self, Step};
use super::record::AddressRecord;
use super::{NAME, cli};

/// One address that is brought up on one link.
struct Change<'a> {
    net: Net,
    args: &'a cli::Up,
    found: &'a Found,
    link: &'a Link,
    /// Whether this run put the address on.
    is_added: bool,
    /// The address as it stood before this run took it off or marked it.
    former: Option<Former>,
    /// Whether this run changed anything.
    is_changed: bool,
    /// How many neighbour entries were dropped.
    flushed: usize,
    /// How often the neighbours were told.
    announced: u32,
    /// Who else answered.
    answered_by: Option<Mac>,
    /// The signals that end it, between two steps.
    stop: Stop,
}

/// Puts an address on an interface, when nobody else answers for it, and tells the neighbours.
pub fn up(args: &cli::Up, out: &mut Out) -> Result<Exit, Fail> {
    let stop = Stop::watch()?;
    let mut net = Net::open()?;
    if args.ahead.when_told {
        Found::glance(&mut net);
        args.ahead.told(&stop, out)?;
    }
    let start = Instant::now();
    let found = Found::now(&mut net)?;
    let link = found.link_or_names(&args.device)?;
    let place = found.place(args.address, &args.device);
    let steps = plan::up(link, &place, args)?;
    let mut change = Change {
        net,
        args,
        found: &found,
        link,
        is_added: false,
        former: None,
        is_changed: false,
        flushed: 0,
        announced: 0,
        answered_by: None,
        stop,
    };
    if args.dry_run {
        return change.show(&steps, start, out);
    }
    for step in &steps {
        if let Err(fail) = change.take(*step).and_then(|()| change.go_on(*step)) {
            let fail = change.undo(fail);
            return Err(match change.tell(start, out) {
                Ok(_) => fail,
                Err(untold) => {
                    // That nobody can tell where it stands does not make it less grave.
                    stderr::say(NAME, &untold);
                    let exit = fail.exit().gravest(untold.exit());
                    fail.with_exit(exit)
                }
            });
        }
    }
    let told = change.tell(start, out)?;
    if told.state == State::Up {
        return Ok(Exit::Ok);
    }
    let reason = told.reason.unwrap_or_else(|| "it is not there".to_owned());
    Err(Fail::broken(format!("{} was put on {} and is not up", args.address, args.device)).because(reason))
}

impl Change<'_> {
    fn take(&mut self, step: Step) -> Result<(), Fail> {
        let (address, ip) = (self.args.address, self.args.address.address().ip());
        match step {
            Step::Ask(wait) => {
                let claim = net::claimed_by(self.link, &self.found.cards(), ip, wait)?;
                self.unclaimed(claim)?;
            }
            Step::Remove => {
                self.former = self.net.remove(self.link, address)?;
                self.is_changed |= self.former.is_some();
            }
            Step::Add => {
                self.is_added = self.net.add(self.link, address, self.found.keeps_makers())?;
                self.is_changed |= self.is_added;
                // Somebody else may have put it on while the neighbours were asked.
                if !self.is_added && !self.args.adopt {
                    let now = Found::now(&mut self.net)?.place(address, &self.args.device);
                    if let Place::Here(_, Maker::Other) = now {
                        self.former = None; // what stands there now is theirs
                        return Err(plan::stands_already(address, &self.args.device));
                    }
                }
            }
            Step::Adopt => self.adopt()?,
            Step::Forget => {
                self.flushed = self.net.forget_neighbour(ip)?;
                self.is_changed |= self.flushed > 0;
            }
            Step::Announce => {
                net::announce(self.link, ip)?;
                self.announced += 1;
            }
            Step::Reset => {} // only an address that goes has connections to be reset
        }
        Ok(())
    }

    /// Stops after a step when a signal asked for it; an address that stands and was told stays.
    fn go_on(&self, after: Step) -> Result<(), Fail> {
        match self.stop.asked() {
            Some(signal) if after != Step::Announce => {
                let (address, device) = (self.args.address, &self.args.device);
                Err(Fail::failed(format!("{address} was not brought up on {device}"))
                    .because(format!("stopped by {signal}"))
                    .hint("the same command again does it"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn unclaimed(&mut self, claim: Claim) -> Result<(), Fail> {
        self.answered_by = claim.card();
        let who = match claim {
            Claim::Nobody => return Ok(()),
            Claim::Card(mac) => format!("{mac} answers for it"),
            Claim::Somebody => "somebody answers for it".to_owned(),
        };
        Err(Fail::refused(format!("{} is in use on {}", self.args.address.address(), self.link.name))
            .because(who)
            .hint("take it down there first"))
    }

    fn adopt(&mut self) -> Result<(), Fail> {
        let (address, device) = (self.args.address, &self.args.device);
        self.former = Some(self.net.adopt(self.link, address)?);
        if Found::now(&mut self.net)?.place(address, device).is_ours() {
            self.is_changed = true;
            return Ok(());
        }
        Err(Fail::failed(format!("cannot mark {address} on {device} as ours"))
            .because("this kernel keeps no mark that can be changed")
            .hint(format!(
                "first: ims-ipbind down {address} --device {device} --keep-connections --force-not-ours"
            )))
    }

    /// Puts back what stood there before this run.
    fn undo(&mut self, fail: Fail) -> Fail {
        match self.put_back() {
            Ok(()) => {
                self.is_changed = self.flushed > 0;
                fail
            }
            Err(undo) => fail.and_undo_failed(undo),
        }
    }

    fn put_back(&mut self) -> Result<(), Fail> {
        if self.is_added {
            self.net.remove(self.link, self.args.address)?;
        }
        match &self.former {
            Some(former) => self.net.give_back(former, self.link),
            None => Ok(()),
        }
    }

    /// Looks again and prints what stands where now.
    fn tell(&mut self, start: Instant, out: &mut Out) -> Result<AddressRecord, Fail> {
        let mut told = told(&Found::now(&mut self.net)?, self.args.address, &self.args.device, start);
        told.changed = self.is_changed;
        told.answered_by = self.answered_by;
        told.neighbours_flushed = self.flushed;
        told.announced = self.announced;
        out.record(&told)?;
        Ok(told)
    }

    /// Asks, when there is something to ask, and shows the rest.
    fn show(&mut self, steps: &[Step], start: Instant, out: &mut Out) -> Result<Exit, Fail> {
        let mut refused = None;
        for step in steps {
            out.text(&step.to_string())?;
            if let Step::Ask(_) = step
                && let Err(fail) = self.take(*step)
            {
                refused = Some(fail);
                break;
            }
        }
        let mut told = told(self.found, self.args.address, &self.args.device, start);
        told.changed = refused.is_none() && steps.iter().any(|step| step.is_change());
        told.dry_run = true;
        told.answered_by = self.answered_by;
        out.record(&told)?;
        refused.map_or(Ok(Exit::Ok), Err)
    }
}
