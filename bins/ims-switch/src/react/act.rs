//! What was decided is done: a restart where the group is, or the group goes to the next node.

use std::time::Duration;

use ims::name::ResourceName;
use ims::sys::stderr;
use ims::{Exit, Host, Out};

use super::Choice;
use super::part::Part;
use crate::cli::React;
use crate::drive::{Asked, drive};
use crate::interrupt::Interrupt;
use crate::plan::Wish;

/// Does what was decided; when no other node can have the group, its resource is restarted once more.
///
/// Another run is not waited for: what was seen before it ended is no reason to act after it.
pub fn act(
    host: &Host,
    react: &React,
    resource: &ResourceName,
    (choice, part): (Choice, &Part),
    interrupt: &Interrupt,
    out: &mut Out,
) -> Option<Exit> {
    let asked = |wish| Asked {
        group: react.group.clone(),
        wish,
        dry_run: false,
        patience: Duration::ZERO,
        timeout: react.timeout.0,
        confirm_fenced: Vec::new(),
        reason: None,
        shown_before: Vec::new(),
    };
    let restart = || asked(Wish::Restart(resource.clone()));
    let mut attempt = |asked: &Asked| match drive(host, asked, interrupt, out) {
        Ok(exit) => exit,
        Err(fail) => {
            stderr::say("ims-switch", &fail);
            fail.exit()
        }
    };
    match choice {
        Choice::Nothing | Choice::Tolerate => None,
        Choice::Restart => Some(attempt(&restart())),
        Choice::Giveover => Some(match part {
            // Another survivor may have brought it online by now: there it stays.
            Part::Orphan(_) => attempt(&asked(Wish::Online(None))),
            Part::Ours | Part::Of(_) => match attempt(&asked(Wish::Giveover)) {
                Exit::Refused => attempt(&restart()),
                exit @ (Exit::Ok
                | Exit::No
                | Exit::Usage
                | Exit::Unknown
                | Exit::Failed
                | Exit::Broken
                | Exit::Busy) => exit,
            },
        }),
    }
}
