//! Mail servers to move about: a maker of server roots, and the clients that see what their users would see.
//!
//! It knows nothing of nodes: files go below a folder that stands for the node's `/`, commands through a closure.

#![allow(dead_code, unused_imports)] // each test binary uses a part of it

pub mod config;
pub mod iplanet;
pub mod postfix_dovecot;
pub mod root;
pub mod users;

pub use root::{Directory, Mail, Ports, ServerRoot};
pub use users::{DOMAIN, User};
