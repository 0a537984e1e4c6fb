//! How well a volume is, on the node that has it mounted: whether its disk takes what is written, how full it is, what
//! errors it counted, what its disks say.
//!
//! Storage that refuses is down; storage that is silent is unknown when the time is up.

mod ask;
pub mod counters;
mod finding;
mod judge;
mod patient;
mod record;
mod smart;

use std::time::{Duration, Instant};

use ims::sys::block::{self, Number};
use ims::sys::btrfs;
use ims::sys::disks;
use ims::sys::hand::{Hand, Heard};
use ims::sys::lock::Lock;
use ims::sys::mount::{Mounted, Table};
use ims::sys::sample::Refused;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, State};
use jiff::Timestamp;

pub use ask::{Question, answer};
pub use record::{Counter, VolumeCheck};

use crate::NAME;
use crate::cli::{self, Limits};
use crate::each::{Order, each};
use crate::hand::{self, WORDS};
use crate::look::{Eye, Found};
use crate::naming::Asked;
use crate::volume::Volume;
use ask::{No, Room};
use finding::{Finding, Remark};
use judge::Measured;

/// Checks the volumes and prints how well they are.
pub fn print(host: &Host, args: &cli::Check, out: &mut Out) -> Result<Exit, Fail> {
    each(&Asked::load(host, &args.volumes)?, Order::Any, out, |volume, told| {
        let record = check(host, volume, &args.limits, args.timeout.0)?;
        for remark in &record.findings {
            stderr::say(NAME, format_args!("{}: {}", volume.called(), remark.words));
        }
        let exit = record.state.into();
        told.record(record);
        Ok(exit)
    })
}

/// The major number of file systems that are on no single device, such as Btrfs.
const NOBODYS: u32 = 0;

/// A check under way.
struct Run<'a> {
    host: &'a Host,
    volume: &'a Volume,
    end: Instant,
    measured: Measured,
    remarks: Vec<Remark>,
}

fn check(host: &Host, volume: &Volume, limits: &Limits, timeout: Duration) -> Result<VolumeCheck, Fail> {
    let began = Instant::now();
    let (measured, remarks) = (Measured::default(), Vec::new());
    let mut run = Run { host, volume, end: began + timeout, measured, remarks };
    let number = match block::number_of(&volume.device) {
        Ok(number) => Some(number),
        Err(fail) if fail.exit() == Exit::Usage => return Err(fail),
        Err(fail) => {
            run.without_device(&fail)?;
            None
        }
    };
    if let Some(number) = number {
        run.with_device(number)?;
    }
    run.remarks.extend(judge::judge(&run.measured, limits));
    let Run { measured, remarks, .. } = run;
    Ok(VolumeCheck {
        resource: volume.name.clone(),
        device: volume.device.clone(),
        number,
        mount: volume.mount.clone(),
        fstype: top(volume)?.map(|top| top.fstype),
        state: finding::state(&remarks),
        space: measured.space,
        inodes: measured.inodes,
        write_us: measured.write_us,
        errors: measured.errors,
        disks: measured.disks,
        findings: remarks,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        time: Timestamp::now(),
    })
}

/// What is mounted at the path that was given, by the kernel's table alone.
fn top(volume: &Volume) -> Result<Option<Mounted>, Fail> {
    Ok(Table::load()?.top_at(&volume.mount).cloned())
}

