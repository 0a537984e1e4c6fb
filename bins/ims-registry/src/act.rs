//! Edits of the registry: one lock, one new file, put in its place at once.

use std::io::stdin;
use std::path::Path;

use ims::change::Change;
use ims::input::records;
use ims::instance::Instance;
use ims::layout::detect;
use ims::name::InstanceName;
use ims::registry::{PATH, Registry};
use ims::sys::file;
use ims::sys::lock::Lock;
use ims::{Exit, Fail, Host, Out};

use crate::cli::{self, Add, NameOrStdin, Remove};

/// Adds the named instance, or those that come on stdin.
pub fn add(host: &Host, add: &Add, out: &mut Out) -> Result<Exit, Fail> {
    let wanted = match &add.what {
        NameOrStdin::Name(name) => {
            return edit(host, &add.change, out, |registry| {
                let instance = described(host, name, add, registry.get(name))?;
                registry.put(&instance);
                Ok(())
            });
        }
        NameOrStdin::Stdin => {
            if add.layout.is_some()
                || add.server_root.is_some()
                || add.ldap.is_some()
                || !add.addresses.is_empty()
            {
                return Err(Fail::usage("--layout, --server-root, --address and --ldap do not go with -")
                    .hint("the records on stdin say it all"));
            }
            piped()?
        }
    };
    edit(host, &add.change, out, |registry| {
        for instance in &wanted {
            registry.put(instance);
        }
        Ok(())
    })
}

/// Removes the named instances; one that is not there is removed already.
pub fn remove(host: &Host, remove: &Remove, out: &mut Out) -> Result<Exit, Fail> {
    let mut names: Vec<InstanceName> = Vec::new();
    for what in &remove.what {
        match what {
            NameOrStdin::Name(name) => names.push(name.clone()),
            NameOrStdin::Stdin => names.extend(piped()?.into_iter().map(|instance| instance.name)),
        }
    }
    edit(host, &remove.change, out, |registry| {
        for name in &names {
            registry.remove(name);
        }
        Ok(())
    })
}

/// The instance the arguments describe; what they leave out stays as it is in the registry, or is found on the
/// disk, if it is there.
fn described(
    host: &Host,
    name: &InstanceName,
    add: &Add,
    known: Option<&Instance>,
) -> Result<Instance, Fail> {
    let root =
        add.server_root.clone().or_else(|| known.map(|known| known.root.clone())).ok_or_else(|| {
            Fail::usage(format!("{name} has no server root")).hint("add --server-root FOLDER")
        })?;
    let addresses = match known {
        Some(known) if add.addresses.is_empty() => known.addresses.clone(),
        Some(_) | None => add.addresses.clone(),
    };
    let mut instance = Instance {
        name: name.clone(),
        layout: ims::layout::Layout::Iplanet5,
        root,
        addresses,
        ldap: add.ldap.clone().or_else(|| known.and_then(|known| known.ldap.clone())),
        mail: !add.no_mail && known.is_none_or(|known| known.mail),
    };
    let known = known.map(|known| known.layout);
    instance.layout = match add.layout.or(known).or_else(|| detect::layout(host, &instance.root, name)) {
        Some(layout) => layout,
        None => {
            return Err(Fail::usage(format!(
                "cannot tell how {} is laid out",
                instance.mail_dir().display()
            ))
            .hint("add --layout"));
        }
    };
    instance.fits()?;
    Ok(instance)
}

fn piped() -> Result<Vec<Instance>, Fail> {
    records::<Instance>("ims-registry", stdin().lock()).map(|piped| piped.map(|piped| piped.record)).collect()
}

/// Reads, edits and replaces the registry under its lock; an empty one is removed.
fn edit(
    host: &Host,
    change: &cli::Change,
    out: &mut Out,
    with: impl FnOnce(&mut Registry) -> Result<(), Fail>,
) -> Result<Exit, Fail> {
    let _lock = if change.dry_run { None } else { Some(Lock::named(host, "registry", change.timeout.0)?) };
    let path = host.path(PATH);
    let old = file::read_text(&path)?;
    let mut registry = Registry::parse(old.as_deref().unwrap_or_default(), &path)?;
    with(&mut registry)?;
    let new = (!registry.is_empty()).then(|| registry.to_string());
    // A registry that never was stays so, and one of comments alone is somebody's.
    let new = if registry.is_empty() && old.as_deref().is_some_and(|old| has_no_instance(old, &path)) {
        old.clone()
    } else {
        new
    };
    let told = Change::of(
        Path::new(PATH),
        old.as_deref().map(str::as_bytes),
        new.as_deref().map(str::as_bytes),
        change.dry_run,
    );
    if told.changed && !change.dry_run {
        match &new {
            Some(text) => file::replace(&path, text.as_bytes())?,
            None => drop(file::remove(&path)?),
        }
    }
    if change.dry_run {
        out.text(&told.diff)?;
    }
    out.record(&told)?;
    Ok(Exit::Ok)
}

fn has_no_instance(text: &str, path: &Path) -> bool {
    Registry::parse(text, path).is_ok_and(|registry| registry.is_empty())
}
