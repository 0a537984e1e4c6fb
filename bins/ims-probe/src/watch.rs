//! A run: all targets at once, once or again and again, on one loop, and an end by signal.

use std::io;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Instant;

use ims::sys::stderr;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host};
use rustix::event::epoll::EventFlags;

use crate::answer::Answer;
use crate::cli::{Args, PartOf};
use crate::config;
use crate::deliver;
use crate::descriptors::Seats;
use crate::endpoint::Endpoint;
use crate::engine::{Bell, Hub, Tasks};
use crate::gather::Target;
use crate::level::Level;
use crate::names::Names;
use crate::outlet;
use crate::print::{Ended, Printer};
use crate::probe::{Asked, How, Prober};
use crate::pulse::Pulse;
use crate::rhythm::Rhythm;
use crate::rounds::Rounds;
use crate::secrets::Secrets;

/// How many probes begin before the loop looks again at those under way.
const BURST: usize = 64;

/// What a task of a target ends with.
struct Told {
    target: usize,
    end: End,
}

enum End {
    /// A probe's answer.
    Answer(Box<Answer>),
    /// Why the endpoints of an instance are not known.
    Unread(Box<Answer>),
    /// The endpoints of an instance, and when the time of their probes is over.
    Read(Vec<Endpoint>, Instant),
}

/// A run under way.
struct Watch<'a> {
    prober: &'a Prober,
    host: &'a Host,
    part: Option<PartOf>,
    rounds: Rounds,
    seats: Seats,
    tasks: Tasks<'a, Told>,
    printer: Printer,
}

/// Probes all targets and prints the answers as they come.
pub fn run(host: &Host, targets: Vec<Target>, args: &Args) -> Result<Ended, Fail> {
    let kit = args.tls_kit()?;
    let secrets = secrets(host, args)?;
    let stop = Stop::watch()?;
    let cannot = |error: io::Error| Fail::io(Exit::Unknown, "cannot make an event queue", &error);
    let hub = Hub::new().map_err(cannot)?;
    hub.listen(&stop, Bell::Signal, EventFlags::IN).map_err(cannot)?;
    kit.authorities.begin(&hub, hub.now() + args.timeout.0 / 2)?;
    let count = targets.len();
    let printer = Printer::new(&hub, args, host.name(), count)?;
    let rhythm = Rhythm {
        start: hub.now(),
        every: args.every.map(|span| span.0),
        count: args.count.map(NonZeroU64::get),
        targets: count,
    };
    let how = How {
        level: args.level,
        timeout: args.timeout.0,
        from: args.from,
        secrets,
        host: host.name().to_owned(),
    };
    let prober = Prober { hub, how, pulse: Pulse::of(args.timeout.0), names: Names::default(), kit };
    let mut watch = Watch {
        prober: &prober,
        host,
        part: args.part,
        rounds: Rounds::new(rhythm, targets),
        seats: Seats::all(),
        tasks: Tasks::new(&prober.hub),
        printer,
    };
    if let Some(by) = watch.turn(&stop)? {
        let answered = watch.printer.answered();
        stderr::say("ims-probe", format_args!("stopped by {by}; {answered} of {count} targets had answered"));
    }
    Ok(watch.printer.ended())
}

/// Who logs in, where that is asked for.
fn secrets(host: &Host, args: &Args) -> Result<Secrets, Fail> {
    match &args.secrets {
        Some(from) => Secrets::load(host, from),
        None if args.level >= Level::Login => {
            Err(Fail::usage(format!("--level {} needs a login", args.level))
                .hint("name a file of users and passwords with --secrets"))
        }
        None => Ok(Secrets::default()),
    }
}

