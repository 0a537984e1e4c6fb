//! What an import leaves to its operator is told: what other files need, the commands that it does not carry out, and
//! the layouts that it took; and it waits for runs of the groups that it writes.

use super::{Host, SITE, Said, data};

#[test]
fn what_is_left_to_the_operator_is_told_until_it_is_done() {
    let host = Host::new();
    let left = |said: &Said| -> Vec<String> {
        let notes = said.of("ims.import-remark/1").into_iter().filter(|remark| remark["kind"] == "note");
        let told =
            notes.filter_map(|note| Some(note["what"].as_str()?.strip_prefix("left to do")?.to_owned()));
        told.collect()
    };
    let simple = data("sun-cluster-simple.txt");
    let said = host.import("sun-cluster", &simple, &[SITE, &["-n"]].concat());
    let bind = "once its servers are installed, ims-ipbind set stork binds them to 10.0.37.10";
    let wanted = [
        ": say how mail-1 is reached and fenced, see ims-group(5)".to_owned(),
        ": say how mail-2 is reached and fenced, see ims-group(5)".to_owned(),
        format!(": ims-registry add - takes stork from its record, on every node; {bind}"),
        ", for every node: ims-switch add /etc/ims/groups/IMS-RG.toml".to_owned(),
    ];
    assert_eq!(left(&said), wanted);
    fs_err::create_dir_all(host.at("/etc/ims")).unwrap();
    fs_err::write(host.at("/etc/ims/nodes.toml"), "[mail-1]\n[mail-2]\n").unwrap();
    fs_err::write(
        host.at("/etc/msgregistry.inf"),
        "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\naddress = 10.0.37.10\nldap = mail\n",
    )
    .unwrap();
    // The entry is of another layout than the one that the types of the cluster run.
    let said = host.import("sun-cluster", &simple, SITE);
    assert_eq!(left(&said), wanted[2..]);
    let layouts: Vec<String> =
        said.remarks("note").into_iter().filter(|note| note.contains("--layout")).collect();
    assert_eq!(
        layouts,
        [
            "43 ha-ldap: its servers are taken for iplanet-5, as SUNW.nsldap runs those; --layout says another",
            "67 ha-ims: its servers are taken for iplanet-5, as SUNW.ims runs those; --layout says another",
        ]
    );
    let said = host.import("sun-cluster", &simple, &[SITE, &["--layout", "postfix-dovecot"]].concat());
    assert_eq!(left(&said), wanted[3..]);
    assert!(!said.remarks("note").iter().any(|note| note.contains("--layout")), "{}", said.stdout);
    assert_eq!(said.of("ims.instance/1")[0]["layout"], "postfix-dovecot");
}

#[test]
fn commands_that_are_not_carried_out_are_told_with_the_names_of_here() {
    let host = Host::new();
    let script = "scrgadm -a -g G -h a,b\nscrgadm -a -t SUNW.HAStorage\n\
        scrgadm -a -j data -g G -t SUNW.HAStorage -x ServicePaths=/global/ims/store,/global/ims/queues\n\
        scswitch -e -j data\nscswitch -Z -g G\nscswitch -z -g G -h b\nscswitch -n -j data\nscswitch -n -j none\n";
    let said = host.import("sun-cluster", script, SITE);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let notes = said.remarks("note");
    let told: Vec<&str> =
        notes.iter().filter_map(|note| Some(note.split_once("not carried out: ")?.1)).collect();
    assert_eq!(
        told,
        [
            "ims-switch enable G:data-store G:data-queues",
            "ims-switch online G",
            "ims-switch move G --to b",
            "ims-switch disable G:data-store G:data-queues",
        ]
    );
    assert_eq!(said.remarks("lost"), ["8 none was never made"]);
    let disabled = "3 data is not enabled at the end: a group file starts all that it has (ims-switch disable \
                    G:data-store G:data-queues)";
    assert!(said.remarks("changed").iter().any(|changed| changed == disabled), "{}", said.stdout);
}

#[test]
fn a_run_of_a_group_is_waited_for_before_its_file_is_written() {
    let host = Host::new();
    fs_err::create_dir_all(host.at("/run/ims/lock")).unwrap();
    let held = fs_err::File::create(host.at("/run/ims/lock/switch-IMS-RG.lock")).unwrap();
    held.file().lock().unwrap();
    let simple = data("sun-cluster-simple.txt");
    let busy = host.import("sun-cluster", &simple, &[SITE, &["--timeout", "100ms"]].concat());
    assert_eq!(busy.status, 7, "{}", busy.stderr);
    assert!(!host.at("/etc/ims/groups/IMS-RG.toml").exists());
    let model = "model asymmetric --nodes mail-1,mail-2 --instance IMS=10.0.37.10/24 --to / --timeout 100ms";
    assert_eq!(host.run(model.split(' '), "").status, 7);
    assert_eq!(host.import("sun-cluster", &simple, &[SITE, &["-n"]].concat()).status, 0, "only shown");
    drop(held);
    assert_eq!(host.import("sun-cluster", &simple, SITE).status, 0);
}
