//! What is to be changed, decided from what was found; nothing here touches the disk.

mod dovecot;
mod iplanet5;
mod openldap;
mod postfix;

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::Path;

use ims::Fail;
use ims::edit::{Edit, Plan, Target, Way};
use ims::layout::Layout;

use super::chosen::Chosen;
use super::kept::Kept;
use super::look::Found;

/// The addresses as servers are told them.
#[derive(Debug, Clone)]
pub struct Wanted {
    ips: Vec<IpAddr>,
}

impl Wanted {
    /// All of them, in the order given.
    pub fn all(&self) -> &[IpAddr] {
        &self.ips
    }

    /// The first IPv4 one.
    pub fn v4(&self) -> Option<IpAddr> {
        self.ips.iter().copied().find(IpAddr::is_ipv4)
    }

    /// The first IPv6 one.
    pub fn v6(&self) -> Option<IpAddr> {
        self.ips.iter().copied().find(IpAddr::is_ipv6)
    }

    /// The one that takes another's place: of the same family, when there is one.
    pub fn instead_of(&self, other: Option<IpAddr>) -> Option<IpAddr> {
        let same = match other {
            Some(ip) if ip.is_ipv6() => self.v6(),
            Some(_) => self.v4(),
            None => None,
        };
        same.or_else(|| self.ips.first().copied())
    }

    /// As a list, with a comma and a blank between them.
    pub fn list(&self) -> String {
        self.ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// What makes the servers listen on the logical addresses alone.
pub fn set(one: &Chosen, found: &Found) -> Result<Plan, Fail> {
    found.vouches()?;
    let instance = &one.instance;
    let mut ips: Vec<IpAddr> = one.addresses.iter().map(|address| address.ip()).collect();
    let mut seen = std::collections::HashSet::new();
    ips.retain(|ip| seen.insert(*ip));
    let wanted = Wanted { ips };
    let mut plan = Plan {
        way: Way::Set,
        edits: Vec::new(),
        kept: None,
        listenaddr: None,
        notes: Vec::new(),
        layout: instance.layout,
    };
    match instance.layout {
        Layout::Iplanet5 | Layout::Messaging6 => iplanet5::set(instance, &wanted, found, &mut plan)?,
        Layout::PostfixDovecot => {
            if instance.mail {
                postfix::set(instance, &wanted, found, &mut plan)?;
                dovecot::set(instance, &wanted, found, &mut plan)?;
                if plan.edits.is_empty() {
                    let folder = instance.mail_dir();
                    return Err(Fail::usage(format!("{} has neither Postfix nor Dovecot", folder.display())));
                }
            }
            openldap::set(instance, &wanted, found, &mut plan)?;
        }
    }
    plan.kept = Some(Kept::after(instance, found, &plan.edits));
    Ok(plan)
}

/// What gives back everything as it was before the first `set`.
pub fn restore(one: &Chosen, found: &Found) -> Plan {
    let instance = &one.instance;
    let mut plan = Plan {
        way: Way::Restore,
        edits: Vec::new(),
        kept: None,
        listenaddr: None,
        notes: Vec::new(),
        layout: instance.layout,
    };
    let created = found.kept.as_ref().map(|kept| kept.created.as_slice()).unwrap_or_default();
    for (path, bytes) in &found.files {
        let was_created =
            path.strip_prefix(&instance.root).is_ok_and(|below| created.iter().any(|file| file == below));
        let new = match found.originals.get(path) {
            Some(original) => Some(iplanet5::given_back(path, original, bytes.as_deref())),
            None if was_created => None,
            None => bytes.clone(),
        };
        plan.edits.push(Edit { target: Target::File(path.clone()), old: bytes.clone(), new });
    }
    if let Some(now) = &found.listenaddr {
        let before = found.kept.as_ref().and_then(|kept| kept.listenaddr.as_ref()).unwrap_or(now);
        plan.edits.extend(iplanet5::parameter(instance, now, before));
        plan.listenaddr = Some(before.clone());
    }
    plan
}

/// A file that must be there to be changed.
fn must<'a>(found: &'a Found, path: &Path) -> Result<Cow<'a, str>, Fail> {
    found.text(path)?.ok_or_else(|| Fail::usage(format!("{} is not there", path.display())))
}

/// The address a name in configuration is written as, when it is one.
fn literal(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

/// Whether a configured address is of the node itself: a listener that clients never see and that stays.
fn is_loopback(text: &str) -> bool {
    text.eq_ignore_ascii_case("localhost") || literal(text).is_some_and(|ip| ip.is_loopback())
}

/// Where it stands, for a note.
fn at(path: &Path, line: usize) -> String {
    ims::place::Place::line(path, line).to_string()
}
