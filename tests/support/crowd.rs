//! A node with very many sockets: connections of one process to itself, and a small server beside them.

use std::time::Duration;

use super::node::Node;
use super::running::Running;

/// One process with so many connections to itself: two sockets each. Addresses of loopback are changed in time,
/// as there are some 28,000 ports for outgoing connections to each.
const CROWD: &str = r#"
use Socket;
socket(my $l, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($l, SOL_SOCKET, SO_REUSEADDR, 1);
bind($l, sockaddr_in(2000, INADDR_ANY)) or die "bind: $!";
listen($l, 128) or die "listen: $!";
my @held;
for my $i (0 .. $ARGV[0] - 1) {
    socket(my $c, PF_INET, SOCK_STREAM, 0) or die "socket $i: $!";
    connect($c, sockaddr_in(2000, pack("C4", 127, 0, 0, 2 + int($i / 20000)))) or die "connect $i: $!";
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

/// Opens so many connections in a node, two sockets each, and a server at port 25.
pub fn crowd(node: &Node, connections: u32) -> [Running; 2] {
    let limit = connections * 2 + 1000;
    let script = format!("ulimit -n {limit}; exec perl -e \"$1\" \"$2\"");
    let many = node.spawn(["sh", "-c", &script, "sh", CROWD, &connections.to_string()]);
    [ready(many), server(node, 25)]
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
