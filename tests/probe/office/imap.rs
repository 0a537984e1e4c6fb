//! The mailbox of the office by IMAP, as far as the prober asks.

use std::net::TcpStream;
use std::sync::Mutex;

use super::{Post, When, lines, lock, say};

/// Holds a session.
pub fn serve(stream: &TcpStream, post: &Mutex<Post>) {
    say(stream, "* OK office\r\n");
    let mut lines = lines(stream);
    while let Some(Ok(line)) = lines.next() {
        let mut post = lock(post);
        let (tag, command) = line.split_once(' ').unwrap();
        let words: Vec<&str> = command.split(' ').collect();
        let mut told = post.ways.aside.to_owned();
        match words[..] {
            ["CAPABILITY"] => {
                let idle = post.ways.idle.map_or("", |_| " IDLE");
                told += &format!("* CAPABILITY IMAP4rev1 UIDPLUS{idle}\r\n");
            }
            ["SELECT", _] => told += &format!("* {} EXISTS\r\n", post.messages.len()),
            ["NOOP"] => told += &post.look(),
            ["IDLE"] => {
                told += &post.arrive(When::Idle);
                told += post.ways.idle.unwrap();
                say(stream, &told);
                if post.ways.idle == Some("+ idling\r\n") {
                    drop(post);
                    assert_eq!(lines.next().unwrap().unwrap(), "DONE");
                    say(stream, &format!("{tag} OK\r\n"));
                }
                continue;
            }
            ["UID", "SEARCH", ..] => {
                let quoted: Vec<&str> = command.split('"').skip(1).step_by(2).collect();
                let all = post.messages.len();
                let (mut first, mut last) = (1, all);
                if let Some(window) = words.iter().find_map(|word| word.strip_prefix('(')) {
                    let (from, to) = window.split_once(':').unwrap();
                    (first, last) = (from.parse().unwrap(), to.parse().unwrap());
                }
                assert!(last <= all, "{command} of {all}");
                told += "* SEARCH";
                for (index, (uid, text)) in post.messages.iter().enumerate() {
                    let is_near =
                        (first..=last).contains(&(index + 1)) && text.contains(quoted.last().unwrap());
                    if text.contains("X-IMS-Probe") && (text.contains(quoted[0]) || is_near) {
                        told += &format!(" {uid}");
                    }
                }
                told += "\r\n";
                told += &post.arrive(When::Search);
            }
            ["UID", "FETCH", uids, ..] => {
                for uid in numbers(uids) {
                    let Some((_, text)) = post.messages.iter().find(|(known, _)| *known == uid) else {
                        continue;
                    };
                    let field = text.lines().find(|line| line.starts_with("X-IMS-Probe")).unwrap_or_default();
                    let length = field.len() + 4;
                    told +=
                        &format!("* 1 FETCH (UID {uid} BODY[HEADER.FIELDS (X-IMS-Probe)] {{{length}}}\r\n");
                    told += &format!("{field}\r\n\r\n)\r\n");
                }
            }
            ["UID", "EXPUNGE", uids] => {
                told += &post.arrive(When::Delete);
                let before = post.messages.len();
                post.delete(&numbers(uids));
                told += &"* 1 EXPUNGE\r\n".repeat(before - post.messages.len());
            }
            ["LOGOUT"] => told += "* BYE\r\n",
            _ => {}
        }
        say(stream, &format!("{told}{tag} OK\r\n"));
    }
}

fn numbers(set: &str) -> Vec<usize> {
    set.split(',').map(|number| number.parse().unwrap()).collect()
}
