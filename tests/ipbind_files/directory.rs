//! Directory servers with a `dse.ldif`: 389 Directory Server itself, and the files of Directory Server 5.

use std::collections::BTreeSet;

use super::servers::{listed, listens, shown};
use super::{Files, changes, stderr};
use crate::support::mail::root::Flavour;
use crate::support::mail::{Mail, ServerRoot};
use crate::support::{Bed, Node};

const ROOT: &str = "/opt/iplanet/server5";
const FOLDER: &str = "/opt/iplanet/server5/slapd-elenchus";

/// Lays an instance of 389 Directory Server from its own template, all of it below the server root.
fn lay(node: &Node) {
    node.sh(&format!(
        "D={FOLDER}; mkdir -p $D/schema $D/db $D/logs $D/lock $D/run $D/tmp
         sed -e \"s|%schema_dir%|$D/schema|; s|%lock_dir%|$D/lock|; s|%run_dir%|$D/run|; s|%inst_dir%|$D|\" \
             -e \"s|%tmp_dir%|$D/tmp|; s|%ldif_dir%|$D/tmp|; s|%bak_dir%|$D/tmp|; s|%log_dir%|$D/logs|\" \
             -e \"s|%cert_dir%|$D|; s|%config_dir%|$D|; s|%db_dir%|$D/db|; s|%db_home_dir%|$D/db|\" \
             -e 's|%fqdn%|mail.example.test|; s|%ds_port%|389|; s|%ds_user%|dirsrv|; s|%db_lib%|bdb|' \
             -e 's|%rootdn%|cn=Directory Manager|; s|%ds_passwd%|{{CLEAR}}never mind|; s|%ds_suffix%|o=siroe.com|' \
             -e \"s|%ldapi_enabled%|off|; s|%ldapi_autobind%|off|; s|%ldapi%|$D/run/ldapi|\" \
             /usr/share/dirsrv/data/template-dse.ldif >$D/dse.ldif
         cp /etc/dirsrv/schema/99user.ldif $D/schema; cp /etc/dirsrv/config/*.conf $D
         chmod 600 $D/dse.ldif; chown -R dirsrv:dirsrv $D"
    ))
    .ok();
}

fn text(node: &Node, file: &str) -> String {
    node.run(["cat", &format!("{FOLDER}/{file}")]).ok().stdout
}

#[test]
fn a_389_directory_server_listens_on_its_own_address_only() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh("ip address add 10.0.37.10/24 dev eth0; ip address add 2001:db8::37:10/64 dev eth0 nodad").ok();
    lay(&node);
    let register = format!("ims-registry scan {ROOT} | ims-registry add -");
    node.sh(&register).ok();
    let set = |address: &str| node.run(["ims-ipbind", "set", "elenchus", "--address", address]);
    node.file(
        "/etc/ims/groups/LDAP-RG.toml",
        "nodes = [\"mail-1\"]\n[resource.ldap]\ntype = \"directory-server\"\ninstance = \"elenchus\"\n",
    );

    let (before, listing) = (text(&node, "dse.ldif"), format!("ls -ln --time-style=full-iso {FOLDER}"));
    let laid = node.sh(&listing).ok().stdout;
    set("10.0.37.10").ok();
    let lines = "nsslapd-listenhost: 10.0.37.10\nnsslapd-securelistenhost: 10.0.37.10\n";
    assert_eq!(text(&node, "dse.ldif").replacen(lines, "", 1), before);
    node.run(["ims-ipbind", "restore", "elenchus"]).ok();
    assert_eq!(text(&node, "dse.ldif"), before);
    assert_eq!(node.sh(&listing).ok().stdout, laid, "nothing is left beside it");

    for (address, wanted) in [("10.0.37.10", "10.0.37.10"), ("2001:db8::37:10", "[2001:db8::37:10]")] {
        set(address).ok();
        node.sh(&register).ok();
        node.run(["ims-switch", "online", "LDAP-RG"]).ok();
        listens(&node, &listed(wanted, &[389]));
        assert_eq!(shown(&node, &["elenchus"]), listed(address, &[389]), "show says what the kernel says");
        let answer = format!("ldapsearch -x -H ldap://{wanted} -b '' -s base vendorName; ims-probe elenchus");
        assert!(node.sh(&answer).ok().stdout.contains("389 Project"));
        let ran = set("10.0.37.12").status_is(4);
        assert!(ran.stderr.contains("ns-slapd runs below"), "{ran}");
        node.run(["ims-switch", "offline", "LDAP-RG"]).ok();
        listens(&node, &BTreeSet::new());
    }

    // The server has written its file anew meanwhile: what it wrote is its own and stays.
    let written = text(&node, "dse.ldif");
    assert!(written.contains("modifyTimestamp") && text(&node, "dse.ldif.pre-ha") == before);
    node.run(["ims-ipbind", "restore", "elenchus"]).ok();
    let ours = |line: &&str| {
        !line.starts_with("nsslapd-listenhost") && !line.starts_with("nsslapd-securelistenhost")
    };
    let kept: Vec<&str> = written.lines().filter(ours).collect();
    assert_eq!(text(&node, "dse.ldif").lines().collect::<Vec<_>>(), kept);
    node.sh(&format!("test ! -e {FOLDER}/dse.ldif.pre-ha && test ! -e {FOLDER}/ims-ipbind.pre-ha")).ok();
    node.run(["ims-ipbind", "restore", "elenchus"]).ok();
}

#[test]
fn directory_server_5_is_bound_with_the_mail_server() {
    let files = Files::with(
        &ServerRoot::new(Flavour::Iplanet5, ROOT).mail(Mail::new("mail-1", "ldap://10.0.37.10/")),
    );
    let dse = format!("{FOLDER}/config/dse.ldif");
    let text = "dn: cn=config\r\nNSSLAPD-Port: 390\r\nnsslapd-listenhost:: \r\nnsslapd-security: on\r\n\r\ndn: cn=x\r\n";
    files.write(&dse, text);
    let set = ["set", "mail-1", "--server-root", ROOT, "--ldap", "elenchus", "--address", "10.0.37.10"];
    assert_eq!(changes(&files.answers(0, &set))[2], (dse.clone(), true));
    let bound =
        "nsslapd-listenhost: 10.0.37.10\r\nnsslapd-security: on\r\nnsslapd-securelistenhost: 10.0.37.10\r\n";
    assert_eq!(files.read(&dse), text.replace("nsslapd-listenhost:: \r\nnsslapd-security: on\r\n", bound));
    let show = ["show", "mail-1", "--server-root", ROOT, "--ldap", "elenchus", "--address", "10.0.37.10"];
    let shown: Vec<String> = super::records(&files.answers(0, &show))
        .iter()
        .filter(|record| record["server"] == "slapd")
        .map(|record| {
            format!("{} {}:{} {}", record["service"], record["address"], record["port"], record["at"]["line"])
        })
        .collect();
    assert_eq!(shown, ["\"ldap\" \"10.0.37.10\":390 2", "\"ldaps\" \"10.0.37.10\":636 null"]);
    files.answers(0, &["restore", "mail-1", "--server-root", ROOT, "--ldap", "elenchus"]);
    assert_eq!(files.read(&dse), text);
    let six: Vec<&str> =
        set.iter().map(|word| if *word == "10.0.37.10" { "2001:db8::1" } else { word }).collect();
    assert!(stderr(&files.answers(2, &six)).contains("is bound to one IPv4 address, not to 2001:db8::1"));
}
