//! What becomes of the TCP connections of an address that is taken down.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// How long a client waits that is not told.
const LONG: Duration = Duration::from_millis(1500);

/// A Dovecot that lets anybody in, on every address of the node.
fn dovecot(node: &Node) {
    node.file(
        "/etc/ims-dovecot.conf",
        "protocols = imap\nlisten = *, ::\nbase_dir = /run/ims-dovecot\nlog_path = /run/ims-dovecot.log\nssl = no\n\
         disable_plaintext_auth = no\nmail_location = sdbox:/srv/mail/%u\nmail_uid = 8\nmail_gid = 8\n\
         first_valid_uid = 8\npassdb {\n  driver = static\n  args = nopassword=y\n}\nuserdb {\n  driver = static\n\
         args = uid=8 gid=8 home=/srv/mail/%u\n}\nservice imap-login {\n  inet_listener imaps {\n    port = 0\n  }\n}\n",
    );
    node.sh("mkdir -p /srv/mail && chown 8:8 /srv/mail && dovecot -c /etc/ims-dovecot.conf").ok();
}

/// An IMAP session from the client's node that waits for news, as mail programs do all day.
fn idle(client: &Node, at: SocketAddr) -> TcpStream {
    client.inside(|| {
        let stream = TcpStream::connect_timeout(&at, Duration::from_secs(5)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut until = |wanted: &str| {
            let mut line = String::new();
            while !line.starts_with(wanted) {
                line.clear();
                assert!(reader.read_line(&mut line).unwrap() > 0, "no {wanted}");
            }
        };
        until("* OK");
        (&stream).write_all(b"a LOGIN alice secret\r\n").unwrap();
        until("a OK");
        (&stream).write_all(b"b SELECT INBOX\r\n").unwrap();
        until("b OK");
        (&stream).write_all(b"c IDLE\r\n").unwrap();
        until("+ ");
        stream
    })
}

/// How a session that only reads ends, and when; `WouldBlock` when it does not.
fn end(stream: &TcpStream, patience: Duration) -> (io::Result<usize>, Instant) {
    stream.set_read_timeout(Some(patience)).unwrap();
    let read = (&mut &*stream).read(&mut [0; 256]);
    (read, Instant::now())
}

#[test]
fn an_idle_imap_session_ends_at_once_when_its_address_goes_and_waits_when_connections_are_kept() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    settle(&node);
    settle(&client);
    dovecot(&node);
    for vip in [VIP, VIP6] {
        let at = SocketAddr::new(vip.split('/').next().unwrap().parse().unwrap(), 143);
        ipbind(&node, &format!("up {vip} --device eth0 --probe-wait 0s")).ok();
        let session = idle(&client, at);
        let start = Instant::now();
        let (down, (ended, moment)) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| end(&session, Duration::from_secs(10)));
            let down = ipbind(&node, &format!("down {vip} --device eth0")).ok();
            (down, reader.join().unwrap())
        });
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset, "{vip}");
        let record = told(&down);
        assert_eq!((&record["state"], &record["connections_reset"]), (&json!("down"), &json!(1)), "{down}");
        let took = moment - start;
        println!(
            "{vip}: the client saw the reset {took:?} after down was started, which took {:?}",
            down.took
        );
        assert!(took < down.took + Duration::from_millis(500), "{vip}: {took:?}");

        // The proof that this can fail: kept, the session waits and knows nothing.
        ipbind(&node, &format!("up {vip} --device eth0 --probe-wait 0s")).ok();
        let session = idle(&client, at);
        let down = ipbind(&node, &format!("down {vip} --device eth0 --keep-connections")).ok();
        assert_eq!(told(&down)["connections_reset"], 0);
        let (ended, _) = end(&session, LONG);
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::WouldBlock, "{vip}");
        println!("{vip}: with --keep-connections it still waits after {LONG:?}");
    }
    node.sh("doveadm -c /etc/ims-dovecot.conf stop").ok();
}

