//! The other end of a session: requests from stdin, each carried out at once beside the others, replies on
//! stdout. When stdin closes, what has begun is finished, and nothing else begins.

use std::io::BufRead;
use std::sync::{Mutex, PoisonError};

use ims::group::Group;
use ims::name::GroupName;
use ims::{Exit, Fail, Host, Out};

use super::clerk::Clerk;
use super::desk::Desk;
use super::wire::{Ask, Reply, Request, Say};

/// Serves a group until stdin closes.
pub fn serve(host: &Host, group: &GroupName, out: &mut Out) -> Result<Exit, Fail> {
    let desk = Desk::new(host, Group::load(host, group)?)?;
    answer(&|ask| desk.perform(ask), out)
}

/// Serves a group's file, which may not be there, until stdin closes.
pub fn serve_file(host: &Host, group: &GroupName, out: &mut Out) -> Result<Exit, Fail> {
    let clerk = Clerk::new(host, group)?;
    answer(&|ask| clerk.perform(ask), out)
}

fn answer(perform: &(dyn Fn(Ask) -> Result<Say, Fail> + Sync), out: &mut Out) -> Result<Exit, Fail> {
    let out = Mutex::new(out);
    std::thread::scope(|scope| {
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|e| Fail::io(Exit::Unknown, "cannot read stdin", &e))?;
            let request: Request =
                serde_json::from_str(&line).map_err(|e| Fail::usage("not a request").because(e))?;
            let out = &out;
            scope.spawn(move || {
                let reply = Reply::to(request.id, perform(request.ask));
                let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
                // When nobody reads any more, the run was killed; its next one looks again.
                let _ = out.record(&reply).and_then(|()| out.flush());
            });
        }
        Ok(Exit::Ok)
    })
}
