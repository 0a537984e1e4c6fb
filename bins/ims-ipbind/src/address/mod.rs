//! The address on the interface: `up`, `down`, `announce` and `look`.

mod announce;
pub mod cli;
mod down;
mod look;
mod plan;
mod record;
mod up;

use ims::{Exit, Fail, Out};

pub use announce::announce;
pub use down::down;
pub use record::{AddressRecord, LinkRecord};
pub use up::up;

const NAME: &str = "ims-ipbind";

/// Says whether an address is on an interface, or whether the interface itself is up.
pub fn look(args: &cli::Look, out: &mut Out) -> Result<Exit, Fail> {
    match args.address {
        Some(address) => look::address(address, &args.device, args.probe_wait.0, out),
        None => look::link(&args.device, out),
    }
}
