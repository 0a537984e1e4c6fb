//! After the mount: the volume is up here, and no other node has it too.

use std::time::{Duration, Instant};

use ims::sys::hand::Heard;
use ims::sys::stderr;
use ims::{Fail, State};

use super::{EVERY, Run};
use crate::NAME;
use crate::guard::mmp::{Block, Sequence};
use crate::hand::{Disk, Done, Question};
use crate::look::Found;

/// How long the kernel's guard thread takes to sign, mostly; and at most, by a disk that is slow.
const MOMENT: Duration = Duration::from_millis(20);
const SIGNS: Duration = Duration::from_secs(10);

impl Run<'_> {
    /// Looks again: it is mounted there, and its guard is held by this node alone.
    pub(super) fn settled(&mut self) -> Result<Found, Fail> {
        let device = self.volume.device.display().to_string();
        let mut found = self.look()?;
        // The kernel's guard thread signs a moment after the mount; until then the block has the last holder's name, or
        // where it was claimed, as in every planned move, this node's already. It tells nobody when it does, so the
        // block is read again, for as long as such a moment lasts.
        // The name of a node that is known is waited for as long as it takes the kernel's thread to run.
        let began = Instant::now();
        loop {
            let is_ours = found.signer.as_deref().is_none_or(|signer| signer == self.site.host.name());
            let patience = if found.rival.is_some() { SIGNS } else { MOMENT };
            let is_over =
                found.state() != State::Unknown && found.rival.is_none() && (is_ours || is_signed(&found));
            if is_over || began.elapsed() >= patience || self.site.deadline.left().is_zero() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1)); // the kernel tells nobody when it signs; short, for a switchover waits
            found = self.look()?;
        }
        if found.mounted() != State::Up {
            return Err(Fail::broken(format!("{device} was mounted, and is not up now"))
                .because(found.record(self.volume, true).why.unwrap_or_default()));
        }
        if let Some(why) = self.overtaken(&found)? {
            return Err(self.give_back(&found, why));
        }
        if let Some(signer) = found.signer.as_deref().filter(|signer| *signer != self.site.host.name()) {
            stderr::say(
                NAME,
                format_args!(
                    "note: the guard of {device} is signed '{signer}' and not '{}'; see FILES in ims-diskctl(8)",
                    self.site.host.name()
                ),
            );
        }
        Ok(found)
    }

    /// Tells of a holder that only gave no sign of life: no guard on the disk stops a machine that stood still.
    pub(super) fn tell_unfenced(&self, found: &Found, wait: Duration) {
        let who = found.signer.as_deref().unwrap_or("a node that did not sign");
        if who != self.site.host.name() {
            let device = self.volume.device.display();
            stderr::say(
                NAME,
                format_args!(
                    "note: {who} had {device}, gave no sign of life for {} s and was not fenced; if it only stands still, it writes when it goes on: fence it",
                    wait.as_secs()
                ),
            );
        }
    }

    /// Why another node may have it too: the guard is not held, or two write it in turn.
    fn overtaken(&mut self, found: &Found) -> Result<Option<String>, Fail> {
        let end = match &found.disk {
            Ok(Disk { guard: None, .. }) => return Ok(None),
            Ok(disk) if self.is_late => {
                let interval_s = disk.mmp().map_or(0, |place| place.interval_s);
                Instant::now() + Duration::from_secs(u64::from(interval_s) + 1)
            }
            Ok(_) | Err(_) => Instant::now(),
        };
        let mut found = found.clone();
        let mut signed: Option<Block> = None;
        loop {
            let who = found.signer.as_deref().unwrap_or("a node that did not sign");
            let Some(block) = found.guard() else {
                let device = self.volume.device.display();
                return Err(Fail::unknown(format!("{device} is mounted, but who has its guard is unknown"))
                    .because(found.record(self.volume, true).why.unwrap_or_default()));
            };
            if !matches!(block.sequence(), Sequence::Held(_)) {
                return Ok(Some(format!("its guard is not held, and {who} signed it")));
            }
            // Until the kernel's guard thread signs, the block has the claim's names.
            if !block.is_claim() {
                let first = signed.get_or_insert_with(|| block.clone());
                if !first.is_signed_like(block) {
                    return Ok(Some(format!("{who} and {} sign its guard in turn", first.node)));
                }
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            std::thread::sleep(EVERY); // another node's writing is seen by reading alone
            found = self.look()?;
        }
    }

    /// Unmounts what another node may have too.
    fn give_back(&mut self, found: &Found, why: String) -> Fail {
        let device = self.volume.device.display();
        let fail = Fail::broken(format!("{device} was mounted here while another node took it")).because(why);
        self.unmounted_again(found, fail, "look at it on every node, and check it with e2fsck")
    }

    /// Unmounts what must not stay mounted; `hint` says what is to be done then.
    pub(super) fn unmounted_again(&mut self, found: &Found, fail: Fail, hint: &str) -> Fail {
        let point = found.point(self.volume).to_owned();
        let asked = self.eye.hand().ask(&Question::Unmount(point));
        let heard = asked.and_then(|()| self.eye.hand().answer::<Done>(self.site.deadline.left(), None));
        match heard {
            Ok(Heard::Answer(Ok(()))) => fail.hint(format!("it is unmounted again; {hint}")),
            Ok(Heard::Answer(Err(refusal))) => {
                fail.and_undo_failed(Fail::failed("cannot unmount it").because(refusal.words))
            }
            Ok(Heard::Silence | Heard::Stopped(_)) => {
                fail.and_undo_failed(self.out_of_time("unmounting it again"))
            }
            Err(gone) => fail.and_undo_failed(gone),
        }
    }
}

/// Whether the kernel's guard thread has written: it counts from 1, and a mount begins with a number at random.
fn is_signed(found: &Found) -> bool {
    found.guard().is_some_and(|block| matches!(block.sequence(), Sequence::Held(1..=99)))
}
