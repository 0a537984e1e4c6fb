//! What a `main.cf` or a types file says, as a tree whose parts know their lines.

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// What it says, in its order.
    pub items: Vec<Item>,
    /// What VCS would not have taken, and how it was taken here.
    pub slips: Vec<Slip>,
}

/// Something wrong whose meaning is plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Its line, counted from 1.
    pub line: usize,
    /// What it is and how it was taken.
    pub what: String,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `include "FILE"`.
    Include {
        /// Its line.
        line: usize,
        /// The file.
        file: String,
    },
    /// `cluster`, `system` and others that stand outside of the groups.
    Block(Block),
    /// `group`, with all that follows it.
    Group(Group),
    /// `type`.
    Type(Type),
}

/// `WORD NAME ( ATTRIBUTES )`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its line.
    pub line: usize,
    /// The first word: `cluster`, `group`, the type of a resource.
    pub word: String,
    /// The name.
    pub name: String,
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// Comments of ours in it: `KEY = VALUE` in TOML, with their lines.
    pub kept: Vec<(usize, String)>,
}

/// `NAME [@SYSTEM] = VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its line.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// The one system that it is said of.
    pub system: Option<String>,
    /// Its value.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string, an integer or a boolean.
    One(Scalar),
    /// A vector, a keylist or an association: entries in braces.
    Many(Vec<Entry>),
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry, or its key.
    pub key: Scalar,
    /// What an association says of the key.
    pub value: Option<Scalar>,
}

/// A word of a value, which is printed bare when it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar(pub String);

/// A service group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its own attributes.
    pub head: Block,
    /// Its resources.
    pub resources: Vec<Block>,
    /// Groups that it requires.
    pub requires: Vec<GroupLink>,
    /// What its resources require.
    pub links: Vec<Link>,
}

/// `requires group NAME online global soft`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLink {
    /// Its line.
    pub line: usize,
    /// The group that is required.
    pub group: String,
    /// The words behind it.
    pub words: Vec<String>,
}

/// `PARENT requires CHILD`: the child comes online first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its line.
    pub line: usize,
    /// The resource that requires.
    pub parent: String,
    /// Those that it requires.
    pub children: Vec<String>,
    /// How many of them are enough; all when absent.
    pub at_least: Option<String>,
}

/// `type NAME ( DECLARATIONS )`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its line.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What it declares.
    pub declared: Vec<Declared>,
}

/// A declaration of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// An attribute.
    Attribute(Declaration),
    /// `NameRule = EXPRESSION`, from which the VCS console proposes a name.
    NameRule(String),
}

/// `[static] KIND NAME [= VALUE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Its line.
    pub line: usize,
    /// Whose value it has.
    pub scope: Scope,
    /// What one value of it is.
    pub kind: Kind,
    /// How many values it has.
    pub shape: Shape,
    /// Its name.
    pub name: String,
    /// The value when a resource says none.
    pub value: Option<Value>,
}

/// Whether an attribute is the type's own or each resource's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each resource has its own.
    Resource,
    /// `static`: one for all resources, unless one overrides it.
    Static,
    /// `temp`: kept while the engine runs alone.
    Temporary,
}

/// The kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `str`, and `i18nstr`.
    Str,
    /// `int`.
    Int,
    /// `boolean`.
    Boolean,
    /// `keylist`.
    Keylist,
}

/// How many values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One.
    Scalar,
    /// `NAME[]`.
    Vector,
    /// `NAME{}`.
    Association,
}

impl Block {
    /// A block without attributes.
    pub fn new(line: usize, word: &str, name: &str) -> Self {
        Self { line, word: word.to_owned(), name: name.to_owned(), attributes: Vec::new(), kept: Vec::new() }
    }

    /// Adds an attribute with one value.
    pub fn say(&mut self, name: &str, value: &impl ToString) {
        let value = Value::One(Scalar(value.to_string()));
        self.attributes.push(Attribute { line: 0, name: name.to_owned(), system: None, value });
    }
}

impl Value {
    /// The value as one text: lists with a comma between their keys.
    pub fn text(&self) -> String {
        match self {
            Self::One(Scalar(text)) => text.clone(),
            Self::Many(entries) => {
                entries.iter().map(|entry| entry.key.0.as_str()).collect::<Vec<_>>().join(",")
            }
        }
    }
}
