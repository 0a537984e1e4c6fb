//! A node with very many sockets: connections of one process to itself, and a small server beside them.

use std::time::Duration;

use super::node::Node;
use super::running::Running;

/// One process with so many connections to itself at a port of its own: two sockets each.
const CROWD: &str = r#"
use Socket;
socket(my $l, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($l, SOL_SOCKET, SO_REUSEADDR, 1);
bind($l, sockaddr_in($ARGV[1], INADDR_ANY)) or die "bind: $!";
listen($l, 128) or die "listen: $!";
my @held;
for my $i (0 .. $ARGV[0] - 1) {
    socket(my $c, PF_INET, SOCK_STREAM, 0) or die "socket $i: $!";
    connect($c, sockaddr_in($ARGV[1], pack("C4", 127, 0, 0, 2))) or die "connect $i: $!";
    accept(my $a, $l) or die "accept $i: $!";
    push @held, $c, $a;
}
$| = 1;
print "all there\n";
sleep 600;
"#;

/// A server that listens at a port and does nothing.
const SERVER: &str = "use IO::Socket::INET; \
    my $s = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $ARGV[0], Listen => 1) or die; \
    $| = 1; print \"all there\\n\"; sleep 600";

/// The most connections of one process: the limit of open files cannot be raised everywhere.
const EACH: u32 = 8000;

/// Opens so many connections in a node, two sockets each, and a server at port 25.
pub fn crowd(node: &Node, connections: u32) -> Vec<Running> {
    let script = "ulimit -n $(ulimit -Hn); exec perl -e \"$1\" \"$2\" \"$3\"";
    let mut all = vec![server(node, 25)];
    for (index, first) in (0..connections).step_by(usize::try_from(EACH).unwrap()).enumerate() {
        let (count, port) = (EACH.min(connections - first).to_string(), (2000 + index).to_string());
        all.push(ready(node.spawn(["sh", "-c", script, "sh", CROWD, &count, &port])));
    }
    all
}

/// Starts a server of nobody in particular at a port.
pub fn server(node: &Node, port: u16) -> Running {
    ready(node.spawn(["perl", "-e", SERVER, &port.to_string()]))
}

fn ready(running: Running) -> Running {
    let is_there = running.until_stdout(Duration::from_secs(60), |said| said.contains("all there"));
    assert!(is_there, "{}", running.stderr());
    running
}

/// Files of an instance whose SMTP port that server has.
pub fn instance(node: &Node) {
    let folder = "/global/ims/server5/msg-stork/postfix";
    node.file(format!("{folder}/main.cf"), "inet_interfaces = all\nmyhostname = stork.example.test\n");
    node.file(format!("{folder}/master.cf"), "smtp inet n - n - - smtpd\n");
    node.file("/etc/msgregistry.inf", "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\n");
}
