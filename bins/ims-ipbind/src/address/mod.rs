//! The address on the interface: `up`, `down` and `look`.

mod act;
pub mod cli;
mod look;
mod plan;
mod record;

use ims::{Exit, Fail, Host, Out};

pub use record::{AddressRecord, LinkRecord};

/// Puts an address on an interface, when nobody else answers for it, and tells the neighbours.
pub fn up(host: &Host, args: &cli::Up, out: &mut Out) -> Result<Exit, Fail> {
    act::up(host, args, out)
}

/// Takes an address off an interface.
pub fn down(_host: &Host, args: &cli::Down, out: &mut Out) -> Result<Exit, Fail> {
    act::down(args, out)
}

/// Says whether an address is on an interface, or whether the interface itself is up.
pub fn look(_host: &Host, args: &cli::Look, out: &mut Out) -> Result<Exit, Fail> {
    match args.address {
        Some(address) => look::address(address, &args.device, args.probe_wait.0, out),
        None => look::link(&args.device, out),
    }
}
