//! Entries from a list of server roots, as Netscape Messaging Server 4.x kept one in `/etc/nsserver.cfg`: each root is
//! scanned, and what is found there is added.

use std::path::{Path, PathBuf};

use ims::instance::Instance;
use ims::layout::detect;
use ims::registry::absolute;
use ims::sys::{file, stderr};
use ims::{Exit, Fail, Host, Out};

use crate::NAME;
use crate::act::tell;
use crate::cli::Import;
use crate::draft::Draft;

/// Adds what is found below the server roots of a list; an entry that is there already stays as it is.
pub fn import(host: &Host, import: &Import, out: &mut Out) -> Result<Exit, Fail> {
    let path = host.path(&import.file);
    let text = file::read(&path)?.ok_or_else(|| {
        Fail::usage(format!("{} is not there", import.file.display())).hint("name the list")
    })?;
    let listed = roots(&text, &import.file)?;
    if listed.is_empty() {
        return Err(Fail::unknown(format!("{} names no server root", import.file.display())));
    }
    let mut exit = Exit::Ok;
    let mut found: Vec<Instance> = Vec::new();
    for root in &listed {
        match detect::instances(host, root) {
            Ok(scanned) if scanned.instances.is_empty() && scanned.untold.is_empty() => {
                stderr::say(NAME, format_args!("no instance below {}", root.display()));
                exit = exit.gravest(Exit::No);
            }
            Ok(scanned) => {
                for fail in &scanned.untold {
                    stderr::say(NAME, fail);
                    exit = exit.gravest(fail.exit());
                }
                found.extend(scanned.instances);
            }
            Err(fail) => {
                // Another node may master its volume; what the others hold can be added all the same.
                stderr::say(NAME, &fail);
                exit = exit.gravest(fail.exit());
            }
        }
    }
    let mut draft = Draft::open(host, &import.change)?;
    for instance in &found {
        out.record(instance)?;
        let twin = found.iter().find(|other| other.name == instance.name && other.root != instance.root);
        let known = draft.registry.get(&instance.name);
        if let Some(other) = twin.or(known.filter(|known| known.root != instance.root)) {
            let (name, root) = (&instance.name, instance.root.display());
            return Err(Fail::refused(format!("{name} is below {root} and below {}", other.root.display()))
                .hint("nothing was added; leave one of the roots out of the list, or remove the entry"));
        }
    }
    for instance in &found {
        if draft.registry.get(&instance.name).is_none() {
            draft.registry.put(instance);
        }
    }
    tell(&draft.commit()?, out).map(|done| done.gravest(exit))
}

/// The server roots of a list, each once: an absolute path a line, alone or as the value of a key.
fn roots(text: &[u8], file: &Path) -> Result<Vec<PathBuf>, Fail> {
    let mut found: Vec<PathBuf> = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let place = || format!("{}:{}", file.display(), index + 1);
        let line = line.trim_ascii();
        if line.first().is_none_or(|first| b"#;![".contains(first)) {
            continue;
        }
        let line = std::str::from_utf8(line).map_err(|_| Fail::usage(place()).because("not UTF-8 text"))?;
        let value = if line.starts_with(['/', '"']) {
            line
        } else {
            line.split_once(['=', ':']).map_or(line, |(_, value)| value.trim())
        };
        let path = value.trim_matches('"').trim_end_matches('/');
        let root = absolute(path).map_err(|fail| {
            Fail::usage(place()).because(fail).hint("a server root is an absolute path, one a line")
        })?;
        if !found.contains(&root) {
            found.push(root);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_roots_are_read_from_lines_and_from_values() {
        let text = b"# Netscape\r\n[Servers]\n/usr/netscape/server4/\nServerRoot=\"/opt/a b\"\r\n! x\nroot2: /srv\n\n/srv\n";
        let found = roots(text, Path::new("/etc/nsserver.cfg")).unwrap();
        assert_eq!(found, ["/usr/netscape/server4", "/opt/a b", "/srv"].map(PathBuf::from));
    }

    #[test]
    fn a_line_that_names_no_server_root_is_told() {
        for (text, told) in [
            (&b"/srv\nserver4\n"[..], "nsserver.cfg:2: not an absolute path: 'server4'"),
            (b"/srv/../x\n", "nsserver.cfg:1: not an absolute path: '/srv/../x'"),
            (b"/\n", "nsserver.cfg:1: not an absolute path: ''"),
            (b"\n/caf\xe9\n", "nsserver.cfg:2: not UTF-8 text"),
        ] {
            let fail = roots(text, Path::new("nsserver.cfg")).unwrap_err();
            assert!(fail.to_string().starts_with(told), "{fail}");
        }
    }
}
