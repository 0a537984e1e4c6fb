//! All targets at once, once or again and again: when the rounds of each begin, its probes on the loop, and an end
//! by signal.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Instant;

use ims::sys::stderr;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Out};
use rustix::event::epoll::EventFlags;

use crate::answer::Answer;
use crate::cli::{Args, PartOf};
use crate::config::{self, Reading};
use crate::endpoint::Endpoint;
use crate::engine::{Bell, Hub, Tasks};
use crate::gather::Target;
use crate::names::Names;
use crate::print::Printer;
use crate::probe::{Asked, How, Prober};
use crate::pulse::Pulse;
use crate::rhythm::Rhythm;
use crate::{descriptors, outlet};

/// How many probes begin before the loop looks again at those under way.
const BURST: usize = 64;

/// A target, and where it is in its rounds.
struct Watched {
    target: Target,
    attempt: u64,
    /// How many answers this round waits for.
    open: usize,
    reading: Option<Reading>,
}

/// A probe that waits for a descriptor of ours, which takes nothing of the server's time.
struct Waiting {
    target: usize,
    asked: Asked,
    since: Instant,
    /// When it should end, if its time has begun already.
    deadline: Option<Instant>,
}

/// The end of a task.
struct Told {
    target: usize,
    end: End,
}

enum End {
    Answer(Box<Answer>),
    Unread(Box<Answer>),
    Read(Vec<Endpoint>, Instant),
}

/// A run.
struct Watch<'a> {
    prober: &'a Prober,
    host: &'a Host,
    part: Option<PartOf>,
    rhythm: Rhythm,
    targets: Vec<Watched>,
    beats: BinaryHeap<Reverse<(Instant, usize)>>,
    waiting: VecDeque<Waiting>,
    seats: usize,
    tasks: Tasks<'a, Told>,
    printer: Printer,
}

/// Probes all targets and prints the answers as they come.
pub fn run(host: &Host, targets: Vec<Target>, args: &Args, out: &Out) -> Result<Exit, Fail> {
    let stop = Stop::watch()?;
    let cannot = |error: io::Error| Fail::io(Exit::Unknown, "cannot make an event queue", &error);
    let hub = Hub::new().map_err(cannot)?;
    hub.listen(&stop, Bell::Signal, EventFlags::IN).map_err(cannot)?;
    let count = targets.len();
    let printer = Printer::new(&hub, out.format(), host.name(), count, args.every.is_some())?;
    let rhythm = Rhythm {
        start: hub.now(),
        every: args.every.map(|span| span.0),
        count: args.count.map(NonZeroU64::get),
        targets: count,
    };
    let how = How { level: args.level, timeout: args.timeout.0, from: args.from };
    let prober = Prober { hub, how, pulse: Pulse::of(args.timeout.0), names: Names::default() };
    let mut watch = Watch {
        prober: &prober,
        host,
        part: args.part,
        rhythm,
        targets: targets.into_iter().map(Watched::new).collect(),
        beats: (0..count).map(|target| Reverse((rhythm.start, target))).collect(),
        waiting: VecDeque::new(),
        seats: descriptors::seats(),
        tasks: Tasks::new(&prober.hub),
        printer,
    };
    if let Some(by) = watch.turn(&stop)? {
        let answered = watch.printer.answered();
        stderr::say("ims-probe", format_args!("stopped by {by}; {answered} of {count} targets had answered"));
    }
    Ok(watch.printer.exit())
}

