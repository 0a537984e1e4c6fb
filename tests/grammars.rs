//! The grammars of configuration files, over the collection in tests/data, what a hand or a crash may make of it,
//! and texts that nobody would write.

mod files;
mod trees;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

#[path = "../lib/fuzz/grammars.rs"]
pub mod every;

/// The files of a grammar, in the order of their names.
fn collected(grammar: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(grammar);
    let mut files: Vec<_> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs_err::read(path).unwrap())).collect()
}

/// Something that happens to a file.
#[derive(Debug, Clone)]
enum Mishap {
    /// A byte becomes another.
    Byte(Index, u8),
    /// From one place to another all is lost.
    Hole(Index, Index),
    /// It ends early.
    End(Index),
    /// Something stands there too.
    Word(Index, &'static str),
    /// A line stands there twice.
    Line(Index, Index),
    /// Its lines end as on Windows.
    Crlf,
}

/// What means something in one of the grammars.
const WORDS: [&str; 32] = [
    "\n",
    "\r\n",
    "\\\n",
    " ",
    "\t",
    "=",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "#",
    "!",
    ";",
    "<",
    "\\",
    "$",
    "\u{85}",
    "\u{a0}",
    "\0",
    "INTERFACE_ADDRESS=",
    "[SERVICE=SMTP]",
    "listenhost ",
    "dn: cn=config\n",
    "nsslapd-listenhost: ",
    "inet_interfaces =",
    "listen = ",
    "SLAPD_SERVICES=",
    "\ndatabase x\n",
    "!include x\n",
    "[fuzz]\n",
];

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mishap::Byte(at, byte)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mishap::Hole(from, to)),
        any::<Index>().prop_map(Mishap::End),
        (any::<Index>(), prop::sample::select(&WORDS[..])).prop_map(|(at, word)| Mishap::Word(at, word)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mishap::Line(from, to)),
        Just(Mishap::Crlf),
    ]
}

/// The bytes after a mishap.
fn after(mut bytes: Vec<u8>, mishap: &Mishap) -> Vec<u8> {
    let size = bytes.len() + 1;
    match mishap {
        Mishap::Byte(at, byte) => {
            if let Some(old) = bytes.get_mut(at.index(size)) {
                *old = *byte;
            }
        }
        Mishap::Hole(one, two) => {
            let (one, two) = (one.index(size), two.index(size));
            bytes.drain(one.min(two)..one.max(two));
        }
        Mishap::End(at) => bytes.truncate(at.index(size)),
        Mishap::Word(at, word) => drop(bytes.splice(at.index(size)..at.index(size), word.bytes())),
        Mishap::Line(from, to) => {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            if !lines.is_empty() {
                let (from, to) = (from.index(lines.len()), to.index(lines.len()));
                lines.insert(to, lines[from]);
            }
            bytes = lines.concat();
        }
        Mishap::Crlf => {
            let lines = bytes.split(|byte| *byte == b'\n');
            bytes = lines
                .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
                .collect::<Vec<_>>()
                .join(&b"\r\n"[..]);
        }
    }
    bytes
}
