//! Real ssh between nodes: an sshd in each, one key for all of them, and no question asked.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::call::PATH;
use super::must::Must;
use super::node::Node;
use super::rack::Rack;
use super::until;

/// Where the keys are, as nodes see it.
const FOLDER: &str = "/run/ims-bed/ssh";

/// Makes the keys and the servers' configuration.
pub fn prepare(rack: &Rack) {
    let folder = rack.path("shared/ssh");
    fs::create_dir(&folder).must("make a folder for ssh keys");
    for key in ["host", "user"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"])
            .arg(folder.join(key))
            .output()
            .must("run ssh-keygen");
        assert!(made.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&made.stderr));
    }
    let host = fs::read_to_string(folder.join("host.pub")).must("read the host key");
    fs::write(folder.join("known_hosts"), format!("* {host}")).must("write known_hosts");
    fs::write(folder.join("sshd_config"), server()).must("write sshd_config");
}

/// Starts a node's sshd, and tells its ssh about the keys.
pub fn serve(node: &Node) {
    node.file("/etc/ssh/ssh_config.d/ims-bed.conf", client());
    let shadow = node.read("/etc/shadow").must("read /etc/shadow");
    if shadow.starts_with("root:!") {
        // sshd turns away an account that is locked, even for a key.
        node.file("/etc/shadow", shadow.replacen("root:!", "root:*", 1));
    }
    let sshd = node.spawn(["/usr/sbin/sshd", "-D", "-e", "-f", &format!("{FOLDER}/sshd_config")]);
    let at = (node.address(), 22);
    let is_up = node.inside(|| until(Duration::from_secs(30), || std::net::TcpStream::connect(at).is_ok()));
    assert!(is_up, "sshd of {} does not listen: {}", node.name(), sshd.stderr());
    sshd.stay();
}

fn server() -> String {
    format!(
        "HostKey {FOLDER}/host\nAuthorizedKeysFile {FOLDER}/user.pub\nStrictModes no\nPermitRootLogin prohibit-password\n\
         UsePAM no\nUseDNS no\nPidFile none\nMaxStartups 100\nMaxSessions 100\nPrintMotd no\nPrintLastLog no\n\
         SetEnv PATH={PATH}\n"
    )
}

/// As an operator would have it, but for the key exchange: the default one costs a slow machine 90 ms more.
fn client() -> String {
    format!(
        "Host *\nBatchMode yes\nStrictHostKeyChecking yes\nUserKnownHostsFile {FOLDER}/known_hosts\n\
         GlobalKnownHostsFile /dev/null\nIdentityFile {FOLDER}/user\nIdentitiesOnly yes\nGSSAPIAuthentication no\n\
         ConnectTimeout 2\nAddressFamily inet\nServerAliveInterval 1\nServerAliveCountMax 3\nLogLevel ERROR\n\
         KexAlgorithms curve25519-sha256\n"
    )
}
