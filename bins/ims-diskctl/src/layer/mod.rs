//! The layers that a volume stands on, each a driver: what a tool tells of it ([`Sight`]), and the command lines that
//! activate it and let it go. The sights are pure; the tools are run by a hand ([`tools::Tools`]).

mod btrfs;
mod drbd;
mod lvm;
mod md;
pub mod stack;
pub mod tools;
mod vxvm;
mod zfs;

use std::fmt::Debug;

use ims::layer::Layer;
use ims::sys::exec::Line;
use ims::{Fail, State};
use jiff::Timestamp;

use crate::proof::{Holder, Proof};
use crate::record;
use tools::Tools;

/// How a layer stands to this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Active here, all of it.
    Active,
    /// Active here in part, or not so that it could be written.
    Partly,
    /// Not active here, and nobody is said to have it.
    Free,
    /// Not active here, and this node's all the same.
    Ours,
    /// Another node's, which has it or had it when it died.
    Theirs(String),
    /// Not active here, and whether another node has it cannot be told: why.
    Unsure(String),
}

/// What was seen of a layer.
pub trait Sight: Debug {
    /// How it stands to this node.
    fn standing(&self) -> Standing;

    /// Whether what stands on it can be used, `degraded` though a part is missing.
    fn is_enough(&self, _degraded: bool) -> bool {
        self.standing() == Standing::Active
    }

    /// Whether one node alone can have it active.
    fn is_exclusive(&self) -> bool {
        true
    }

    /// Whether it keeps the other nodes off by itself, and so guards what stands on it.
    fn is_guard(&self) -> bool {
        true
    }

    /// When the node that has it gave its last sign of life, where the layer tells.
    fn last_sign(&self) -> Option<Timestamp> {
        None
    }

    /// How many parts of it are missing.
    fn missing(&self) -> u32 {
        0
    }

    /// What people should know of it.
    fn why(&self) -> Option<String> {
        None
    }

    /// The command lines that activate it here; where another has it, that take it over.
    fn up(&self, degraded: bool) -> Vec<Line>;

    /// The command lines that let it go, so that another node can have it.
    fn down(&self) -> Vec<Line>;
}

/// Looks at a layer whose lower layers are active, on the node of this name.
pub fn look(layer: &Layer, us: &str, tools: &mut Tools<'_>) -> Result<Box<dyn Sight>, Fail> {
    Ok(match layer {
        Layer::Lvm { group, volume } => Box::new(lvm::look(group, volume.as_deref(), tools)?),
        Layer::Md(path) => Box::new(md::look(path, tools)?),
        Layer::Drbd(resource) => Box::new(drbd::look(resource, us, tools)?),
        Layer::Zfs(pool) => Box::new(zfs::look(pool, tools)?),
        Layer::Btrfs(uuid) => Box::new(btrfs::look(uuid, tools)?),
        Layer::Vxvm(group) => Box::new(vxvm::look(group, tools)?),
    })
}

/// How layers are to be activated.
#[derive(Debug, Clone, Copy)]
pub struct Taking<'a> {
    /// The name of this node.
    pub us: &'a str,
    /// The proof that the node which has it was fenced.
    pub proof: Option<&'a Proof>,
    /// Whether somebody else keeps the other nodes away, as `--guard none` says.
    pub is_alone: bool,
    /// Whether it may be used though a part of it is missing.
    pub degraded: bool,
    /// The time.
    pub now: Timestamp,
}

/// The command lines that activate a layer, none where it is; or the rule that forbids it.
pub fn up(layer: &Layer, sight: &dyn Sight, taking: &Taking<'_>) -> Result<Vec<Line>, Fail> {
    match sight.standing() {
        Standing::Active => return Ok(Vec::new()),
        Standing::Partly | Standing::Free | Standing::Ours => {}
        Standing::Unsure(_) if taking.is_alone => {}
        Standing::Unsure(why) => {
            return Err(Fail::refused(format!("{layer} may be active on another node"))
                .because(why)
                .hint("see to it there; or say --guard none where something else keeps them off"));
        }
        Standing::Theirs(who) => {
            let fail = Fail::refused(format!("{layer} belongs to {who}"))
                .hint(format!("release it there, or fence {who}"));
            let Some(proof) = taking.proof else { return Err(fail) };
            let holder =
                Holder { name: Some(&who), last_sign: sight.last_sign(), us: taking.us, guard: None };
            if let Err(why) = proof.proves(&holder, taking.now) {
                return Err(fail.because(format!("{} does not prove it dead: {why}", proof.from)));
            }
        }
    }
    Ok(sight.up(taking.degraded))
}

/// The state in a record.
pub fn state(standing: &Standing) -> State {
    match standing {
        Standing::Active => State::Up,
        Standing::Partly => State::Partial,
        Standing::Free | Standing::Ours | Standing::Theirs(_) => State::Down,
        Standing::Unsure(_) => State::Unknown,
    }
}

/// What is told of a layer; `us` is the name of this node.
pub fn told(layer: &Layer, sight: &dyn Sight, us: &str) -> record::Layer {
    let standing = sight.standing();
    let held_by = match &standing {
        Standing::Active | Standing::Partly | Standing::Ours => {
            Some(us.to_owned()).filter(|_| sight.is_exclusive())
        }
        Standing::Theirs(who) => Some(who.clone()),
        Standing::Free | Standing::Unsure(_) => None,
    };
    let unsure = match &standing {
        Standing::Unsure(why) => Some(why.clone()),
        Standing::Active | Standing::Partly | Standing::Free | Standing::Ours | Standing::Theirs(_) => None,
    };
    record::Layer {
        layer: layer.clone(),
        state: state(&standing),
        held_by,
        is_guard: sight.is_guard(),
        missing: sight.missing(),
        why: unsure.or_else(|| sight.why()),
    }
}

/// A tool's answer that is not what its documentation says.
fn strange(tool: &str, why: impl std::fmt::Display) -> Fail {
    Fail::unknown(format!("{tool} answers something that is not understood")).because(why)
}
