//! Mounting and unmounting, the kernel's table of mounts, and who uses one.
//!
//! A mount touches a disk that may hang: what changes anything here belongs into a [`super::hand`].

mod attach;
mod kernel;
mod reach;
mod room;
mod table;
mod users;

pub use attach::{Call, Refusal, attach, detach, sync};
pub use room::{Count, room};
pub use table::{Mounted, Table};
pub use users::{Search, User, Users};
