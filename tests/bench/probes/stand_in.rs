//! The least of a server of each kind, so that the prober is what is measured: it answers what the dialogues say,
//! in about as many bytes as a real one, and knows nothing.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use rustls::{ServerConfig, ServerConnection};

use super::bare::{look, raise_limit};

/// The word that makes this program be the stand-ins.
pub const WORD: &str = "stand-in";

/// What it is at each port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Smtp,
    Imap,
    Ldap,
    Silent,
    /// IMAP over TLS, and TLS with nothing behind.
    Imaps,
    SilentTls,
}

pub const SMTP: u16 = 2525;
pub const IMAP: u16 = 2143;
pub const LDAP: u16 = 2389;
pub const SILENT: u16 = 2526;
pub const IMAPS: u16 = 2993;
pub const SILENT_TLS: u16 = 2994;
const PORTS: [(u16, Kind); 6] = [
    (SMTP, Kind::Smtp),
    (IMAP, Kind::Imap),
    (LDAP, Kind::Ldap),
    (SILENT, Kind::Silent),
    (IMAPS, Kind::Imaps),
    (SILENT_TLS, Kind::SilentTls),
];

/// What it says of itself after hello, as Postfix does.
const EHLO: &[u8] =
    b"250-mail-1.example.test\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n\
    250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n";
/// A root DSE's naming context, and the end of the search.
const FOUND: &[u8] =
    b"\x30\x34\x02\x01\x02\x64\x2f\x04\x00\x30\x2b\x30\x29\x04\x0enamingContexts\x31\x17\x04\x15\
    dc=bench,dc=test,c=XX\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00";

impl Kind {
    const fn greeting(self) -> &'static [u8] {
        match self {
            Self::Smtp => b"220 mail-1.example.test ESMTP\r\n",
            Self::Imap | Self::Imaps => {
                b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE AUTH=PLAIN] ready.\r\n"
            }
            Self::Ldap | Self::Silent | Self::SilentTls => b"",
        }
    }

    /// The answer to a client, and whether it is the last.
    fn answer(self, said: &[u8]) -> (Vec<u8>, bool) {
        let tag = || said.split(|byte| *byte == b' ').next().unwrap_or_default();
        let has = |word: &[u8]| said.windows(word.len()).any(|there| there == word);
        match self {
            Self::Smtp if said.starts_with(b"QUIT") => (b"221 2.0.0 Bye\r\n".to_vec(), true),
            Self::Smtp => (EHLO.to_vec(), false),
            Self::Imap | Self::Imaps if has(b"LOGOUT") => {
                ([b"* BYE Logging out\r\n", tag(), b" OK Logout completed.\r\n"].concat(), true)
            }
            Self::Imap | Self::Imaps => {
                let offers: &[u8] =
                    b"* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE AUTH=PLAIN\r\n";
                ([offers, tag(), b" OK Capability completed.\r\n"].concat(), false)
            }
            Self::Ldap => match said.get(5) {
                Some(0x60) => (b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec(), false),
                Some(0x63) => (FOUND.to_vec(), false),
                Some(_) | None => (Vec::new(), true),
            },
            Self::Silent | Self::SilentTls => (Vec::new(), false),
        }
    }
}

/// A client, and TLS with it where that is spoken.
struct Client {
    stream: TcpStream,
    kind: Kind,
    tls: Option<Box<ServerConnection>>,
    is_greeted: bool,
}

/// Serves until it is ended; `folder` holds the certificate.
pub fn serve(folder: &Path) {
    raise_limit();
    let config = Arc::new(super::identity::server(folder));
    let queue = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let listeners = PORTS.map(|(port, kind)| (listen(port), kind));
    for (listener, number) in listeners.iter().zip(0..) {
        epoll::add(&queue, &listener.0, EventData::new_u64(number), EventFlags::IN).unwrap();
    }
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut events = Vec::with_capacity(512);
    let mut last = listeners.len() as u64;
    loop {
        look(&queue, &mut events, true);
        for &Event { data, .. } in &events {
            if let Some(client) = clients.get_mut(&data.u64()) {
                if client.go_on().is_none() {
                    clients.remove(&data.u64());
                }
                continue;
            }
            let Some((listener, kind)) = listeners.get(usize::try_from(data.u64()).unwrap()) else {
                continue;
            };
            while let Ok(fd) =
                rustix::net::accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
            {
                last += 1;
                epoll::add(&queue, &fd, EventData::new_u64(last), EventFlags::IN).unwrap();
                let mut client = Client::new(fd.into(), *kind, &config);
                client.greet();
                clients.insert(last, client);
            }
        }
    }
}

impl Client {
    fn new(stream: TcpStream, kind: Kind, config: &Arc<ServerConfig>) -> Self {
        let tls = matches!(kind, Kind::Imaps | Kind::SilentTls)
            .then(|| Box::new(ServerConnection::new(Arc::clone(config)).unwrap()));
        Self { stream, kind, tls, is_greeted: false }
    }

    /// Greets, once and as soon as it can.
    fn greet(&mut self) {
        if !self.is_greeted && self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking()) {
            self.is_greeted = true;
            self.say(self.kind.greeting());
        }
    }

    /// Hears and answers; nothing is the end. One read is all that a client says at once.
    fn go_on(&mut self) -> Option<()> {
        let mut bytes = [0; 512];
        let count = match &mut self.tls {
            None => self.stream.read(&mut bytes).ok()?,
            Some(tls) => {
                let heard = tls.read_tls(&mut self.stream).ok()?;
                tls.process_new_packets().ok()?;
                let count = tls.reader().read(&mut bytes);
                while tls.wants_write() {
                    tls.write_tls(&mut self.stream).ok()?;
                }
                self.greet();
                match count {
                    Err(error) if error.kind() == ErrorKind::WouldBlock && heard > 0 => return Some(()),
                    count => count.ok()?,
                }
            }
        };
        if count == 0 {
            return None;
        }
        let (answer, is_last) = self.kind.answer(&bytes[..count]);
        self.say(&answer);
        (!is_last).then_some(())
    }

    /// A client that has gone already is told nothing.
    fn say(&mut self, words: &[u8]) {
        if words.is_empty() {
            return;
        }
        match &mut self.tls {
            None => {
                let _ = rustix::net::send(&self.stream, words, SendFlags::NOSIGNAL);
            }
            Some(tls) => {
                tls.writer().write_all(words).unwrap();
                let _ = tls.write_tls(&mut self.stream);
            }
        }
    }
}

fn listen(port: u16) -> OwnedFd {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let listener = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    rustix::net::sockopt::set_socket_reuseaddr(&listener, true).unwrap();
    rustix::net::bind(&listener, &SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).unwrap();
    rustix::net::listen(&listener, 4096).unwrap();
    listener
}
