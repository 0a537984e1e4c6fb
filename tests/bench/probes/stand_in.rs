//! The least of a server of each kind, so that the prober is what is measured: it answers what the dialogues say,
//! in about as many bytes as a real one, and knows nothing.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};

use super::bare::{look, raise_limit};

/// The word that makes this program be the stand-ins.
pub const WORD: &str = "stand-in";

/// What it is at each port.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Smtp,
    Imap,
    Ldap,
    Silent,
}

pub const SMTP: u16 = 2525;
pub const IMAP: u16 = 2143;
pub const LDAP: u16 = 2389;
pub const SILENT: u16 = 2526;
const PORTS: [(u16, Kind); 4] =
    [(SMTP, Kind::Smtp), (IMAP, Kind::Imap), (LDAP, Kind::Ldap), (SILENT, Kind::Silent)];

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
            Self::Imap => {
                b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE AUTH=PLAIN] ready.\r\n"
            }
            Self::Ldap | Self::Silent => b"",
        }
    }

    /// The answer to a client, and whether it is the last.
    fn answer(self, said: &[u8]) -> (Vec<u8>, bool) {
        let tag = || said.split(|byte| *byte == b' ').next().unwrap_or_default();
        let has = |word: &[u8]| said.windows(word.len()).any(|there| there == word);
        match self {
            Self::Smtp if said.starts_with(b"QUIT") => (b"221 2.0.0 Bye\r\n".to_vec(), true),
            Self::Smtp => (EHLO.to_vec(), false),
            Self::Imap if has(b"LOGOUT") => {
                ([b"* BYE Logging out\r\n", tag(), b" OK Logout completed.\r\n"].concat(), true)
            }
            Self::Imap => {
                let offers: &[u8] =
                    b"* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE AUTH=PLAIN\r\n";
                ([offers, tag(), b" OK Capability completed.\r\n"].concat(), false)
            }
            Self::Ldap => match said.get(5) {
                Some(0x60) => (b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec(), false),
                Some(0x63) => (FOUND.to_vec(), false),
                Some(_) | None => (Vec::new(), true),
            },
            Self::Silent => (Vec::new(), false),
        }
    }
}

/// Serves until it is ended.
pub fn serve() {
    raise_limit();
    let queue = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let listeners = PORTS.map(|(port, kind)| (listen(port), kind));
    for (listener, number) in listeners.iter().zip(0..) {
        epoll::add(&queue, &listener.0, EventData::new_u64(number), EventFlags::IN).unwrap();
    }
    let mut clients: HashMap<u64, (OwnedFd, Kind)> = HashMap::new();
    let mut events = Vec::with_capacity(512);
    let mut last = listeners.len() as u64;
    loop {
        look(&queue, &mut events, true);
        for &Event { data, .. } in &events {
            if let Some((client, kind)) = clients.get(&data.u64()) {
                if serve_once(client, *kind) {
                    clients.remove(&data.u64());
                }
                continue;
            }
            let Some((listener, kind)) = listeners.get(usize::try_from(data.u64()).unwrap()) else {
                continue;
            };
            while let Ok(client) =
                rustix::net::accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
            {
                say(&client, kind.greeting());
                last += 1;
                epoll::add(&queue, &client, EventData::new_u64(last), EventFlags::IN).unwrap();
                clients.insert(last, (client, *kind));
            }
        }
    }
}

/// Reads from a client and answers; says whether it is the end.
fn serve_once(client: &OwnedFd, kind: Kind) -> bool {
    let mut bytes = [0; 512];
    let Ok(count @ 1..) = rustix::io::read(client, &mut bytes) else { return true };
    let (answer, is_last) = kind.answer(&bytes[..count]);
    say(client, &answer);
    is_last
}

/// A client that has gone already is told nothing.
fn say(client: &OwnedFd, words: &[u8]) {
    if !words.is_empty() {
        let _ = rustix::net::send(client, words, SendFlags::NOSIGNAL);
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
