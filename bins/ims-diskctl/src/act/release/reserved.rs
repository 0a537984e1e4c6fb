//! Gives the reservation up, and tells where the disk does not say whether this node has one.

use ims::Fail;
use ims::sys::stderr;

use super::Run;
use crate::NAME;
use crate::guard::reservation::{self, Came, Deed, Standing};
use crate::hand::Question;
use crate::look::Found;

impl Run<'_> {
    /// Gives the reservation up.
    pub(super) fn unreserve(&mut self, deed: Deed, found: &Found) -> Result<(), Fail> {
        let device = self.volume.device.clone();
        let us = reservation::key(self.site.host.name());
        let wanted = reservation::Wanted { device, number: found.number, us, deed };
        let question = Question::Reserve(wanted);
        let done: Result<Came, String> = self.asked(&question, "its reservation is being given up")?;
        done.map(drop).map_err(|why| self.reserved_still().because(why))
    }

    /// The disk says that this node has it no more. What it does not say is not taken for a no: the guard block, where there
    /// is one, keeps the other nodes off as long as it must, and without it nobody knows who can take the volume.
    pub(super) fn is_unreserved(&self, found: &Found) -> Result<(), Fail> {
        let why = match (&found.reserved, found.standing) {
            (Err(why), _) => why,
            // It could not be read before the unmount, and can be now.
            (Ok(_), Some(Standing::Ours)) => return Err(self.reserved_still()),
            (Ok(_), _) => return Ok(()),
        };
        let device = self.volume.device.display();
        let fail = Fail::unknown(format!("{device} is not mounted here, but may be reserved for this node"))
            .because(why)
            .hint("while it is, another node takes it with a proof or --preempt only; run it again when the disk answers");
        if found.guard().is_none() {
            return Err(fail);
        }
        stderr::say(NAME, fail);
        Ok(())
    }

    fn reserved_still(&self) -> Fail {
        let device = self.volume.device.display();
        Fail::broken(format!("{device} is unmounted, and reserved still")).hint("run it again")
    }
}