#[test]
fn only_the_connections_of_the_address_are_reset_and_those_of_mapped_sockets_too() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    // One socket for both families, so that its IPv4 connections are of the family AF_INET6.
    let listener = node.inside(|| TcpListener::bind("[::]:1430")).unwrap();
    let connect = |from: &Node, to: &str| {
        let here = from.inside(|| TcpStream::connect(to)).unwrap();
        (here, listener.accept().unwrap().0)
    };
    let own = format!("{}:1430", node.address());
    let (kept, kept_there) = connect(&client, &own);
    let many: Vec<_> = (0..200).map(|_| connect(&client, "192.0.2.7:1430")).collect();
    // Connections that the node makes from the address, and those within itself.
    let outward = client.inside(|| TcpListener::bind("0.0.0.0:25")).unwrap();
    let sender = node.inside(|| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&"192.0.2.7:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        socket.connect(&SocketAddr::new(client.address().into(), 25).into()).unwrap();
        TcpStream::from(socket)
    });
    let receiver = outward.accept().unwrap().0;
    let within = connect(&node, "192.0.2.7:1430");

    let down = ipbind(&node, &format!("down {VIP} --device eth0")).ok();
    assert_eq!(down.stderr, "");
    assert_eq!(told(&down)["connections_reset"], 202, "{down}");
    let reset = |stream: &TcpStream| end(stream, Duration::from_secs(5)).0.unwrap_err().kind();
    for (here, there) in &many {
        assert_eq!(reset(here), ErrorKind::ConnectionReset);
        assert_eq!(reset(there), ErrorKind::ConnectionAborted);
    }
    // Both ends of the one within the node are the address's own; either is the first.
    let ends = [reset(&within.0), reset(&within.1)];
    assert!(
        ends.contains(&ErrorKind::ConnectionReset) && ends.contains(&ErrorKind::ConnectionAborted),
        "{ends:?}"
    );
    assert_eq!(reset(&receiver), ErrorKind::ConnectionReset);
    assert_eq!(reset(&sender), ErrorKind::ConnectionAborted);
    // What is not the address's own goes on, the listening socket too.
    (&kept).write_all(b"x").unwrap();
    assert_eq!(end(&kept_there, Duration::from_secs(5)).0.unwrap(), 1);
    ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    drop(connect(&client, "192.0.2.7:1430"));
}

#[test]
fn an_address_that_stays_on_the_node_keeps_its_connections() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    node.sh("ip address add 192.0.2.7/32 dev eth0").ok();
    let listener = node.inside(|| TcpListener::bind("0.0.0.0:1430")).unwrap();
    let here = client.inside(|| TcpStream::connect("192.0.2.7:1430")).unwrap();
    let (mut there, _) = listener.accept().unwrap();
    let down = ipbind(&node, &format!("down {VIP} --device eth0")).status_is(5);
    assert_eq!(
        fail(&down),
        "192.0.2.7/24 was taken off eth0 and is not down: it stands there with the prefix length 32"
    );
    (&here).write_all(b"x").unwrap();
    assert_eq!(there.read(&mut [0; 1]).unwrap(), 1);
}

#[test]
fn an_address_goes_down_although_its_connections_cannot_be_reset() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    // The sockets of a run: route netlink first, then sock_diag.
    let words = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=socket"];
    let inject =
        ["-e", "inject=socket:error=EPROTONOSUPPORT:when=2", "ims-ipbind", "down", VIP, "--device", "eth0"];
    let down = node.run(words.into_iter().chain(inject)).ok();
    assert_eq!(
        down.stderr,
        "ims-ipbind: cannot reset the connections of 192.0.2.7: Protocol not supported; \
         clients that only wait will not notice\n"
    );
    assert_eq!((&told(&down)["state"], &told(&down)["connections_reset"]), (&json!("down"), &json!(0)));
    assert!(!has(&node, VIP));
}
