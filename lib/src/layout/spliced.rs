//! The MTA's files with what they include in its place. A line that begins with `<` names a file whose lines stand
//! there, by an absolute path or below `IMTA_TABLE:`, up to three levels deep: so the Messaging Server 6.3
//! Administration Reference has it of `imta.cnf` ("Including Other Files"), and the option files are taken to do alike.
//!
//! Files are read here and never written. What cannot be resolved stays the line that it is, with the reason.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::absent;
use crate::conf::option_file::{OptionFile, Scope};
use crate::conf::text;
use crate::place::Place;
use crate::sys::file;
use crate::{Exit, Fail, Host};

/// How many levels deep files are included.
const DEEPEST: usize = 3;

/// How many files are included at most, all levels together.
const MOST: usize = 100;

/// How long the whole may become.
const LONGEST: usize = 16 * 1024 * 1024;

/// The folder of the MTA's tables, as an include names it.
const TABLE: &str = "IMTA_TABLE";

/// The file beside the MTA's others that may say where that folder is.
const TAILOR: &str = "imta_tailor";

/// Finds the lines of a file that include others, counted from 1, in their order.
pub type Includes = fn(&str, &Path) -> Result<Vec<usize>, Fail>;

/// A file with what it includes.
#[derive(Debug, Default)]
pub struct Spliced {
    /// All of it as one text, which is no file's.
    pub text: String,
    lines: usize,
    pieces: Vec<Piece>,
    unread: Vec<(usize, Fail)>,
}

/// Lines that follow each other in one file.
#[derive(Debug)]
struct Piece {
    /// Its first line in the whole, counted from 1.
    from: usize,
    /// The file they stand in.
    file: PathBuf,
    /// The line of it that is the first.
    line: usize,
}

impl Spliced {
    /// Reads what the text of a file includes. A file that includes itself, or one that is no valid text, is an error.
    pub fn of(host: &Host, file: &Path, text: &str, includes: Includes) -> Result<Self, Fail> {
        let mut reader = Reader { host, file, includes, count: 0, whole: Self::default() };
        reader.add(text, &mut vec![file.to_owned()])?;
        Ok(reader.whole)
    }

    /// Where a line of the whole stands.
    pub fn place(&self, line: usize) -> Place {
        let before = self.pieces.partition_point(|piece| piece.from <= line);
        let piece = before.checked_sub(1).and_then(|index| self.pieces.get(index));
        piece.map_or_else(
            || Place { file: PathBuf::new(), line: None },
            |piece| Place::line(&piece.file, piece.line + line - piece.from),
        )
    }

    /// What is not known because a line of the whole, which includes something, could not be resolved.
    pub fn unknown(&self, line: usize, what: &str) -> Fail {
        let fail = Fail::unknown(format!("{}: what is included here {what}", self.place(line)));
        match self.unread.iter().find(|(unread, _)| *unread == line) {
            Some((_, why)) => fail.because(why),
            None => fail,
        }
    }

    fn push(&mut self, text: &str, file: &Path, line: usize) {
        self.lines += 1;
        let goes_on = self
            .pieces
            .last()
            .is_some_and(|piece| piece.file == file && piece.line + self.lines == line + piece.from);
        if !goes_on {
            self.pieces.push(Piece { from: self.lines, file: file.to_owned(), line });
        }
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }
}

struct Reader<'a> {
    host: &'a Host,
    /// The file that includes all others.
    file: &'a Path,
    includes: Includes,
    count: usize,
    whole: Spliced,
}

impl Reader<'_> {
    /// Adds the text of the last of `files`, each of which is included by the one before.
    fn add(&mut self, text: &str, files: &mut Vec<PathBuf>) -> Result<(), Fail> {
        let file = files.last().cloned().unwrap_or_default();
        let mut includes = (self.includes)(text, &file)?.into_iter().peekable();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if includes.next_if_eq(&(index + 1)).is_some() {
                match self.included(line.trim().trim_start_matches('<').trim(), files) {
                    Ok((path, text)) => {
                        files.push(path);
                        self.add(&text, files)?;
                        files.pop();
                        continue;
                    }
                    Err(fail) if fail.exit() == Exit::Usage => {
                        return Err(Fail::usage(Place::line(&file, index + 1).to_string()).because(fail));
                    }
                    Err(why) => self.whole.unread.push((self.whole.lines + 1, why)),
                }
            }
            self.whole.push(line, &file, index + 1);
        }
        Ok(())
    }

    /// The file that is included by this name, and its text.
    fn included(&mut self, name: &str, files: &[PathBuf]) -> Result<(PathBuf, String), Fail> {
        let path = self.resolve(name)?;
        if let Some(from) = files.iter().position(|file| *file == path) {
            let round = files.iter().skip(from).chain([&path]).map(|file| file.display().to_string());
            let round = round.collect::<Vec<_>>().join(" includes ");
            return Err(Fail::usage(format!("a file that includes itself: {round}")));
        }
        if files.len() > DEEPEST {
            return Err(Fail::unknown(format!("{} is more than {DEEPEST} levels deep", path.display())));
        }
        self.count += 1;
        if self.count > MOST {
            return Err(Fail::unknown(format!("more than {MOST} files are included")));
        }
        let text = self.read(&path)?.ok_or_else(|| absent(&path))?;
        if self.whole.text.len() + text.len() > LONGEST {
            return Err(Fail::unknown(format!("all that is included is longer than {LONGEST} bytes")));
        }
        Ok((path, text))
    }

    /// The path that a name stands for. Tables are where `IMTA_TABLE` of `imta_tailor` says, which is a prefix and no
    /// path, and else in the folder of the file that begins.
    fn resolve(&self, name: &str) -> Result<PathBuf, Fail> {
        let path = match name.split_once(':') {
            Some((root, rest)) if root.eq_ignore_ascii_case(TABLE) && !rest.is_empty() => {
                format!("{}{rest}", self.table()?)
            }
            Some(_) | None => name.to_owned(),
        };
        if !path.starts_with('/') || path.ends_with('/') {
            let told = format!("'{}' is no absolute path, nor one below {TABLE}:", name.escape_debug());
            return Err(Fail::unknown(told).hint("write what it says in its place"));
        }
        Ok(path.into())
    }

    fn table(&self) -> Result<String, Fail> {
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        let tailor = folder.join(TAILOR);
        let said = match self.read(&tailor)? {
            Some(text) => OptionFile::parse(&text, &tailor)?.get(Scope::Global, TABLE),
            None => None,
        };
        Ok(said.map_or_else(|| format!("{}/", folder.display()), |value| value.text))
    }

    fn read(&self, path: &Path) -> Result<Option<String>, Fail> {
        let bytes = file::read_named(&self.host.path(path), &self.host.path(self.file))?;
        bytes.map(|bytes| text::decoded(&bytes, path).map(Cow::into_owned)).transpose()
    }
}

#[cfg(test)]
mod tests;
