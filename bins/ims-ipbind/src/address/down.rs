//! Takes an address down: resets its connections while their peers can still be told, takes it off, looks again.

use std::time::Instant;

use ims::sys::net::Net;
use ims::sys::stop::Stop;
use ims::sys::{sock, stderr};
use ims::{Exit, Fail, Out, State};

use super::look::{Found, told};
use super::plan::{self, Step};
use super::{NAME, cli};

/// Takes an address off an interface.
pub fn down(args: &cli::Down, out: &mut Out) -> Result<Exit, Fail> {
    let mut net = Net::open()?;
    if args.ahead.when_told {
        let stop = Stop::watch()?;
        Found::glance(&mut net);
        args.ahead.told(&stop, out)?;
        stop.end();
    }
    let start = Instant::now();
    let found = Found::now(&mut net)?;
    let place = found.place(args.address, &args.device);
    let is_alone = found.count(args.address.address().ip()) == 1;
    let steps = plan::down(&place, is_alone, args)?;
    if args.dry_run {
        steps.iter().try_for_each(|step| out.text(&step.to_string()))?;
        let mut told = told(&found, args.address, &args.device, start);
        told.changed = steps.iter().any(|step| step.is_change());
        told.dry_run = true;
        out.record(&told)?;
        return Ok(Exit::Ok);
    }
    let (mut is_changed, mut reset, mut flushed) = (false, None, 0);
    for step in &steps {
        match step {
            Step::Reset => reset = connections_reset(args),
            Step::Remove => {
                if let Some(link) = found.link(&args.device) {
                    is_changed |= net.remove(link, args.address)?.is_some();
                }
                // Those that were made in the last moment: their peers are not told, but the servers are.
                reset = reset.and_then(|reset| Some(reset + connections_reset(args)?));
            }
            Step::Forget => flushed = net.forget_neighbour(args.address.address().ip())?,
            Step::Ask(_) | Step::Add | Step::Adopt | Step::Announce => {} // they bring an address up
        }
    }
    let mut told = told(&Found::now(&mut net)?, args.address, &args.device, start);
    told.changed = is_changed || flushed > 0;
    told.connections_reset = reset.unwrap_or(0);
    told.neighbours_flushed = flushed;
    out.record(&told)?;
    if told.state == State::Down {
        return Ok(Exit::Ok);
    }
    let reason = told.reason.unwrap_or_else(|| "it is there again".to_owned());
    Err(Fail::failed(format!("{} was taken off {} and is not down", args.address, args.device))
        .because(reason))
}

/// Resets the connections. That this cannot be done is told, and keeps no address from going down.
fn connections_reset(args: &cli::Down) -> Option<usize> {
    sock::reset(args.address.address().ip())
        .inspect_err(|fail| stderr::say(NAME, format_args!("{fail}; clients that only wait will not notice")))
        .ok()
}
