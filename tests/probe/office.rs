//! A small post office: what SMTP takes comes to one mailbox, which is read by IMAP and POP3. It does what real servers
//! do seldom, at the very moment that a test wants it.

mod imap;
mod pop3;

use std::io::{BufRead, BufReader, Lines};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard};

use super::login::secrets;
use super::servers::{Server, say_all};
use super::{Run, run};

/// When what was taken comes to the mailbox, as the first thing that the server does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With its last line.
    Taken,
    /// When the client asks for IDLE.
    Idle,
    /// When it has asked for news so often, by NOOP or by a login of POP3.
    Looks(usize),
    /// When it searches, so that the search does not find it.
    Search,
    /// When it deletes what is there already.
    Delete,
}

/// What this office does in its own way.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    /// When each copy of the message comes.
    pub comes: &'static [When],
    /// What IDLE is answered with after the news, which come first; nothing where it is not offered.
    pub idle: Option<&'static str>,
    /// Whether news are told by EXISTS at once.
    pub tells: bool,
    /// What stands before every answer by IMAP.
    pub aside: &'static str,
    /// Answers to commands of POP3 in place of the usual ones, each so often.
    pub odd: &'static [(&'static str, &'static str, usize)],
    /// Whether what is deleted stays.
    pub keeps: bool,
    /// Whether somebody deletes the first message before the second look.
    pub loses: bool,
}

/// What most do.
pub const USUAL: Ways = Ways {
    comes: &[When::Taken],
    idle: Some("+ idling\r\n"),
    tells: true,
    aside: "",
    odd: &[],
    keeps: false,
    loses: false,
};

/// The mailbox, and what is on its way there.
struct Post {
    ways: Ways,
    taken: String,
    coming: Vec<When>,
    messages: Vec<(usize, String)>,
    uids: usize,
    looks: usize,
    odd: Vec<(&'static str, &'static str, usize)>,
}

impl Post {
    /// Puts a message into the mailbox.
    fn put(&mut self, message: &str) {
        self.uids += 1;
        self.messages.push((self.uids, message.to_owned()));
    }

    /// Lets come what comes now, and tells of it as IMAP does.
    fn arrive(&mut self, now: When) -> String {
        let is_now = |when: &When| match (when, now) {
            (When::Looks(after), When::Looks(looks)) => looks >= *after,
            (when, now) => *when == now,
        };
        let before = self.coming.len();
        self.coming.retain(|when| !is_now(when));
        let new = before - self.coming.len();
        for _ in 0..new {
            self.put(&self.taken.clone());
        }
        if new > 0 && self.ways.tells {
            format!("* {} EXISTS\r\n* 1 RECENT\r\n", self.messages.len())
        } else {
            String::new()
        }
    }

    fn look(&mut self) -> String {
        self.looks += 1;
        let lost = if self.ways.loses && self.looks == 2 {
            self.messages.remove(0);
            "* 1 EXPUNGE\r\n"
        } else {
            ""
        };
        lost.to_owned() + &self.arrive(When::Looks(self.looks))
    }

    fn delete(&mut self, uids: &[usize]) {
        if !self.ways.keeps {
            self.messages.retain(|(uid, _)| !uids.contains(uid));
        }
    }
}

/// The office, open as long as the test.
pub struct Office {
    post: Arc<Mutex<Post>>,
    smtp: Server,
    imap: Server,
    pop3: Server,
}

impl Office {
    /// Opens it.
    pub fn open(ways: Ways) -> Self {
        let post = Post {
            ways,
            taken: String::new(),
            coming: Vec::new(),
            messages: Vec::new(),
            uids: 0,
            looks: 0,
            odd: ways.odd.to_vec(),
        };
        let post = Arc::new(Mutex::new(post));
        let serve = |serve: fn(&TcpStream, &Mutex<Post>)| {
            let post = Arc::clone(&post);
            Server::start(move |stream| serve(&stream, &post))
        };
        Self {
            smtp: serve(smtp),
            imap: serve(imap::serve),
            pop3: serve(pop3::serve),
            post: Arc::clone(&post),
        }
    }

    /// Puts something into the mailbox before anybody looks.
    pub fn put(&self, message: &str) {
        lock(&self.post).put(message);
    }

    /// The messages in the mailbox.
    pub fn messages(&self) -> Vec<String> {
        lock(&self.post).messages.iter().map(|(_, text)| text.clone()).collect()
    }

    /// Probes it, by the protocol of the mailbox.
    pub fn probe(&self, mailbox: &str, timeout: &str) -> Run {
        let at = if mailbox == "imap" { &self.imap } else { &self.pop3 };
        let (_folder, file) = secrets(&format!(
            "[default]\nuser = 'probe'\npassword = 'one'\n[smtp]\nlogin = false\n\
             [deliver]\nto = 'probe@example.org'\nfetch = '{}'\n",
            at.url(mailbox)
        ));
        run(&[&self.smtp.url("smtp"), "--level", "deliver", "--secrets", &file, "--timeout", timeout])
    }
}

fn lock(post: &Mutex<Post>) -> MutexGuard<'_, Post> {
    post.lock().unwrap()
}

fn say(stream: &TcpStream, text: &str) {
    say_all(stream, text.as_bytes());
}

/// The lines that the client says.
fn lines(stream: &TcpStream) -> Lines<BufReader<&TcpStream>> {
    BufReader::new(stream).lines()
}

fn smtp(stream: &TcpStream, post: &Mutex<Post>) {
    say(stream, "220 office\r\n");
    let mut lines = lines(stream);
    while let Some(Ok(line)) = lines.next() {
        match line.split(' ').next().unwrap_or_default() {
            "DATA" => {
                say(stream, "354 go on\r\n");
                let message: Vec<String> =
                    lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect();
                let mut post = lock(post);
                post.taken = format!("Received: by office\r\n{}\r\n", message.join("\r\n"));
                post.coming = post.ways.comes.to_vec();
                post.arrive(When::Taken);
                say(stream, "250 taken\r\n");
            }
            "QUIT" => return say(stream, "221 bye\r\n"),
            _ => say(stream, "250 ok\r\n"),
        }
    }
}
