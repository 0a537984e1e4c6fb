//! The other end of a session: requests from stdin, each carried out at once beside the others, replies on
//! stdout. When stdin closes, what has begun is finished, and nothing else begins.

use std::io::BufRead;
use std::sync::{Mutex, PoisonError};

use ims::group::Group;
use ims::name::GroupName;
use ims::{Exit, Fail, Host, Out};

use super::desk::Desk;
use super::wire::{Reply, Request};

/// Serves a group until stdin closes.
pub fn serve(host: &Host, group: &GroupName, out: &mut Out) -> Result<Exit, Fail> {
    let desk = Desk::new(host, Group::load(host, group)?)?;
    let out = Mutex::new(out);
    std::thread::scope(|scope| {
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|e| Fail::io(Exit::Unknown, "cannot read stdin", &e))?;
            let request: Request =
                serde_json::from_str(&line).map_err(|e| Fail::usage("not a request").because(e))?;
            let (desk, out) = (&desk, &out);
            scope.spawn(move || {
                let reply = Reply::to(request.id, desk.perform(request.ask));
                let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
                // When nobody reads any more, the run was killed; its next one looks again.
                let _ = out.record(&reply).and_then(|()| out.flush());
            });
        }
        Ok(Exit::Ok)
    })
}
