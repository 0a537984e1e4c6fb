//! `ims-switch availability`: what share of the time a service is down in each model, as the seed's table A-2 counts
//! it and as a Markov chain does, which knows that two servers can fail at once and that a failover takes time.

mod chain;
mod model;
mod record;
mod rules;
mod simulate;

use std::time::Duration;

use ims::{Exit, Fail, Host, Out};

use crate::cli::Availability;
use crate::history;
pub use model::Model;
use model::{Assumed, Wear};
pub use record::AvailabilityRecord;
use record::{Check, Source};

/// The mean time of a failover when nobody says: a guess, and told as one.
const FAILOVER: Duration = Duration::from_secs(60);

/// Prints the figures of the models that are asked for.
pub fn availability(host: &Host, asked: &Availability, out: &mut Out) -> Result<Exit, Fail> {
    let (assumed, source) = assumed(host, asked)?;
    let models = if asked.model.is_empty() { Model::ALL.to_vec() } else { asked.model.clone() };
    let mut exit = Exit::Ok;
    let mut notes = Vec::new();
    for model in models {
        let figures = assumed.figures(model)?;
        let mut record = AvailabilityRecord::new(model, &assumed, &figures, source);
        if asked.check {
            let seen = simulate::simulate(model, &assumed, asked.years, asked.seed);
            let check = Check::new(&figures, &seen, asked.years, asked.seed);
            exit = exit.gravest(match check.agrees {
                Some(true) => Exit::Ok,
                Some(false) => Exit::No,
                None => Exit::Unknown,
            });
            record.check = Some(check);
        }
        notes.extend(record.note.as_ref().map(|note| format!("{}: {note}", model.word())));
        out.record(&record)?;
    }
    out.text(&said(&assumed, source))?;
    notes.iter().try_for_each(|note| out.text(note))?;
    Ok(exit)
}

/// What is reckoned with.
fn assumed(host: &Host, asked: &Availability) -> Result<(Assumed, Source), Fail> {
    let server = Wear { mtbf: asked.mtbf.0, mttr: asked.mttr.0 };
    let storage = Wear { mtbf: asked.storage_mtbf.0, mttr: asked.storage_mttr.0 };
    for (what, wear, option) in [("server", server, "mtbf"), ("storage device", storage, "storage-mtbf")] {
        if wear.mttr >= wear.mtbf {
            return Err(Fail::usage(format!(
                "a {what} is repaired longer than it takes until the next failure"
            ))
            .hint(format!("--{option} counts from one failure to the next, the repair included")));
        }
    }
    let (failover, source) = match (&asked.from_history, asked.failover) {
        (Some(group), _) => (history::mean_failover(host, group)?, Source::Measured),
        (None, Some(given)) => (given.0, Source::Given),
        (None, None) => (FAILOVER, Source::Assumed),
    };
    let assumed = Assumed {
        server,
        storage,
        failover: failover + asked.detect.map(|detect| detect.0).unwrap_or_default(),
        planned: asked.planned,
        maintenance: asked.maintenance.0,
        switchover: asked.switchover.0,
        primaries: asked.primaries,
        standbys: asked.standbys,
        capacity: asked.capacity.unwrap_or(asked.primaries),
    };
    Ok((assumed, source))
}

/// The assumptions below the table.
fn said(assumed: &Assumed, source: Source) -> String {
    let how = match source {
        Source::Assumed => "assumed; --failover or --from-history says better",
        Source::Given => "given",
        Source::Measured => "measured",
    };
    let days = |time| format!("{:.2} d", model::days(time));
    format!(
        "a server fails every {} and is back after {}; a storage device every {}, after {}; a failover takes {} \
         ({how})",
        days(assumed.server.mtbf),
        days(assumed.server.mttr),
        days(assumed.storage.mtbf),
        days(assumed.storage.mttr),
        format_args!("{:.1} s", assumed.failover.as_secs_f64()),
    )
}
