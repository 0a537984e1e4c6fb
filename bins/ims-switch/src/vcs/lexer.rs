//! The words and marks of a `main.cf` or a types file, each with its line.
//!
//! Comments run from `//` or `#` to the end of the line, or from `/*` to `*/`. One kind is kept: `// ims-switch: KEY =
//! VALUE`, in which an export says what VCS has no attribute for.

use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

use ims::Fail;

use super::wrong;

/// What begins the comment that is kept.
pub const KEPT: &str = "ims-switch:";

/// One piece of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word without quotes.
    Bare(String),
    /// A text in quotes, which are taken off.
    Quoted(String),
    /// One of `(){}[]=,;@`.
    Mark(char),
    /// A comment of ours, without what begins it.
    Kept(String),
}

impl Token {
    /// The token as a message shows it.
    pub fn shown(&self) -> String {
        match self {
            Self::Bare(word) | Self::Quoted(word) => format!("'{}'", word.escape_debug()),
            Self::Mark(mark) => format!("'{mark}'"),
            Self::Kept(_) => format!("a comment that begins with {KEPT}"),
        }
    }
}

/// A token and the line it begins on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The token.
    pub token: Token,
    /// Its line.
    pub line: usize,
}

const MARKS: &str = "(){}[]=,;@";

/// Cuts a file's text into tokens.
///
/// # Errors
/// Usage, with the line where a text or a comment begins that never ends.
pub fn tokens(text: &str, file: &Path) -> Result<Vec<Placed>, Fail> {
    let mut lexer = Lexer { chars: text.chars().peekable(), line: 1 };
    let mut tokens = Vec::new();
    while let Some(c) = lexer.next() {
        let line = lexer.line;
        let token = match c {
            c if c.is_whitespace() => continue,
            '"' => {
                Token::Quoted(lexer.quoted().ok_or_else(|| wrong(file, line, "a text that does not end"))?)
            }
            '#' => {
                lexer.rest();
                continue;
            }
            '/' if lexer.takes('/') => match lexer.rest().trim().strip_prefix(KEPT) {
                Some(kept) => Token::Kept(kept.trim().to_owned()),
                None => continue,
            },
            '/' if lexer.takes('*') => {
                lexer.comment().ok_or_else(|| wrong(file, line, "a comment that does not end"))?;
                continue;
            }
            mark if MARKS.contains(mark) => Token::Mark(mark),
            first => Token::Bare(lexer.bare(first)),
        };
        tokens.push(Placed { token, line });
    }
    Ok(tokens)
}

struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.next();
        if next == Some('\n') {
            self.line += 1;
        }
        next
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.chars.next_if_eq(&wanted).is_some()
    }

    /// What is left of the line.
    fn rest(&mut self) -> String {
        std::iter::from_fn(|| self.chars.next_if(|c| *c != '\n')).collect()
    }

    /// A text behind its opening quote; `\"` and `\\` stand for themselves, and so does any other backslash.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => match self.chars.next_if(|c| matches!(c, '"' | '\\')) {
                    Some(escaped) => text.push(escaped),
                    None => text.push('\\'),
                },
                c => text.push(c),
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        loop {
            if self.next()? == '*' && self.takes('/') {
                return Some(());
            }
        }
    }

    fn bare(&mut self, first: char) -> String {
        let goes_on = |c: &char| !c.is_whitespace() && *c != '"' && !MARKS.contains(*c);
        std::iter::once(first).chain(std::iter::from_fn(|| self.chars.next_if(goes_on))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(text: &str) -> Result<Vec<(usize, Token)>, String> {
        let told = |fail: Fail| fail.to_string();
        let tokens = tokens(text, Path::new("main.cf")).map_err(told)?;
        Ok(tokens.into_iter().map(|placed| (placed.line, placed.token)).collect())
    }

    #[test]
    fn words_texts_and_marks_have_their_lines_and_comments_are_passed_over() {
        let text = "// tree\nDevice @a = hme0 # note\n/* two\nlines */ X = \"a \\\"b\\\" c:\\d\"\n";
        let bare = |word: &str| Token::Bare(word.to_owned());
        assert_eq!(
            lex(text).unwrap(),
            [
                (2, bare("Device")),
                (2, Token::Mark('@')),
                (2, bare("a")),
                (2, Token::Mark('=')),
                (2, bare("hme0")),
                (4, bare("X")),
                (4, Token::Mark('=')),
                (4, Token::Quoted("a \"b\" c:\\d".to_owned())),
            ]
        );
        assert_eq!(
            lex("  // ims-switch: guard = \"mmp\"\r\n").unwrap(),
            [(1, Token::Kept("guard = \"mmp\"".into()))]
        );
    }

    #[test]
    fn what_does_not_end_is_told_where_it_begins() {
        assert_eq!(lex("a\n\"b\n").unwrap_err(), "main.cf:2: a text that does not end");
        assert_eq!(lex("a\n/* b\n*\n").unwrap_err(), "main.cf:2: a comment that does not end");
    }
}
