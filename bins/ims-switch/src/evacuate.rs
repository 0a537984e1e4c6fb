//! `ims-switch evacuate`: every group leaves a node for its next one. What is required goes before what requires it,
//! independent groups go side by side, and one that cannot go keeps no other from going.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};

use ims::fail::FailRecord;
use ims::group::Group;
use ims::name::GroupName;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};

use crate::cli::Evacuate;
use crate::drive::{self, Asked};
use crate::interrupt::Interrupt;
use crate::kin::Kin;
use crate::plan::Wish;
use crate::several::asked;
use crate::unfinished::finishing;

/// What a group's run prints, until it has ended: the records of two runs are not mixed.
#[derive(Debug, Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has every group leave the node.
pub fn evacuate(host: &Host, args: &Evacuate, out: &mut Out) -> Result<Exit, Fail> {
    let interrupt = Interrupt::watch()?;
    of_each(host, args, out, &|asked, own| drive::drive(host, asked, &interrupt, own))
}

/// Explains for every group how it would leave the node.
pub fn explain(host: &Host, args: &Evacuate, out: &mut Out) -> Result<Exit, Fail> {
    of_each(host, args, out, &|asked, own| drive::explain(host, asked, own))
}

/// Does something with what is asked of each group.
fn of_each(
    host: &Host,
    args: &Evacuate,
    out: &mut Out,
    of_one: &(impl Fn(&Asked, &mut Out) -> Result<Exit, Fail> + Sync),
) -> Result<Exit, Fail> {
    let (mut groups, mut exit) = (Vec::new(), Exit::Ok);
    for name in Group::names(host)? {
        match Group::load(host, &name) {
            Ok(group) if group.nodes.contains(&args.node) => groups.push(name),
            Ok(_) => {}
            // It cannot go, and keeps no other from going.
            Err(fail) => {
                stderr::say("ims-switch", format_args!("{name}: {fail}"));
                out.record(&FailRecord::from(&fail))?;
                exit = exit.gravest(fail.exit());
            }
        }
    }
    if groups.is_empty() && exit == Exit::Ok {
        return Err(Fail::usage(format!("{} is no node of any group", args.node))
            .hint(format!("see the files in {}", ims::group::FOLDER)));
    }
    let mut waits = Kin::of_valid(host)?.waits(&groups)?;
    let all = groups;
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        let mut under_way = 0;
        loop {
            let ready: Vec<GroupName> = waits
                .iter()
                .filter(|(_, others)| others.is_empty())
                .map(|(group, _)| group.clone())
                .collect();
            for group in ready {
                waits.remove(&group);
                under_way += 1;
                let (sender, format) = (sender.clone(), out.format());
                let along = all.clone();
                scope.spawn(move || {
                    let page = Page::default();
                    let mut own = Out::to(page.clone(), format, host.name());
                    let done = finishing(host, &group, Wish::Leave(args.node.clone())).and_then(|wish| {
                        let shown_before = if args.change.dry_run { along.clone() } else { Vec::new() };
                        of_one(&Asked { shown_before, along, ..asked(&group, wish, &args.change) }, &mut own)
                    });
                    let told = own.flush();
                    // The receiver lives as long as this scope.
                    let _ = sender.send((group, page, done.and_then(|exit| told.map(|()| exit))));
                });
            }
            if under_way == 0 {
                return Ok(());
            }
            let Ok((group, page, done)) = receiver.recv() else { return Ok(()) };
            under_way -= 1;
            release(&mut waits, &group);
            out.append(&page.take())?;
            match done {
                Ok(done) => exit = exit.gravest(done),
                Err(fail) => {
                    stderr::say("ims-switch", format_args!("{group}: {fail}"));
                    out.record(&FailRecord::from(&fail))?;
                    exit = exit.gravest(fail.exit());
                }
            }
            out.flush()?;
        }
    })?;
    Ok(exit)
}

/// A group that ended is waited for no more, whatever came of it: one that needs it is refused by its own run.
fn release(waits: &mut std::collections::BTreeMap<GroupName, BTreeSet<GroupName>>, ended: &GroupName) {
    for others in waits.values_mut() {
        others.remove(ended);
    }
}
