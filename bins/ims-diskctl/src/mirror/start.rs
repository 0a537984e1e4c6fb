//! Whether a Btrfs on several devices may be started from the legs that are there. Pure.

use std::path::PathBuf;

use ims::Fail;
use ims::sys::block::Number;
use jiff::Timestamp;

use super::btrfs::{Seen, legs};
use super::degraded::Degraded;
use super::record::{Leg, LegState};

/// What was said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// It may be started without a leg that is missing or stale.
    pub degraded: bool,
    /// It is to be started from the leg that was named, whatever the others have.
    pub stale_leg: bool,
}

/// How it is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Mount options, to be put after the others, each with a comma before it.
    pub options: String,
    /// The legs that it is started with.
    pub with: Vec<Number>,
    /// The legs that are there and left out: the kernel must not know them.
    pub left_out: Vec<PathBuf>,
    /// What this node has to remember.
    pub degraded: Option<Degraded>,
}

/// What is known of the legs.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The name of the volume, for messages.
    pub volume: &'a str,
    /// The device that was named.
    pub number: Number,
    /// The legs that are there.
    pub seen: &'a [Seen],
    /// What this node remembers of a start without all of them.
    pub before: Option<&'a Degraded>,
    /// The time.
    pub now: Timestamp,
}

/// How it is to be started, or the rule that forbids it.
pub fn start(known: &Known<'_>, word: Word) -> Result<Start, Fail> {
    let judged = legs(known.seen, known.before);
    let named = judged.iter().find(|leg| leg.number == Some(known.number));
    let named_seen = known.seen.iter().find(|leg| leg.number == known.number);
    let like_named = |leg: &Seen| named_seen.is_some_and(|named| named.is_like(leg));
    let with: Vec<&Seen> = if word.stale_leg {
        known.seen.iter().filter(|leg| like_named(leg)).collect()
    } else {
        may_start(known, &judged, named, word)?;
        let is_present = |seen: &&Seen| {
            judged.iter().any(|leg| leg.number == Some(seen.number) && leg.state == LegState::Present)
        };
        known.seen.iter().filter(is_present).collect()
    };
    let is_in = |leg: &Seen| with.iter().any(|other| other.number == leg.number);
    let left_out: Vec<PathBuf> =
        known.seen.iter().filter(|leg| !is_in(leg)).map(|leg| leg.device.clone()).collect();
    let wanted = with.first().map_or(0, |leg| leg.superblock.devices);
    let missing = wanted.saturating_sub(u64::try_from(with.len()).unwrap_or(0));
    let devices = with.iter().map(|leg| format!(",device={}", leg.device.display()));
    let options = (missing > 0).then(|| ",degraded".to_owned()).into_iter().chain(devices).collect();
    let degraded = (missing > 0).then(|| remembered(known, &with, missing)).flatten();
    Ok(Start { options, with: with.iter().map(|leg| leg.number).collect(), left_out, degraded })
}

/// Whether the legs that are there may be used without a word that one of them is to win.
fn may_start(known: &Known<'_>, judged: &[Leg], named: Option<&Leg>, word: Word) -> Result<(), Fail> {
    let volume = known.volume;
    let of = |state: LegState| judged.iter().filter(move |leg| leg.state == state);
    let since = known.before.map(|before| format!(" since {}", before.time)).unwrap_or_default();
    if of(LegState::Split).next().is_some() {
        return Err(Fail::refused(format!("the legs of {volume} were written apart"))
            .because(told(judged))
            .hint("mount each read-only somewhere else to see which to keep; then name that one with --device and say --force-stale-leg: what only the other has is lost"));
    }
    if of(LegState::Present).next().is_none() || named.is_some_and(|leg| leg.state == LegState::Stale) {
        return Err(Fail::refused(format!("this leg of {volume} lacks what was written{since} without it"))
            .because(told(judged))
            .hint("attach and name the other leg; if that is lost for good, say --force-stale-leg"));
    }
    if word.degraded {
        return Ok(());
    }
    if of(LegState::Stale).next().is_some() {
        return Err(Fail::refused(format!("a leg of {volume} lacks what was written{since} without it"))
            .because(told(judged))
            .hint("start without it: --degraded; then make it alike with btrfs replace"));
    }
    if of(LegState::Missing).next().is_some() {
        return Err(Fail::refused(format!("a leg of {volume} is missing"))
            .because(told(judged))
            .hint("attach it; or start without it: --degraded"));
    }
    Ok(())
}

