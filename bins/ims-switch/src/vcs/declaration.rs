//! The part of the parser that reads what a resource type declares.

use ims::Fail;
use ims::suggest::nearest;

use super::lexer::Token;
use super::parser::{Parser, placed_as};
use super::syntax::{Declaration, Declared, Kind, Scope, Shape, Type};
use super::wrong;

/// What a declaration of a type begins with.
const DECLARED: &[&str] = &["static", "temp", "str", "i18nstr", "int", "boolean", "keylist", "NameRule"];

impl Parser<'_> {
    /// `type NAME ( … )`, behind its first word.
    pub(super) fn of_type(&mut self, line: usize) -> Result<Type, Fail> {
        let name = self.word("the name of the type")?;
        self.must('(', &format!("type {name}"))?;
        let mut declared = Vec::new();
        while !self.takes(')') {
            if self.tokens.next_if(|placed| matches!(placed.token, Token::Kept(_))).is_some() {
                continue;
            }
            if self.tokens.peek().is_none() {
                return Err(wrong(self.file, line, format!("type {name} has no ')'")));
            }
            declared.push(self.declared()?);
            self.passes_semicolon();
        }
        Ok(Type { line, name, declared })
    }

    /// One of the words that a declaration begins with; a misspelt one is a slip.
    fn declaring(&mut self) -> Result<&'static str, Fail> {
        let word = self.word("an attribute's declaration or ')'")?;
        if let Some(known) = DECLARED.iter().find(|known| **known == word) {
            return Ok(known);
        }
        let Some(meant) = nearest(&word, DECLARED.iter().copied()) else {
            let told = format!("{} declares nothing", placed_as(&word));
            return Err(self.wrong(told).hint(format!("there are {}", DECLARED.join(", "))));
        };
        self.slip(format!("{} declares nothing; taken as {meant}", placed_as(&word)));
        Ok(meant)
    }

    fn declared(&mut self) -> Result<Declared, Fail> {
        let first = self.declaring()?;
        let line = self.line;
        if first == "NameRule" {
            return self.name_rule();
        }
        let scope = match first {
            "static" => Scope::Static,
            "temp" => Scope::Temporary,
            _kind => Scope::Resource,
        };
        let kind = match if scope == Scope::Resource { first } else { self.declaring()? } {
            "int" => Kind::Int,
            "boolean" => Kind::Boolean,
            "keylist" => Kind::Keylist,
            "str" | "i18nstr" => Kind::Str,
            other => return Err(self.wrong(format!("str, int, boolean or keylist expected, not '{other}'"))),
        };
        let name = self.word("the name of an attribute")?;
        let shape = if self.takes('[') {
            self.must(']', "'['")?;
            Shape::Vector
        } else if self.takes('{') {
            self.must('}', "'{'")?;
            Shape::Association
        } else {
            Shape::Scalar
        };
        let value = if self.takes('=') { Some(self.value()?) } else { None };
        Ok(Declared::Attribute(Declaration { line, scope, kind, shape, name, value }))
    }

    /// An expression such as `resource.Address + "_ip"`, to the end of its line.
    fn name_rule(&mut self) -> Result<Declared, Fail> {
        self.must('=', "NameRule")?;
        let line = self.line;
        let mut words = Vec::new();
        while let Some(placed) = self.tokens.next_if(|placed| {
            placed.line == line && matches!(placed.token, Token::Bare(_) | Token::Quoted(_))
        }) {
            words.push(match placed.token {
                Token::Quoted(text) => format!("\"{text}\""),
                Token::Bare(word) => word,
                Token::Mark(_) | Token::Kept(_) => String::new(),
            });
        }
        if words.is_empty() {
            Err(self.not("an expression"))
        } else {
            Ok(Declared::NameRule(words.join(" ")))
        }
    }
}
