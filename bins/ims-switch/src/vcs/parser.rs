//! A file's text as a tree, or what is wrong with it and on which line.
//!
//! What VCS itself would refuse and whose meaning is plain is taken so and kept as a slip; anything else is an error.

use std::path::Path;

use ims::Fail;
use ims::suggest::nearest;

use super::lexer::{self, Placed, Token};
use super::print::is_bare;
use super::syntax::{Attribute, Block, Entry, Group, GroupLink, Item, Link, Scalar, Slip, Tree, Value};
use super::wrong;

/// What stands outside of groups.
const OUTER: &[&str] =
    &["include", "cluster", "system", "group", "type", "snmp", "remotecluster", "heartbeat"];

const PASSED: &str = "a ';' ends nothing here; passed over, and any other below";

/// Parses a file's text; `file` is named in errors.
///
/// # Errors
/// Usage, with the line of what is not valid.
pub fn parse(text: &str, file: &Path) -> Result<Tree, Fail> {
    let tokens = lexer::tokens(text, file)?;
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), file, line: 1, slips: Vec::new() };
    let mut items: Vec<Item> = Vec::new();
    while let Some(placed) = parser.take() {
        parser.statement(placed, &mut items)?;
    }
    Ok(Tree { items, slips: parser.slips })
}

/// A file that is being read.
pub struct Parser<'a> {
    pub(super) tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    pub(super) file: &'a Path,
    /// The line of the token that was taken last.
    pub(super) line: usize,
    slips: Vec<Slip>,
}

