//! What a volume stands on: activated bottom up before the volume is taken, let go top down after it was released; what
//! a run activated is let go again when the volume could not be taken. A disk group is layers alone.

use std::path::Path;
use std::time::{Duration, Instant};

use ims::layer::Layer;
use ims::sys::block;
use ims::{Exit, Fail};

use super::Site;
use crate::cli;
use crate::each::Told;
use crate::layer::stack::{Raising, Seen, Stack};
use crate::look::can_be_looked_at;
use crate::proof::Proof;
use crate::record;
use crate::volume::{DiskGroup, Item, Volume, Wanted};

/// How long the file of a device may take to appear after the device is there.
const APPEARS: Duration = Duration::from_secs(5);

/// Takes a volume or a disk group.
pub fn take(site: &Site<'_>, args: &cli::Take, item: &Item, told: &mut Told) -> Result<Exit, Fail> {
    match item {
        Item::Volume(volume) if volume.layers.is_empty() => super::take::take(site, args, volume, &[], told),
        Item::Volume(volume) => take_volume(site, args, volume, told),
        Item::DiskGroup(group) => take_disk_group(site, args, group, told),
    }
}

/// Releases a volume or a disk group.
pub fn release(site: &Site<'_>, args: &cli::Release, item: &Item, told: &mut Told) -> Result<Exit, Fail> {
    match item {
        Item::Volume(volume) if volume.layers.is_empty() => super::release::release(site, args, volume, told),
        Item::Volume(volume) => release_volume(site, args, volume, told),
        Item::DiskGroup(group) => release_disk_group(site, args, group, told),
    }
}

fn take_volume(site: &Site<'_>, args: &cli::Take, volume: &Volume, told: &mut Told) -> Result<Exit, Fail> {
    let raising = raising(site, args, volume.guard);
    if args.dry_run {
        let are_active = would_raise(site, &volume.layers, &raising, volume.name.as_deref(), told)?;
        if !are_active {
            return Ok(Exit::Ok);
        }
        let layers = Stack::to_look(site.host, &volume.layers, site.deadline)?.told();
        return super::take::take(site, args, volume, &layers, told);
    }
    let (has_changed, layers) =
        Stack::to_change(site.host, &volume.layers, site.deadline)?.raise(&raising)?;
    let taken =
        appears(&volume.device, site).and_then(|()| super::take::take(site, args, volume, &layers, told));
    match taken {
        Ok(exit) => {
            told.amend(|record| {
                record.layers.clone_from(&layers);
                record.changed |= has_changed;
            });
            Ok(exit)
        }
        Err(fail) if has_changed => Err(undone(site, &volume.layers, fail)),
        Err(fail) => Err(fail),
    }
}

fn take_disk_group(
    site: &Site<'_>,
    args: &cli::Take,
    group: &DiskGroup,
    told: &mut Told,
) -> Result<Exit, Fail> {
    let raising = raising(site, args, Wanted::Auto);
    if args.dry_run {
        would_raise(site, &group.layers, &raising, group.name.as_deref(), told)?;
        return Ok(Exit::Ok);
    }
    let (changed, layers) = Stack::to_change(site.host, &group.layers, site.deadline)?.raise(&raising)?;
    told.record(record::DiskGroup::of(group, layers, changed));
    Ok(Exit::Ok)
}

fn release_volume(
    site: &Site<'_>,
    args: &cli::Release,
    volume: &Volume,
    told: &mut Told,
) -> Result<Exit, Fail> {
    let layers = Stack::to_look(site.host, &volume.layers, site.deadline)?.told();
    let is_there = can_be_looked_at(volume, &layers)?;
    if is_there {
        super::release::release(site, args, volume, told)?;
    }
    if args.dry_run {
        return would_lower(site, &volume.layers, volume.name.as_deref(), told);
    }
    let mut stack = Stack::to_change(site.host, &volume.layers, site.deadline)?;
    let lowered = stack.lower_all();
    let has_changed = lowered.map_err(|fail| if is_there { held_still(volume, &fail) } else { fail })?;
    let layers = stack.told();
    if !is_there {
        told.volume(record::Volume::asleep(volume));
    }
    told.amend(|record| {
        record.layers.clone_from(&layers);
        record.changed |= has_changed;
    });
    Ok(Exit::Ok)
}

