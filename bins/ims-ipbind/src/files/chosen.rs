//! Which instances are meant, where they stand, and which addresses they are to be bound to.

use std::io::stdin;

use ims::address::Address;
use ims::input::{NameOrStdin, nothing_came, records};
use ims::instance::Instance;
use ims::layout::{Layout, detect};
use ims::name::InstanceName;
use ims::registry::{PATH, Registry};
use ims::sys::{file, stderr};
use ims::{Fail, Host};

use super::NAME;
use super::cli::{self, Place};

/// An instance that stands on this node, with the addresses that were asked for.
#[derive(Debug)]
pub struct Chosen {
    /// The instance.
    pub instance: Instance,
    /// Its logical addresses.
    pub addresses: Vec<Address>,
}

/// The instances of `set`, each with an address.
pub fn to_set(host: &Host, args: &cli::Set) -> Result<Vec<Chosen>, Fail> {
    let instances = match &args.what {
        NameOrStdin::Name(name) => vec![named(host, name, &args.place)?],
        NameOrStdin::Stdin => piped(&args.place)?,
    };
    if instances.len() > 1 && !args.addresses.is_empty() {
        return Err(Fail::usage("several instances cannot have one address")
            .hint("leave --address out: each record brings its own"));
    }
    let mut chosen = Vec::new();
    for instance in instances {
        stands(host, &instance)?;
        let addresses =
            if args.addresses.is_empty() { instance.addresses.clone() } else { args.addresses.clone() };
        if addresses.is_empty() {
            return Err(Fail::usage(format!("{} has no logical address", instance.name))
                .hint("add --address ADDRESS"));
        }
        chosen.push(Chosen { instance, addresses });
    }
    Ok(chosen)
}

/// The instance of `restore`.
pub fn to_restore(host: &Host, args: &cli::Restore) -> Result<Chosen, Fail> {
    let instance = named(host, &args.name, &args.place)?;
    stands(host, &instance)?;
    Ok(Chosen { addresses: instance.addresses.clone(), instance })
}

/// The instances of `show`: those named, those piped, or all in the registry.
pub fn to_show(host: &Host, args: &cli::Show) -> Result<Vec<Instance>, Fail> {
    if args.what.is_empty() {
        if args.place.server_root.is_some() || args.place.ldap.is_some() {
            return Err(Fail::usage("--server-root, --layout and --ldap go with the name of an instance")
                .hint("name it; ims-registry scan FOLDER tells which there are"));
        }
        return Ok(Registry::load(host)?.instances().cloned().collect());
    }
    let mut instances = Vec::new();
    for what in &args.what {
        match what {
            NameOrStdin::Name(name) => instances.push(named(host, name, &args.place)?),
            NameOrStdin::Stdin => instances.extend(piped(&args.place)?),
        }
    }
    instances.iter().try_for_each(Instance::fits)?;
    Ok(instances)
}

fn piped(place: &Place) -> Result<Vec<Instance>, Fail> {
    if place.server_root.is_some() || place.ldap.is_some() {
        return Err(Fail::usage("--server-root, --layout and --ldap do not go with -")
            .hint("the records on stdin say it all"));
    }
    let came = records::<Instance>(NAME, stdin().lock())
        .map(|piped| piped.map(|piped| piped.record))
        .collect::<Result<Vec<_>, Fail>>()?;
    if came.is_empty() { Err(nothing_came::<Instance>()) } else { Ok(came) }
}

