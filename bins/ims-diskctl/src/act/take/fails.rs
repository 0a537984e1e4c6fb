//! Why a volume could not be taken, and the way out.

use ims::Fail;
use ims::sys::mount::Refusal;

use super::Run;
use crate::guard::mmp::{Block, Sequence};

impl Run<'_> {
    /// The guard moved, so its holder lives.
    pub(super) fn alive(&mut self, judged: &Block, now: &Block) -> Fail {
        let device = self.volume.device.display().to_string();
        let who = self.look().ok().and_then(|found| found.signer).unwrap_or_else(|| now.node.clone());
        match now.sequence() {
            Sequence::Clean if now.is_claim() => {
                Fail::refused(format!("{device} is being taken by {} this moment", now.node))
                    .hint("look again to see whether it got it")
            }
            Sequence::Clean => {
                Fail::failed(format!("{device} was released by {who} this moment")).hint("run it again")
            }
            Sequence::Fsck => {
                Fail::refused(format!("{device} is being checked by e2fsck on {who}")).hint("let it end")
            }
            Sequence::Held(_) => Fail::refused(format!("{device} is alive on {who}"))
                .because(format!("its guard moved from {} to {}", judged.number(), now.number()))
                .hint(format!("release it there, or fence {who}")),
        }
    }

    /// The kernel would not mount.
    pub(super) fn refused(&mut self, refusal: &Refusal) -> Fail {
        let device = self.volume.device.display().to_string();
        if refusal.here {
            return Fail::refused(format!("{device} is in use on this node, in another mount namespace"))
                .because(&refusal.words)
                .hint("find it with: grep -l, on /proc/*/mountinfo");
        }
        let held = self.look().ok().filter(|found| {
            found.guard().is_some_and(|block| matches!(block.sequence(), Sequence::Held(_) | Sequence::Fsck))
        });
        match held {
            Some(found) if refusal.busy => {
                let who = found.signer.unwrap_or_else(|| "another node".to_owned());
                Fail::refused(format!("{device} is alive on {who}"))
                    .because("the kernel saw it write")
                    .hint(format!("release it there, or fence {who}"))
            }
            Some(_) | None => Fail::failed(format!("cannot mount {device}"))
                .because(&refusal.words)
                .hint("the kernel's log may say more: dmesg"),
        }
    }

    pub(super) fn out_of_time(&self, doing: &str) -> Fail {
        let timeout = self.args.timeout;
        Fail::unknown(format!("{} did not end within {timeout}: {doing}", self.volume.device.display()))
    }
}
