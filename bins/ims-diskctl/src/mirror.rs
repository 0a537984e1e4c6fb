//! The mirrors that a volume stands on, or that it is: how each leg is, and how far what is being made alike.
//!
//! A Btrfs on several devices is read from its legs, an array and a DRBD device from what the kernel tells.

mod ask;
mod btrfs;
mod degraded;
mod drbd;
mod md;
mod record;
mod roots;
mod start;

use std::path::Path;
use std::time::{Duration, Instant};

use ims::sys::block::{self, Number};
use ims::sys::hand::{Hand, Heard};
use ims::sys::stop::Stop;
use ims::sys::{self, disks, stderr};
use ims::{Exit, Fail, Host, Out, State};
use indicatif::{ProgressBar, ProgressStyle};

pub use ask::{Question, answer};
pub use degraded::Degraded;
pub use record::Mirror;
pub use start::{Known, Start, Word, start};

use crate::NAME;
use crate::check::counters;
use crate::cli;
use crate::each::{Order, each};
use crate::filesystem::Filesystem;
use crate::hand::{self, WORDS};
use crate::look::{Eye, Found as Volumes};
use crate::naming::Asked;
use crate::volume::Volume;
use record::{Leg, LegState, Resync};

/// A mirror as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What mirrors.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Whether this node uses it.
    pub active: bool,
    /// Its legs.
    pub legs: Vec<Leg>,
    /// What is being made alike.
    pub resync: Option<Resync>,
    /// Why the state is what it is, where that is not plain.
    pub why: Option<String>,
}

impl Found {
    fn record(self, volume: &Volume) -> Mirror {
        Mirror {
            resource: volume.name.clone(),
            device: volume.device.clone(),
            kind: self.kind,
            name: self.name,
            state: self.state,
            active: self.active,
            legs: self.legs,
            resync: self.resync,
            why: self.why,
        }
    }
}

/// How often it is looked whether something is alike again.
const EVERY: Duration = Duration::from_millis(500);

/// Prints how the mirrors of each volume are, at once or when nothing is being made alike any more.
pub fn print(host: &Host, args: &cli::Mirror, out: &mut Out) -> Result<Exit, Fail> {
    let stop = Stop::watch()?;
    each(&Asked::load(host, &args.volumes)?, Order::Any, out, |volume, told| {
        let end = args.wait.map(|wait| Instant::now() + wait.0);
        let mut bar = None;
        let found = loop {
            let found = look(host, volume, args.timeout.0)?;
            let resync = found.iter().find_map(|found| Some((found, found.resync.as_ref()?)));
            let (Some((mirror, resync)), Some(end)) = (resync, end) else { break found };
            bar.get_or_insert_with(|| progress(&mirror.name, &resync.action)).set_position(resync.percent);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || stop.wait(EVERY.min(left)) {
                break found;
            }
        };
        drop(bar);
        let mut exit = Exit::Ok;
        for found in found {
            let record = found.record(volume);
            if let Some(why) = &record.why {
                stderr::say(NAME, format_args!("{}: {why}", record.name));
            }
            exit = exit.gravest(record.state.into());
            told.record(record);
        }
        Ok(exit)
    })
}

fn progress(name: &str, action: &str) -> ProgressBar {
    let bar = ProgressBar::new(100);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos} % {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(format!("{name}: {action}"));
    bar
}

/// The mirrors of a volume; that it has none is an error.
fn look(host: &Host, volume: &Volume, timeout: Duration) -> Result<Vec<Found>, Fail> {
    let end = Instant::now() + timeout;
    let number = block::number_of(&volume.device)?;
    let mut found = below(host, number, timeout)?;
    let mut eye = Eye::open(host, Hand::start(WORDS, None)?)?;
    let seen = eye.look(volume, timeout)?;
    let filesystem = match &seen.disk {
        Ok(disk) => disk.filesystem.as_ref(),
        Err(why) => {
            return Err(Fail::unknown(format!("cannot read {}", volume.device.display())).because(why));
        }
    };
    if let Some(Filesystem::Btrfs(superblock)) = filesystem
        && superblock.devices > 1
    {
        let left = end.saturating_duration_since(Instant::now());
        found.push(btrfs_of(host, &seen, &mut eye, superblock.uuid, left)?);
    }
    if found.is_empty() {
        return Err(Fail::usage(format!("{} stands on no mirror", volume.device.display()))
            .hint("arrays, DRBD and a Btrfs on several devices are mirrors"));
    }
    Ok(found)
}

/// The arrays and the DRBD devices that a device stands on.
fn below(host: &Host, number: Number, timeout: Duration) -> Result<Vec<Found>, Fail> {
    let mut found = Vec::new();
    for folder in disks::stack(host, number)? {
        found.extend(md::look(&folder));
        if let Some(number) = number_of(&folder).filter(|number| number.major == drbd::MAJOR) {
            found.push(drbd::look(host, number.minor, timeout)?);
        }
    }
    Ok(found)
}

