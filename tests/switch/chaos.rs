//! Chaos: a mail service moves to and fro while a client sends, and random trouble strikes each move, and what is run to
//! mend it: our programs are killed, wires cut, nodes frozen, powers cut. A schedule is all in its seed, but for the
//! time that things take.
//!
//! Two schedules are played; `make chaos` plays 200: `IMS_CHAOS` of them, from the seed `IMS_CHAOS_SEED` on, on as many
//! beds beside each other as `IMS_CHAOS_BEDS` says.

mod dice;
mod strike;
mod watch;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lab::*;
use super::mail::{at, group, lab, servers_are_on};
use crate::support::mail::{Account, Stream, account_within};
use crate::support::*;
use dice::{Move, Schedule, Strike, Trouble, Way};
use strike::{Sides, struck};
use watch::{Strangers, Watch};

/// How long a run may take, with a fencing and the kernel's own wait for a guard in it.
const MOVE: Duration = Duration::from_secs(150);
/// Within what time the group must be online again when everything else works.
const HEALED: Duration = Duration::from_secs(180);

/// Probes both servers for some seconds and reacts to what they answer.
const REACT: &str =
    "ims-registry list | ims-probe - --every 400ms --count 10 --timeout 1s | ims-switch react IMS-RG";

/// How many schedules a bed sees: its volume fills, and who counts reads all that is in its mailboxes.
const ON_ONE_BED: u64 = 25;

/// What came of schedules.
#[derive(Default)]
struct Sum {
    schedules: u64,
    acknowledged: usize,
    lost: usize,
    doubled: usize,
    sent_again: usize,
    /// How often each kind of trouble struck.
    strikes: BTreeMap<&'static str, u32>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.sent_again += other.sent_again;
        for (kind, count) in other.strikes {
            *self.strikes.entry(kind).or_default() += count;
        }
    }
}

/// A play of some schedules on a bed of its own.
struct Play {
    lab: Lab,
    client: Node,
    stream: Stream,
    watch: Watch,
    strangers: Strangers,
    /// How often each kind of trouble struck.
    strikes: BTreeMap<&'static str, u32>,
    /// What was done in this schedule until now.
    told: Vec<String>,
    /// The number of the node that has the group.
    owner: usize,
}

#[test]
fn whatever_strikes_the_service_no_message_is_lost_and_nothing_is_had_twice() {
    if !needs_root() {
        return;
    }
    let number = |name: &str, otherwise| {
        std::env::var(name).map_or(otherwise, |text| text.parse::<u64>().expect("a number"))
    };
    let (count, first) = (number("IMS_CHAOS", 2), number("IMS_CHAOS_SEED", 1));
    let (began, next) = (Instant::now(), AtomicU64::new(first));
    let deal = || {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        (seed < first + count).then_some(seed)
    };
    let play_all = || {
        let mut sum = Sum::default();
        while let Some(seed) = deal() {
            sum.add(Play::begin().all(seed, deal));
        }
        sum
    };
    let play = || {
        let played = catch_unwind(AssertUnwindSafe(play_all));
        played.unwrap_or_else(|failure| {
            next.store(first + count, Ordering::Relaxed); // nobody begins another
            resume_unwind(failure)
        })
    };
    let beds: Vec<Sum> = std::thread::scope(|scope| {
        let beds: Vec<_> = (0..number("IMS_CHAOS_BEDS", 1)).map(|_| scope.spawn(play)).collect();
        beds.into_iter().map(|bed| bed.join().unwrap_or_else(|failure| resume_unwind(failure))).collect()
    });
    let mut sum = Sum::default();
    for bed in beds {
        sum.add(bed);
    }
    println!(
        "chaos: {} schedules from seed {first} in {:.0} s: {} acknowledged, {} lost, {} told twice, {} sent again for want \
         of an answer; strikes: {:?}",
        sum.schedules,
        began.elapsed().as_secs_f64(),
        sum.acknowledged,
        sum.lost,
        sum.doubled,
        sum.sent_again,
        sum.strikes,
    );
    assert_eq!((sum.schedules, sum.lost), (count, 0));
}

impl Play {
    /// Makes a bed with the group online.
    fn begin() -> Self {
        let lab = lab();
        // A server that dies is restarted, or the group given over at once, by which of them it is.
        lab.group(&group().replace("instance = \"stork\"", "instance = \"stork\"\nrestart_limit = 0"));
        let client = lab.bed.client();
        lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
        Self {
            stream: client.inside(|| Stream::start(at(25), Duration::from_millis(50))),
            watch: Watch::begin(&lab),
            strangers: Strangers::none(),
            strikes: BTreeMap::new(),
            told: Vec::new(),
            owner: 0,
            client,
            lab,
        }
    }

