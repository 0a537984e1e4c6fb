//! Configurations of other cluster managers read as groups: the examples of the manuals as they are printed, CIBs,
//! and what is not written.

mod left;
mod pacemaker;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// A host with no group, and what a run of `ims-switch` on it said.
pub struct Host(pub tempfile::TempDir);

pub struct Said {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn of(&self, schema: &str) -> Vec<Value> {
        let records = self.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter(|record| record["schema"] == schema).collect()
    }

    /// The remarks of a kind, as `LINE what`.
    pub fn remarks(&self, kind: &str) -> Vec<String> {
        let remarks = self.of("ims.import-remark/1");
        let kind = remarks.into_iter().filter(|remark| remark["kind"] == kind);
        kind.map(|remark| format!("{} {}", remark["line"], remark["what"].as_str().unwrap())).collect()
    }
}

impl Host {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, words: impl IntoIterator<Item = S>, stdin: &str) -> Said {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ims-switch"));
        command.arg("--root").arg(self.0.path()).args(words).write_stdin(stdin.to_owned());
        let ran = command.timeout(std::time::Duration::from_secs(60)).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { status: ran.status.code().unwrap(), stdout: text(ran.stdout), stderr: text(ran.stderr) }
    }

    pub fn import(&self, language: &str, text: &str, further: &[&str]) -> Said {
        self.run(["import", language, "-"].iter().chain(further), text)
    }

    pub fn group(&self, name: &str) -> String {
        fs_err::read_to_string(self.at(&format!("/etc/ims/groups/{name}.toml"))).unwrap()
    }
}

pub fn data(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(file);
    fs_err::read_to_string(path).unwrap()
}

/// What the examples leave to other files of their nodes.
pub const SITE: &[&str] = &[
    "--interface",
    "eth0",
    "--address",
    "mail=10.0.37.10/24",
    "--address",
    "ldap=10.0.37.9/24",
    "--volume",
    "/global/ids=/dev/disk/by-label/ids",
    "--volume",
    "/global/ims/server5=/dev/disk/by-label/ims",
    "--volume",
    "/global/ims/store=/dev/disk/by-label/store:xfs",
    "--volume",
    "/global/ims/queues=/dev/disk/by-label/queues",
];

