//! A tree as a file in the form that VCS's own `hacf` writes: tabs, the closing parenthesis indented, group links before
//! resource links, and the tree of resources as a comment behind each group.

use std::fmt::{self, Display, Formatter, Write};

use super::lexer::KEPT;
use super::syntax::{
    Attribute, Block, Declared, Entry, Group, Item, Kind, Scalar, Scope, Shape, Tree, Type, Value,
};

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut was_include = true;
        for item in &self.items {
            let is_include = matches!(item, Item::Include { .. });
            if was_include && !is_include {
                f.write_char('\n')?;
            }
            was_include = is_include;
            match item {
                Item::Include { file, .. } => writeln!(f, "include {}", quoted(file))?,
                Item::Block(head) => writeln!(f, "{}", Indented(head, ""))?,
                Item::Group(group) => write!(f, "{group}")?,
                Item::Type(of) => writeln!(f, "{of}")?,
            }
        }
        Ok(())
    }
}

struct Indented<'a>(&'a Block, &'static str);

impl Display for Indented<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(block, tab) = self;
        writeln!(f, "{tab}{} {} (", block.word, name(&block.name))?;
        for attribute in &block.attributes {
            writeln!(f, "{tab}\t{attribute}")?;
        }
        for (_, kept) in &block.kept {
            writeln!(f, "{tab}\t// {KEPT} {kept}")?;
        }
        writeln!(f, "{tab}\t)")
    }
}

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(system) = &self.system {
            write!(f, " @{}", name(system))?;
        }
        write!(f, " = {}", self.value)
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(scalar) => write!(f, "{scalar}"),
            Self::Many(entries) if entries.is_empty() => f.write_str("{}"),
            Self::Many(entries) => {
                let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
                write!(f, "{{ {} }}", entries.join(", "))
            }
        }
    }
}

impl Display for Entry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        match &self.value {
            Some(value) => write!(f, " = {value}"),
            None => Ok(()),
        }
    }
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.strip_prefix('-').unwrap_or(&self.0);
        let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        f.write_str(&if is_number { self.0.clone() } else { name(&self.0) })
    }
}

/// Whether VCS takes a word without quotes: a letter, then letters, digits, `_` and `-`.
pub fn is_bare(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn name(word: &str) -> String {
    if is_bare(word) { word.to_owned() } else { quoted(word) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Indented(&self.head, ""))?;
        for resource in &self.resources {
            writeln!(f, "{}", Indented(resource, "\t"))?;
        }
        for link in &self.requires {
            writeln!(f, "\trequires group {} {}", name(&link.group), link.words.join(" "))?;
        }
        for link in &self.links {
            let children: Vec<String> = link.children.iter().map(|child| name(child)).collect();
            let at_least = link.at_least.as_ref().map(|count| format!("atleast {count} from "));
            let at_least = at_least.unwrap_or_default();
            writeln!(f, "\t{} requires {at_least}{}", name(&link.parent), children.join(", "))?;
        }
        if !self.requires.is_empty() || !self.links.is_empty() {
            f.write_char('\n')?;
        }
        self.tree(f)
    }
}

impl Group {
    /// The resources as VCS draws them: those that nothing requires at the left, what they require below.
    fn tree(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\t// resource dependency tree\n\t//\n\t//\tgroup {}\n\t//\t{{\n", self.head.name)?;
        for block in &self.resources {
            if !self.links.iter().any(|link| link.children.contains(&block.name)) {
                self.branch(block, &mut Vec::new(), f)?;
            }
        }
        f.write_str("\t//\t}\n\n")
    }

    fn branch<'a>(
        &'a self,
        block: &'a Block,
        above: &mut Vec<&'a str>,
        f: &mut Formatter<'_>,
    ) -> fmt::Result {
        let depth = "    ".repeat(above.len());
        writeln!(f, "\t//\t{depth}{} {}", block.word, block.name)?;
        let children: Vec<&Block> = self
            .resources
            .iter()
            .filter(|of| {
                self.links.iter().any(|link| link.parent == block.name && link.children.contains(&of.name))
            })
            .filter(|of| !above.contains(&of.name.as_str()) && of.name != block.name)
            .collect();
        if children.is_empty() {
            return Ok(());
        }
        writeln!(f, "\t//\t{depth}    {{")?;
        above.push(&block.name);
        for child in children {
            self.branch(child, above, f)?;
        }
        above.pop();
        writeln!(f, "\t//\t{depth}    }}")
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "type {} (", name(&self.name))?;
        for declared in &self.declared {
            let declaration = match declared {
                Declared::Attribute(declaration) => declaration,
                Declared::NameRule(rule) => {
                    writeln!(f, "\tNameRule = {rule}")?;
                    continue;
                }
            };
            let scope = match declaration.scope {
                Scope::Resource => "",
                Scope::Static => "static ",
                Scope::Temporary => "temp ",
            };
            let kind = match declaration.kind {
                Kind::Str => "str",
                Kind::Int => "int",
                Kind::Boolean => "boolean",
                Kind::Keylist => "keylist",
            };
            let shape = match declaration.shape {
                Shape::Scalar => "",
                Shape::Vector => "[]",
                Shape::Association => "{}",
            };
            write!(f, "\t{scope}{kind} {}{shape}", declaration.name)?;
            match &declaration.value {
                Some(value) => writeln!(f, " = {value}")?,
                None => f.write_char('\n')?,
            }
        }
        f.write_str(")\n")
    }
}