    /// Plays a schedule, and others that are dealt, as many as a bed sees.
    fn all(mut self, first: u64, deal: impl Fn() -> Option<u64>) -> Sum {
        let (mut account, mut schedules) = (Account::default(), 0);
        let dealt = std::iter::once(first).chain((1..ON_ONE_BED).map_while(|_| deal()));
        for seed in dealt {
            schedules += 1;
            let began = Instant::now();
            let may_double = self.schedule(seed);
            let (told, stream) = (&self.told, &self.stream);
            let more = stream.acknowledged() + 5;
            assert!(
                until(SOON, || stream.acknowledged() > more),
                "seed {seed}: no mail is taken after {told:#?}"
            );
            let before = account.doubled.len();
            account = self.client.inside(|| account_within(&stream.so_far(), at(143), SOON)).unwrap();
            assert!(account.lost.is_empty(), "seed {seed}: {told:#?}\n{account:?}");
            assert!(may_double || account.doubled.len() == before, "seed {seed}: {told:#?}\n{account:?}");
            println!(
                "chaos: seed {seed}, {:.1} s: {} acknowledged, none lost, {} told twice: {}",
                began.elapsed().as_secs_f64(),
                account.acknowledged,
                account.doubled.len(),
                told.join(" | "),
            );
        }
        self.watch.end();
        self.stream.stop();
        self.lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok();
        servers_are_on(&self.lab, None);
        let check =
            std::process::Command::new("e2fsck").arg("-fn").arg(self.lab.disk.image()).output().unwrap();
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
        Sum {
            schedules,
            acknowledged: account.acknowledged,
            lost: account.lost.len(),
            doubled: account.doubled.len(),
            sent_again: account.sent_again.len(),
            strikes: self.strikes,
        }
    }

    /// Plays a schedule; says whether a server may have crashed in it.
    fn schedule(&mut self, seed: u64) -> bool {
        let schedule = Schedule::of(seed);
        self.told.clear();
        let begins_on = self.lab.nodes()[schedule.begins_on];
        self.strangers.settle(&self.lab);
        self.in_time(["ims-switch", "move", "IMS-RG", "--to", begins_on.name()]);
        self.owner = schedule.begins_on;
        let fenced = self.lab.bed.fence_requests().len();
        for one in &schedule.moves {
            let began = Instant::now();
            self.told.push(format!("from {}, {one}", self.lab.nodes()[self.owner].name()));
            let found = self.strike(one).or_else(|| self.heal(one)).or_else(|| self.watch.seen());
            if let Some(found) = found {
                panic!("seed {seed}: {found}, after {:#?}", self.told);
            }
            *self.told.last_mut().unwrap() += &format!(", {:.1} s", began.elapsed().as_secs_f64());
        }
        let is_left = || self.lab.nodes().map(ours).concat();
        assert!(
            until(SOON, || is_left().is_empty()),
            "seed {seed}: {:?} runs on after {:#?}",
            is_left(),
            self.told
        );
        let strikes = || schedule.moves.iter().flat_map(|one| one.strikes.iter().chain(&one.once_more));
        strikes().any(|strike| strike.trouble.may_crash_servers())
            || self.lab.bed.fence_requests().len() > fenced
    }

    /// Moves the group and strikes; gives what is wrong after it.
    fn strike(&mut self, one: &Move) -> Option<String> {
        let lab = &self.lab;
        let sides = Sides::of(lab, self.owner);
        let driver = sides.node(one.driver);
        lab.bed.power_switch(one.switch);
        let fenced = lab.bed.fence_requests().len();
        let run = match one.way {
            Way::Command => driver.spawn(["ims-switch", "move", "IMS-RG", "--to", sides.target.name()]),
            Way::React => driver.spawn(["sh", "-c", REACT]),
        };
        let (ran, missed) = struck(run, sides, &one.strikes);
        let was_refused = one.switch != Switch::Works && lab.bed.fence_requests().len() > fenced;
        let found = match one.way {
            Way::Command => {
                broken_promise(&ran, sides, &one.strikes, was_refused, |node| lab.has(node)[..2] == [true; 2])
            }
            Way::React => None,
        };
        let told = self.told.last_mut().unwrap();
        *told += &format!(" [{}]", ran.status.map_or("killed".to_owned(), |status| status.to_string()));
        self.count(&one.strikes, &missed);
        let ended = self.strangers.ended(&self.lab).map(|node| format!("a stranger on {node} was ended"));
        found.map(|found| format!("{found}: {ran}")).or(ended)
    }

