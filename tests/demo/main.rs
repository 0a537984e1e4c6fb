//! The main job, end to end, on real servers: a mail service moves between two nodes, by plan and by power cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

use support::mail::{Directory, Mail, ServerRoot};

fn main() {
    let to = std::env::args().nth(1).unwrap();
    ServerRoot::postfix_dovecot("/global/ims/server5")
        .mail(Mail::new("stork", "ldap://192.0.2.10:389/"))
        .directory(Directory::new("mail"))
        .lay(to.as_ref())
        .unwrap();
    ServerRoot::seed().lay(to.as_ref()).unwrap();
}
