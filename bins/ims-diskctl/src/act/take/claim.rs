//! The claim of `take` on a guard that nobody moves.

use std::time::{Duration, Instant};

use ims::Fail;
use ims::sys::hand::Heard;

use super::{EVERY, Run};
use crate::act::go_on;
use crate::guard::claim::{self, Claimed};
use crate::guard::mmp::{Block, Sequence};
use crate::hand::Question;
use crate::look::Found;

impl Run<'_> {
    /// Whether the guard does not move for so long; when it does and the volume is free, it is to be planned anew.
    pub(super) fn is_still(&mut self, judged: &Block, time: Duration) -> Result<bool, Fail> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.site.stop.wait(EVERY);
            go_on(&self.site.stop, self.volume, "not mounted")?;
            if self.site.deadline.left().is_zero() {
                return Err(self.out_of_time("waiting whether its guard moves"));
            }
            let found = self.look()?;
            match found.guard() {
                Some(now) if now == judged => {}
                Some(now) if now.sequence() == Sequence::Clean => return Ok(false),
                Some(now) => return Err(self.alive(judged, &now.clone())),
                // Half of it may be written this moment; who claims it reads it once more.
                None => {}
            }
        }
        Ok(true)
    }

    pub(super) fn claim(&mut self, judged: &Block, found: &Found) -> Result<(), Fail> {
        let device = self.volume.device.display().to_string();
        let wanted = claim::Wanted {
            device: self.volume.device.clone(),
            number: found.number,
            judged: judged.clone(),
            node: self.site.host.name().to_owned(),
            boot: self.boot,
            turns: claim::turns(self.site.host),
        };
        self.eye.hand().ask(&Question::Claim(wanted))?;
        match self.eye.hand().answer(self.site.deadline.left(), None)? {
            Heard::Answer(Claimed::Ours) => Ok(()),
            Heard::Answer(Claimed::Moved(now)) => Err(self.alive(judged, &now)),
            Heard::Answer(Claimed::Failed(why)) => {
                Err(Fail::failed(format!("cannot claim {device}")).because(why))
            }
            Heard::Answer(Claimed::HalfWay(why)) => Err(Fail::broken(format!(
                "{device} is not mounted, and its guard may be this node's claim by now"
            ))
            .because(why)
            .hint("see why the disk fails; then run it again, on this node or another")),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("claiming it")),
        }
    }
}
