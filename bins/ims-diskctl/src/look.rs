//! What is there: the device, the file system and guard on it, the mounts of this node.

mod eye;
mod told;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::layer::Layer;
use ims::sys::block::{self, Number};
use ims::sys::hand::Hand;
use ims::sys::mount::{Mounted, Table};
use ims::sys::reservation::Seen as Reserved;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, State};

use eye::{is_of, parts};

use crate::NAME;
use crate::act::Deadline;
use crate::cli::Look;
use crate::each::{Order, each_item};
use crate::guard::mmp::Block;
use crate::guard::reservation::Standing;
use crate::guard::sanlock::{self, Standing as Leased};
use crate::hand::{Disk, Place, WORDS};
use crate::layer::stack::Stack;
use crate::naming::Asked;
use crate::record;
use crate::volume::{Item, Volume};

pub use eye::Eye;

/// A volume as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The name of this node.
    pub us: String,
    /// The device's number.
    pub number: Number,
    /// The mount point.
    pub place: Place,
    /// What stands on the device, or why that can not be told.
    pub disk: Result<Disk, String>,
    /// Where the file system is mounted on this node.
    pub mounts: Vec<Mounted>,
    /// Whether it is mounted on this node, and not where this mount namespace shows it.
    pub is_apart: bool,
    /// What is mounted at the mount point, on top.
    pub top: Option<Mounted>,
    /// What is mounted on folders of the volume, where it is mounted as wanted.
    pub nested: Vec<Mounted>,
    /// The node that wrote the guard block last.
    pub signer: Option<String>,
    /// What the disk says of its reservations; absent when it knows none.
    pub reserved: Result<Option<Reserved>, String>,
    /// How the disk stands to this node; absent when it knows no reservations.
    pub standing: Option<Standing>,
    /// The node that reserved it, or the key that is no node's that we know.
    pub reserved_by: Option<String>,
    /// The other node that signs the guard of what is mounted here: two have it.
    pub rival: Option<String>,
    /// What it stands on, as that was when it was asked.
    pub layers: Vec<record::Layer>,
    /// What is known of its lease; absent when none was named.
    pub lease: Option<Result<sanlock::Seen, String>>,
}

impl Found {
    /// Where the volume is, or is to be, mounted: without symbolic links if that could be told.
    pub fn point<'a>(&'a self, volume: &'a Volume) -> &'a Path {
        match &self.place {
            Place::Folder(path) => path,
            Place::Missing | Place::Unusable(_) => &volume.mount,
        }
    }

    /// The guard block, if the volume has one that can be read.
    pub fn guard(&self) -> Option<&Block> {
        self.disk.as_ref().ok()?.guard.as_ref()?.as_ref().ok()
    }

    /// The mount of this very file system, whole, at the mount point.
    pub fn mounted_there(&self) -> Option<&Mounted> {
        self.top.as_ref().filter(|top| top.is_whole() && self.mounts.iter().any(|ours| ours.id == top.id))
    }

    /// Whether the volume is mounted there, from what the kernel's table says alone.
    pub fn mounted(&self) -> State {
        match (self.mounted_there(), &self.top) {
            (Some(there), _) if there.is_writable() => State::Up,
            (None, None) if self.mounts.is_empty() && !self.is_apart => State::Down,
            (_, _) => State::Partial,
        }
    }

    /// The state of the volume: a disk that does not answer makes it unknown.
    pub fn state(&self) -> State {
        let guard_is_readable =
            self.disk.as_ref().is_ok_and(|disk| disk.guard.as_ref().is_none_or(Result::is_ok));
        let lease = self.lease_standing();
        match (self.mounted(), self.standing) {
            (State::Up, Some(Standing::Theirs(_) | Standing::Strange(_))) => State::Partial,
            (State::Up, _) if self.rival.is_some() => State::Partial,
            _ if !guard_is_readable || matches!(self.lease, Some(Err(_))) => State::Unknown,
            (State::Up, _) if matches!(lease, Some(Err(_))) => State::Unknown,
            (State::Up, _) if matches!(lease, Some(Ok(Leased::Free | Leased::Theirs(_)))) => State::Partial,
            (state, _) => state,
        }
    }

    /// How its lease stands to this node, or why that cannot be told; absent when none was named.
    pub fn lease_standing(&self) -> Option<Result<Leased, String>> {
        self.lease
            .as_ref()
            .map(|lease| lease.as_ref().map_err(Clone::clone).and_then(sanlock::Seen::standing))
    }

    /// The node that holds it by the strongest of its guards that names one.
    pub fn holder(&self) -> Option<String> {
        self.reserved_by.clone().or_else(|| self.leased_to()).or_else(|| self.signer.clone())
    }

    /// The node that has its lease.
    pub fn leased_to(&self) -> Option<String> {
        match self.lease_standing()? {
            Ok(Leased::Theirs(host)) => Some(host.node().to_owned()),
            Ok(Leased::Ours) => Some(self.us.clone()),
            Ok(Leased::Free) | Err(_) => None,
        }
    }
}

/// Prints what is there, of each volume.
pub fn print(host: &Host, args: &Look, out: &mut Out) -> Result<Exit, Fail> {
    each_item(&Asked::load(host, &args.volumes)?, Order::Any, out, |item, told| match item {
        Item::Volume(volume) => {
            let record = volume_record(host, volume, args.timeout.0)?;
            let exit = said(record.state, record.why.as_deref());
            told.record(record);
            Ok(exit)
        }
        Item::DiskGroup(group) => {
            let record = record::DiskGroup::of(group, layers(host, &group.layers, args.timeout.0)?, false);
            let exit = said(record.state, record.why.as_deref());
            told.record(record);
            Ok(exit)
        }
    })
}

/// Tells why the state is not plain, and gives the exit status of it.
fn said(state: State, why: Option<&str>) -> Exit {
    if let Some(why) = why {
        stderr::say(NAME, why);
    }
    state.into()
}

fn volume_record(host: &Host, volume: &Volume, patience: Duration) -> Result<record::Volume, Fail> {
    let layers = layers(host, &volume.layers, patience)?;
    if !can_be_looked_at(volume, &layers)? {
        return Ok(record::Volume::asleep(volume).on(layers));
    }
    block::number_of(&volume.device)?;
    let mut eye = Eye::open(host, Hand::start(WORDS, None)?)?;
    Ok(eye.look(volume, patience)?.record(volume, false).on(layers))
}

/// Whether a volume's device can be asked: what it stands on is active, or the volume is mounted all the same. A device
/// may be there and answer nobody while its layers are not active.
pub fn can_be_looked_at(volume: &Volume, layers: &[record::Layer]) -> Result<bool, Fail> {
    let are_active = layers.iter().all(|layer| layer.state == State::Up);
    let is_mounted = |number| {
        let parts = parts(number)?;
        Ok(Table::load()?.iter().any(|mounted| is_of(mounted, number, &parts)))
    };
    if are_active { Ok(true) } else { block::number_of(&volume.device).map_or(Ok(false), is_mounted) }
}

/// Looks at layers; none where there is none.
pub fn layers(host: &Host, layers: &[Layer], patience: Duration) -> Result<Vec<record::Layer>, Fail> {
    if layers.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Stack::to_look(host, layers, Deadline::after(patience))?.told())
}

/// The paths of mounts, for people.
pub fn paths<'a>(mounts: impl IntoIterator<Item = &'a Mounted>) -> String {
    let paths: Vec<PathBuf> = mounts.into_iter().map(|mounted| mounted.point.clone()).collect();
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