fn number_of(folder: &Path) -> Option<Number> {
    disks::number(folder).ok()
}

fn btrfs_of(
    host: &Host,
    seen: &Volumes,
    eye: &mut Eye,
    uuid: crate::filesystem::Uuid,
    timeout: Duration,
) -> Result<Found, Fail> {
    let name = uuid.to_string();
    let active = !seen.mounts.is_empty() || seen.is_apart;
    let unknown = |why: String| Found {
        kind: "btrfs",
        name: name.clone(),
        state: State::Unknown,
        active,
        legs: Vec::new(),
        resync: None,
        why: Some(why),
    };
    let legs = match ask_legs(eye, seen.number, uuid, timeout)? {
        Ok(legs) => legs,
        Err(why) => return Ok(unknown(why)),
    };
    let before = Degraded::load(host, uuid)?;
    let mut judged = btrfs::legs(&legs, before.as_ref());
    // The kernel goes on with a leg that failed, and writes its superblock again as soon as it can.
    let counted = if active { counters::btrfs(host, uuid) } else { Vec::new() };
    let lacking: Vec<String> = judged.iter_mut().filter_map(|leg| leg.marked_by(&counted)).collect();
    let point = seen.mounts.first().map(|mounted| mounted.point.clone());
    let resync = match point {
        None => None,
        Some(point) => {
            let devices = legs.iter().map(|leg| (leg.superblock.device, leg.superblock.length)).collect();
            eye.hand().ask(&hand::Question::Mirror(Question::Work(point, devices)))?;
            match eye.hand().answer::<Result<Option<Resync>, String>>(timeout, None)? {
                Heard::Answer(Ok(resync)) => resync,
                Heard::Answer(Err(why)) => return Ok(unknown(why)),
                Heard::Silence | Heard::Stopped(_) => {
                    return Ok(unknown("the kernel did not answer in time".to_owned()));
                }
            }
        }
    };
    let unmirrored = if active { sys::btrfs::unmirrored(host, &name) } else { Vec::new() };
    let state = match record::state(&judged) {
        State::Up if !unmirrored.is_empty() => State::Partial,
        // Each lacks something, and together they are mounted.
        State::Down if lacking.len() == judged.len() && active => State::Partial,
        state @ (State::Up | State::Down | State::Partial | State::Unknown) => state,
    };
    if let Some(before) = before.as_ref().filter(|_| active && state == State::Up) {
        before.forget(host)?; // the kernel writes all of them again
    }
    let one_copy = || {
        let parts = unmirrored.join(", ");
        let way_out = "btrfs balance start -f -dconvert=raid1,soft -mconvert=raid1,soft -sconvert=raid1,soft";
        (!unmirrored.is_empty()).then(|| format!("of part of its {parts} there is one copy ({way_out})"))
    };
    let mend = || {
        let legs = lacking.join(", ");
        let point =
            seen.mounts.first().map(|mounted| mounted.point.display().to_string()).unwrap_or_default();
        format!(
            "{legs} failed, and may lack what was written then (when it is there again: btrfs scrub start -B {point}, \
             and after that btrfs device stats -z {point})"
        )
    };
    let why = (!lacking.is_empty()).then(mend);
    let why = why.or_else(|| self::why(&judged, before.as_ref())).or_else(one_copy);
    Ok(Found { kind: "btrfs", name, state, active, legs: judged, resync, why })
}

/// The legs of a Btrfs as they stand on the disks, or why that cannot be told.
pub fn ask_legs(
    eye: &mut Eye,
    number: Number,
    uuid: crate::filesystem::Uuid,
    timeout: Duration,
) -> Result<Result<Vec<btrfs::Seen>, String>, Fail> {
    eye.hand().ask(&hand::Question::Mirror(Question::Legs(number, uuid)))?;
    Ok(match eye.hand().answer(timeout, None)? {
        Heard::Answer(legs) => legs,
        Heard::Silence | Heard::Stopped(_) => Err("a disk of this node did not answer in time".to_owned()),
    })
}

/// What people should know of the legs of a Btrfs.
fn why(legs: &[Leg], before: Option<&Degraded>) -> Option<String> {
    let has = |state| legs.iter().any(|leg| leg.state == state);
    let since = before.map(|before| format!(" since {}", before.time)).unwrap_or_default();
    if has(LegState::Split) {
        Some("its legs were written apart, and only one can be kept".to_owned())
    } else if has(LegState::Stale) {
        Some(format!("a leg lacks what was written{since} without it"))
    } else if has(LegState::Missing) {
        Some(format!("a leg is missing{since}"))
    } else {
        None
    }
}