#[test]
fn the_simple_example_of_the_manual_is_a_group_as_it_is_printed() {
    let host = Host::new();
    let said = host.import("sun-cluster", &data("sun-cluster-simple.txt"), SITE);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let wanted = "\
nodes = [\"mail-1\", \"mail-2\"]

[resource.mail]
type = \"logical-ip\"
address = \"10.0.37.10/24\"
device = \"eth0\"

[resource.ha-storage]
type = \"volume\"
mount = \"/global/ims/server5\"
device = \"/dev/disk/by-label/ims\"

[resource.ha-ldap]
type = \"directory-server\"
instance = \"mail\"
requires = [\"ha-storage\", \"mail\"]

[resource.ha-ims]
type = \"messaging-server\"
instance = \"stork\"
requires = [\"ha-ldap\"]
";
    assert_eq!(host.group("IMS-RG"), wanted);
    assert_eq!(said.remarks("slip"), [] as [&str; 0]);
    assert_eq!(said.remarks("lost"), [] as [&str; 0]);
    assert!(said.remarks("note").iter().any(|note| note.contains("ims-switch move IMS-RG --to mail-2")));
    let instances = said.of("ims.instance/1");
    let [stork] = &instances[..] else { panic!("{instances:?}") };
    assert_eq!((&stork["name"], &stork["ldap"]), (&"stork".into(), &"mail".into()));
    assert_eq!(
        (&stork["root"], &stork["addresses"][0]),
        (&"/global/ims/server5".into(), &"10.0.37.10".into())
    );
}

#[test]
fn the_complex_example_is_two_groups_and_its_slips_are_told_with_their_lines() {
    let host = Host::new();
    let said = host.import("sun-cluster", &data("sun-cluster-complex.txt"), SITE);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let group = host.group("IMS-RG");
    assert!(group.contains("requires_groups = [\"LDAP-USER-RG\"]"), "{group}");
    assert!(
        group.contains("requires = [\"ha-ldap-config\", \"ha-ims-data-store\", \"ha-ims-data-queues\"]"),
        "{group}"
    );
    assert!(host.group("LDAP-USER-RG").starts_with("nodes = [\"ldap-1\", \"ldap-2\"]\n"));
    let slips = said.remarks("slip");
    for wanted in [
        "53 RG_dependencies is a property of a group, not of a resource like ha-ims: set on IMS-RG",
        "12 SUNW.HAStorage was not registered before ha-ids-disk is made of it",
        "12 'Create HA storage resource' stands after the backslash: a shell would end the command here",
    ] {
        assert!(slips.iter().any(|slip| slip == wanted), "{wanted}: {slips:#?}");
    }
    assert_eq!(slips.len(), 10, "{slips:#?}");
    assert_eq!(said.of("ims.instance/1").len(), 2);
    assert_eq!(said.stderr, "ims-switch: 4 changed, 10 slip, 22 note\n");
    // The same again is the same.
    let again = host.import("sun-cluster", &data("sun-cluster-complex.txt"), SITE);
    assert!(again.of("ims.change/1").iter().all(|change| change["changed"] == false), "{}", again.stdout);
}

#[test]
fn what_no_command_says_is_asked_for_and_nothing_is_written() {
    let host = Host::new();
    let said = host.import("sun-cluster", &data("sun-cluster-simple.txt"), &[]);
    assert_eq!(said.status, 2);
    let missing = said.remarks("missing");
    for option in
        ["--interface DEVICE", "--address mail=ADDRESS/PREFIX", "--volume /global/ims/server5=DEVICE"]
    {
        assert!(missing.iter().any(|told| told.contains(option)), "{option}: {missing:?}");
    }
    assert_eq!(missing.len(), 3);
    assert!(said.stderr.contains("and 2 more like it; nothing was written"), "{}", said.stderr);
    assert!(!host.at("/etc/ims/groups/IMS-RG.toml").exists());
}

#[test]
fn commands_count_in_their_order_and_what_is_removed_is_gone() {
    let host = Host::new();
    let both = data("sun-cluster-simple.txt") + &data("sun-cluster-unconfigure.txt");
    let said = host.import("sun-cluster", &both, SITE);
    assert_eq!((said.status, said.stderr.contains("no group in it")), (2, true), "{}", said.stderr);
    assert_eq!(said.remarks("slip"), [] as [&str; 0]);
    let early = "scrgadm -a -g G -h a,b\nscrgadm -a -j x -g G -t SUNW.ims -y Resource_dependencies=later\n";
    let slips = host.import("sun-cluster", early, &[]).remarks("slip");
    assert_eq!(
        slips,
        ["2 SUNW.ims was not registered before x is made of it", "2 later is required before it is made"]
    );
}

#[test]
fn the_newer_commands_of_a_script_are_read_with_its_variables() {
    let script = "#!/bin/sh\nRG=IMS-RG # the group\nclrt register SUNW.HAStoragePlus SUNW.gds\n\
        clrg create -n mail-1,mail-2 -p Failback=TRUE -p Pingpong_interval=600 $RG\n\
        clrslh create -g ${RG} -h mail -N ipmp0@1,ipmp0@2 mail-lh\n\
        clrs create -g $RG -t SUNW.HAStoragePlus -p FilesystemMountPoints=/global/ids store\n\
        clrs create -g $RG -t SUNW.gds -p Start_command=\"/opt/x start\" -p Stop_command='/opt/x stop' \\\n\
        \x20 -p Probe_command=\"/opt/x probe\" -p Resource_dependencies=store -p Retry_count=4 -p Colour=blue x\n\
        clrs set -p Resource_dependencies+=mail-lh x\nclrg online -eM $RG\nmkdir -p /global/ids\n";
    let host = Host::new();
    let said = host.import("sun-cluster", script, SITE);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let group = host.group("IMS-RG");
    assert!(group.starts_with("nodes = [\"mail-1\", \"mail-2\"]\nfailback = true\n"), "{group}");
    assert!(group.contains("start = [\"/opt/x\", \"start\"]\n"), "{group}");
    assert!(group.contains("restart_limit = 4\nrequires = [\"store\", \"mail-lh\"]\n"), "{group}");
    assert_eq!(
        said.remarks("lost"),
        [
            "8 Colour=blue of x: an unknown property",
            "11 'mkdir' is no command of the cluster and was not carried out"
        ]
    );
}

#[test]
fn a_group_that_says_something_else_is_not_replaced_unless_that_is_asked_for() {
    let host = Host::new();
    let mail = data("pacemaker-mail.xml");
    assert_eq!(host.import("pacemaker", &mail, &["-n"]).of("ims.change/1").len(), 2);
    assert!(!host.at("/etc").exists(), "a dry run writes nothing");
    assert_eq!(host.import("pacemaker", &mail, &[]).status, 0);
    let file = host.at("/etc/ims/groups/IMS-RG.toml");
    let own = format!("# ours\n{}", host.group("IMS-RG"));
    fs_err::write(&file, &own).unwrap();
    assert_eq!(host.import("pacemaker", &mail, &[]).status, 0, "a comment says nothing else");
    assert_eq!(host.group("IMS-RG"), own);
    let other = own.replace("restart_limit = 2", "restart_limit = 5");
    fs_err::write(&file, &other).unwrap();
    let said = host.import("pacemaker", &mail, &[]);
    assert_eq!(said.status, 4);
    assert!(said.stderr.contains("/etc/ims/groups/IMS-RG.toml says something else (nothing was written; look at the difference with --dry-run, then add --force-replace"), "{}", said.stderr);
    assert_eq!(host.group("IMS-RG"), other);
    let changes = host.import("pacemaker", &mail, &["-n"]).of("ims.change/1");
    assert!(changes[0]["diff"].as_str().unwrap().contains("-restart_limit = 5\n+restart_limit = 2\n"));
    assert_eq!(host.import("pacemaker", &mail, &["--force-replace"]).status, 0);
    assert!(host.group("IMS-RG").contains("restart_limit = 2"));
}

#[test]
fn what_is_no_configuration_is_told_in_one_line() {
    let host = Host::new();
    let keepalived =
        "vrrp_instance VI_1 {\n  state MASTER\n  virtual_ipaddress {\n    10.0.37.10/24\n  }\n}\n";
    for language in ["keepalived", "pacemaker", "sun-cluster"] {
        let said = host.import(language, keepalived, &[]);
        assert_eq!(said.status, 2, "{language}");
        assert!(
            said.stderr
                .starts_with("ims-switch: stdin: keepalived is no group manager (it moves addresses alone")
        );
    }
    for (language, text, words) in [
        ("pacemaker", "<cib><configuration>", "stdin:1: "),
        ("pacemaker", "<html/>", "stdin:1: no CIB but a html (print it with cibadmin -Q)"),
        ("pacemaker", "<cib/>", "no group in it (nothing was written)"),
        ("sun-cluster", "", "no group in it (nothing was written)"),
        ("solaris", "", "invalid value 'solaris'"),
    ] {
        let said = host.import(language, text, &[]);
        assert_eq!(said.status, 2, "{text}");
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
    let said = host.run(["import", "pacemaker", "/no/such/file"], "");
    assert_eq!(
        (said.status, said.stderr.as_str()),
        (2, "ims-switch: /no/such/file is not there (name the file)\n")
    );
}

#[test]
fn what_is_imported_goes_on_into_the_registry() {
    let host = Host::new();
    let said = host.import("sun-cluster", &data("sun-cluster-complex.txt"), SITE);
    let mut add = Command::new(assert_cmd::cargo::cargo_bin!("ims-registry"));
    let ran =
        add.arg("--root").arg(host.0.path()).args(["add", "-"]).write_stdin(said.stdout).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let registry = fs_err::read_to_string(host.at("/etc/msgregistry.inf")).unwrap();
    assert!(registry.contains("[stork]") && registry.contains("[ldap]"), "{registry}");
}

#[test]
fn where_a_group_may_be_is_carried_over_from_sun_cluster() {
    let host = Host::new();
    let script = "scrgadm -a -g A -h mail-1,mail-2 -y Pingpong_interval=1800\n\
                  scrgadm -a -L -g A -j ip-a -l ip-a\n\
                  scrgadm -a -g B -h mail-1,mail-2 -y RG_affinities=+++A,--C,+D,-E\n\
                  scrgadm -a -L -g B -j ip-b -l ip-b\n";
    let given = ["--interface", "eth0", "--address", "ip-a=192.0.2.10/24", "--address", "ip-b=192.0.2.11/24"];
    let said = host.import("sun-cluster", script, &given);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(host.group("A").contains("\npingpong_interval = 1800\n"), "{}", host.group("A"));
    let wanted = "together_with = [\"A\"]\napart_from = [\"C\"]\nrather_with = [\"D\"]\n\
                  rather_apart_from = [\"E\"]\n";
    assert!(host.group("B").contains(wanted), "{}", host.group("B"));
    let changed = said.remarks("changed");
    for words in ["RG_affinities +++A of B is together_with: a fault of this group", "RG_affinities --C of B"]
    {
        assert!(changed.iter().any(|told| told.contains(words)), "{changed:?}");
    }
}