/// The instance of that name: from the arguments when they give its root, else from the registry.
fn named(host: &Host, name: &InstanceName, place: &Place) -> Result<Instance, Fail> {
    let registry = Registry::load(host)?;
    let Some(root) = &place.server_root else {
        let known = registry.find(name)?;
        return Ok(Instance { ldap: place.ldap.clone().or_else(|| known.ldap.clone()), ..known.clone() });
    };
    let known = registry.get(name).filter(|known| &known.root == root);
    let mut instance = Instance {
        name: name.clone(),
        layout: Layout::Iplanet5,
        root: root.clone(),
        addresses: known.map(|known| known.addresses.clone()).unwrap_or_default(),
        ldap: place.ldap.clone().or_else(|| known.and_then(|known| known.ldap.clone())),
        mail: known.is_none_or(|known| known.mail),
    };
    let said = place.layout.or(known.map(|known| known.layout));
    let found = said.map_or_else(|| detect::layout(host, root, name), |layout| Ok(Some(layout)))?;
    instance.layout = found.unwrap_or(instance.layout);
    instance.fits()?;
    is_among(host, &instance)?;
    if found.is_none() {
        return Err(Fail::usage(format!("cannot tell how {} is laid out", instance.mail_dir().display()))
            .hint("add --layout"));
    }
    Ok(instance)
}

/// A name that was typed is one of those below the server root, or the failure says which there are.
fn is_among(host: &Host, instance: &Instance) -> Result<(), Fail> {
    let root = &instance.root;
    let there = detect::names(host, root)?;
    let has_folder = instance.mail && instance.mail_dir() != *root;
    let wanted = [
        ("msg-", has_folder.then(|| instance.name.to_string())),
        ("slapd-", instance.ldap.as_ref().map(ToString::to_string)),
    ];
    for (prefix, name) in wanted {
        let Some(name) = name else { continue };
        let known: Vec<&str> = there.iter().filter_map(|folder| folder.strip_prefix(prefix)).collect();
        if !known.contains(&name.as_str()) {
            return Err(
                Fail::usage(format!("no {prefix}{name} below {}", root.display())).hint(those(&known))
            );
        }
    }
    Ok(())
}

/// What there is, for somebody who named something else.
pub fn those(known: &[&str]) -> String {
    match known {
        [] => "there is none".to_owned(),
        [one] => format!("there is {one}"),
        more => format!("there are {}", more.join(", ")),
    }
}

/// The instance's folders are on this node now.
pub fn stands(host: &Host, instance: &Instance) -> Result<(), Fail> {
    instance.fits()?;
    let mut folders: Vec<_> = instance.ldap_dir().into_iter().collect();
    if instance.mail {
        folders.push(instance.mail_dir());
    }
    // The programs of messaging-6 may stand on every node and its configuration on the volume.
    let mut of_the_volume = vec![instance.root.clone()];
    if instance.layout == Layout::Messaging6 {
        of_the_volume.push(instance.config_dir());
    }
    for folder in of_the_volume {
        if !file::is_folder(&host.path(&folder))? {
            return Err(Fail::unknown(format!("{} is not there", folder.display()))
                .hint("another node may master its volume"));
        }
    }
    for folder in folders {
        if !file::is_folder(&host.path(&folder))? {
            is_among(host, instance)?;
            return Err(Fail::usage(format!("{} is not a folder", folder.display())));
        }
    }
    Ok(())
}

/// Says so when the registry knows the instance otherwise; the registry itself is the business of `ims-registry`.
pub fn compare_with_registry(host: &Host, one: &Chosen) {
    let instance = &one.instance;
    let known = match Registry::load(host) {
        Ok(registry) => registry.get(&instance.name).cloned(),
        Err(fail) => return stderr::say(NAME, fail),
    };
    let is_same =
        known.as_ref().is_some_and(|known| known.addresses == one.addresses && known.ldap == instance.ldap);
    if is_same {
        return;
    }
    let root = instance.root.display();
    let addresses: String =
        one.addresses.iter().map(|address| [" --address ", &address.to_string()].concat()).collect();
    let ldap = instance.ldap.as_ref().map(|ldap| format!(" --ldap {ldap}")).unwrap_or_default();
    let line = format!(
        "ims-registry add {} --layout {} --server-root {root}{addresses}{ldap}",
        instance.name, instance.layout
    );
    let what = if known.is_some() { "knows it otherwise" } else { "does not know it" };
    stderr::say(NAME, format_args!("{}: {PATH} {what}; run: {line}", instance.name));
}
