//! A whole mail service on a shared volume, as an operator prepares it for two nodes.

use std::convert::Infallible;
use std::path::Path;

use super::{Directory, Mail, ServerRoot};
use crate::support::Node;

/// The server root.
pub const ROOT: &str = "/global/ims/server5";

/// Lays a server root with the instances `stork` and `mail` on a volume, binds it to a logical IP, and makes it known to
/// each of the nodes. The volume and the address are given up again.
pub fn lay(nodes: &[&Node], device: &str, mount: &str, ip: &str) {
    let [here, others @ ..] = nodes else { return };
    let volume = ["--device", device, "--mount", mount];
    let address = format!("{ip}/24");
    let address = [address.as_str(), "--device", "eth0"];
    here.run(["ims-diskctl", "take"].into_iter().chain(volume)).ok();
    here.run(["ims-ipbind", "up"].into_iter().chain(address)).ok();
    let root = ServerRoot::postfix_dovecot(ROOT)
        .mail(Mail::new("stork", &format!("ldap://{ip}:389/")))
        .directory(Directory::new("mail"));
    here.enter(|| root.lay(Path::new("/"))).unwrap();
    let settled = root.settle(|words| {
        here.run(words).ok();
        Ok::<(), Infallible>(())
    });
    settled.unwrap();
    here.sh(&format!("ims-registry scan {ROOT} | ims-registry add -")).ok();
    here.run(["ims-ipbind", "set", "--address", ip, "stork"]).ok();
    for other in others {
        here.sh(&format!("ims-registry list | ssh root@{} ims-registry add -", other.name())).ok();
    }
    here.run(["ims-ipbind", "down"].into_iter().chain(address)).ok();
    here.run(["ims-diskctl", "release"].into_iter().chain(volume)).ok();
}

/// The resources of its servers for the file of a group that has a `logical_IP` and a volume `mountshared`.
pub const RESOURCES: &str = r#"[resource.ldap]
type = "directory-server"
instance = "mail"
requires = ["logical_IP", "mountshared"]
online_timeout = 20
[resource.mail]
type = "messaging-server"
instance = "stork"
requires = ["ldap"]
online_timeout = 20
"#;