/// The volume is not mounted any more, and what it stands on is not let go.
fn held_still(volume: &Volume, fail: &Fail) -> Fail {
    Fail::broken(format!("{} is not mounted any more, but its layers are held still", volume.called()))
        .because(fail)
        .hint("see who uses the device; then run it again")
}

fn release_disk_group(
    site: &Site<'_>,
    args: &cli::Release,
    group: &DiskGroup,
    told: &mut Told,
) -> Result<Exit, Fail> {
    if args.dry_run {
        return would_lower(site, &group.layers, group.name.as_deref(), told);
    }
    let mut stack = Stack::to_change(site.host, &group.layers, site.deadline)?;
    let changed = stack.lower_all()?;
    told.record(record::DiskGroup::of(group, stack.told(), changed));
    Ok(Exit::Ok)
}

fn raising<'a>(site: &'a Site<'_>, args: &'a cli::Take, guard: Wanted) -> Raising<'a> {
    Raising {
        proof: args.proof.as_deref(),
        word: args.confirm_fenced.as_ref().map(Proof::by_word),
        is_alone: guard == Wanted::None,
        degraded: args.legs.degraded,
        stop: &site.stop,
    }
}

/// Waits for the file of a device, which udev makes a moment after the kernel has the device.
fn appears(device: &Path, site: &Site<'_>) -> Result<(), Fail> {
    let end = Instant::now() + APPEARS.min(site.deadline.left());
    loop {
        match block::number_of(device) {
            Ok(_) => return Ok(()),
            Err(fail) if fail.exit() == Exit::Unknown && Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(10)); // a tool built without udev does not wait for the file, and nobody tells of it
            }
            Err(fail) => return Err(fail),
        }
    }
}

/// A take that failed after this run activated the layers. Where it may be mounted all the same they stay.
fn undone(site: &Site<'_>, layers: &[Layer], fail: Fail) -> Fail {
    match fail.exit() {
        Exit::Broken | Exit::Unknown => return fail,
        Exit::Ok | Exit::No | Exit::Usage | Exit::Refused | Exit::Failed | Exit::Busy => {}
    }
    let lowered = Stack::to_change(site.host, layers, site.deadline).and_then(|mut stack| stack.lower_all());
    match lowered {
        Ok(_) => fail,
        Err(undo) => fail.and_undo_failed(undo),
    }
}

/// Shows what would be done; says whether all layers are active already.
fn would_raise(
    site: &Site<'_>,
    layers: &[Layer],
    raising: &Raising<'_>,
    resource: Option<&str>,
    told: &mut Told,
) -> Result<bool, Fail> {
    let mut stack = Stack::to_look(site.host, layers, site.deadline)?;
    let mut are_active = true;
    for (layer, seen) in stack.seen() {
        match seen {
            Seen::Sight(sight) => {
                let lines = stack.lines(layer, sight.as_ref(), raising)?;
                are_active &= sight.is_enough(raising.degraded);
                for line in lines {
                    told.record(record::LayerStep::new(resource, "activate", layer, Some(&line)));
                }
            }
            // What has to be done there can be told when the layer below is active.
            Seen::Hidden(_) => told.record(record::LayerStep::new(resource, "activate", layer, None)),
            Seen::Unknown(fail) => return Err(fail),
        }
    }
    Ok(are_active)
}

fn would_lower(
    site: &Site<'_>,
    layers: &[Layer],
    resource: Option<&str>,
    told: &mut Told,
) -> Result<Exit, Fail> {
    let mut stack = Stack::to_look(site.host, layers, site.deadline)?;
    for (layer, seen) in stack.seen().into_iter().rev() {
        match seen {
            Seen::Sight(sight) => {
                for line in sight.down() {
                    told.record(record::LayerStep::new(resource, "deactivate", layer, Some(&line)));
                }
            }
            Seen::Hidden(_) => {}
            Seen::Unknown(fail) => return Err(fail),
        }
    }
    Ok(Exit::Ok)
}