    fn count(&mut self, strikes: &[Strike], missed: &[Strike]) {
        for strike in strikes.iter().filter(|strike| !missed.contains(strike)) {
            *self.strikes.entry(strike.trouble.kind()).or_default() += 1;
        }
        let told = self.told.last_mut().unwrap();
        for strike in missed {
            *told += &format!(" (nothing there for {strike})");
        }
    }

    /// Gives every node its power and its wire again, and brings the group online where it can be, which is struck once
    /// too; gives what is wrong then.
    fn heal(&mut self, one: &Move) -> Option<String> {
        let target = self.lab.nodes()[1 - self.owner].name().to_owned();
        let line = if one.same_again {
            vec!["ims-switch", "move", "IMS-RG", "--to", &*target]
        } else {
            vec!["ims-switch", "online", "IMS-RG"]
        };
        self.mend();
        let sides = Sides::of(&self.lab, self.owner);
        let healer = sides.node(one.healer);
        if !one.once_more.is_empty() {
            let (_, missed) = struck(healer.spawn(&line), sides, &one.once_more);
            self.count(&one.once_more, &missed);
            self.mend();
        }
        let sides = Sides::of(&self.lab, self.owner);
        let mut healers = [sides.node(one.healer), sides.source, sides.target].into_iter().cycle();
        let mut last = None;
        let is_healed = until(HEALED, || {
            // One that did not answer another in time was fenced.
            let Some(healer) = healers.by_ref().take(3).find(|node| node.is_up()) else { return false };
            last.insert(healer.command(&line).deadline(MOVE).run()).is_ok()
        });
        drop(healers);
        if !is_healed {
            return Some(
                last.map_or_else(
                    || "nobody is up".to_owned(),
                    |ran| format!("it is not online again: {ran}"),
                ),
            );
        }
        self.mend();
        // What react gave up is reacted to again. A node that has just come back may answer a moment later.
        self.in_time(["ims-switch", "clear", "IMS-RG"]);
        let status = self.in_time(["ims-switch", "status", "IMS-RG"]);
        let owner = record(&status, "ims.group/1")["online_on"].as_str().unwrap().to_owned();
        self.owner = self.lab.nodes().iter().position(|node| node.name() == owner).unwrap();
        servers_are_on(&self.lab, Some(self.lab.nodes()[self.owner]));
        let is_elsewhere = one.same_again && owner != target;
        is_elsewhere.then(|| format!("the same command again left it on {owner}"))
    }

    /// What a command gives that succeeds within some time.
    fn in_time<const N: usize>(&self, command: [&str; N]) -> Ran {
        let mut last = None;
        until(SOON, || last.insert(self.lab.mail_1.run(command)).is_ok());
        last.unwrap().ok()
    }

    /// Makes everything work again but ours.
    fn mend(&mut self) {
        self.lab.bed.power_switch(Switch::Works);
        for node in self.lab.nodes() {
            node.recover();
            node.start_again();
        }
        self.lab.sign();
        self.strangers.settle(&self.lab);
    }
}

/// What a run's exit status promised and is not so.
fn broken_promise(
    ran: &Ran,
    sides: Sides<'_>,
    strikes: &[Strike],
    was_refused: bool,
    has: impl Fn(&Node) -> bool,
) -> Option<String> {
    let status = ran.status?; // none when it was killed
    // What else moved, or went, since is not the run's own doing.
    let is_alone = strikes.len() == 1
        && strikes.iter().all(|strike| match strike.trouble {
            Trouble::KillServer(..) | Trouble::Power(_) | Trouble::PowerOfBoth | Trouble::Rival(_) => false,
            Trouble::Nothing
            | Trouble::KillRun
            | Trouble::StopRun
            | Trouble::Kill { .. }
            | Trouble::Cut(..)
            | Trouble::Freeze(..) => true,
        });
    match status {
        0 if was_refused => Some("taken though a fencing failed".to_owned()),
        0 if is_alone && !has(sides.target) => Some("done, and not on the target".to_owned()),
        4 | 5 | 7 if is_alone && !has(sides.source) => {
            Some("nothing changed, and not on the source".to_owned())
        }
        0..=7 => None,
        status => Some(format!("{status} is no exit status of ours")),
    }
}
