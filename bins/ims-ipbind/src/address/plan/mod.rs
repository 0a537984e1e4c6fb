//! What to do with an address, from where it stands now. Pure: (wanted, found) → steps.

use std::fmt;
use std::time::Duration;

use ims::address::LogicalIp;
use ims::sys::net::{Link, Maker, Standing};
use ims::{Exit, Fail};

use super::cli;
use super::look::{Place, nobody_to_ask};

/// One step of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask the neighbours whether somebody else has the address.
    Ask(Duration),
    /// Reset the connections of the address.
    Reset,
    /// Take the address off.
    Remove,
    /// Put the address on.
    Add,
    /// Mark the address as ours.
    Adopt,
    /// Forget which neighbour had the address.
    Forget,
    /// Tell the neighbours.
    Announce,
}

impl Step {
    /// Whether the step is sure to change this node.
    pub const fn is_change(self) -> bool {
        match self {
            Self::Add | Self::Remove | Self::Adopt => true,
            Self::Ask(_) | Self::Reset | Self::Forget | Self::Announce => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(wait) => write!(f, "ask the neighbours for {wait:?} whether somebody has it"),
            Self::Reset => f.write_str("reset its connections"),
            Self::Remove => f.write_str("take it off"),
            Self::Add => f.write_str("put it on"),
            Self::Adopt => f.write_str("mark it as ours"),
            Self::Forget => f.write_str("forget which neighbour had it"),
            Self::Announce => f.write_str("tell the neighbours"),
        }
    }
}

/// The steps that bring an address up on a link.
///
/// An address that is there is announced again all the same: a run that was killed may have added and not told.
/// One that the kernel would not let be used, because it looks for a duplicate or found one, is put on anew.
pub fn up(link: &Link, place: &Place, args: &cli::Up) -> Result<Vec<Step>, Fail> {
    let (address, wait) = (args.address, args.probe_wait.0);
    match place {
        Place::Here(_, Maker::Other) if !args.adopt => return Err(stands_already(address, &link.name)),
        Place::Nowhere | Place::Here(..) => {}
        Place::OtherPrefix(prefix, maker) => {
            return Err(other_prefix(address, &link.name, *prefix, *maker));
        }
        Place::OtherDevice(other, prefix, maker) => {
            return Err(other_device(address, &link.name, other, *prefix, *maker));
        }
    }
    if !link.is_up {
        return Err(Fail::new(Exit::Failed, format!("cannot bring {address} up: {} is set down", link.name))
            .hint(format!("ip link set {} up", link.name)));
    }
    let is_usable = matches!(place, Place::Here(Standing::Usable, _));
    let asks = !is_usable && link.has_neighbours && !wait.is_zero();
    if asks && !link.has_carrier {
        return Err(nobody_to_ask(link, address));
    }
    let mut steps = Vec::new();
    if asks {
        steps.push(Step::Ask(wait));
    }
    match place {
        Place::Here(Standing::Usable, Maker::Other) => steps.push(Step::Adopt),
        Place::Here(Standing::Usable, Maker::Us | Maker::Untold) => {}
        Place::Here(Standing::Tentative | Standing::Duplicate, _) => {
            steps.extend([Step::Remove, Step::Add]);
        }
        Place::Nowhere | Place::OtherPrefix(..) | Place::OtherDevice(..) => steps.push(Step::Add),
    }
    if args.flush_neighbours {
        steps.push(Step::Forget);
    }
    if link.has_neighbours {
        steps.push(Step::Announce);
    }
    Ok(steps)
}

/// The steps that take an address off a link; none when it is not there.
///
/// Its connections are reset unless it stands on this node a second time, so that it goes on being used.
pub fn down(place: &Place, is_alone: bool, args: &cli::Down) -> Result<Vec<Step>, Fail> {
    let (address, device) = (args.address, &args.device);
    let mut steps = Vec::new();
    match place {
        Place::Nowhere => {}
        Place::Here(_, Maker::Other) if !args.force_not_ours => {
            return Err(Fail::refused(format!("{address} on {device} was not put on by ims-ipbind")).hint(
                "have it taken off by whoever put it on, or take it off all the same with --force-not-ours",
            ));
        }
        Place::Here(..) => {
            if is_alone && !args.keep_connections {
                steps.push(Step::Reset);
            }
            steps.push(Step::Remove);
        }
        Place::OtherPrefix(prefix, maker) => return Err(other_prefix(address, device, *prefix, *maker)),
        Place::OtherDevice(other, prefix, maker) => {
            return Err(other_device(address, device, other, *prefix, *maker));
        }
    }
    if args.flush_neighbours {
        steps.push(Step::Forget);
    }
    Ok(steps)
}

/// Whether there is anybody to be told that an address is at this link; fails when that would not be true.
pub fn announce(address: LogicalIp, link: &Link, place: &Place) -> Result<bool, Fail> {
    let device = &link.name;
    let why = match place {
        Place::Here(Standing::Usable, _) if !link.is_up => format!("{device} is set down"),
        Place::Here(Standing::Usable, _) if !link.has_carrier => {
            return Err(Fail::failed(format!("cannot announce {address}: {device} is not connected")));
        }
        Place::Here(Standing::Usable, _) => return Ok(link.has_neighbours),
        Place::Here(Standing::Tentative, _) => "the kernel still looks for a duplicate".to_owned(),
        Place::Here(Standing::Duplicate, _) => "the kernel found a duplicate".to_owned(),
        Place::Nowhere => "it is not there".to_owned(),
        Place::OtherPrefix(prefix, _) => format!("it stands there with the prefix length {prefix}"),
        Place::OtherDevice(other, ..) => format!("it is on {other}"),
    };
    Err(Fail::refused(format!("{address} is not up on {device}")).because(why))
}

/// The address went with its interface.
pub fn is_gone(address: LogicalIp, device: &str) -> Fail {
    Fail::refused(format!("{address} is not up on {device}"))
        .because(format!("there is no interface {device}"))
}

pub fn stands_already(address: LogicalIp, device: &str) -> Fail {
    Fail::refused(format!("{address} is on {device} already and was not put on by ims-ipbind")).hint(
        "whoever put it on may do so on another node too, at boot for example; when that is settled, add --adopt",
    )
}

fn other_prefix(address: LogicalIp, device: &str, prefix: u8, maker: Maker) -> Fail {
    let there = format!("{}/{prefix}", address.address());
    Fail::refused(format!("{device} has {there}, not {address}"))
        .hint(format!("correct the prefix length, or first: {}", taken_off(&there, device, maker)))
}

fn other_device(address: LogicalIp, device: &str, other: &str, prefix: u8, maker: Maker) -> Fail {
    let there = format!("{}/{prefix}", address.address());
    Fail::refused(format!("{} is on {other}, not on {device}", address.address()))
        .hint(format!("correct the interface, or first: {}", taken_off(&there, other, maker)))
}

/// The command that takes an address off where it stands.
fn taken_off(there: &str, device: &str, maker: Maker) -> String {
    match maker {
        Maker::Us | Maker::Untold => format!("ims-ipbind down {there} --device {device}"),
        Maker::Other => format!("have {there} taken off {device} by whoever put it on"),
    }
}

#[cfg(test)]
mod tests;
