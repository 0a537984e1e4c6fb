//! Planned and unplanned moves as a client sees them, beside a script of bare programs and beside Pacemaker with its
//! stock agents, each in turn on nodes of the same kind.

mod cut;
mod floor;
mod mail;
mod pacemaker;
mod seen;
mod server;
mod stage;
mod ten;
mod trivial;

pub use mail::service;
pub use server::be_asked;
pub use ten::resources as ten;
pub use trivial::group as trivial;