impl Parser<'_> {
    fn take(&mut self) -> Option<Placed> {
        let placed = self.tokens.next()?;
        self.line = placed.line;
        Some(placed)
    }

    fn sees(&mut self, mark: char) -> bool {
        self.tokens.peek().is_some_and(|placed| placed.token == Token::Mark(mark))
    }

    fn sees_word(&mut self, word: &str) -> bool {
        self.tokens.peek().is_some_and(|placed| matches!(&placed.token, Token::Bare(bare) if bare == word))
    }

    pub(super) fn takes(&mut self, mark: char) -> bool {
        let is_there = self.sees(mark);
        if is_there {
            self.take();
        }
        is_there
    }

    pub(super) fn wrong(&self, what: impl std::fmt::Display) -> Fail {
        wrong(self.file, self.line, what)
    }

    pub(super) fn slip(&mut self, what: String) {
        self.slips.push(Slip { line: self.line, what });
    }

    /// The next token is not what had to come.
    pub(super) fn not(&mut self, wanted: &str) -> Fail {
        match self.take() {
            Some(placed) => self.wrong(format!("{wanted} expected, not {}", placed.token.shown())),
            None => self.wrong(format!("the file ends where {wanted} is expected")),
        }
    }

    pub(super) fn must(&mut self, mark: char, behind: &str) -> Result<(), Fail> {
        if self.takes(mark) { Ok(()) } else { Err(self.not(&format!("'{mark}' behind {behind}"))) }
    }

    /// A word or a text.
    pub(super) fn word(&mut self, wanted: &str) -> Result<String, Fail> {
        let is_one = |placed: &Placed| matches!(placed.token, Token::Bare(_) | Token::Quoted(_));
        match self.tokens.next_if(is_one) {
            Some(Placed { token: Token::Bare(word) | Token::Quoted(word), line }) => {
                self.line = line;
                Ok(word)
            }
            Some(_) | None => Err(self.not(wanted)),
        }
    }

    fn statement(&mut self, placed: Placed, items: &mut Vec<Item>) -> Result<(), Fail> {
        let line = placed.line;
        let word = match placed.token {
            Token::Bare(word) => word,
            // A resource's name may stand in quotes before `requires`.
            Token::Quoted(name) if self.sees_word("requires") => name,
            Token::Kept(_) => return Ok(()),
            Token::Mark(';') => {
                self.passed_semicolon();
                return Ok(());
            }
            token @ (Token::Quoted(_) | Token::Mark(_)) => {
                return Err(self.wrong(format!("a statement expected, not {}", token.shown())));
            }
        };
        if word != "requires" && self.sees_word("requires") {
            let required = self.link(line, word)?;
            self.within(items)?.links.push(required);
            return Ok(());
        }
        match word.as_str() {
            "include" => items.push(Item::Include { line, file: self.word("the name of a file")? }),
            "type" => items.push(Item::Type(self.of_type(line)?)),
            "group" => {
                let head = self.block(line, &word)?;
                let group = Group { head, resources: Vec::new(), requires: Vec::new(), links: Vec::new() };
                items.push(Item::Group(group));
            }
            "requires" => {
                let required = self.group_link(line)?;
                self.within(items)?.requires.push(required);
            }
            outer if OUTER.contains(&outer) => items.push(Item::Block(self.block(line, &word)?)),
            of_type => {
                let is_outer = items.iter().all(|item| !matches!(item, Item::Group(_)));
                if is_outer || !self.is_named() {
                    let fail = self.wrong(format!("{} is no statement", placed_as(of_type)));
                    return Err(match nearest(of_type, OUTER.iter().copied()) {
                        Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
                        None if is_outer => fail.hint("a resource stands behind its group"),
                        None => fail.hint("TYPE NAME ( … ), or NAME requires NAME"),
                    });
                }
                let resource = self.block(line, &word)?;
                self.within(items)?.resources.push(resource);
            }
        }
        Ok(())
    }

    fn is_named(&mut self) -> bool {
        self.tokens.peek().is_some_and(|placed| matches!(placed.token, Token::Bare(_) | Token::Quoted(_)))
    }

    /// The group that a statement belongs to: the last one.
    fn within<'t>(&self, items: &'t mut [Item]) -> Result<&'t mut Group, Fail> {
        let last = items.iter_mut().rev().find_map(|item| match item {
            Item::Group(group) => Some(group),
            Item::Include { .. } | Item::Block(_) | Item::Type(_) => None,
        });
        last.ok_or_else(|| self.wrong("this stands outside of a group"))
    }

    fn block(&mut self, line: usize, word: &str) -> Result<Block, Fail> {
        let name = self.word(&format!("the name of the {word}"))?;
        let mut block = Block::new(line, word, &name);
        let is_bare = matches!(word, "cluster" | "system") && !self.sees('(');
        if is_bare {
            return Ok(block);
        }
        self.must('(', &format!("{word} {name}"))?;
        while !self.takes(')') {
            let Some(placed) = self.take() else {
                return Err(wrong(self.file, line, format!("{word} {name} has no ')'")));
            };
            match placed.token {
                Token::Kept(kept) => block.kept.push((placed.line, kept)),
                Token::Bare(name) => {
                    let attribute = self.attribute(placed.line, name)?;
                    block.attributes.push(attribute);
                }
                token @ (Token::Quoted(_) | Token::Mark(_)) => {
                    let told =
                        format!("an attribute of {word} {name} or ')' expected, not {}", token.shown());
                    return Err(self.wrong(told));
                }
            }
        }
        Ok(block)
    }

    fn attribute(&mut self, line: usize, name: String) -> Result<Attribute, Fail> {
        let system = if self.takes('@') { Some(self.word("the name of a system behind '@'")?) } else { None };
        self.must('=', &name)?;
        let value = self.value()?;
        self.passes_semicolon();
        Ok(Attribute { line, name, system, value })
    }

    pub(super) fn passes_semicolon(&mut self) {
        if self.takes(';') {
            self.passed_semicolon();
        }
    }

    fn passed_semicolon(&mut self) {
        if self.slips.iter().all(|slip| slip.what != PASSED) {
            self.slip(PASSED.to_owned());
        }
    }

    pub(super) fn value(&mut self) -> Result<Value, Fail> {
        if !self.takes('{') {
            return Ok(Value::One(self.scalar()?));
        }
        let begun = self.line;
        let mut entries = Vec::new();
        while !self.takes('}') {
            if self.tokens.peek().is_none() {
                return Err(wrong(self.file, begun, "a list that has no '}'"));
            }
            let key = self.scalar()?;
            let value = if self.takes('=') { Some(self.scalar()?) } else { None };
            entries.push(Entry { key, value });
            if !self.takes(',') && !self.takes(';') && !self.sees('}') {
                return Err(self.not("',' or '}'"));
            }
        }
        Ok(Value::Many(entries))
    }

    fn scalar(&mut self) -> Result<Scalar, Fail> {
        let is_unquoted = self.tokens.peek().is_some_and(|placed| matches!(placed.token, Token::Bare(_)));
        let word = self.word("a value")?;
        let digits = word.strip_prefix('-').unwrap_or(&word);
        if is_unquoted && !is_bare(&word) && !digits.chars().all(|c| c.is_ascii_digit()) {
            self.slip(format!("{} stands without quotes; taken as a text", placed_as(&word)));
        }
        Ok(Scalar(word))
    }

    /// `requires group NAME …`, behind its first word.
    fn group_link(&mut self, line: usize) -> Result<GroupLink, Fail> {
        if !self.sees_word("group") {
            return Err(self.not("'group' behind 'requires'"));
        }
        self.take();
        let group = self.word("the name of a group")?;
        let mut words = Vec::new();
        let is_how = |placed: &Placed| {
            let known = ["online", "offline", "local", "global", "remote", "site", "soft", "firm", "hard"];
            matches!(&placed.token, Token::Bare(word) if known.contains(&word.as_str()))
        };
        while let Some(Placed { token: Token::Bare(word), line }) = self.tokens.next_if(is_how) {
            self.line = line;
            words.push(word);
        }
        Ok(GroupLink { line, group, words })
    }

    /// `PARENT requires …`, behind the parent.
    fn link(&mut self, line: usize, parent: String) -> Result<Link, Fail> {
        self.take();
        if !self.sees_word("atleast") {
            let mut children = vec![self.word("the name of a resource")?];
            while self.takes(',') {
                children.push(self.word("the name of a resource")?);
            }
            return Ok(Link { line, parent, children, at_least: None });
        }
        self.take();
        let count = self.word("a number behind 'atleast'")?;
        if !self.sees_word("from") {
            return Err(self.not("'from'"));
        }
        self.take();
        let mut children = vec![self.word("the name of a resource")?];
        while self.takes(',') {
            children.push(self.word("the name of a resource")?);
        }
        Ok(Link { line, parent, children, at_least: Some(count) })
    }
}

pub fn placed_as(word: &str) -> String {
    format!("'{}'", word.escape_debug())
}
