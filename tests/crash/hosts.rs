//! The hosts that the command lines are for.

use super::lab::Lab;
use crate::support::mail::{Directory, Mail, ServerRoot};

/// The server root of the seed.
pub const SEED_ROOT: &str = "/opt/iplanet/server5";
/// The root of an instance that is alone in it.
pub const ROOT_6: &str = "/opt/SUNWmsgsr";
/// The server root of Postfix, Dovecot and a directory server.
pub const ROOT: &str = "/global/ims/server5";
/// Where the registry is.
pub const REGISTRY: &str = "/etc/msgregistry.inf";
/// A registry with one instance.
pub const ENTRY: &str = "# ours\n[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\naddress = 192.0.2.10\nowner = joe\n";

/// The server root of the seed's sample run.
pub fn seed(lab: &Lab) {
    ServerRoot::seed().lay(&lab.host()).unwrap();
    lab.script("/opt/iplanet/server5/msg-mail-1/configutil", CONFIGUTIL);
}

/// The message store's tool in as few system calls as it can be: it is run some thousand times.
const CONFIGUTIL: &str = "#!/bin/sh\nset -eu\nstore=${0%/*}/config/msg.conf name=$2 new=${4-}\n\
    while read -r key _ value; do\n  [ -n \"$new\" ] || [ \"$key\" != \"$name\" ] || echo \"$value\"\n\
    [ \"$key\" != \"$name\" ] || value=${new:-$value}\n  text=\"${text-}$key = $value\n\"\ndone <\"$store\"\n\
    [ -n \"$new\" ] || exit 0\nprintf %s \"$text\" >\"$store.$$\"\nexec mv \"$store.$$\" \"$store\"\n";

/// Postfix, Dovecot and a directory server.
pub fn postfix_dovecot(lab: &Lab) {
    ServerRoot::postfix_dovecot(ROOT)
        .mail(Mail::new("stork", "ldap://192.0.2.10:389/"))
        .directory(Directory::new("mail"))
        .lay(&lab.host())
        .unwrap();
}

/// Two bound instances whose Job Controllers have the port of the SMTP service, so that both get another; their
/// message stores have no servers, for each is asked of a program.
pub fn job_controllers(lab: &Lab) {
    seed(lab);
    for (name, ip) in [("mail-1", "10.0.37.10"), ("mail-2", "10.0.37.11")] {
        let folder = format!("{SEED_ROOT}/msg-{name}");
        lab.script(&format!("{folder}/configutil"), CONFIGUTIL);
        let store = ["imap", "pop", "http"].map(|server| format!("service.{server}.enable = no\n")).concat();
        lab.write(&format!("{folder}/config/msg.conf"), &format!("service.listenaddr = {ip}\n{store}"));
        let smtp = format!("[SERVICE=SMTP]\nPORT=25\nINTERFACE_ADDRESS={ip}\n");
        lab.write(&format!("{folder}/imta/config/dispatcher.cnf"), &smtp);
        let controller = format!("tcp_port=25\nINTERFACE_ADDRESS={ip}\nsecret=x\n");
        lab.write(&format!("{folder}/imta/config/job_controller.cnf"), &controller);
    }
    let entry = |name: &str| format!("[{name}]\nlayout = iplanet-5\nroot = {SEED_ROOT}\n");
    lab.write(REGISTRY, &(entry("mail-1") + &entry("mail-2")));
}

/// A directory server alone, of version 5.
pub fn directory_server_5(lab: &Lab) {
    let dse = include_str!("../data/ldif/dse-of-directory-server-5.ldif");
    lab.write("/opt/iplanet/server5/slapd-elenchus/config/dse.ldif", dse);
    lab.write(
        REGISTRY,
        "[elenchus]\nlayout = iplanet-5\nroot = /opt/iplanet/server5\nldap = elenchus\nmail = no\n",
    );
}

/// The one instance of a root.
pub fn messaging6(lab: &Lab) {
    let root = ROOT_6;
    ServerRoot::messaging6(root, Mail::new("mail-1", "ldap://10.0.37.10:389/")).lay(&lab.host()).unwrap();
    lab.write(&format!("{root}/sbin/configutil"), &CONFIGUTIL.replace("config/", "../config/"));
    lab.write(REGISTRY, &format!("[mail-1]\nlayout = messaging-6\nroot = {root}\n"));
}

/// A registry that knows one instance.
pub fn registered(lab: &Lab) {
    lab.write(REGISTRY, ENTRY);
}
