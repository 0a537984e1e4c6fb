//! Entries added, changed and removed by hand or from a pipe.

use std::io::stdin;

use ims::change::Change;
use ims::input::{NameOrStdin, nothing_came, records};
use ims::instance::{Instance, each_once};
use ims::layout::detect;
use ims::name::InstanceName;
use ims::{Exit, Fail, Host, Out};

use crate::NAME;
use crate::cli::{Add, Remove};
use crate::draft::Draft;

/// Adds the named instance, or those that come on stdin.
pub fn add(host: &Host, add: &Add, out: &mut Out) -> Result<Exit, Fail> {
    let mut draft;
    match &add.what {
        NameOrStdin::Name(name) => {
            draft = Draft::open(host, &add.change)?;
            let instance = described(host, name, add, draft.registry.get(name))?;
            draft.registry.put(&instance);
        }
        NameOrStdin::Stdin => {
            if add.describes() {
                let fail =
                    Fail::usage("--layout, --server-root, --address, --ldap and --no-mail do not go with -");
                return Err(fail.hint("the records on stdin say it all"));
            }
            // Read to its end before the lock is taken: what feeds the pipe may want it too.
            let wanted = piped()?;
            draft = Draft::open(host, &add.change)?;
            for instance in &wanted {
                draft.registry.put(instance);
            }
        }
    }
    tell(&draft.commit()?, out)
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
    let mut draft = Draft::open(host, &remove.change)?;
    draft.registry.remove(&names);
    tell(&draft.commit()?, out)
}

/// Prints what was changed; a dry run shows people the lines.
pub fn tell(change: &Change, out: &mut Out) -> Result<Exit, Fail> {
    if change.dry_run {
        out.text(&change.diff)?;
    }
    out.record(change).map(|()| Exit::Ok)
}

/// The instances that come on stdin; a pipe through which nothing came is no answer.
pub fn piped() -> Result<Vec<Instance>, Fail> {
    let records = records::<Instance>(NAME, stdin().lock()).map(|piped| piped.map(|piped| piped.record));
    let wanted: Vec<Instance> = records.collect::<Result<_, _>>()?;
    if wanted.is_empty() { Err(nothing_came::<Instance>()) } else { Ok(wanted) }
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
        Some(_) | None => each_once(add.addresses.clone()),
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
    let told = add.layout.or(known);
    instance.layout =
        match told.map_or_else(|| detect::layout(host, &instance.root, name), |told| Ok(Some(told)))? {
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
