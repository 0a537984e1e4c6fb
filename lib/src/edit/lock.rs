//! Whose turn it is to change an instance's configuration, and that of its directory servers.

use std::collections::BTreeSet;
use std::time::Duration;

use super::kept::Kept;
use crate::instance::Instance;
use crate::sys::lock::Lock;
use crate::{Fail, Host};

/// Takes the locks of the instances, then those of their directory servers, which other instances may share: those that
/// they have, and those that an earlier `set` bound with them. They are taken in one order, so that no two runs wait
/// for each other.
pub fn locks(host: &Host, instances: &[&Instance], patience: Duration) -> Result<Vec<Lock>, Fail> {
    let names: BTreeSet<_> = instances.iter().map(|instance| &instance.name).collect();
    let take = |name: String| Lock::named(host, &name, patience);
    let mut held =
        names.into_iter().map(|name| take(format!("ipbind-{name}"))).collect::<Result<Vec<_>, _>>()?;
    let mut directories = BTreeSet::new();
    for instance in instances {
        directories.extend(instance.ldap.clone());
        directories.extend(Kept::load(host, instance)?.into_iter().flat_map(|kept| kept.ldap));
    }
    for name in directories {
        held.push(take(format!("slapd-{name}"))?);
    }
    Ok(held)
}
