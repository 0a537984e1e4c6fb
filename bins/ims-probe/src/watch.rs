//! All targets at once, once or again and again: a task a target, one printer, and an end by signal.

use std::sync::Arc;
use std::time::Duration;

use ims::output::Format;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::answer::Answer;
use crate::cli::{Args, PartOf};
use crate::config::Reader;
use crate::descriptors;
use crate::gather::Target;
use crate::outlet;
use crate::probe::{Asked, How, probe};
use crate::pulse::Pulse;
use crate::tally::Tally;

/// How many answers may wait to be printed; the probes of a target wait while theirs does.
const WAITING: usize = 1024;
/// How many threads read configuration files and ask the resolver; any of them may hang.
const THREADS: usize = 64;

/// When the probes of a target begin.
#[derive(Debug, Clone, Copy)]
struct Rhythm {
    start: Instant,
    every: Option<Duration>,
    count: Option<u64>,
}

/// What every task of a run shares.
struct Run {
    host: Host,
    how: How,
    part: Option<PartOf>,
    rhythm: Rhythm,
    pulse: Arc<Pulse>,
    seats: Semaphore,
    told: mpsc::Sender<Told>,
}

/// What a target's task tells the printer.
enum Told {
    Answer(usize, Box<Answer>),
    EndOfRound(usize, u64),
}

/// Probes all targets and prints the answers as they come.
pub fn run(host: &Host, targets: Vec<Target>, args: &Args, out: &mut Out) -> Result<Exit, Fail> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build()
        .map_err(|e| Fail::io(Exit::Unknown, "cannot make an event queue", &e))?;
    let exit = runtime.block_on(all(host, targets, args, out));
    // A thread that hangs on a dead disk or a silent resolver is left behind.
    runtime.shutdown_background();
    exit
}

async fn all(host: &Host, targets: Vec<Target>, args: &Args, out: &mut Out) -> Result<Exit, Fail> {
    let mut stop = Stop::listen()?;
    let (told, mut heard) = mpsc::channel(WAITING);
    let run = Arc::new(Run {
        host: host.clone(),
        how: How { level: args.level, timeout: args.timeout.0, from: args.from },
        part: args.part,
        rhythm: Rhythm {
            start: Instant::now(),
            every: args.every.map(|span| span.0),
            count: args.count.map(std::num::NonZeroU64::get),
        },
        pulse: Pulse::start(args.timeout.0),
        seats: Semaphore::new(descriptors::seats()),
        told,
    });
    let count = targets.len();
    let mut tally = Tally::of(count);
    for (index, target) in targets.into_iter().enumerate() {
        tokio::spawn(watch(index, target, Arc::clone(&run)));
    }
    drop(run);
    let mut reader = if args.every.is_some() { outlet::Reader::watch() } else { outlet::Reader::unwatched() };
    let by_rounds = args.every.is_some() && out.format() == Format::Table;
    let stopped = tokio::select! {
        printed = print(&mut heard, &mut tally, out, &mut reader, by_rounds.then_some(count)) => {
            printed?;
            None
        }
        by = stop.asked() => Some(by),
    };
    if let Some(by) = stopped {
        stderr::say(
            "ims-probe",
            format_args!("stopped by {by}; {} of {count} targets had answered", tally.answered()),
        );
    }
    Ok(tally.exit())
}

/// Prints answers until no task is left. Tables wait for so many ends of rounds, so that they hold a row a target.
async fn print(
    heard: &mut mpsc::Receiver<Told>,
    tally: &mut Tally,
    out: &mut Out,
    reader: &mut outlet::Reader,
    rounds: Option<usize>,
) -> Result<(), Fail> {
    let mut ended = 0;
    loop {
        let told = tokio::select! {
            told = heard.recv() => told,
            fail = reader.gone() => return Err(fail),
        };
        match told {
            Some(Told::Answer(target, answer)) => {
                outlet::takes_a_line().await?;
                out.record(&*answer)?;
                if out.format() == Format::Json {
                    out.flush()?;
                }
                tally.note(target, &answer.endpoint, answer.attempt, answer.state);
            }
            Some(Told::EndOfRound(target, attempt)) => {
                tally.end_round(target, attempt);
                ended += 1;
                if rounds.is_some_and(|rounds| ended >= rounds) {
                    out.flush()?;
                    ended = 0;
                }
            }
            None => return Ok(()),
        }
    }
}

/// The signals that end a run in order.
struct Stop {
    term: Signal,
    int: Signal,
}

impl Stop {
    fn listen() -> Result<Self, Fail> {
        let listen =
            |kind| signal(kind).map_err(|e| Fail::io(Exit::Unknown, "cannot listen for signals", &e));
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.int.recv() => "SIGINT",
        }
    }
}

impl Rhythm {
    /// When the next probe begins, by the clock and not by the last one's end; a beat that was missed is left out.
    fn next(self, attempts: u64) -> Option<Instant> {
        let every = self.every.filter(|_| self.count.is_none_or(|count| attempts < count))?;
        let beats = self.start.elapsed().as_nanos() / every.as_nanos().max(1) + 1;
        Some(self.start + every.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX)))
    }
}

/// Probes one target for as long as the run lasts.
async fn watch(index: usize, target: Target, run: Arc<Run>) {
    let mut reader = Reader::default();
    let mut attempt = 0;
    loop {
        attempt += 1;
        match &target {
            Target::Endpoint(endpoint) => {
                let asked = Asked { endpoint: endpoint.clone(), instance: None, attempt };
                ask(index, asked, &run, None).await;
            }
            Target::Instance(instance) => {
                let deadline = Instant::now() + run.how.timeout;
                match reader.read(&run.host, instance, run.part, run.how.timeout).await {
                    Ok(endpoints) => {
                        let mut services = JoinSet::new();
                        for endpoint in endpoints {
                            let asked = Asked { endpoint, instance: Some(instance.name.clone()), attempt };
                            let run = Arc::clone(&run);
                            services.spawn(async move { ask(index, asked, &run, Some(deadline)).await });
                        }
                        while services.join_next().await.is_some() {}
                    }
                    Err(unread) => {
                        let answer = unread.answer(instance, run.how.level, attempt);
                        tell(&run, Told::Answer(index, Box::new(answer))).await;
                    }
                }
            }
        }
        tell(&run, Told::EndOfRound(index, attempt)).await;
        match run.rhythm.next(attempt) {
            Some(at) => sleep_until(at).await,
            None => return,
        }
    }
}

async fn ask(index: usize, asked: Asked, run: &Run, deadline: Option<Instant>) {
    let waiting = Instant::now();
    // The semaphore is never closed.
    let _seat = run.seats.acquire().await;
    // Waiting for a descriptor of our own takes nothing of the server's time.
    let deadline = deadline.unwrap_or(waiting + run.how.timeout) + waiting.elapsed();
    let answer = probe(asked, &run.how, &run.pulse, deadline).await;
    tell(run, Told::Answer(index, Box::new(answer))).await;
}

async fn tell(run: &Run, told: Told) {
    // Nobody hears it when the run is at its end; the task ends with the runtime.
    let _ = run.told.send(told).await;
}
