//! Carries the steps out, looks again, and takes back what this run put on when a later step fails.

use std::net::IpAddr;
use std::time::Instant;

use ims::span::millis;
use ims::sys::net::{self, Claim, Claims, Link, Mac, Net, Standing};
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Out, State};

use super::cli;
use super::look::{Found, told};
use super::plan::{self, Step};
use super::record::AddressRecord;

/// One address that is brought up on one link.
struct Change<'a> {
    net: Net,
    args: &'a cli::Up,
    link: &'a Link,
    cards: Vec<Mac>,
    /// What the neighbours say while the kernel asks them.
    claims: Option<Claims>,
    /// Whether this run put the address on.
    is_added: bool,
    /// Whether this run changed anything.
    is_changed: bool,
    /// Who else answered.
    answered_by: Option<Mac>,
    /// The signals that end it, between two steps.
    stop: Stop,
}

/// Brings an address up.
pub fn up(host: &Host, args: &cli::Up, out: &mut Out) -> Result<Exit, Fail> {
    let start = Instant::now();
    let mut net = Net::open()?;
    let found = Found::now(&mut net)?;
    let link = found.link_or_names(&args.device)?;
    let place = found.place(args.address, &args.device);
    // A dry run cannot put the address on for the kernel to ask, so it asks by itself.
    let kernel_detects = !args.dry_run && net::kernel_detects_duplicates(host, link);
    let steps = plan::up(args.address, link, &place, args.probe_wait.0, kernel_detects)?;
    let mut change = Change {
        net,
        args,
        link,
        cards: found.cards(),
        claims: None,
        is_added: false,
        is_changed: false,
        answered_by: None,
        stop: Stop::watch()?,
    };
    if args.dry_run {
        return change.show(&found, &steps, start, out);
    }
    for step in &steps {
        if let Err(fail) = change.take(*step).and_then(|()| change.go_on(*step)) {
            let fail = change.undo(fail);
            change.tell(start, out)?;
            return Err(fail);
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
                let claim = net::claimed_by(self.link, &self.cards, ip, wait)
                    .map_err(|fail| fail.with_exit(Exit::Failed))?;
                self.unclaimed(claim)
            }
            Step::Remove => {
                self.is_changed = self.net.remove(self.link, address)? || self.is_changed;
                Ok(())
            }
            Step::Add(dad) => {
                if let (IpAddr::V6(ip), net::Dad::Kernel) = (ip, dad) {
                    self.claims = Some(Claims::listen(self.link, ip).map_err(|e| {
                        Fail::io(
                            Exit::Failed,
                            format!("cannot hear the neighbours on {}", self.link.name),
                            &e,
                        )
                    })?);
                }
                self.is_added = self.net.add(self.link, address, dad)?;
                self.is_changed = self.is_changed || self.is_added;
                Ok(())
            }
            Step::Settle => self.settle(),
            Step::Announce => self.announce(ip),
        }
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
        match claim {
            Claim::Nobody => Ok(()),
            Claim::Card(_) | Claim::Somebody => Err(self.taken()),
        }
    }

    fn taken(&self) -> Fail {
        let who = match self.answered_by {
            Some(mac) => format!("{mac} answers for it"),
            None => "somebody answers for it".to_owned(),
        };
        Fail::refused(format!("{} is in use on {}", self.args.address.address(), self.link.name))
            .because(who)
            .hint("take it down there first")
    }

    /// Waits for the kernel's verdict on an IPv6 address.
    fn settle(&mut self) -> Result<(), Fail> {
        let (address, device) = (self.args.address, &self.link.name);
        match self.net.settled(self.link, address, &self.stop, self.args.timeout.0)? {
            Some(Standing::Usable) => Ok(()),
            Some(Standing::Tentative) if self.stop.is_asked() => Ok(()), // told by what comes after the step
            Some(Standing::Duplicate) => {
                self.is_added = true; // whoever put it on, it must not stay
                self.answered_by = self.claims.as_ref().and_then(Claims::heard);
                Err(self.taken())
            }
            Some(Standing::Tentative) => Err(Fail::unknown(format!(
                "the kernel has not ended its search for a duplicate of {address} on {device} within {}",
                self.args.timeout
            ))
            .hint("give it a longer --timeout")),
            None => Err(Fail::failed(format!("{address} was taken off {device} by somebody else"))),
        }
    }

    fn announce(&self, ip: IpAddr) -> Result<(), Fail> {
        net::announce(self.link, ip)?;
        for _ in 1..self.args.announce {
            if self.stop.wait(self.args.announce_every.0) {
                break; // it is up and was told
            }
            net::announce(self.link, ip)?;
        }
        Ok(())
    }

    /// Takes off again what this run put on.
    fn undo(&mut self, fail: Fail) -> Fail {
        if !self.is_added {
            return fail;
        }
        match self.net.remove(self.link, self.args.address) {
            Ok(_) => {
                self.is_changed = false;
                fail
            }
            Err(undo) => fail.and_undo_failed(undo),
        }
    }

    /// Looks again and prints what stands where now.
    fn tell(&mut self, start: Instant, out: &mut Out) -> Result<AddressRecord, Fail> {
        let mut told = told(&Found::now(&mut self.net)?, self.args.address, &self.args.device, start);
        told.changed = self.is_changed;
        told.answered_by = self.answered_by;
        out.record(&told)?;
        Ok(told)
    }

    /// Asks, when there is something to ask, and shows the rest.
    fn show(&mut self, found: &Found, steps: &[Step], start: Instant, out: &mut Out) -> Result<Exit, Fail> {
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
        let mut told = told(found, self.args.address, &self.args.device, start);
        told.changed = refused.is_none() && steps.iter().any(|step| step.is_change());
        told.dry_run = true;
        told.answered_by = self.answered_by;
        out.record(&told)?;
        refused.map_or(Ok(Exit::Ok), Err)
    }
}

/// Takes an address down.
pub fn down(args: &cli::Down, out: &mut Out) -> Result<Exit, Fail> {
    let start = Instant::now();
    let mut net = Net::open()?;
    let found = Found::now(&mut net)?;
    let place = found.place(args.address, &args.device);
    let steps = plan::down(args.address, &args.device, &place)?;
    if args.dry_run {
        steps.iter().try_for_each(|step| out.text(&step.to_string()))?;
        let mut told = told(&found, args.address, &args.device, start);
        told.changed = !steps.is_empty();
        told.dry_run = true;
        out.record(&told)?;
        return Ok(Exit::Ok);
    }
    let mut is_changed = false;
    if let Some(link) = found.link(&args.device)
        && !steps.is_empty()
    {
        is_changed = net.remove(link, args.address)?;
    }
    let mut told = told(&Found::now(&mut net)?, args.address, &args.device, start);
    told.changed = is_changed;
    told.took_ms = millis(start.elapsed());
    out.record(&told)?;
    if told.state == State::Down {
        return Ok(Exit::Ok);
    }
    let reason = told.reason.unwrap_or_else(|| "it is there again".to_owned());
    Err(Fail::failed(format!("{} was taken off {} and is not down", args.address, args.device))
        .because(reason))
}
