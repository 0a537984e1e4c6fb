//! `prometheus-blackbox-exporter`, asked over HTTP as Prometheus asks it, by several at once.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::cost::{self, Cost, compare};
use super::{addresses, bound, ours_at, stand_in};
use crate::support::until;

const AT: &str = "127.0.0.1:9115";
/// How many ask at once.
const ASKERS: usize = 16;

/// The first words of SMTP and IMAP, in its way of query and response.
const MODULES: &str = r#"modules:
  smtp:
    prober: tcp
    timeout: 10s
    tcp:
      preferred_ip_protocol: ip4
      query_response: [{expect: "^220 "}, {send: "QUIT\r"}]
  imap:
    prober: tcp
    timeout: 10s
    tcp:
      preferred_ip_protocol: ip4
      query_response: [{expect: "^\\* OK"}, {send: "a1 LOGOUT\r"}]
"#;

/// Ours beside it, on the real servers and on a stand-in.
pub fn exporter() -> Vec<String> {
    let exporter = Exporter::start();
    let mut missed = Vec::new();
    for (module, port, count) in [("smtp", 25, 200), ("imap", 143, 100), ("smtp", stand_in::SMTP, 1000)] {
        let targets: Vec<String> = addresses(count).map(|ip| format!("{ip}:{port}")).collect();
        let whose = if port == stand_in::SMTP { "of a stand-in" } else { "of the test bed" };
        let [_, ratio] = compare(
            &format!("{module} {whose}, level greet"),
            5,
            [
                ("ims-probe", &|| ours_at(module, port, "greet", count, super::plugins::AT_ONCE)),
                ("prometheus-blackbox-exporter", &|| exporter.probe(module, &targets)),
            ],
        );
        missed.extend(bound(ratio >= 3.0, "probes 3 times cheaper than prometheus-blackbox-exporter"));
    }
    missed
}

/// The exporter at work on the prober's core, in the network of the thread that starts it.
struct Exporter {
    child: Child,
    _config: NamedTempFile,
}

impl Exporter {
    fn start() -> Self {
        let config = NamedTempFile::new().unwrap();
        fs_err::write(config.path(), MODULES).unwrap();
        let mut command = Command::new("prometheus-blackbox-exporter");
        command
            .arg(format!("--config.file={}", config.path().display()))
            .args([&format!("--web.listen-address={AT}"), "--log.level=error"])
            .stdout(Stdio::null());
        let child = cost::on_core(cost::PROBER, || command.spawn().unwrap());
        assert!(until(Duration::from_secs(10), || TcpStream::connect(AT).is_ok()), "it does not listen");
        Self { child, _config: config }
    }

    /// What it costs to ask for all targets once.
    fn probe(&self, module: &str, targets: &[String]) -> Cost {
        cost::of_a_process(self.child.id(), u32::try_from(targets.len()).unwrap(), || {
            let next = AtomicUsize::new(0);
            let ask_all = || {
                std::thread::scope(|scope| {
                    for _ in 0..ASKERS {
                        scope.spawn(|| ask(module, targets, &next));
                    }
                });
            };
            cost::on_core(cost::SERVER, ask_all);
        })
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Asks for one target after the other, over one connection.
fn ask(module: &str, targets: &[String], next: &AtomicUsize) {
    let stream = TcpStream::connect(AT).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream);
    while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
        let line = format!("GET /probe?module={module}&target={target} HTTP/1.1\r\nHost: {AT}\r\n\r\n");
        answers.get_mut().write_all(line.as_bytes()).unwrap();
        let body = body(&mut answers);
        assert!(body.contains("\nprobe_success 1\n"), "{target}: {body}");
    }
}

/// The body of an answer that tells its length.
fn body(answer: &mut impl BufRead) -> String {
    let mut length = None;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse().unwrap());
        }
    }
    let mut body = vec![0; length.expect("an answer with its length")];
    answer.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
