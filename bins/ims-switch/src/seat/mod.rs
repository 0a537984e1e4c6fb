//! A node's side of a run: the same requests are answered in this process for this node, and by
//! `ims-switch serve` at the other end of a session for another.

mod claim;
pub mod clerk;
pub mod desk;
mod heard;
pub mod serve;
pub mod session;
pub mod wire;

use std::time::Duration;

use ims::Fail;
use ims::name::NodeName;

use desk::Desk;
use session::Session;
use wire::{Ask, Say};

/// Where requests for a node go.
#[derive(Debug)]
pub enum Seat {
    /// To this process.
    Here(Box<Desk>),
    /// Through a session.
    There(Session),
}

impl Seat {
    /// The node.
    pub const fn node(&self) -> &NodeName {
        match self {
            Self::Here(desk) => desk.node(),
            Self::There(session) => session.node(),
        }
    }

    /// Asks for something and waits for what was done.
    pub fn ask(&self, ask: Ask, timeout: Duration) -> Result<Say, Fail> {
        match self {
            Self::Here(desk) => desk.perform(ask),
            Self::There(session) => session.ask(ask, timeout),
        }
    }

    /// Why the session was lost, when it was.
    pub fn lost(&self) -> Option<String> {
        match self {
            Self::Here(_) => None,
            Self::There(session) => session.lost(),
        }
    }
}