impl Watched {
    const fn new(target: Target) -> Self {
        Self { target, attempt: 0, open: 0, reading: None }
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
            if self.is_over() {
                self.printer.end()?;
                self.printer.let_out(hub, true)?;
                if self.printer.is_done() {
                    return Ok(None);
                }
            }
            let found = hub
                .look(self.until(), &mut woken)
                .map_err(|error| Fail::io(Exit::Unknown, "cannot wait for an event", &error))?;
            self.prober.pulse.beat();
            if found.reader_gone {
                return Err(outlet::reader_gone());
            }
            if let Some(by) = stop.asked().filter(|_| found.signal) {
                self.printer.end()?;
                self.printer.let_out(hub, true)?;
                return Ok(Some(by));
            }
            if found.is_all {
                self.tasks.due(&mut woken);
            }
            let is_idle = woken.is_empty() && self.waiting.is_empty();
            for task in woken.drain(..) {
                if let Some(told) = self.tasks.poll(task) {
                    self.hear(told)?;
                }
            }
            self.printer.let_out(hub, is_idle)?;
        }
    }

    /// Whether no probe is under way and none will be.
    fn is_over(&self) -> bool {
        self.tasks.is_empty() && self.waiting.is_empty() && self.beats.is_empty()
    }

    /// Whether a probe could begin now.
    fn can_begin(&self) -> bool {
        !self.waiting.is_empty() && self.seats > 0 && !self.printer.is_full()
    }

    /// When the loop must turn again though nothing happens.
    fn until(&self) -> Option<Instant> {
        let now = self.prober.hub.now();
        if self.can_begin() || self.printer.can_let_out() {
            return Some(now);
        }
        let beat = self.beats.peek().filter(|_| !self.printer.is_full()).map(|Reverse((at, _))| *at);
        let pulse = (!self.tasks.is_empty()).then(|| self.prober.pulse.next(now));
        [beat, pulse, self.tasks.alarm()].into_iter().flatten().min()
    }

    /// Begins the rounds whose time is there. Nothing new begins while nobody reads what is told.
    fn begin_rounds(&mut self) -> Result<(), Fail> {
        let now = self.prober.hub.now();
        while let Some(Reverse((at, target))) = self.beats.peek().copied() {
            if at > now || self.printer.is_full() {
                break;
            }
            self.beats.pop();
            self.begin_round(target, now)?;
        }
        Ok(())
    }

    fn begin_round(&mut self, target: usize, now: Instant) -> Result<(), Fail> {
        let Some(watched) = self.targets.get_mut(target) else { return Ok(()) };
        watched.attempt += 1;
        watched.open = 1;
        let attempt = watched.attempt;
        match &watched.target {
            Target::Endpoint(endpoint) => {
                let asked = Asked { endpoint: endpoint.clone(), instance: None, attempt };
                self.waiting.push_back(Waiting { target, asked, since: now, deadline: None });
                Ok(())
            }
            Target::Instance(instance) => {
                let (prober, instance) = (self.prober, Rc::clone(instance));
                let How { level, timeout, .. } = prober.how;
                let last = watched.reading.take();
                let reading = config::read(&prober.hub, self.host, &instance, self.part, last);
                watched.reading = reading.as_ref().ok().cloned();
                let deadline = now + timeout;
                let told = self.tasks.start(async move {
                    let end = match config::endpoints(&prober.hub, reading, deadline, timeout).await {
                        Ok(endpoints) => End::Read(endpoints, deadline),
                        Err(unread) => End::Unread(Box::new(unread.answer(&instance, level, attempt))),
                    };
                    Told { target, end }
                });
                told.map_or(Ok(()), |told| self.hear(told))
            }
        }
    }

    /// Begins some of the probes that wait, as far as there are descriptors.
    fn begin_probes(&mut self) -> Result<(), Fail> {
        for _ in 0..BURST {
            if !self.can_begin() {
                break;
            }
            if let Some(waiting) = self.waiting.pop_front() {
                self.begin_probe(waiting)?;
            }
        }
        Ok(())
    }

    fn begin_probe(&mut self, waiting: Waiting) -> Result<(), Fail> {
        let Waiting { target, asked, since, deadline } = waiting;
        let (prober, now) = (self.prober, Instant::now());
        let deadline = match deadline {
            Some(deadline) => deadline + (now - since),
            None => now + prober.how.timeout,
        };
        self.seats -= 1;
        let told = self.tasks.start(async move {
            Told { target, end: End::Answer(Box::new(prober.probe(asked, deadline).await)) }
        });
        told.map_or(Ok(()), |told| self.hear(told))
    }

    /// Hears what a task has ended with.
    fn hear(&mut self, told: Told) -> Result<(), Fail> {
        let Told { target, end } = told;
        match end {
            End::Answer(answer) => {
                self.seats += 1;
                self.printer.answer(target, &answer)?;
            }
            End::Unread(answer) => self.printer.answer(target, &answer)?,
            End::Read(endpoints, deadline) => self.ask_all(target, endpoints, deadline),
        }
        self.close_one(target)
    }

    /// Has every endpoint of an instance probed.
    fn ask_all(&mut self, target: usize, endpoints: Vec<Endpoint>, deadline: Instant) {
        let Some(watched) = self.targets.get_mut(target) else { return };
        let instance = match &watched.target {
            Target::Instance(instance) => Some(&instance.name),
            Target::Endpoint(_) => None,
        };
        watched.open += endpoints.len();
        let since = Instant::now();
        for endpoint in endpoints {
            let asked = Asked { endpoint, instance: instance.cloned(), attempt: watched.attempt };
            self.waiting.push_back(Waiting { target, asked, since, deadline: Some(deadline) });
        }
    }

    /// Ends a round with its last answer, and sets the next.
    fn close_one(&mut self, target: usize) -> Result<(), Fail> {
        let Some(watched) = self.targets.get_mut(target) else { return Ok(()) };
        watched.open -= 1;
        if watched.open > 0 {
            return Ok(());
        }
        let attempt = watched.attempt;
        if let Some(next) = self.rhythm.next(target, attempt, Instant::now()) {
            self.beats.push(Reverse((next, target)));
        }
        self.printer.end_round(target, attempt)
    }
}
