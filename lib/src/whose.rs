//! Whose a listening socket is: of the instance that is configured to listen there, of another instance, or of
//! somebody else. Pure: it judges the clues that were found, and an absent clue is no proof when some could not be
//! read.

use std::path::{Path, PathBuf};

use crate::Host;
use crate::instance::Instance;
use crate::sys::sock::Owner;

/// Whose a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// The instance's own: it runs already.
    Own,
    /// Another instance's.
    Other(&'a Instance),
    /// No instance's that we know.
    Foreign,
    /// It could not be found out.
    Unknown,
}

/// Judges the processes that hold a socket.
pub fn whose<'a>(host: &Host, instance: &Instance, known: &[&'a Instance], owners: &[Owner]) -> Whose<'a> {
    let works_for = |of: &Instance| {
        owners.iter().any(|owner| {
            owner.clues.iter().any(|clue| {
                folders(of).iter().any(|folder| names(clue, &host.path(folder))) || is_group_of(clue, of)
            })
        })
    };
    if works_for(instance) {
        return Whose::Own;
    }
    let others = || known.iter().filter(|other| other.name != instance.name || other.root != instance.root);
    if let Some(other) = others().find(|other| works_for(other)) {
        return Whose::Other(other);
    }
    let root = host.path(&instance.root);
    let mut clues = owners.iter().flat_map(|owner| &owner.clues);
    if !clues.clone().any(|clue| is_in_a_sibling(clue, &root)) && clues.any(|clue| names(clue, &root)) {
        // Something below the root that is nobody's in particular, such as a program of the server itself.
        return if others().any(|other| other.root == instance.root) { Whose::Unknown } else { Whose::Own };
    }
    if owners.is_empty() || owners.iter().any(|owner| !owner.is_whole) {
        return Whose::Unknown;
    }
    Whose::Foreign
}

/// The folders that are an instance's alone: below its root, and those of the node that it works in.
fn folders(instance: &Instance) -> Vec<PathBuf> {
    let run = Path::new("/run/ims");
    let mut folders = Vec::new();
    if instance.mail {
        folders.extend([instance.mail_dir(), run.join(instance.name.as_str())]);
    }
    folders.extend(instance.ldap_dir());
    folders.extend(instance.ldap.as_ref().map(|ldap| run.join(ldap.as_str())));
    folders
}

/// Whether a clue names the folder of a mail or directory server below the root; the instance's own were asked for
/// before, so that it is one that nobody knows.
fn is_in_a_sibling(clue: &str, root: &Path) -> bool {
    let Some(root) = root.to_str() else { return false };
    ["/msg-", "/slapd-"].iter().any(|folder| clue.contains(&[root, folder].concat()))
}

/// Whether a clue names a folder or something below it, as a word or inside one (`-f/global/…/slapd.conf`).
fn names(clue: &str, folder: &Path) -> bool {
    let Some(folder) = folder.to_str() else { return false };
    clue.match_indices(folder).any(|(at, _)| {
        // `-f/global/a` names it, `/mnt/global/a` is another's.
        let word = clue.get(..at).unwrap_or_default();
        let word =
            word.rsplit(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | ',' | '"' | '\'')).next();
        if word.is_some_and(|before| before.contains('/')) {
            return false;
        }
        let next = clue.get(at + folder.len()..).and_then(|rest| rest.chars().next());
        !next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    })
}

/// Whether a clue is a control group of the instance: `0::/ims/<instance>/…`.
fn is_group_of(clue: &str, instance: &Instance) -> bool {
    let Some((_, path)) = clue.split_once("::") else { return false };
    let parts: Vec<&str> = path.split('/').collect();
    parts.windows(2).any(|pair| pair == ["ims", instance.name.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    fn instance(name: &str, root: &str) -> Instance {
        Instance {
            name: name.parse().unwrap(),
            layout: Layout::PostfixDovecot,
            root: root.into(),
            addresses: Vec::new(),
            ldap: None,
            mail: true,
        }
    }

    #[test]
    fn a_socket_is_only_foreign_when_every_clue_was_read_and_none_leads_to_an_instance() {
        let host = Host::below(Path::new("/"));
        let (ours, twin) = (instance("mail-1", "/global/a"), instance("mail-2", "/global/a"));
        let alone = instance("stork", "/global/b");
        let all = [&ours, &twin, &alone];
        let of_twin = Whose::Other(&twin);
        for (clues, is_whole, verdict) in [
            (&["/usr/lib/postfix/sbin/master", "-c", "/global/a/msg-mail-1/postfix"][..], true, Whose::Own),
            (&["MAIL_CONFIG=/global/a/msg-mail-1/postfix"], true, Whose::Own),
            (&["-f/global/a/msg-mail-1"], true, Whose::Own),
            (&["/run/ims/mail-1/dovecot.conf"], true, Whose::Own),
            (&["0::/ims/mail-1/postfix"], true, Whose::Own),
            (&["/global/a/msg-mail-1/queue/pid/master.pid"], false, Whose::Own),
            (&["/global/a/msg-mail-2/postfix"], true, of_twin),
            (&["0::/ims/mail-2/postfix"], true, of_twin),
            (&["/global/a/msg-mail-10/postfix"], true, Whose::Foreign),
            (&["/global/a/bin/dispatcher"], true, Whose::Unknown),
            (&["/usr/sbin/sshd", "-D"], true, Whose::Foreign),
            (&["/usr/sbin/sshd", "-D"], false, Whose::Unknown),
            (&["/global/ab/msg-mail-1"], true, Whose::Foreign),
            (&["/mnt/global/a/msg-mail-1"], true, Whose::Foreign),
            (&["/mnt/global/a/msg-mail-9"], true, Whose::Foreign),
            (&["-d/mnt/global/a/msg-mail-1:/global/a/msg-mail-1"], true, Whose::Own),
        ] {
            let owner = Owner {
                pid: 1,
                command: "x".to_owned(),
                clues: clues.iter().map(|clue| (*clue).to_owned()).collect(),
                is_whole,
            };
            assert_eq!(whose(&host, &ours, &all, &[owner]), verdict, "{clues:?}, whole: {is_whole}");
        }
        assert_eq!(whose(&host, &ours, &all, &[]), Whose::Unknown, "nobody could be seen");
        let program = Owner {
            pid: 1,
            command: "x".to_owned(),
            clues: vec!["/global/b/bin/dispatcher".to_owned()],
            is_whole: true,
        };
        assert_eq!(
            whose(&host, &alone, &all, std::slice::from_ref(&program)),
            Whose::Own,
            "the root's only instance"
        );
        let mut beside = program;
        beside.clues.push("/global/b/msg-heron/log/postfix.log".to_owned());
        assert_eq!(whose(&host, &alone, &all, &[beside]), Whose::Foreign, "one that nobody knows");
    }
}
