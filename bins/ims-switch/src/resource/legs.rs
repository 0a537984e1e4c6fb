//! Whether a mirror has all its legs on this node: asked before anything is touched, for `ims-diskctl take` would refuse
//! it after the servers were stopped elsewhere.

use std::time::Duration;

use ims::group::Volume;
use ims::{Exit, Fail, State};
use serde::Deserialize;

use super::{Here, ask};
use crate::plan::line;

/// How long the disks may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is read of an `ims.mirror/1` record.
#[derive(Debug, Deserialize)]
pub struct Mirror {
    kind: String,
    active: bool,
    /// Up when every leg is there and alike.
    pub state: State,
    /// What is wrong with the legs.
    pub why: Option<String>,
}

/// How the legs of a volume are from this node; none of what is no mirror of its own.
pub fn look(here: &Here<'_>, volume: &Volume) -> Result<Option<Mirror>, Fail> {
    let Some(line) = line::mirror(volume) else { return Ok(None) };
    match ask::<Mirror>(here, &line, PATIENCE) {
        Ok((mirrors, _)) => Ok(mirrors.into_iter().find(|mirror| mirror.kind == "btrfs")),
        // It stands on one device.
        Err(fail) if fail.exit() == Exit::Usage => Ok(None),
        Err(fail) => Err(fail),
    }
}

/// Refuses a start that `ims-diskctl take` would refuse for the legs that are missing or stale.
pub fn may_start(here: &Here<'_>, volume: &Volume, degraded: bool) -> Result<(), Fail> {
    let Some(mirror) = look(here, volume)?.filter(|mirror| !mirror.active) else { return Ok(()) };
    let (mount, node) = (volume.mount.display(), here.host.name());
    let fail = |exit, what: &str| {
        let fail = Fail::new(exit, format!("{node}: {what} the mirror of {mount}"));
        fail.because(mirror.why.as_deref().unwrap_or("see ims-diskctl mirror"))
    };
    match mirror.state {
        State::Up => Ok(()),
        State::Partial if degraded || volume.degraded_start => Ok(()),
        State::Partial => Err(fail(Exit::Refused, "not every leg is in").hint(
            "nothing was touched; mend it (ims-diskctl mirror), or start without that leg: --degraded",
        )),
        State::Down => Err(fail(Exit::Refused, "no leg may start")
            .hint("nothing was touched; ims-diskctl take --dry-run says what would")),
        State::Unknown => Err(fail(Exit::Unknown, "cannot tell the legs of").hint("nothing was touched")),
    }
}