impl Watch<'_> {
    /// Turns the loop until there is nothing more to do, or until a signal, whose name it gives.
    fn turn(&mut self, stop: &Stop) -> Result<Option<&'static str>, Fail> {
        let hub = &self.prober.hub;
        let mut woken = Vec::new();
        loop {
            self.begin_rounds()?;
            self.begin_probes()?;
            if self.is_over() && self.printer.end(hub)? {
                return Ok(None);
            }
            let found = hub
                .look(self.until(), &mut woken)
                .map_err(|error| Fail::io(Exit::Unknown, "cannot wait for an event", &error))?;
            self.prober.pulse.beat();
            if found.reader_gone {
                return Err(outlet::reader_gone());
            }
            if found.signal
                && let Some(by) = stop.asked()
            {
                self.printer.stop(hub, by, self.rounds.since_start(Instant::now()))?;
                return Ok(Some(by));
            }
            if found.is_all {
                self.tasks.due(&mut woken);
            }
            let is_idle = woken.is_empty() && !self.seats.can_begin();
            for task in woken.drain(..) {
                let told = self.tasks.poll(task);
                self.hear(told)?;
            }
            self.printer.keep(hub)?;
            self.printer.let_out(hub, is_idle)?;
        }
    }

    /// Whether no probe is under way and none will be.
    fn is_over(&self) -> bool {
        self.tasks.is_empty() && self.seats.is_empty() && self.rounds.is_over()
    }

    /// When the loop must turn again though nothing happens.
    fn until(&self) -> Option<Instant> {
        let now = self.prober.hub.now();
        let may_begin = !self.printer.is_full();
        if (may_begin && self.seats.can_begin()) || self.printer.can_let_out() {
            return Some(now);
        }
        let beat = self.rounds.next().filter(|_| may_begin);
        let pulse = (!self.tasks.is_empty()).then(|| self.prober.pulse.next(now));
        [beat, pulse, self.tasks.alarm(), self.printer.due()].into_iter().flatten().min()
    }

    /// Begins the rounds whose time is there. Nothing new begins while nobody reads what is told.
    fn begin_rounds(&mut self) -> Result<(), Fail> {
        let now = self.prober.hub.now();
        while !self.printer.is_full() {
            let Some(target) = self.rounds.begin(now) else { break };
            self.begin_round(target, now)?;
        }
        Ok(())
    }

    fn begin_round(&mut self, target: usize, now: Instant) -> Result<(), Fail> {
        let Some(watched) = self.rounds.get(target) else { return Ok(()) };
        let attempt = watched.attempt;
        let instance = match &watched.target {
            Target::Endpoint(endpoint) => {
                let asked = Asked { endpoint: endpoint.clone(), instance: None, beside: None, attempt };
                self.seats.wait(target, asked, None);
                return Ok(());
            }
            Target::Instance(instance) => Rc::clone(instance),
        };
        let prober = self.prober;
        let reading = config::read(&prober.hub, self.host, &instance, self.part, watched.reading.take());
        watched.reading = reading.as_ref().ok().cloned();
        let How { level, timeout, .. } = prober.how;
        let deadline = now + timeout;
        let told = self.tasks.start(async move {
            let end = match config::endpoints(&prober.hub, reading, deadline, timeout).await {
                Ok(endpoints) => End::Read(endpoints, deadline),
                Err(unread) => End::Unread(Box::new(unread.answer(&instance, level, attempt))),
            };
            Told { target, end }
        });
        self.hear(told)
    }

    /// Begins some of the probes that wait, as far as there are descriptors.
    fn begin_probes(&mut self) -> Result<(), Fail> {
        let prober = self.prober;
        for _ in 0..BURST {
            if self.printer.is_full() || !self.seats.can_begin() {
                break;
            }
            let Some(next) = self.seats.next() else { break };
            let (target, deadline) = (next.target, next.deadline(prober.how.timeout));
            let told = self.tasks.start(async move {
                Told { target, end: End::Answer(Box::new(prober.probe(next.asked, deadline).await)) }
            });
            self.hear(told)?;
        }
        Ok(())
    }

    /// Hears what a task has ended with, if it has.
    fn hear(&mut self, told: Option<Told>) -> Result<(), Fail> {
        let Some(Told { target, end }) = told else { return Ok(()) };
        match end {
            End::Answer(answer) => {
                self.seats.free();
                self.printer.answer(target, *answer)?;
            }
            End::Unread(answer) => self.printer.answer(target, *answer)?,
            End::Read(endpoints, deadline) => self.ask_all(target, &endpoints, deadline),
        }
        match self.rounds.answered(target, Instant::now()) {
            Some(attempt) => self.printer.end_round(target, attempt),
            None => Ok(()),
        }
    }

    /// Has every endpoint of an instance probed in its present round.
    fn ask_all(&mut self, target: usize, endpoints: &[Endpoint], deadline: Instant) {
        let Some(watched) = self.rounds.get(target) else { return };
        watched.open += endpoints.len();
        let attempt = watched.attempt;
        let instance = match &watched.target {
            Target::Instance(instance) => Some(instance.name.clone()),
            Target::Endpoint(_) => None,
        };
        for endpoint in endpoints {
            let beside = deliver::mailbox_beside(endpoint, endpoints).cloned();
            let asked = Asked { endpoint: endpoint.clone(), instance: instance.clone(), beside, attempt };
            self.seats.wait(target, asked, Some(deadline));
        }
    }
}
