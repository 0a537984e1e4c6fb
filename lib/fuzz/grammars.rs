//! What holds for every grammar, whatever bytes a file has: it prints back as it was read; what was set is read, by
//! us and by whoever reads the file anew; setting it again changes nothing; everything else stays as it was.
//!
//! The fuzz targets and the tests of the collection in tests/data run the same functions.

use std::path::Path;

use ims::conf::Value;
use ims::conf::dovecot::{DovecotConf, Item};
use ims::conf::ldif::Ldif;
use ims::conf::main_cf::MainCf;
use ims::conf::master_cf::MasterCf;
use ims::conf::option_file::{OptionFile, Scope};
use ims::conf::shell::Assignments;
use ims::conf::slapd::SlapdConf;
use ims::group::Group;
use ims::layout::directory::{ENTRY, HOSTS};
use ims::nodes::Nodes;
use ims::registry::Registry;

/// A grammar: the name of its folder in tests/data and of its fuzz target, and what holds for it.
pub struct Grammar {
    /// The name.
    pub name: &'static str,
    /// Panics when something does not hold; says whether the bytes are such a file at all.
    pub holds: fn(&[u8]) -> bool,
}

/// Every grammar.
pub const GRAMMARS: [Grammar; 10] = [
    Grammar { name: "option-file", holds: option_file },
    Grammar { name: "slapd-conf", holds: slapd_conf },
    Grammar { name: "ldif", holds: ldif },
    Grammar { name: "main-cf", holds: main_cf },
    Grammar { name: "master-cf", holds: master_cf },
    Grammar { name: "dovecot-conf", holds: dovecot_conf },
    Grammar { name: "shell-assignments", holds: shell_assignments },
    Grammar { name: "registry", holds: registry },
    Grammar { name: "group", holds: group },
    Grammar { name: "nodes", holds: nodes },
];

/// What the servers are to be bound to.
const NEW: &str = "192.0.2.10";

fn file() -> &'static Path {
    Path::new("file")
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What is the same for every grammar in which a name is set to a value.
fn sets<T: Clone + PartialEq + std::fmt::Debug + ToString>(
    old: &T,
    parse: impl Fn(&str) -> Option<T>,
    set: impl Fn(&mut T),
    get: impl Fn(&T) -> Option<String>,
) {
    let mut new = old.clone();
    set(&mut new);
    assert_eq!(get(&new).as_deref(), Some(NEW), "what was set is not read:\n{old:?}\n{new:?}");
    let again = parse(&new.to_string());
    assert_eq!(again.as_ref(), Some(&new), "what is printed is read otherwise");
    let printed = new.to_string();
    set(&mut new);
    assert_eq!(new.to_string(), printed, "the second time something changes");
}

fn is_same(old: Option<Value>, new: Option<Value>) {
    // A last line that ends in a CR alone has an LF behind it once there is a next one.
    let text = |value: Option<Value>| value.map(|value| value.text.trim_end_matches('\r').to_owned());
    assert_eq!(text(old), text(new), "another value changed");
}

/// `dispatcher.cnf` and `job_controller.cnf`.
pub fn option_file(bytes: &[u8]) -> bool {
    let parse = |text: &str| OptionFile::parse(text, file()).ok();
    let Some((text, old)) = text(bytes).and_then(|text| Some((text, parse(text)?))) else { return false };
    assert_eq!(old.to_string(), text);
    let scopes = [Scope::Global, Scope::Section("SERVICE", "SMTP"), Scope::Section("SERVICE", "SMTP_SUBMIT")];
    for scope in scopes {
        let mut new = old.clone();
        if !new.set(scope, "INTERFACE_ADDRESS", NEW) {
            continue;
        }
        let get = |file: &OptionFile| file.get(scope, "INTERFACE_ADDRESS").map(|value| value.text);
        let set = |file: &mut OptionFile| assert!(file.set(scope, "INTERFACE_ADDRESS", NEW));
        sets(&old, parse, set, get);
        for other in scopes {
            for key in ["PORT", "TCP_PORT", "SECRET", "MAX_CONNS", "IMAGE"] {
                is_same(old.get(other, key), new.get(other, key));
            }
            if other != scope {
                is_same(old.get(other, "INTERFACE_ADDRESS"), new.get(other, "INTERFACE_ADDRESS"));
            }
        }
        let heads =
            |file: &OptionFile| file.sections().map(|head| (head.kind, head.name)).collect::<Vec<_>>();
        assert_eq!(heads(&old), heads(&new));
        assert_eq!(old.includes().count(), new.includes().count());
    }
    true
}

