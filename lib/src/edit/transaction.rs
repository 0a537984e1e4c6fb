//! Carries a plan out: all of it, or none. Everything new is on the disk before the first name changes; a mark
//! stands beside the instance from the first change to the last, and a run that was killed in between is finished
//! by the next one, for each file is old or new and what is left to do is found again by looking.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::instance::Instance;
use crate::sys::stop::Stop;
use crate::sys::{file, kept as originals};
use crate::{Exit, Fail, Host};

use super::check;
use super::kept::{Kept, mark, pre_ha};
use super::look::Found;
use super::{Edit, Plan, Target, Way};

/// One plan on its way to the disk.
pub struct Transaction<'a> {
    /// The command that says what a person should know on stderr.
    pub command: &'static str,
    /// This node.
    pub host: &'a Host,
    /// The instance, whose lock is held.
    pub instance: &'a Instance,
    /// What was found when the plan was made.
    pub found: &'a Found,
    /// What is to be.
    pub plan: &'a Plan,
    /// How long each helper program may take.
    pub timeout: Duration,
    /// The signals that may ask for an end.
    pub stop: &'a Stop,
}

/// A file's part of the plan, ready to be carried out.
enum Step<'a> {
    Write(&'a Path, &'a Edit, file::Staged),
    GiveBack(&'a Path, &'a Edit),
    Remove(&'a Path, &'a Edit),
}

/// How to put back what was done.
enum Undo {
    GiveBack(PathBuf, Option<Vec<u8>>),
    Bytes(PathBuf, Option<Vec<u8>>),
    KeepAgain(PathBuf, Option<Vec<u8>>),
    Parameter(String),
}

