//! Tells the neighbours again where an address is, for as long as it is there.

use std::time::Instant;

use ims::span::millis;
use ims::sys::net::{self, Net};
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Out};

use super::cli;
use super::look::{Found, told};
use super::plan::{self, Step};

/// Tells the neighbours several times that an address is at this interface.
///
/// It looks before each time: an address that has left meanwhile is announced by its new node alone.
pub fn announce(args: &cli::Announce, out: &mut Out) -> Result<Exit, Fail> {
    let start = Instant::now();
    let (address, device) = (args.address, &args.device);
    let (count, every) = args.rhythm()?;
    let mut net = Net::open()?;
    let stop = Stop::watch()?;
    let (mut turn, mut signal) = (0, None);
    let (mut record, end) = loop {
        let found = Found::now(&mut net)?;
        let mut record = told(&found, address, device, start);
        let link = match found.link(device) {
            None if turn > 0 => break (record, Err(plan::is_gone(address, device))),
            Some(_) | None => found.link_or_names(device)?,
        };
        match plan::announce(address, link, &found.place(address, device)) {
            Ok(true) => {}
            Ok(false) => break (record, Ok(Exit::Ok)),
            Err(fail) => break (record, Err(fail)),
        }
        if args.dry_run {
            (0..count).try_for_each(|_| out.text(&Step::Announce.to_string()))?;
            record.dry_run = true;
            break (record, Ok(Exit::Ok));
        }
        if let Err(fail) = net::announce(link, address.address().ip()) {
            break (record, Err(fail));
        }
        turn += 1;
        if turn < count && stop.wait(every) {
            signal = stop.asked();
        }
        if turn == count || signal.is_some() {
            break (record, Ok(Exit::Ok));
        }
    };
    record.announced = turn;
    record.took_ms = millis(start.elapsed());
    out.record(&record)?;
    match (end, signal) {
        (Ok(_), Some(signal)) => {
            Err(Fail::failed(format!("{address} was announced {turn} of {count} times on {device}"))
                .because(format!("stopped by {signal}")))
        }
        (end, _) => end,
    }
}
