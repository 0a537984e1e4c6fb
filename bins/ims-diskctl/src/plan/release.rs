//! What is to be done to give a volume up. Pure.

use ims::Fail;

use super::Step;
use crate::guard::reservation::{Deed, Standing};
use crate::guard::sanlock::{self, Standing as Leased};
use crate::look::{Found, paths};
use crate::volume::Volume;

/// The steps that give a volume up: none when it is not mounted here.
pub fn release(volume: &Volume, found: &Found) -> Result<Vec<Step>, Fail> {
    let (device, mount) = (volume.device.display(), volume.mount.display());
    let Some(there) = found.mounted_there() else {
        return match (&found.top, found.mounts.is_empty()) {
            (None, true) if found.is_apart => {
                Err(Fail::refused(format!("{device} is mounted on this node, in another mount namespace"))
                    .hint("release it there; find it with: grep -l btrfs /proc/*/mountinfo"))
            }
            (None, true) => Ok(give_up(found)),
            (Some(top), _) => Err(Fail::refused(format!(
                "device {} ({}) is mounted on {mount}, and not {device}",
                top.device, top.fstype
            ))
            .hint("name the volume that is meant")),
            (None, false) => Err(Fail::refused(format!(
                "{device} is mounted on {} and not on {mount}",
                paths(&found.mounts)
            ))
            .hint("name that folder")),
        };
    };
    let elsewhere: Vec<_> = found.mounts.iter().filter(|mounted| mounted.id != there.id).collect();
    if !elsewhere.is_empty() {
        return Err(Fail::refused(format!("{device} is mounted on {} too", paths(elsewhere)))
            .hint("unmount it there first: until then this node holds it"));
    }
    let mut steps = vec![Step::Sync(there.point.clone()), Step::Unmount(there.point.clone())];
    steps.extend(give_up(found));
    Ok(steps)
}

/// The steps that give this node's reservation and lease up, if it has them.
fn give_up(found: &Found) -> Vec<Step> {
    let why = "so that another node can reserve it".to_owned();
    let mut steps = Vec::new();
    if found.standing == Some(Standing::Ours) {
        steps.push(Step::Reserve { deed: Deed::GiveUp, why });
    }
    // Last, for until then no other node begins.
    if let Some(Ok(Leased::Ours)) = found.lease_standing() {
        let why = "so that another node can take it".to_owned();
        steps.push(Step::Lease { deed: sanlock::Deed::GiveUp, watch: None, why });
    }
    steps
}
