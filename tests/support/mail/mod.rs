//! Mail servers to move about: a maker of server roots, and the clients that see what their users would see.
//!
//! It knows nothing of nodes: files go below a folder that stands for the node's `/`, commands through a closure.

pub mod audit;
pub mod banner;
pub mod config;
pub mod imap;
pub mod iplanet;
pub mod postfix_dovecot;
pub mod root;
pub mod service;
pub mod smtp;
#[cfg(test)]
mod stale_cache;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod users;

pub use audit::{Account, account, account_within};
pub use banner::{Banner, Outage};
pub use imap::Mailbox;
pub use root::{Directory, Flavour, Mail, Ports, ServerRoot};
pub use smtp::{Fate, Session};
pub use stream::{Ledger, Message, Stream};
pub use users::{DOMAIN, User};
