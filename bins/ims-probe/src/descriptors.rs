//! How many connections this process may hold at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept back for stdin, stdout, the event queue, files of the configuration and the resolver.
const RESERVE: u64 = 64;
/// More connections than this are never open at once.
const MOST: u64 = 100_000;

/// Raises the limit of open files to what is allowed, and says how many connections fit.
pub fn seats() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current, // the lower limit holds; more targets then wait for a seat
    };
    let seats = current.unwrap_or(MOST).saturating_sub(RESERVE).clamp(1, MOST);
    usize::try_from(seats).unwrap_or(1)
}
