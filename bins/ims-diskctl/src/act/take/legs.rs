//! The legs of a Btrfs on several devices that is being taken: it is never started from a stale one, and without one only
//! by word.

use ims::Fail;
use ims::sys::btrfs;
use ims::sys::hand::Heard;
use jiff::Timestamp;

use super::Run;
use crate::filesystem::Filesystem;
use crate::hand::Question;
use crate::look::Found;
use crate::mirror::{self, Degraded, Known, Start, Word};

impl Run<'_> {
    /// How its legs are to be started; none where it has one alone.
    pub(super) fn legs(&mut self, found: &Found) -> Result<Option<Start>, Fail> {
        let filesystem = found.disk.as_ref().ok().and_then(|disk| disk.filesystem.as_ref());
        let word = Word {
            degraded: self.args.legs.degraded || self.volume.degraded_start,
            stale_leg: self.args.legs.force_stale_leg,
        };
        let superblock = match filesystem {
            Some(Filesystem::Btrfs(superblock)) if superblock.devices > 1 => superblock.clone(),
            Some(_) | None => return Ok(None),
        };
        let volume = self.volume.called();
        let seen = mirror::ask_legs(&mut self.eye, found.number, superblock.uuid, self.site.deadline.left())?
            .map_err(|why| Fail::unknown(format!("cannot tell how the legs of {volume} are")).because(why))?;
        let before = Degraded::load(self.site.host, superblock.uuid)?;
        let (number, now) = (found.number, Timestamp::now());
        let known = Known { volume: &volume, number, seen: &seen, before: before.as_ref(), now };
        mirror::start(&known, word).map(Some)
    }

    /// Remembers that some are left out, and has the kernel forget those that are there.
    pub(super) fn leave_out(&mut self, start: &Start) -> Result<(), Fail> {
        if let Some(degraded) = &start.degraded {
            degraded.keep(self.site.host)?;
        }
        if start.left_out.is_empty() {
            return Ok(());
        }
        let volume = self.volume.called();
        self.eye.hand().ask(&Question::Mirror(mirror::Question::Forget(start.left_out.clone())))?;
        match self.eye.hand().answer::<Result<(), String>>(self.site.deadline.left(), None)? {
            Heard::Answer(Ok(())) => Ok(()),
            Heard::Answer(Err(why)) => {
                Err(Fail::failed(format!("cannot keep a stale leg of {volume} out")).because(why))
            }
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("keeping a stale leg out")),
        }
    }

    /// Makes sure that the kernel uses no other legs than those: somebody may have told it of one that was left out.
    pub(super) fn are_only(&self, start: &Start, found: &Found) -> Result<(), Fail> {
        let volume = self.volume.called();
        let used = btrfs::devices_with(found.number).map_err(|e| {
            Fail::io(ims::Exit::Broken, format!("cannot tell which legs of {volume} are used"), &e)
        })?;
        match used.iter().find(|number| !start.with.contains(number)) {
            None => Ok(()),
            Some(number) => Err(Fail::broken(format!(
                "{volume} is mounted with another leg than was judged, device {number}"
            ))),
        }
    }
}