/// `slapd.conf` of Netscape and of `OpenLDAP`.
pub fn slapd_conf(bytes: &[u8]) -> bool {
    let parse = |text: &str| SlapdConf::parse(text, file()).ok();
    let Some((text, old)) = text(bytes).and_then(|text| Some((text, parse(text)?))) else { return false };
    assert_eq!(old.to_string(), text);
    let get = |file: &SlapdConf| file.get("listenhost").map(|value| value.text);
    sets(&old, parse, |file| file.set("listenhost", NEW), get);
    let mut new = old.clone();
    new.set("listenhost", NEW);
    for key in ["port", "security", "include", "pidfile", "rootpw", "timelimit"] {
        is_same(old.get(key), new.get(key));
    }
    true
}

/// `dse.ldif`.
pub fn ldif(bytes: &[u8]) -> bool {
    let parse = |text: &str| Ldif::parse(text, file()).ok();
    let Some((text, old)) = text(bytes).and_then(|text| Some((text, parse(text)?))) else { return false };
    assert_eq!(old.to_string(), text);
    for name in HOSTS {
        let mut new = old.clone();
        if !new.set(ENTRY, name, NEW) {
            assert_eq!(new, old, "an entry that is not there was changed");
            continue;
        }
        let get = |file: &Ldif| file.get(ENTRY, name).map(|value| value.text);
        sets(&old, parse, |file| assert!(file.set(ENTRY, name, NEW)), get);
        for other in HOSTS.into_iter().filter(|other| *other != name) {
            is_same(old.get(ENTRY, other), new.get(ENTRY, other));
        }
        for other in ["nsslapd-port", "nsslapd-secureport", "nsslapd-rootpw", "cn", "objectClass"] {
            is_same(old.get(ENTRY, other), new.get(ENTRY, other));
            is_same(old.get("cn=plugins,cn=config", other), new.get("cn=plugins,cn=config", other));
        }
        new.unset(ENTRY, name);
        assert_eq!(get(&new), None, "what was taken out is read");
        if get(&old).is_none() {
            assert_eq!(new.to_string(), text, "what was set and taken out left a trace");
        }
    }
    true
}

/// Postfix `main.cf`.
pub fn main_cf(bytes: &[u8]) -> bool {
    let parse = |text: &str| MainCf::parse(text, file()).ok();
    let Some((text, old)) = text(bytes).and_then(|text| Some((text, parse(text)?))) else { return false };
    assert_eq!(old.to_string(), text);
    for name in ["inet_interfaces", "smtp_bind_address"] {
        let get = |file: &MainCf| file.get(name).map(|value| value.text);
        sets(&old, parse, |file| file.set(name, NEW), get);
        let mut new = old.clone();
        new.set(name, NEW);
        for key in ["myhostname", "mynetworks", "inet_protocols", "alias_maps", "queue_directory"] {
            is_same(old.get(key), new.get(key));
        }
        // However names lead to each other, it ends.
        let _ = new.expanded("mydestination", &|_| None);
    }
    true
}

/// Postfix `master.cf`.
pub fn master_cf(bytes: &[u8]) -> bool {
    let parse = |text: &str| MasterCf::parse(text, file()).ok();
    let Some((text, old)) = text(bytes).and_then(|text| Some((text, parse(text)?))) else { return false };
    assert_eq!(old.to_string(), text);
    for service in old.services() {
        let mut new = old.clone();
        let name = format!("{NEW}:{}", service.endpoint().1);
        new.rename(service.line, &name);
        let again = parse(&new.to_string());
        assert_eq!(again.as_ref(), Some(&new), "what is printed is read otherwise");
        for (before, after) in old.services().iter().zip(new.services()) {
            let wanted = if before.line == service.line { &name } else { &before.name };
            assert_eq!(&after.name, wanted);
            assert_eq!((&before.kind, &before.command), (&after.kind, &after.command));
            assert_eq!(&before.arguments, &after.arguments);
        }
        service.option("smtp_bind_address");
    }
    true
}

