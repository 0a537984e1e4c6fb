//! Little servers on a port of their own, each connection in a thread.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A server that lives as long as the test.
pub struct Server(SocketAddr);

impl Server {
    /// Serves every connection by `serve`; the connection ends with it.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), serve)
    }

    /// The same on a listener of the test.
    pub fn on(listener: TcpListener, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serve = Arc::clone(&serve);
                // A connection that is gone before it was taken is nobody's.
                if let Ok(stream) = stream {
                    thread::spawn(move || serve(stream));
                }
            }
        });
        Self(address)
    }

    /// Serves a script: what is said first, then for each line heard that begins with a word, what is said next.
    pub fn scripted(script: &[(&'static str, Say)]) -> Self {
        let script = script.to_vec();
        Self::start(move |stream| play(&stream, &script))
    }

    /// Says these in turn, each but the first when it has been spoken to again, and after the last of them does `then`.
    pub fn after(said: &'static [&'static [u8]], then: impl Fn(&TcpStream) + Send + Sync + 'static) -> Self {
        Self::start(move |mut stream| {
            for piece in said {
                say_all(&stream, piece);
                if !stream.read(&mut [0; 1024]).is_ok_and(|some| some > 0) {
                    return;
                }
            }
            then(&stream);
        })
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.0)
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

/// What a server does when it is its turn.
#[derive(Debug, Clone, Copy)]
pub enum Say {
    /// Says it.
    Bytes(&'static [u8]),
    /// Says nothing and keeps the connection.
    Nothing,
    /// Closes the connection.
    Close,
}

/// Plays a script to its end and then waits for the client to go.
pub fn play(stream: &TcpStream, script: &[(&str, Say)]) {
    let mut lines = BufReader::new(stream).lines();
    for (heard, say) in script {
        if !heard.is_empty() {
            match lines.next() {
                Some(Ok(line)) if line.starts_with(heard) => {}
                Some(Ok(line)) => panic!("'{line}' was said and '{heard}' expected"),
                Some(Err(_)) | None => return,
            }
        }
        match say {
            Say::Bytes(bytes) => say_all(stream, bytes),
            Say::Nothing => break,
            Say::Close => return,
        }
    }
    wait(stream);
}

/// Says something to a client that may be gone.
pub fn say_all(mut stream: &TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// Waits for the client to go.
pub fn wait(mut stream: &TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Says the same over and over until the client goes, or a hundred megabytes are full.
pub fn flood(stream: &TcpStream, bytes: &[u8]) {
    let piece = bytes.repeat(64 * 1024 / bytes.len());
    for _ in 0..100 * 1024 * 1024 / piece.len() {
        let mut stream = stream;
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
}

/// Breaks the connection off, and says no goodbye.
pub fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
}
