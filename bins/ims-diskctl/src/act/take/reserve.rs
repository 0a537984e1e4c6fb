//! Reserves the disk of a volume that is being taken, and gives it up when the volume is not mounted after all.

use ims::Fail;
use ims::State;
use ims::sys::hand::Heard;

use super::Run;
use crate::guard::reservation::{Came, Deed, Standing, Wanted};
use crate::hand::Question;
use crate::look::Found;

impl Run<'_> {
    /// Does what is to be done about the reservation.
    pub(super) fn reserve(&mut self, deed: Deed, found: &Found) -> Result<(), Fail> {
        let device = self.volume.device.display().to_string();
        // What the node had before this run is not given up; what this run took before it planned anew is.
        self.has_reserved |= found.standing != Some(Standing::Ours);
        match self.ask(deed, found)? {
            Ok(Came::Done) => Ok(()),
            Ok(Came::Another(_)) => {
                self.has_reserved = false;
                let who = self.look().ok().and_then(|found| found.reserved_by);
                let who = who.unwrap_or_else(|| "another node".to_owned());
                Err(Fail::refused(format!("{device} was reserved for {who} this moment"))
                    .hint("look again to see whether it got it"))
            }
            Err(why) => Err(Fail::failed(format!("cannot reserve {device}"))
                .because(why)
                .hint("the kernel reserves by every path or by none: of a multipath device take a lost path out of it first")),
        }
    }

    /// A take that failed: what it reserved is given up, unless the volume is mounted all the same.
    pub(super) fn given_up(&mut self, fail: Fail) -> Fail {
        if !self.has_reserved && !self.has_leased {
            return fail;
        }
        let device = self.volume.device.display().to_string();
        let found = match self.look() {
            Ok(found) if found.state() == State::Down => found,
            Ok(_) | Err(_) => return fail,
        };
        let fail = self.lease_given_up(fail);
        if !self.has_reserved {
            return fail;
        }
        match self.ask(Deed::GiveUp, &found) {
            Ok(Ok(_)) => fail,
            Ok(Err(why)) => {
                fail.and_undo_failed(Fail::failed(format!("{device} stays reserved")).because(why))
            }
            Err(undo) => fail.and_undo_failed(undo),
        }
    }

    fn ask(&mut self, deed: Deed, found: &Found) -> Result<Result<Came, String>, Fail> {
        let wanted = Wanted { device: self.volume.device.clone(), number: found.number, us: self.key, deed };
        self.eye.hand().ask(&Question::Reserve(wanted))?;
        match self.eye.hand().answer(self.site.deadline.left(), None)? {
            Heard::Answer(came) => Ok(came),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("reserving it")),
        }
    }
}
