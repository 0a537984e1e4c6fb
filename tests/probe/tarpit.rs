//! A server that takes nothing: the window is closed while there is something to be sent.

use std::io::Read;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use super::login::secrets;
use super::many::{in_own_network, listener};
use super::servers::{Server, say_all};
use super::{run_all, verdict};

#[test]
fn a_server_that_takes_no_byte_of_a_long_request_is_down_at_its_stage_and_on_time() {
    in_own_network(|| {
        // The kernel's buffers of both sides hold as little as they can.
        for side in ["rmem", "wmem"] {
            fs_err::write(format!("/proc/sys/net/ipv4/tcp_{side}"), "4096 4096 4096").unwrap();
        }
        let password = "x".repeat(2 * 1024 * 1024);
        let (_folder, file) = secrets(&format!(
            "[default]\nuser = 'probe'\npassword = '{password}'\n[ldap]\nuser = 'cn=probe'\npassword = '{password}'\n"
        ));
        let rows: [(&str, &[&[u8]], &str); 4] = [
            ("smtp", &[b"220 x\r\n", b"250 AUTH PLAIN\r\n", b"334 \r\n"], "auth"),
            ("imap", &[b"* OK\r\n", b"* CAPABILITY IMAP4 AUTH=PLAIN SASL-IR\r\na1 OK\r\n"], "auth"),
            ("pop3", &[b"+OK\r\n", b"+OK\r\n.\r\n", b"+OK\r\n"], "auth"),
            ("ldap", &[b"", b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x30\x04\x00\x04\x00"], "bind"),
        ];
        let (mut urls, mut open) = (Vec::new(), Vec::new());
        for (scheme, said, _) in rows {
            let (done, is_done) = mpsc::channel::<()>();
            let is_done = Mutex::new(is_done);
            let server = Server::on(listener(), move |mut stream| {
                for piece in said {
                    say_all(&stream, piece);
                    // The beginning of the long request is all that is ever read.
                    let _ = stream.read(&mut [0; 256]);
                }
                // Kept open until the probe has its answer.
                let _ = is_done.lock().unwrap().recv_timeout(Duration::from_secs(30));
            });
            urls.push(format!("{scheme}://127.0.0.1:{}", server.port()));
            open.push(done);
        }
        let run = run_all(&urls, &["--level", "login", "--secrets", &file, "--timeout", "2s"]);
        drop(open);
        for (answer, (scheme, _, stage)) in run.records.iter().zip(rows) {
            assert_eq!(verdict(answer), ("down", stage, "timed out after 2s"), "{scheme}");
        }
        assert_eq!(run.code, 1);
        assert!(run.took < Duration::from_secs(15), "{:?}", run.took);
    });
}
