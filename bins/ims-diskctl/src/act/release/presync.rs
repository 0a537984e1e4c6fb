//! Writes out what is in memory while the volume is in use, so that the release that follows has little to write.
//!
//! How much that will be is told by the time that the last writing took, whatever the file system and the disk.

use std::time::Duration;

use ims::span::millis;
use ims::sys::hand::Hand;
use ims::{Exit, Fail};

use super::super::{go_on, show};
use super::Run;
use crate::cli::Release;
use crate::each::Told;
use crate::hand::WORDS;
use crate::look::Eye;
use crate::plan::Step;
use crate::volume::Volume;

use super::Site;

/// A writing that took no longer left nothing worth another.
const LITTLE: Duration = Duration::from_millis(20);
/// What is written meanwhile may be as much each time.
const MOST: usize = 8;

/// Runs `release --presync` on one volume. It takes no lock, for it would be in the way of the release itself.
pub fn presync(site: &Site<'_>, args: &Release, volume: &Volume, told: &mut Told) -> Result<Exit, Fail> {
    let eye = Eye::open(site.host, Hand::start(WORDS, None)?)?;
    let mut run = Run::open(site, args, volume, eye)?;
    let found = run.look()?;
    let mut record = found.record(volume, false);
    if let Some(there) = found.mounted_there() {
        if args.dry_run {
            show(&[Step::Sync(there.point.clone())], volume, told);
            return Ok(Exit::Ok);
        }
        let mut took = Vec::new();
        while goes_on(&took) {
            go_on(&site.stop, volume, "mounted still")?;
            run.sync(&there.point)?;
            took.extend(run.sync_took);
            if let Some(why) = run.unwritten.take() {
                let mount = volume.mount.display();
                return Err(Fail::failed(format!("not everything could be written out to {mount}"))
                    .because(why)
                    .hint("it is still mounted; see why the disk fails, and do not move what is on it"));
            }
        }
        record.sync_ms = run.sync_took.map(millis);
    }
    if !args.dry_run {
        told.record(record);
    }
    Ok(Exit::Ok)
}

/// Whether another writing may leave less for the release: the last was not short, and shorter than the one before.
fn goes_on(took: &[Duration]) -> bool {
    match took {
        [.., last] if *last <= LITTLE => false,
        [] | [_] => true,
        [.., before, last] => *last * 4 < *before * 3 && took.len() < MOST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_out_again_as_long_as_that_leaves_less() {
        for (took, expected) in [
            (&[][..], true),
            (&[900], true),
            (&[15], false),
            (&[900, 300], true),
            (&[900, 800], false),
            (&[900, 300, 20], false),
            (&[1 << 20, 1 << 18, 1 << 16, 1 << 14, 1 << 12, 1 << 10, 1 << 8, 1 << 6], false),
        ] {
            let took: Vec<Duration> = took.iter().map(|ms| Duration::from_millis(*ms)).collect();
            assert_eq!(goes_on(&took), expected, "{took:?}");
        }
    }
}