impl Run<'_> {
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    fn remark(&mut self, what: Finding, words: impl Into<String>) {
        self.remarks.push(Remark::new(what, words));
    }

    fn silent(&mut self, what: &str) {
        self.remark(Finding::Silent, format!("no answer in time: {what}"));
    }

    /// The device is not there any more: whatever is still mounted has lost its disk.
    fn without_device(&mut self, fail: &Fail) -> Result<(), Fail> {
        match top(self.volume)? {
            Some(top) if top.device.major != NOBODYS && !self.is_known(top.device) => {
                self.remark(Finding::Lost, format!("its device is gone: {fail}"));
            }
            Some(_) => self.remark(Finding::Unreadable, fail.to_string()),
            None => self.remark(Finding::NotMounted, format!("not mounted there: {fail}")),
        }
        Ok(())
    }

    fn is_known(&self, device: Number) -> bool {
        self.host.path(format!("/sys/dev/block/{device}")).exists()
    }

    fn with_device(&mut self, number: Number) -> Result<(), Fail> {
        // The hand that hangs keeps the lock: the next check starts no other that would hang beside it.
        let lock = match Lock::named(self.host, &format!("check-{number}"), self.left() / 2) {
            Ok(lock) => lock,
            Err(fail) if fail.exit() == Exit::Busy => {
                self.silent(&format!("an earlier check waits for the disk still ({fail})"));
                return Ok(());
            }
            Err(fail) => return Err(fail.with_exit(Exit::Unknown)),
        };
        let mut patients = patient::ask(self.disks(number)?, &lock, self.left())?;
        let mut eye = Eye::open(self.host, Hand::start(WORDS, Some(&lock))?)?;
        let found = eye.look(self.volume, self.left())?;
        self.mounted(&found, &mut eye)?;
        self.measured.disks =
            patients.iter_mut().map(|patient| patient.answer(self.left())).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The disks below it, and of a mounted Btrfs those below all its devices.
    fn disks(&self, number: Number) -> Result<Vec<disks::Disk>, Fail> {
        let parts = btrfs::devices_with(number)
            .map_err(|e| Fail::io(Exit::Unknown, "cannot tell which Btrfs is mounted here", &e))?;
        let mut found: Vec<disks::Disk> = Vec::new();
        for part in std::iter::once(number).chain(parts.into_iter().filter(|part| *part != number)) {
            let below = disks::below(self.host, part)?;
            found.extend(below.into_iter().filter(|disk| !found.contains(disk)).collect::<Vec<_>>());
        }
        Ok(found)
    }

    /// What there is to be known of the mount.
    fn mounted(&mut self, found: &Found, eye: &mut Eye) -> Result<(), Fail> {
        let Some(there) = found.mounted_there() else {
            let why = match (found.mounted(), &found.disk) {
                (State::Down, _) => "not mounted on this node".to_owned(),
                (_, _) => {
                    found.record(self.volume, false).why.unwrap_or_else(|| "not mounted there".to_owned())
                }
            };
            self.remark(Finding::NotMounted, why);
            return Ok(());
        };
        let filesystem = found.disk.as_ref().ok().and_then(|disk| disk.filesystem.as_ref());
        self.measured.errors = match there.fstype.as_str() {
            "ext4" => counters::ext4(self.host, found.number),
            "btrfs" => filesystem.map(|found| counters::btrfs(self.host, found.uuid())).unwrap_or_default(),
            _ => Vec::new(),
        };
        if eye.is_blind() {
            self.silent("the disk");
            return Ok(());
        }
        let point = there.point.clone();
        match self.answer::<Result<Room, String>>(eye, Question::Room(point.clone()))? {
            None => {
                self.silent("the file system");
                return Ok(());
            }
            Some(Err(why)) => self.remark(Finding::Unreadable, format!("cannot look at it: {why}")),
            Some(Ok(room)) => {
                (self.measured.space, self.measured.inodes) = (room.space, room.inodes);
                let counter = |count: u32| Counter {
                    of: found.number.to_string(),
                    what: "sick".to_owned(),
                    count: count.into(),
                    last: None,
                };
                self.measured.errors.extend(room.sick.map(counter));
            }
        }
        if !there.is_writable() {
            self.remark(Finding::ReadOnly, "mounted read-only; the kernel does so on errors");
            return Ok(());
        }
        match self.answer::<Result<u64, No>>(eye, Question::Write(point, there.id))? {
            None => self.silent("a write of one block"),
            Some(Ok(us)) => self.measured.write_us = Some(us),
            Some(Err(no)) => self.refused(&no, found),
        }
        Ok(())
    }

    fn refused(&mut self, no: &No, found: &Found) {
        let words = match (no.refused, &found.reserved_by, found.state()) {
            (Refused::Lost, Some(who), State::Partial) => {
                format!("nothing can be written: the disk is reserved for {who}")
            }
            (Refused::Lost | Refused::ReadOnly | Refused::Full, _, _) => {
                format!("nothing can be written: {}", no.words)
            }
            (Refused::Other, _, _) => format!("cannot tell whether it can be written: {}", no.words),
        };
        self.remark(finding::of_refusal(no.refused), words);
    }

    /// The answer to a question, none when it does not come in time.
    fn answer<A: serde::de::DeserializeOwned>(
        &self,
        eye: &mut Eye,
        question: Question,
    ) -> Result<Option<A>, Fail> {
        eye.hand().ask(&hand::Question::Check(question))?;
        match eye.hand().answer(self.left(), None)? {
            Heard::Answer(answer) => Ok(Some(answer)),
            Heard::Silence | Heard::Stopped(_) => Ok(None),
        }
    }
}
