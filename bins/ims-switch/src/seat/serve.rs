//! The other end of a session: requests from stdin, each carried out at once beside the others, replies on
//! stdout. When stdin closes, what has begun is finished, and nothing else begins.
//!
//! The same when nothing is heard for a while: of a node that lost its power, or its network, no connection tells, and
//! the group's lock would be held until TCP gives up, which takes hours.

use std::io::BufRead;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ims::group::Group;
use ims::name::GroupName;
use ims::{Exit, Fail, Host, Out};

use super::clerk::Clerk;
use super::desk::Desk;
use super::wire::{Ask, Reply, Request, Say};

/// How often the node that drives a run is heard at least.
pub const BEAT: Duration = Duration::from_secs(5);
/// After how long without it that node is given up.
const SILENCE: Duration = Duration::from_secs(20);

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
    let (sender, lines) = channel();
    // It ends with this program, for a read of stdin ends by nothing else.
    std::thread::spawn(move || std::io::stdin().lock().lines().try_for_each(|line| sender.send(line)));
    std::thread::scope(|scope| {
        loop {
            let line = match lines.recv_timeout(SILENCE) {
                Ok(line) => line.map_err(|e| Fail::io(Exit::Unknown, "cannot read stdin", &e))?,
                Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Ok),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Fail::unknown("the run that is served is not heard any more"));
                }
            };
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
    })
}
