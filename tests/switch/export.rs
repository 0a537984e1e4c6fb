//! Groups written for other cluster managers, and read back.

use super::import::{Host, Said, data};

const GROUP: &str = include_str!("../data/group/IMS-RG.toml");

fn host(group: &str) -> Host {
    let host = Host::new();
    fs_err::create_dir_all(host.at("/etc/ims/groups")).unwrap();
    fs_err::write(host.at("/etc/ims/groups/IMS-RG.toml"), group).unwrap();
    let entry =
        "[stork]\nlayout = iplanet-5\nroot = /global/ims/server5\naddress = 10.0.37.10\nldap = mail\n";
    fs_err::write(host.at("/etc/msgregistry.inf"), entry).unwrap();
    host
}

/// The example of the manual page without its interface, which no other manager has as a resource of a group.
fn without_nic() -> String {
    let (head, rest) = GROUP.split_once("[resource.network]").unwrap();
    let (_, rest) = rest.split_once("[resource.logical_IP]").unwrap();
    format!("{head}[resource.logical_IP]{}", rest.replace("requires = [\"network\"]\n", ""))
}

fn export(host: &Host, language: &str) -> Said {
    let said = host.run(["export", language, "IMS-RG"], "");
    assert_eq!(said.status, 0, "{}", said.stderr);
    said
}

#[test]
fn a_script_of_sun_cluster_is_read_back_as_the_same_group() {
    let further = [
        "restart_limit = 7\nmonitor_interval = 60\nonline_timeout = 30",
        "conf_interval = 900\nmonitor_timeout = 20\noffline_timeout = 40",
    ];
    for group in [
        without_nic(),
        without_nic().replace("failback = false", "failback = true\nrequires_groups = [\"LDAP-USER-RG\"]"),
        without_nic().replace(
            "failback = false",
            "together_with = [\"A\"]\nrather_apart_from = [\"B\"]\npingpong_interval = 60",
        ),
        without_nic().replace("[\"logical_IP\", \"mountshared\"]", "[\"mountshared\"]"),
        without_nic().replace("restart_limit = 2", further[0]),
        without_nic().replace("restart_limit = 2", further[1]),
    ] {
        for language in ["scrgadm", "clrg"] {
            let host = host(&group);
            let script = export(&host, language).stdout;
            let given = [
                "--interface",
                "eth0",
                "--address",
                "logical_IP=10.0.37.10/24",
                "--volume",
                "/global/ims=/dev/disk/by-label/ims",
            ];
            let said = host.import("sun-cluster", &script, &given);
            assert_eq!(said.status, 0, "{language}: {}\n{script}", said.stderr);
            let changes = said.of("ims.change/1");
            assert!(changes.iter().all(|change| change["changed"] == false), "{script}");
            assert_eq!(said.remarks("slip"), [] as [&str; 0], "{script}");
        }
    }
}

#[test]
fn the_scripts_are_those_of_the_manuals() {
    let host = host(GROUP);
    let said = export(&host, "scrgadm");
    let wanted = "\
#!/bin/sh
set -e
# /etc/hosts: 10.0.37.10 logical_IP
# /etc/vfstab: /dev/disk/by-label/ims - /global/ims ext4 - no -
scrgadm -a -t SUNW.HAStoragePlus
scrgadm -a -t SUNW.nsldap
scrgadm -a -t SUNW.ims

scrgadm -a -g IMS-RG -h mail-1,mail-2
scrgadm -a -L -g IMS-RG -j logical_IP -l logical_IP
scrgadm -a -j mountshared -t SUNW.HAStoragePlus -g IMS-RG \\
    -x FilesystemMountPoints=/global/ims
scrgadm -a -j ldap -t SUNW.nsldap -g IMS-RG \\
    -x Confdir_list=/global/ims/server5/slapd-mail \\
    -y Resource_dependencies=logical_IP,mountshared
scswitch -Z -g IMS-RG
scrgadm -a -j mail -t SUNW.ims -g IMS-RG \\
    -x IMS_serverroot=/global/ims/server5 \\
    -x IMS_instance=stork \\
    -y Resource_dependencies=ldap
scswitch -Z -g IMS-RG
";
    assert_eq!(said.stdout, wanted);
    assert!(
        said.stderr.contains("IMS-RG.toml: lost: network: logical hosts watch their interfaces"),
        "{}",
        said.stderr
    );
    let pcs = export(&host, "pcs").stdout;
    for line in [
        "pcs -f ims-groups.xml resource create mail ocf:ims:messaging-server instance=stork \\\n",
        "pcs -f ims-groups.xml constraint location IMS-RG prefers mail-1=200\n",
        "pcs cluster cib-push ims-groups.xml --config\n",
    ] {
        assert!(pcs.contains(line), "{pcs}");
    }
}

