//! Mounts a volume whose holder may be alive: the kernel watches the guard for as long as a living holder may take to
//! write, and this watches the kernel.
//!
//! In the first half of its time the kernel writes nothing, so whatever moves the guard then is somebody else, and
//! there is no need to wait for the end. In the second half the kernel has put a number of its own and looks whether
//! that stays.

use std::time::{Duration, Instant};

use ims::sys::hand::{Hand, Heard};
use ims::sys::mount::{Call, Refusal};
use ims::{Fail, State};
use indicatif::{ProgressBar, ProgressStyle};

use super::Site;
use crate::guard::mmp::{Block, Sequence};
use crate::hand::{Done, Question};
use crate::look::Eye;
use crate::volume::Volume;

/// How often the guard is read.
const EVERY: Duration = Duration::from_millis(100);

/// What is to be mounted, and watched.
pub(super) struct Wanted<'a> {
    /// How long it may take, and the signals that end it.
    pub site: &'a Site<'a>,
    /// The volume.
    pub volume: &'a Volume,
    /// Its guard block as it was judged.
    pub block: &'a Block,
    /// How long the kernel takes.
    pub wait: Duration,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Watched {
    /// It is mounted.
    Mounted,
    /// The kernel would not.
    Refused(Refusal),
    /// The guard moved: its holder lives.
    Moved(Block),
    /// Its holder released it while we watched.
    Released,
    /// A signal asked us to stop.
    Stopped {
        /// Its name.
        signal: &'static str,
        /// Whether the mounting hand is gone, and so has not mounted it, or hangs in the kernel.
        is_gone: bool,
    },
    /// The deadline came first.
    OutOfTime {
        /// Whether the mounting hand is gone, or hangs in the kernel.
        is_gone: bool,
    },
}

/// Mounts and watches.
pub(super) fn mount(mut hand: Hand, eye: &mut Eye, wanted: &Wanted<'_>, call: Call) -> Result<Watched, Fail> {
    let began = Instant::now();
    let bar = progress(wanted.site, wanted.volume, wanted.wait);
    hand.ask(&Question::Mount(call))?;
    let mut is_watching = true;
    loop {
        bar.set_position(began.elapsed().as_secs());
        match hand.answer::<Done>(EVERY.min(wanted.site.deadline.left()), Some(&wanted.site.stop))? {
            Heard::Answer(Ok(())) => return Ok(Watched::Mounted),
            Heard::Answer(Err(refusal)) => return Ok(Watched::Refused(refusal)),
            Heard::Stopped(signal) => {
                let is_gone = hand.end();
                // The mount may have ended just then.
                let found = eye.look(wanted.volume, wanted.site.deadline.left())?;
                return Ok(match found.mounted() {
                    State::Up => Watched::Mounted,
                    State::Down | State::Partial | State::Unknown => Watched::Stopped { signal, is_gone },
                });
            }
            Heard::Silence if wanted.site.deadline.left().is_zero() => {
                return Ok(Watched::OutOfTime { is_gone: hand.end() });
            }
            Heard::Silence => {}
        }
        is_watching = is_watching && began.elapsed() < wanted.wait / 2;
        if !is_watching {
            continue;
        }
        let found = eye.look(wanted.volume, wanted.site.deadline.left().min(wanted.wait / 2))?;
        let Some(now) = found.guard().filter(|_| began.elapsed() < wanted.wait / 2) else {
            is_watching = false; // the kernel goes on alone
            continue;
        };
        if now != wanted.block {
            let now = now.clone();
            hand.end();
            return Ok(match now.sequence() {
                Sequence::Clean => Watched::Released,
                Sequence::Fsck | Sequence::Held(_) => Watched::Moved(now),
            });
        }
    }
}

/// A bar on a terminal's stderr; nothing elsewhere.
pub(super) fn progress(site: &Site<'_>, volume: &Volume, wait: Duration) -> ProgressBar {
    let bar = site.bars.add(ProgressBar::new(wait.as_secs()));
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} s") {
        bar.set_style(style);
    }
    bar.set_message(format!("watching {} for a sign of life", volume.device.display()));
    bar
}
