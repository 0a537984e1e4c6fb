//! What the command prints.

mod guard;
mod layer;
mod step;
mod volume;

pub use guard::{Guard, GuardKind, GuardState, Lease, LeaseState, Reservation};
pub use layer::{DiskGroup, Layer};
pub use step::{LayerStep, VolumeStep};
pub use volume::{User, Volume};
