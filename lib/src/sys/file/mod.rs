//! Files read with a bound, and replaced whole: old or new, never half, with owner, mode and extended attributes as
//! before.
//!
//! No symbolic link is crossed below a folder that somebody other than root can write.

mod place;
mod read;
mod remove;
mod replace;
mod secret;
#[cfg(test)]
mod tests;

pub(super) use place::{Existing, denied, existing};
pub use place::{folder_of, real_folder};
pub use read::{is_folder, is_there, read, read_named, read_own, read_text, text};
pub use remove::remove;
pub(super) use remove::temporary;
pub(super) use replace::like;
pub use replace::{Staged, replace};
pub use secret::{read_secret, read_secret_from};