/// `dovecot.conf` and what it includes.
pub fn dovecot_conf(bytes: &[u8]) -> bool {
    let parse = |text: &str| DovecotConf::parse(text, file()).ok();
    let Some((text, old)) = text(bytes).and_then(|text| Some((text, parse(text)?))) else { return false };
    assert_eq!(old.to_string(), text);
    let settings = |conf: &DovecotConf| -> Vec<(usize, String, String)> {
        let of = |item: &Item| match item {
            Item::Setting { within, key, value, .. } => Some((within.len(), key.clone(), value.clone())),
            Item::Open { .. } | Item::Close { .. } | Item::Include { .. } => None,
        };
        conf.items().iter().filter_map(of).collect()
    };
    let listens = |(depth, key, _): &(usize, String, String)| *depth == 0 && key == "listen";
    let mut new = old.clone();
    new.add("listen", NEW);
    let last = settings(&new).into_iter().rfind(listens);
    assert_eq!(last.map(|(.., value)| value).as_deref(), Some(NEW), "what was added does not count");
    assert_eq!(parse(&new.to_string()), Some(new), "what is printed is read otherwise");
    let lines = old.items().iter().filter(|item| matches!(item, Item::Setting { .. })).map(Item::line);
    for (at, line) in lines.enumerate() {
        let mut new = old.clone();
        new.set_at(line, NEW);
        assert_eq!(parse(&new.to_string()).as_ref(), Some(&new), "what is printed is read otherwise");
        let mut wanted = settings(&old);
        if let Some((_, _, value)) = wanted.get_mut(at) {
            NEW.clone_into(value);
        }
        assert_eq!(settings(&new), wanted, "set on line {line}");
    }
    true
}

/// `/etc/default/slapd`.
pub fn shell_assignments(bytes: &[u8]) -> bool {
    let parse = |text: &str| Assignments::parse(text, file()).ok();
    let Some((text, old)) = text(bytes).and_then(|text| Some((text, parse(text)?))) else { return false };
    assert_eq!(old.to_string(), text);
    let get = |file: &Assignments| file.get("SLAPD_SERVICES").map(|value| value.text);
    sets(&old, parse, |file| file.set("SLAPD_SERVICES", NEW), get);
    let mut new = old.clone();
    new.set("SLAPD_SERVICES", "ldap://192.0.2.10:389/ ldapi:///");
    for key in ["SLAPD_CONF", "SLAPD_USER", "SLAPD_OPTIONS"] {
        is_same(old.get(key), new.get(key));
    }
    true
}

/// `/etc/msgregistry.inf`.
pub fn registry(bytes: &[u8]) -> bool {
    let parse = |bytes: &[u8]| Registry::parse(bytes, file()).ok();
    let Some(old) = parse(bytes) else { return false };
    assert_eq!(old.bytes(), bytes);
    let entry = b"[fuzz]\nlayout = postfix-dovecot\nroot = /fuzz\naddress = 192.0.2.10\n";
    let Some(instance) = parse(entry).and_then(|one| one.instances().next().cloned()) else {
        panic!("an entry is not read")
    };
    let is_read_back = |new: &Registry| {
        let again = parse(&new.bytes());
        assert!(
            again.is_some_and(|again| again.instances().eq(new.instances()) && again.bytes() == new.bytes())
        );
    };
    let mut new = old.clone();
    new.put(&instance);
    assert_eq!(new.get(&instance.name), Some(&instance));
    is_read_back(&new);
    assert!(!new.put(&instance), "the second time something changes");
    for other in old.instances().filter(|other| other.name != instance.name) {
        assert_eq!(new.get(&other.name), Some(other));
    }
    assert!(new.remove(std::slice::from_ref(&instance.name)) && new.get(&instance.name).is_none());
    is_read_back(&new);
    true
}

/// `/etc/ims/groups/GROUP.toml`, which is read alone.
pub fn group(bytes: &[u8]) -> bool {
    let (Some(text), Ok(name)) = (text(bytes), "IMS-RG".parse()) else { return false };
    Group::parse(name, text, file()).is_ok()
}

/// `/etc/ims/nodes.toml`, which is read alone.
pub fn nodes(bytes: &[u8]) -> bool {
    text(bytes).is_some_and(|text| Nodes::parse(text, file()).is_ok())
}