/// The legs in a message.
fn told(legs: &[Leg]) -> String {
    let one = |leg: &Leg| {
        let device = leg.device.as_ref().map(|device| device.display().to_string());
        let place = leg.place.as_ref().map(|place| format!("device {place}"));
        let name = device.or(place).unwrap_or_else(|| "one".to_owned());
        let generation =
            leg.generation.map_or_else(String::new, |generation| format!(" at generation {generation}"));
        format!("{name} is {}{generation}", leg.state.word())
    };
    legs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What is to be remembered; nothing when it is already.
fn remembered(known: &Known<'_>, with: &[&Seen], missing: u64) -> Option<Degraded> {
    if known.before.is_some_and(|before| with.iter().all(|leg| before.has(leg))) {
        return None; // the earlier start says more: who was left out then is behind since then
    }
    let first = with.first()?;
    Some(Degraded {
        uuid: first.superblock.uuid.to_string(),
        generation: first.superblock.generation,
        legs: with.iter().map(|leg| leg.superblock.device_uuid.to_string()).collect(),
        missing,
        time: known.now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::btrfs::tests::{seen, started};

    const NEITHER: Word = Word { degraded: false, stale_leg: false };
    const DEGRADED: Word = Word { degraded: true, stale_leg: false };
    const STALE: Word = Word { degraded: false, stale_leg: true };

    fn start_of(seen: &[Seen], before: Option<&Degraded>, word: Word) -> Result<Start, Fail> {
        let known =
            Known { volume: "ims", number: "8:1".parse().unwrap(), seen, before, now: Timestamp::UNIX_EPOCH };
        start(&known, word)
    }

    #[test]
    fn a_whole_mirror_is_started_with_all_its_legs() {
        let started = start_of(&[seen(1, 9, 1), seen(2, 9, 1)], None, NEITHER).unwrap();
        assert_eq!(started.options, ",device=/dev/sd1,device=/dev/sd2");
        assert_eq!((started.left_out.len(), started.degraded), (0, None));
    }

    #[test]
    fn of_legs_that_differ_in_their_trees_alone_only_the_named_one_is_started() {
        let apart = [Seen { roots: Some(1), ..seen(1, 9, 1) }, Seen { roots: Some(2), ..seen(2, 9, 1) }];
        assert!(start_of(&apart, None, DEGRADED).is_err());
        let started = start_of(&apart, None, STALE).unwrap();
        assert_eq!((started.with.len(), started.left_out.len()), (1, 1));
    }

    #[test]
    fn what_is_started_without_a_leg_is_started_by_word_and_remembered() {
        let before = started(&[1], 9);
        for (why, found, before, word, expected) in [
            ("missing", vec![seen(1, 9, 1)], None, NEITHER, Err("a leg of ims is missing")),
            ("missing, by word", vec![seen(1, 9, 1)], None, DEGRADED, Ok((0, true))),
            ("again", vec![seen(1, 12, 1)], Some(&before), DEGRADED, Ok((0, false))),
            ("stale", vec![seen(1, 9, 1), seen(2, 8, 2)], None, NEITHER, Err("a leg of ims lacks")),
            ("stale, by word", vec![seen(1, 9, 1), seen(2, 8, 2)], None, DEGRADED, Ok((1, true))),
            (
                "the stale one was named",
                vec![seen(1, 8, 1), seen(2, 9, 2)],
                None,
                DEGRADED,
                Err("this leg of ims lacks"),
            ),
            ("and is to win", vec![seen(1, 8, 1), seen(2, 9, 2)], None, STALE, Ok((1, true))),
            (
                "split",
                vec![seen(1, 9, 1), seen(2, 9, 2)],
                None,
                DEGRADED,
                Err("the legs of ims were written apart"),
            ),
            ("split, and one is to win", vec![seen(1, 9, 1), seen(2, 9, 2)], None, STALE, Ok((1, true))),
            (
                "left out before",
                vec![seen(1, 9, 1)],
                Some(&started(&[2], 9)),
                DEGRADED,
                Err("this leg of ims lacks"),
            ),
            ("left out, and is to win", vec![seen(1, 9, 1)], Some(&started(&[2], 9)), STALE, Ok((0, true))),
        ] {
            match (start_of(&found, before, word), expected) {
                (Ok(start), Ok((left_out, remembers))) => {
                    assert_eq!(
                        (start.left_out.len(), start.degraded.is_some()),
                        (left_out, remembers),
                        "{why}"
                    );
                    assert!(
                        start.options.starts_with(",degraded,device=/dev/sd1"),
                        "{why}: {}",
                        start.options
                    );
                    assert_eq!(start.with, ["8:1".parse().unwrap()], "{why}");
                }
                (Err(fail), Err(words)) => assert!(fail.to_string().starts_with(words), "{why}: {fail}"),
                (start, expected) => panic!("{why}: {start:?} and not {expected:?}"),
            }
        }
    }
}
