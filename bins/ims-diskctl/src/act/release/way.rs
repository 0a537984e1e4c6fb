//! Who keeps a volume from being unmounted: told, or ended where that is allowed. First they are asked to end, then they
//! are killed; one that does not end even then waits for something in the kernel, and is told with that.

use std::time::{Duration, Instant};

use ims::Fail;
use ims::sys::process::{self, Process};
use ims::sys::stderr;

use super::super::go_on;
use super::Run;
use crate::NAME;
use crate::each::Told;
use crate::hand::Question;
use crate::look::Found;
use crate::plan::{self, Step};
use crate::record::User;
use crate::users::{Right, Signal, Users, Wanted};

/// How long the kernel may take to end what was killed.
const KILLED: Duration = Duration::from_secs(5);

const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;

/// How often a run that waits for others to end looks whether it is to end itself.
const HEARS: Duration = Duration::from_millis(100);

impl Run<'_> {
    /// Nothing is mounted below it.
    pub(super) fn nothing_below(&self, found: &Found) -> Result<(), Fail> {
        if found.nested.is_empty() {
            return Ok(());
        }
        Err(self.busy().because(format!("{} is mounted below it", crate::look::paths(&found.nested))))
    }

    /// No mount namespace has it that an unmount does not reach, and no overlay is made of it: the kernel would unmount it
    /// all the same, and keep it. Says whether this node had it although it is mounted nowhere here.
    pub(super) fn nobody_apart(&mut self, found: &Found, told: &mut Told) -> Result<bool, Fail> {
        // What is mounted nowhere here may be in use all the same, as after a lazy unmount.
        let is_mounted = found.mounted_there().is_some();
        if !is_mounted && self.is_free()? {
            return Ok(false);
        }
        let users = self.users(found, is_mounted)?;
        self.make_way(users, found, told)?;
        Ok(!is_mounted)
    }

    /// The steps with the ending of whoever uses it now, which the kernel's answer makes necessary.
    pub(super) fn with_ending(
        &mut self,
        mut steps: Vec<Step>,
        found: &Found,
        told: &mut Told,
    ) -> Result<Vec<Step>, Fail> {
        let users = self.users(found, false)?;
        if users.processes.is_empty() && users.kernel.is_empty() {
            return Ok(steps);
        }
        let ending = plan::ending(&users.processes, &self.right, &self.spared());
        if !users.kernel.is_empty() || ending.is_err() {
            return Err(self.used_by(users, found, told));
        }
        let who: Vec<String> = users.processes.iter().map(|(_, user)| named(user)).collect();
        let at = steps.iter().position(|step| matches!(step, Step::Unmount(_))).unwrap_or_default();
        let grace = self.args.grace;
        steps.insert(at, Step::End(format!("SIGTERM, after {grace} SIGKILL: {}", who.join(", "))));
        Ok(steps)
    }

    /// Asks who uses it; `apart`: only other mount namespaces that have it.
    pub(super) fn users(&mut self, found: &Found, apart: bool) -> Result<Users, Fail> {
        let question = Question::Users(self.wanted(found, apart));
        let found: Result<Users, String> = self.asked(&question, "it is looked for who uses it")?;
        let mut users = found.map_err(|why| Fail::unknown(self.who_uses_it()).because(why))?;
        // This run inherits what its shell has open: where others have it too, they are the ones to tell of.
        let ours = [std::process::id(), self.eye.pid()];
        let is_other = |(_, user): &(Process, User)| !ours.contains(&user.process.pid);
        if users.processes.iter().any(is_other) {
            users.processes.retain(is_other);
        }
        Ok(users)
    }

    fn who_uses_it(&self) -> String {
        format!("cannot tell who uses {}", self.volume.mount.display())
    }

    fn wanted(&self, found: &Found, apart: bool) -> Wanted {
        Wanted {
            device: found.mounted_there().map_or(found.number, |there| there.device),
            point: found.point(self.volume).to_owned(),
            right: self.right.clone(),
            apart,
        }
    }

    /// Ends whoever uses it, if all of them may be ended.
    pub(super) fn make_way(&mut self, users: Users, found: &Found, told: &mut Told) -> Result<(), Fail> {
        if users.processes.is_empty() && users.kernel.is_empty() {
            return Ok(()); // they ended meanwhile, or nobody can be seen
        }
        let to = match plan::ending(&users.processes, &self.right, &self.spared()) {
            Ok(to) if users.kernel.is_empty() => to,
            Ok(_) | Err(_) => return Err(self.used_by(users, found, told)),
        };
        self.remember(&users);
        self.end_all(&to, found).map_err(|fail| self.told_ended(fail, found, told))
    }

    /// Ends these processes.
    fn end_all(&mut self, to: &[Process], found: &Found) -> Result<(), Fail> {
        self.end(to, SIGTERM, "TERM", self.args.grace.0, found)?;
        let left = self.users(found, false)?;
        let to: Vec<Process> = left
            .processes
            .iter()
            .map(|(process, _)| *process)
            .filter(|process| to.contains(process))
            .collect();
        if to.is_empty() {
            return Ok(());
        }
        go_on(&self.site.stop, self.volume, "mounted still")?;
        let killed = self.end(&to, SIGKILL, "KILL", KILLED, found)?;
        killed.iter().find(|process| process.is_alive()).map_or(Ok(()), |stuck| Err(self.stuck(stuck)))
    }

    fn remember(&mut self, users: &Users) {
        let new = users.processes.iter().map(|(_, user)| user);
        let new: Vec<User> = new
            .filter(|user| self.ended.iter().all(|known| known.process.pid != user.process.pid))
            .cloned()
            .collect();
        self.ended.extend(new);
    }

    /// Signals processes and waits until they have ended or the time is over; gives those who were signalled.
    fn end(
        &mut self,
        to: &[Process],
        number: i32,
        name: &str,
        patience: Duration,
        found: &Found,
    ) -> Result<Vec<Process>, Fail> {
        let signal = Signal { wanted: self.wanted(found, false), to: to.to_vec(), number };
        let question = Question::Signal(signal);
        let done: Result<Vec<Process>, String> = self.asked(&question, "who uses it is being ended")?;
        let signalled = done.map_err(Fail::failed)?;
        for user in &mut self.ended {
            if signalled.iter().any(|process| process.pid.unsigned_abs() == user.process.pid) {
                user.signal = Some(name.to_owned());
            }
        }
        let end = Instant::now() + patience.min(self.site.deadline.left());
        for process in &signalled {
            // A signal to this run is heeded meanwhile.
            while process.is_alive() && Instant::now() < end && self.site.stop.ended_by().is_none() {
                let soon = end.min(Instant::now() + HEARS);
                process.wait(soon).map_err(|e| Fail::io(ims::Exit::Unknown, "cannot wait", &e))?;
            }
        }
        Ok(signalled)
    }

    fn stuck(&self, process: &Process) -> Fail {
        let pid = process.pid;
        let (place, is_dead_asleep) = process.waits();
        let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
        let how = if is_dead_asleep { "nothing can wake it" } else { "it ends slowly" };
        let mount = self.volume.mount.display();
        Fail::unknown(format!("{mount} was not released: pid {pid} was killed and has not ended"))
            .because(format!("it waits{place}, {how}"))
            .hint("the disk may hang; look at it again, and fence this node before another takes the volume")
    }

    /// Who is never ended: this run with its hand, what it was started from, and pid 1.
    fn spared(&self) -> Vec<u32> {
        let own = i32::try_from(std::process::id()).ok().and_then(Process::of);
        let before = process::ancestors(own).into_iter().map(|process| process.pid.unsigned_abs());
        [1, std::process::id(), self.eye.pid()].into_iter().chain(before).collect()
    }

    /// Whether nothing on this node has the device to itself.
    pub(super) fn is_free(&mut self) -> Result<bool, Fail> {
        let device = self.volume.device.clone();
        let is_free: Result<bool, String> =
            self.asked(&Question::IsFree(device), "it is asked whether it is in use")?;
        let device = self.volume.device.display();
        is_free.map_err(|why| Fail::unknown(format!("cannot tell whether {device} is in use")).because(why))
    }

    fn busy(&self) -> Fail {
        Fail::failed(format!("{} is in use", self.volume.mount.display()))
    }

    /// Tells who uses it, on stderr and in the record.
    pub(super) fn used_by(&self, users: Users, found: &Found, told: &mut Told) -> Fail {
        let mount = self.volume.mount.display();
        let spared = self.spared();
        let kept: Vec<&User> = plan::ending(&users.processes, &self.right, &spared).err().unwrap_or_default();
        for (_, user) in &users.processes {
            let since = user.process.since.map(|since| format!(", since {since}")).unwrap_or_default();
            let what = user.process.uses.join(", ");
            stderr::say(NAME, format_args!("{mount} is used by {}: {what}{since}", named(user)));
        }
        for what in &users.kernel {
            stderr::say(NAME, format_args!("{mount} is used by the kernel: {what}"));
        }
        let fail = if let [first, others @ ..] = kept.as_slice() {
            let s = if others.is_empty() { "" } else { "s" };
            let pids: Vec<String> = kept.iter().map(|user| user.process.pid.to_string()).collect();
            let ours = spared.contains(&first.process.pid) && self.right == Right::Everybody;
            let hint = if ours {
                "this run was started from it: leave the volume with cd /, then run it again"
            } else {
                "end them, then run it again; it is still mounted"
            };
            self.busy().because(format!("by pid{s} {}", pids.join(", "))).hint(hint)
        } else if users.kernel.is_empty() {
            self.busy().hint("by no process that can be seen; what uses it may be in another pid namespace")
        } else {
            let way_out = "end that (swapoff, losetup -d, exportfs -u, umount), then run it again";
            self.busy().because(format!("by {}", users.kernel.join(", "))).hint(way_out)
        };
        let mut record = found.record(self.volume, false);
        record.users = self.ended.iter().filter(|user| user.signal.is_some()).cloned().collect();
        let is_new = |user: &User| record.users.iter().all(|known| known.process.pid != user.process.pid);
        let new: Vec<User> = users.processes.into_iter().map(|(_, user)| user).filter(is_new).collect();
        record.users.extend(new);
        record.kernel_users = users.kernel;
        told.volume(record);
        self.as_it_is(fail)
    }

    /// The failure, with a record of who was ended for nothing.
    pub(super) fn told_ended(&self, fail: Fail, found: &Found, told: &mut Told) -> Fail {
        let mut record = found.record(self.volume, false);
        record.users.clone_from(&self.ended);
        told.volume(record);
        self.as_it_is(fail)
    }

    /// A failure after somebody was ended does not leave things as before.
    fn as_it_is(&self, fail: Fail) -> Fail {
        let has_ended = self.ended.iter().any(|user| user.signal.is_some());
        let exit = fail.exit();
        if has_ended && exit == ims::Exit::Failed { fail.with_exit(ims::Exit::Broken) } else { fail }
    }
}

/// A process, for people.
fn named(user: &User) -> String {
    let of = user.instance.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    format!("pid {} ({}){of}", user.process.pid, user.process.command)
}