/// The stored CIBs are what crm 4.4.1 and pcs 0.11.5 made of the lines that are compared here.
#[test]
fn the_lines_for_crm_and_pcs_are_those_that_made_the_stored_cibs_which_are_read_back_as_the_chain() {
    let parse = |text: &str| {
        let file = std::path::Path::new("x");
        let mut group = ims::group::Group::parse("IMS-RG".parse().unwrap(), text, file).unwrap();
        group.text.clear();
        group
    };
    let chain = without_nic()
        .replace("[\"logical_IP\", \"mountshared\"]", "[\"mountshared\"]")
        .replace("fstype = \"ext4\"\n", "fstype = \"ext4\"\nrequires = [\"logical_IP\"]\n");
    for language in ["crmsh", "pcs"] {
        let host = host(GROUP);
        assert_eq!(export(&host, language).stdout, data(&format!("pacemaker-by-{language}.txt")));
        let cib = data(&format!("pacemaker-by-{language}.xml"));
        let said = host.import("pacemaker", &cib, &["--to", "/etc", "--nodes", "mail-1,mail-2"]);
        assert_eq!(said.status, 0, "{}", said.stderr);
        assert_eq!(parse(&fs_err::read_to_string(host.at("/etc/IMS-RG.toml")).unwrap()), parse(&chain));
    }
}

#[test]
fn what_crm_would_spoil_is_left_out_and_told() {
    let group = "nodes = [\"a\"]\n[resource.x]\ntype = \"ocf:heartbeat:anything\"\n\
                 parameters = { binfile = \"/bin/x\", cmdline_options = \"ü\", logfile = \"a\\nb\" }\n";
    let said = export(&host(group), "crmsh");
    assert!(said.stdout.contains("params binfile=/bin/x \\\n"), "{}", said.stdout);
    for key in ["cmdline_options", "logfile"] {
        let told = format!("IMS-RG.toml: lost: x: {key}: crm spoils what is not plain ASCII");
        assert!(said.stderr.contains(&told), "{}", said.stderr);
    }
    let pcs = export(&host(group), "pcs").stdout;
    assert!(pcs.contains("binfile=/bin/x cmdline_options='ü' logfile='a\nb'"), "{pcs}");
}

#[test]
fn files_are_written_into_a_folder_and_not_over_others() {
    let host = host(GROUP);
    let run = |more: &[&str]| host.run(["export", "pcs", "IMS-RG", "--to", "/etc"].iter().chain(more), "");
    assert_eq!(run(&["-n"]).status, 0);
    assert!(!host.at("/etc/ims-groups.sh").exists());
    let said = run(&[]);
    assert_eq!((said.status, said.of("ims.change/1")[0]["changed"].as_bool()), (0, Some(true)));
    assert_eq!(said.remarks("lost").len(), 1);
    assert_eq!(run(&[]).of("ims.change/1")[0]["changed"], false);
    fs_err::write(host.at("/etc/ims-groups.sh"), "mine\n").unwrap();
    assert_eq!(run(&[]).status, 4);
    assert_eq!(run(&["--force-replace"]).status, 0);
    let said = host.run(["export", "pcs", "IMS-RG", "-o", "json"], "");
    let files = said.of("ims.exported-file/1");
    assert_eq!(files[0]["file"], "ims-groups.sh");
    let said = host.run(["export", "pcs", "IMS-RG", "--to", "/nowhere"], "");
    assert_eq!((said.status, said.stderr.contains("/nowhere is no folder (make it first)")), (2, true));
}

#[test]
fn sun_cluster_is_told_folders_so_the_registry_must_know_them() {
    let host = host(GROUP);
    fs_err::remove_file(host.at("/etc/msgregistry.inf")).unwrap();
    let said = host.run(["export", "scrgadm", "IMS-RG"], "");
    assert_eq!(said.status, 2);
    assert!(
        said.stderr.contains("no entry of the registry has the directory server 'mail'"),
        "{}",
        said.stderr
    );
}

#[test]
fn where_a_group_may_be_is_said_in_each_language_or_told_as_lost() {
    let lines = "together_with = [\"A\"]\napart_from = [\"B\"]\nrather_with = [\"C\"]\n\
                 load = { gb = 4 }\npingpong_interval = 1800\n";
    let host = host(&GROUP.replacen("\n\n[", &format!("\n{lines}\n["), 1));
    for (language, in_it, told) in [
        (
            "scrgadm",
            "-y Pingpong_interval=1800 -y RG_affinities=++A,--B,+C",
            "load = { gb 4, groups 1 }: no counterpart",
        ),
        (
            "clrg",
            "-p Pingpong_interval=1800 -p RG_affinities=++A,--B,+C",
            "load = { gb 4, groups 1 }: no counterpart",
        ),
        (
            "crmsh",
            "colocation IMS-RG-and-A INFINITY: IMS-RG A\ncolocation IMS-RG-and-B -INFINITY: IMS-RG B\n\
             colocation IMS-RG-and-C 1: IMS-RG C\norder A-before-IMS-RG Mandatory: A IMS-RG\n",
            "pingpong_interval = 1800: a node is open again after the failure-timeout",
        ),
        (
            "pcs",
            "constraint colocation add IMS-RG with B -INFINITY\n",
            "load = { gb 4, groups 1 }: no counterpart",
        ),
        (
            "vcs",
            "\trequires group A online local soft\n\trequires group B offline local\n",
            "rather_with = [\"C\"]",
        ),
    ] {
        let said = export(&host, language);
        assert!(said.stdout.contains(in_it), "{language}: {}", said.stdout);
        assert!(said.stderr.contains(told), "{language}: {}", said.stderr);
    }
    let vcs = export(&host, "vcs").stdout;
    assert!(vcs.contains("\tPrerequisites = { gb = 4 }\n"), "{vcs}");
    assert!(vcs.contains("// ims-switch: pingpong_interval = 1800"), "{vcs}");
}
