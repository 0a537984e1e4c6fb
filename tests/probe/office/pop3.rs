//! The mailbox of the office by POP3, as far as the prober asks.

use std::net::TcpStream;
use std::sync::Mutex;

use super::{Post, When, lines, lock, say};

/// Holds a session.
pub fn serve(stream: &TcpStream, post: &Mutex<Post>) {
    say(stream, "+OK office\r\n");
    let (mut drop, mut deleted) = (Vec::new(), Vec::new());
    for line in lines(stream).map_while(Result::ok) {
        let mut post = lock(post);
        let words: Vec<&str> = line.split(' ').collect();
        let message = || -> &(usize, String) { &drop[words[1].parse::<usize>().unwrap() - 1] };
        let odd = post.odd.iter_mut().find(|(command, _, times)| *command == words[0] && *times > 0);
        if let Some((_, told, times)) = odd {
            *times -= 1;
            say(stream, told);
            continue;
        }
        let told = match words[0] {
            "CAPA" => "+OK\r\nTOP\r\nUIDL\r\n.\r\n".to_owned(),
            "PASS" => {
                post.look();
                drop.clone_from(&post.messages);
                "+OK\r\n".to_owned()
            }
            "LIST" | "UIDL" => {
                let row = |(index, (uid, text)): (usize, &(usize, String))| {
                    let word = if words[0] == "LIST" { text.len() } else { *uid };
                    format!("{} {word}\r\n", index + 1)
                };
                format!("+OK\r\n{}.\r\n", drop.iter().enumerate().map(row).collect::<String>())
            }
            "TOP" => format!("+OK\r\n{}\r\n\r\n.\r\n", message().1.split_once("\r\n\r\n").unwrap().0),
            "RETR" => format!("+OK\r\n{}.\r\n", message().1),
            "DELE" => {
                deleted.push(message().0);
                post.arrive(When::Delete);
                "+OK\r\n".to_owned()
            }
            "QUIT" => {
                post.delete(&deleted);
                "+OK\r\n".to_owned()
            }
            _ => "+OK\r\n".to_owned(),
        };
        say(stream, &told);
    }
}