/// Carries plans of several instances out: all of them, or none. What failed and could not be put back is `broken`.
pub fn carry_out_all(all: &[Transaction<'_>]) -> Result<(), Fail> {
    let mut ready = Vec::new();
    for one in all {
        one.sweep()?;
        if one.has_work() {
            ready.push((one, one.prepare()?));
        } else {
            one.ends()?;
        }
    }
    let mut begun: Vec<(&Transaction<'_>, Vec<Undo>)> = Vec::new();
    for (one, steps) in ready {
        let mut undo = Vec::new();
        let done = one.begins().map(|()| one.carry(steps, &mut undo));
        let fail = match done {
            Ok(carried) => {
                begun.push((one, undo));
                carried.err()
            }
            Err(fail) => Some(fail),
        };
        if let Some(fail) = fail {
            return Err(begun.into_iter().rev().fold(fail, |fail, (one, undo)| match one.put_back(undo) {
                Ok(()) => fail,
                Err(undone) => fail.and_undo_failed(undone),
            }));
        }
    }
    begun.iter().try_for_each(|(one, _)| one.ends()).map_err(|fail| {
        // What restore needs may be gone, so that there is no way back; the next run takes away the rest.
        fail.with_exit(Exit::Broken).hint("the change itself is made; run it again to end it")
    })
}

impl Transaction<'_> {
    /// Makes the changes, or none; what failed and could not be put back is `broken`.
    pub fn carry_out(&self) -> Result<(), Fail> {
        carry_out_all(std::slice::from_ref(self))
    }

    /// Writes every new content beside its file and has the servers' checkers read it.
    fn prepare(&self) -> Result<Vec<Step<'_>>, Fail> {
        let steps = self.stage()?;
        let staged: Vec<(&Path, &file::Staged)> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Write(path, _, staged) => Some((*path, staged)),
                Step::GiveBack(..) | Step::Remove(..) => None,
            })
            .collect();
        check::new_files(self, &staged)?;
        self.goes_on()?;
        Ok(steps)
    }

    fn has_work(&self) -> bool {
        let is_restore = self.plan.way == Way::Restore;
        self.plan.edits.iter().any(Edit::is_change)
            || (is_restore && (self.found.kept.is_some() || !self.found.originals.is_empty()))
    }

    /// Takes away what killed runs left beside the files.
    fn sweep(&self) -> Result<(), Fail> {
        let own = [Kept::file(self.instance), mark(self.instance)];
        for path in self.found.files.iter().map(|(path, _)| path).chain(&own) {
            let path = self.host.path(path);
            if let Some(folder) = path.parent()
                && file::is_folder(folder)?
            {
                originals::sweep(&path)?;
            }
        }
        Ok(())
    }

    /// Writes every new content beside its file.
    fn stage(&self) -> Result<Vec<Step<'_>>, Fail> {
        let mut steps = Vec::new();
        for edit in &self.plan.edits {
            let Target::File(path) = &edit.target else { continue };
            let is_kept = self.found.originals.contains_key(path);
            match (self.plan.way, &edit.new) {
                (Way::Restore, Some(new)) if is_kept && self.found.originals.get(path) == Some(new) => {
                    steps.push(Step::GiveBack(path, edit));
                }
                // Of a file that its server has written since, a part is given back.
                (Way::Set | Way::Restore, Some(new)) if edit.is_change() => {
                    steps.push(Step::Write(path, edit, file::Staged::write(&self.host.path(path), new)?));
                }
                (Way::Restore, None) if edit.is_change() => steps.push(Step::Remove(path, edit)),
                (Way::Set | Way::Restore, _) => {}
            }
        }
        Ok(steps)
    }

    /// Writes down what `restore` will need, then sets the mark; from here on a killed run is finished by the next.
    fn begins(&self) -> Result<(), Fail> {
        let kept = self.host.path(Kept::file(self.instance));
        let before = file::read_own(&kept)?;
        if let Some(new) = &self.plan.kept
            && Some(new) != self.found.kept.as_ref()
        {
            file::replace(&kept, new.text()?.as_bytes())?;
        }
        let words = match self.plan.way {
            Way::Set => "set",
            Way::Restore => "restore",
        };
        let text = format!("{words} by pid {} on {}\n", std::process::id(), self.host.name());
        file::replace(&self.host.path(mark(self.instance)), text.as_bytes()).map_err(|fail| {
            let undone = match &before {
                Some(bytes) => file::replace(&kept, bytes),
                None => file::remove(&kept).map(drop),
            };
            match undone {
                Ok(()) => fail,
                Err(undone) => fail.and_undo_failed(undone),
            }
        })
    }

    /// The parameter first, for a program of somebody else's fails more easily than a rename; then the files.
    fn carry(&self, steps: Vec<Step<'_>>, undo: &mut Vec<Undo>) -> Result<(), Fail> {
        let parameter = self.plan.edits.iter().find(|edit| matches!(edit.target, Target::Parameter { .. }));
        if let (Some(edit), Some(value), Some(before)) =
            (parameter, &self.plan.listenaddr, &self.found.listenaddr)
            && edit.is_change()
        {
            self.is_still(before)?;
            // Even a call that fails may have changed something.
            undo.push(Undo::Parameter(before.clone()));
            self.set_parameter(value)?;
        }
        for step in steps {
            self.goes_on()?;
            match step {
                Step::Write(path, edit, staged) => {
                    let (path, kept) = (self.host.path(path), self.host.path(pre_ha(path)));
                    let is_first =
                        edit.old.is_some() && !self.is_ours(edit) && originals::keep(&path, &kept)?;
                    undo.push(if is_first {
                        Undo::GiveBack(path, edit.old.clone())
                    } else {
                        Undo::Bytes(path, edit.old.clone())
                    });
                    staged.commit()?;
                }
                Step::GiveBack(path, edit) => {
                    let (path, kept) = (self.host.path(path), self.host.path(pre_ha(path)));
                    undo.push(Undo::KeepAgain(path.clone(), edit.old.clone()));
                    originals::give_back(&kept, &path)?;
                }
                Step::Remove(path, edit) => {
                    let path = self.host.path(path);
                    undo.push(Undo::Bytes(path.clone(), edit.old.clone()));
                    file::remove(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Fails when a signal asked for an end; what was done is then put back.
    fn goes_on(&self) -> Result<(), Fail> {
        match self.stop.asked() {
            None => Ok(()),
            Some(signal) => Err(Fail::failed(format!("{signal} came; {} is as before", self.instance.name))),
        }
    }

    /// Whether a file was made by an earlier `set`, and so has no original.
    fn is_ours(&self, edit: &Edit) -> bool {
        let below = edit.file().strip_prefix(&self.instance.root).unwrap_or(edit.file());
        self.plan.kept.as_ref().is_some_and(|kept| kept.created.iter().any(|path| path == below))
    }

    /// Puts everything back, the last change first, and takes the mark away when that worked.
    fn put_back(&self, undo: Vec<Undo>) -> Result<(), Fail> {
        let mut first = None;
        for step in undo.into_iter().rev() {
            let undone = match step {
                // A file that was not reached, such as an immutable one, is its own original.
                Undo::GiveBack(path, old) => match file::read_own(&path) {
                    Ok(now) if now == old => file::remove(&pre_ha(&path)).map(drop),
                    Ok(_) | Err(_) => originals::give_back(&pre_ha(&path), &path),
                },
                Undo::Bytes(path, Some(bytes)) => back(&path, &bytes),
                Undo::Bytes(path, None) => file::remove(&path).map(drop),
                Undo::KeepAgain(path, bytes) => {
                    originals::keep(&path, &pre_ha(&path)).and_then(|_| match bytes {
                        Some(bytes) => back(&path, &bytes),
                        None => file::remove(&path).map(drop),
                    })
                }
                Undo::Parameter(before) => self.give_parameter_back(&before),
            };
            if let Err(fail) = undone {
                first.get_or_insert(fail);
            }
        }
        if let Some(fail) = first {
            return Err(fail);
        }
        let kept = self.host.path(Kept::file(self.instance));
        match &self.found.kept {
            Some(before) => back(&kept, before.text()?.as_bytes())?,
            None => drop(file::remove(&kept)?),
        }
        file::remove(&self.host.path(mark(self.instance))).map(drop)
    }

    /// Takes away what only a change under way, or one that can be restored, needs; an original that was given back is
    /// gone already.
    fn ends(&self) -> Result<(), Fail> {
        if self.plan.way == Way::Restore {
            for path in self.found.originals.keys() {
                file::remove(&self.host.path(pre_ha(path)))?;
            }
        }
        if self.plan.way == Way::Restore && self.found.kept.is_some() {
            file::remove(&self.host.path(Kept::file(self.instance)))?;
        }
        if self.found.is_pending || self.has_work() {
            file::remove(&self.host.path(mark(self.instance)))?;
        }
        Ok(())
    }
}

/// Writes bytes back, unless they are there still.
fn back(path: &Path, bytes: &[u8]) -> Result<(), Fail> {
    if file::read_own(path)?.as_deref() == Some(bytes) {
        return Ok(());
    }
    file::replace(path, bytes)
}
