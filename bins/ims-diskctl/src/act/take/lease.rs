//! Takes the lease of a volume that is being taken, and gives it up when the volume is not mounted after all.

use std::time::{Duration, Instant};

use ims::Fail;
use ims::sys::hand::Heard;

use super::Run;
use crate::act::{go_on, watch};
use crate::guard::sanlock::{Came, Deed, Host, Standing, Wanted};
use crate::hand::Question;
use crate::look::Found;

/// How often the place of a host in the lockspace is read while it is watched; it is renewed every two seconds at most.
const EVERY: Duration = Duration::from_millis(500);

impl Run<'_> {
    /// Does what is to be done about the lease; says no when its holder gave it up meanwhile and the plan is another.
    pub(super) fn lease(
        &mut self,
        deed: &Deed,
        watch: Option<&(Host, Duration)>,
        found: &Found,
    ) -> Result<bool, Fail> {
        let for_how_long = watch.filter(|_| matches!(deed, Deed::SetFree(_))).map(|(_, time)| *time);
        if let Some((host, _)) = watch
            && !self.is_still_there(host, for_how_long)?
        {
            return Ok(false);
        }
        let device = self.volume.device.display().to_string();
        // What the node had before this run is not given up; what this run took is.
        self.has_leased |= *deed == Deed::Take && !matches!(found.lease_standing(), Some(Ok(Standing::Ours)));
        match self.ask_of_lease(deed.clone())? {
            Ok(Came::Done) => Ok(true),
            Ok(Came::Another(seen)) => {
                self.has_leased = false;
                let who = seen.host.as_ref().map_or("another node", Host::node).to_owned();
                Err(match deed {
                    Deed::SetFree(_) => Fail::refused(format!("{device} is alive on {who}"))
                        .because("it renewed its place in the lockspace")
                        .hint(format!("release it there, or fence {who}")),
                    Deed::Take | Deed::GiveUp => {
                        Fail::refused(format!("the lease of {device} was taken by {who} this moment"))
                            .hint("look again to see whether it got it")
                    }
                })
            }
            Err(why) => Err(Fail::failed(format!("cannot take the lease of {device}")).because(why)),
        }
    }

    /// Watches whether a host renews its place, for as long as is said, else until it has not for so long that its machine
    /// was reset. A host that renews it is alive, and the volume refused; a lease that was given up meanwhile is planned
    /// anew.
    fn is_still_there(&mut self, judged: &Host, for_how_long: Option<Duration>) -> Result<bool, Fail> {
        let device = self.volume.device.display().to_string();
        let bar = watch::progress(self.site, self.volume, for_how_long.unwrap_or_else(|| judged.wait()));
        let began = Instant::now();
        loop {
            bar.set_position(began.elapsed().as_secs());
            let found = self.look()?;
            let host = match found.lease_standing() {
                Some(Ok(Standing::Theirs(host))) => host,
                Some(Ok(Standing::Free | Standing::Ours)) | None => return Ok(false),
                // What is left of the time may be too short for a look.
                Some(Err(_)) if self.site.deadline.left().is_zero() => return Err(self.lease_lasts(judged)),
                Some(Err(why)) => {
                    return Err(
                        Fail::unknown(format!("cannot tell who has the lease of {device}")).because(why)
                    );
                }
            };
            if (host.id, host.timestamp) != (judged.id, judged.timestamp) {
                let who = host.node();
                return Err(Fail::refused(format!("{device} is alive on {who}"))
                    .because("it renewed its place in the lockspace")
                    .hint(format!("release it there, or fence {who}")));
            }
            let is_over = for_how_long.map_or(host.wait().is_zero(), |time| began.elapsed() >= time);
            if is_over {
                return Ok(true);
            }
            self.site.stop.wait(for_how_long.map_or(EVERY, |time| time.min(EVERY)));
            go_on(&self.site.stop, self.volume, "not mounted")?;
            if self.site.deadline.left().is_zero() {
                return Err(self.lease_lasts(&host));
            }
        }
    }

    fn lease_lasts(&self, host: &Host) -> Fail {
        let left = host.wait().as_secs();
        self.out_of_time("watching its lease for a sign of life")
            .hint(format!("it runs out {left} s after that at most; give --timeout more"))
    }

    /// A take that failed: the lease that it took is given up.
    pub(super) fn lease_given_up(&mut self, fail: Fail) -> Fail {
        if !self.has_leased {
            return fail;
        }
        let device = self.volume.device.display().to_string();
        match self.ask_of_lease(Deed::GiveUp) {
            Ok(Ok(_)) => fail,
            Ok(Err(why)) => fail.and_undo_failed(
                Fail::failed(format!("this node keeps the lease of {device}"))
                    .because(why)
                    .hint("release it"),
            ),
            Err(undo) => fail.and_undo_failed(undo),
        }
    }

    fn ask_of_lease(&mut self, deed: Deed) -> Result<Result<Came, String>, Fail> {
        let Some(lease) = self.volume.lease.clone() else {
            return Err(Fail::unknown("the lease is not known any more"));
        };
        self.eye.hand().ask(&Question::Lease(Wanted { lease, deed }))?;
        match self.eye.hand().answer(self.site.deadline.left(), None)? {
            Heard::Answer(came) => Ok(came),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("its lease")),
        }
    }
}
