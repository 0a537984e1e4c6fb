//! The mount of `take`, with an eye on the guard where the kernel watches it.

use std::time::Duration;

use ims::Fail;
use ims::sys::hand::{Hand, Heard};
use ims::sys::mount::Call;

use super::Run;
use crate::act::watch::{self, Watched};
use crate::guard::mmp::Block;
use crate::hand::{Done, Question, WORDS};

impl Run<'_> {
    /// Mounts where the kernel need not wait.
    pub(super) fn mount(&mut self, call: Call) -> Result<(), Fail> {
        self.eye.hand().ask(&Question::Mount(call))?;
        // A mount that has begun is not given up half-way: a signal waits until it is done.
        match self.eye.hand().answer::<Done>(self.site.deadline.left(), None)? {
            Heard::Answer(Ok(())) => Ok(()),
            Heard::Answer(Err(refusal)) => Err(self.refused(&refusal)),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("mounting it")),
        }
    }

    /// Mounts while the kernel watches the guard, and watches it too, so that a living holder is told at once.
    pub(super) fn mount_watching(&mut self, call: Call, block: &Block, wait: Duration) -> Result<bool, Fail> {
        let hand = Hand::start(WORDS, self.lock.as_ref())?;
        let wanted = watch::Wanted { site: self.site, volume: self.volume, block, wait };
        match watch::mount(hand, &mut self.eye, &wanted, call)? {
            Watched::Mounted => Ok(true),
            Watched::Released => Ok(false),
            Watched::Refused(refusal) => Err(self.refused(&refusal)),
            Watched::Moved(now) => Err(self.alive(block, &now)),
            Watched::Stopped { signal, is_gone } => {
                let device = self.volume.device.display();
                let what = format!("stopped by {signal} while watching the guard of {device}");
                Err(if is_gone {
                    Fail::failed(what).hint("it is not mounted")
                } else {
                    Fail::unknown(what).because("its mount hangs in the kernel").hint("look at it again")
                })
            }
            Watched::OutOfTime { is_gone } => {
                let fail = self.out_of_time("watching its guard for a sign of life");
                Err(if is_gone {
                    fail.hint(format!("the kernel needs {} s; give --timeout more", wait.as_secs()))
                } else {
                    fail
                })
            }
        }
    }
}
