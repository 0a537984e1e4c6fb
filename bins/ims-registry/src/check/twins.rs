//! What two entries have in common and should not: addresses, directory servers, ports.

use std::collections::HashMap;
use std::hash::Hash;

use ims::layout::{Bind, Listener, Service};

use super::Looked;
use super::record::{Aspect, Finding};

/// The findings of each entry, in the order of the entries.
pub fn findings(all: &[Looked]) -> Vec<Vec<Finding>> {
    let mut found: Vec<Vec<Finding>> = all.iter().map(|_| Vec::new()).collect();
    for (at, finding) in addresses(all).into_iter().chain(directories(all)).chain(ports(all)) {
        if let Some(of) = found.get_mut(at) {
            of.push(finding);
        }
    }
    found
}

fn addresses(all: &[Looked]) -> Vec<(usize, Finding)> {
    let of = |looked: &Looked| looked.instance.addresses.clone();
    among(all, of, |address, one, other| {
        let name = &other.instance.name;
        let what = format!("{name} has the address {address} too ({})", other.at);
        let mend = format!("give one of them its own: ims-registry add {name} --address ADDRESS");
        let finding = || Finding::down(&one.instance, Aspect::Address, one.at.clone(), what, mend);
        have_alike(one, other).then(finding)
    })
}

fn directories(all: &[Looked]) -> Vec<(usize, Finding)> {
    let of = |looked: &Looked| {
        let instance = &looked.instance;
        instance.ldap.iter().map(|ldap| (ldap.clone(), instance.root.clone())).collect()
    };
    among(all, of, |(ldap, _), one, other| {
        let what = format!("{} has the directory server {ldap} too ({})", other.instance.name, other.at);
        let mend = "remove one of the two entries and add it without --ldap";
        Some(Finding::down(&one.instance, Aspect::Directory, one.at.clone(), what, mend))
    })
}

fn ports(all: &[Looked]) -> Vec<(usize, Finding)> {
    let of = |looked: &Looked| looked.listeners.iter().map(|listener| listener.port).collect();
    among(all, of, |port, one, other| {
        let mut ours = one.listeners.iter().filter(|ours| ours.port == *port);
        let (ours, theirs) = ours.find_map(|ours| {
            other.listeners.iter().find(|theirs| collide(ours, theirs)).map(|theirs| (ours, theirs))
        })?;
        let name = &other.instance.name;
        let what = format!("{name} wants port {port} too ({})", theirs.at);
        let mend = format!("ims-portcheck {} {name} tells what to do", one.instance.name);
        Some(Finding::down(&one.instance, Aspect::Port, ours.at.clone(), what, mend))
    })
}

/// For each entry and each thing of a kind that it has, what there is to tell of the first other entry that has it too.
fn among<K: Clone + Eq + Hash>(
    all: &[Looked],
    of: impl Fn(&Looked) -> Vec<K>,
    tell: impl Fn(&K, &Looked, &Looked) -> Option<Finding>,
) -> Vec<(usize, Finding)> {
    let who = sharing(all, &of);
    let mut found = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let mut keys: Vec<K> = Vec::new();
        for key in of(one) {
            if !keys.contains(&key) {
                let others = who.get(&key).into_iter().flatten().filter(|other| **other != at);
                let told =
                    others.filter_map(|other| all.get(*other)).find_map(|other| tell(&key, one, other));
                found.extend(told.map(|finding| (at, finding)));
                keys.push(key);
            }
        }
    }
    found
}

/// Who has what, by its place in the registry.
fn sharing<K: Eq + Hash>(all: &[Looked], of: &impl Fn(&Looked) -> Vec<K>) -> HashMap<K, Vec<usize>> {
    let mut found: HashMap<K, Vec<usize>> = HashMap::new();
    for (index, looked) in all.iter().enumerate() {
        for key in of(looked) {
            let who = found.entry(key).or_default();
            if who.last() != Some(&index) {
                who.push(index);
            }
        }
    }
    found
}

/// A mail server and the directory server of another entry may share an address; two of a kind may not.
fn have_alike(one: &Looked, other: &Looked) -> bool {
    let (one, other) = (&one.instance, &other.instance);
    (one.mail && other.mail) || (one.ldap.is_some() && other.ldap.is_some())
}

/// Whether two listeners exclude each other. Job Controllers do so at any address.
fn collide(one: &Listener, other: &Listener) -> bool {
    let job_controllers = one.service == Service::JobController && other.service == Service::JobController;
    one.port == other.port && one.at != other.at && (job_controllers || meet(one.bind, other.bind))
}

fn meet(one: Bind, other: Bind) -> bool {
    use Bind::{Any, AnyV4, AnyV6, One};
    match (one, other) {
        (One(a), One(b)) => a.to_canonical() == b.to_canonical(),
        (One(ip), AnyV4) | (AnyV4, One(ip)) => ip.to_canonical().is_ipv4(),
        (One(ip), AnyV6) | (AnyV6, One(ip)) => ip.to_canonical().is_ipv6(),
        (AnyV4, AnyV6) | (AnyV6, AnyV4) => false,
        (Any, _) | (_, Any) | (AnyV4, AnyV4) | (AnyV6, AnyV6) => true,
    }
}
