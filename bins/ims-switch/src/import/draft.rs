//! A group file in the making: what it says, in order. It prints itself as the file and is checked by the same
//! reader that reads it later.

use std::fmt;
use std::path::Path;

use ims::Fail;
use ims::group::Group;
use ims::name::{GroupName, NodeName, ResourceName};

/// What a group file is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The group's name.
    pub name: GroupName,
    /// Its nodes in the order of preference.
    pub nodes: Vec<NodeName>,
    /// The groups it requires.
    pub requires_groups: Vec<GroupName>,
    /// Whether it goes back to a more preferred node; not said when false.
    pub failback: bool,
    /// Further keys of the group, in order.
    pub keys: Vec<(String, Value)>,
    /// Its resources in order.
    pub resources: Vec<DraftResource>,
}

/// What a group file is to say of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftResource {
    /// Its name.
    pub name: ResourceName,
    /// Its type, as the file writes it.
    pub kind: String,
    /// Its further keys in order, without `type` and `requires`.
    pub keys: Vec<(String, Value)>,
    /// What it requires.
    pub requires: Vec<ResourceName>,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A whole number: a count, or seconds.
    Number(u64),
    /// A list of whole numbers.
    Numbers(Vec<i32>),
    /// True or false.
    Flag(bool),
    /// A table of texts.
    Pairs(Vec<(String, String)>),
    /// A table of whole numbers.
    Amounts(Vec<(String, u64)>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl Draft {
    /// A group that says nothing yet.
    pub const fn new(name: GroupName) -> Self {
        Self {
            name,
            nodes: Vec::new(),
            requires_groups: Vec::new(),
            failback: false,
            keys: Vec::new(),
            resources: Vec::new(),
        }
    }

    /// The resource of that name.
    pub fn get(&mut self, name: &str) -> Option<&mut DraftResource> {
        self.resources.iter_mut().find(|resource| resource.name.as_str() == name)
    }

    /// Adds a group to the list of a key, unless it stands there.
    pub fn name_in(&mut self, list: &str, group: &GroupName) {
        let name = group.to_string();
        match self.keys.iter_mut().find(|(key, _)| key == list) {
            Some((_, Value::Texts(names))) if names.contains(&name) => {}
            Some((_, Value::Texts(names))) => names.push(name),
            Some((_, value)) => *value = Value::Texts(vec![name]),
            None => self.keys.push((list.to_owned(), Value::Texts(vec![name]))),
        }
    }

    /// Whether another group is named in it, as one that is required, or in a list of its own keys.
    pub fn names(&self, group: &str) -> bool {
        let is_in =
            |value: &Value| matches!(value, Value::Texts(names) if names.iter().any(|name| name == group));
        self.requires_groups.iter().any(|name| name.as_str() == group)
            || self.keys.iter().any(|(_, value)| is_in(value))
    }

    /// Takes another group out of it.
    pub fn forget(&mut self, group: &str) {
        self.requires_groups.retain(|name| name.as_str() != group);
        for (_, value) in &mut self.keys {
            if let Value::Texts(names) = value {
                names.retain(|name| name != group);
            }
        }
        self.keys.retain(|(_, value)| *value != Value::Texts(Vec::new()));
    }

    /// The group as it is read from this draft; `file` is named in errors.
    pub fn parse(&self, file: &Path) -> Result<Group, Fail> {
        Group::parse(self.name.clone(), &self.to_string(), file)
    }
}

impl DraftResource {
    /// A resource of a type, with no key yet.
    pub fn new(name: ResourceName, kind: impl Into<String>) -> Self {
        Self { name, kind: kind.into(), keys: Vec::new(), requires: Vec::new() }
    }

    /// Sets a key, in the place it has or as the last.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.keys.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.keys.push((key.to_owned(), value)),
        }
    }

    /// Adds a requirement unless it is there.
    pub fn require(&mut self, name: &ResourceName) {
        if !self.requires.contains(name) {
            self.requires.push(name.clone());
        }
    }
}

/// The group file.
impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "nodes = {}", list(&self.nodes))?;
        if !self.requires_groups.is_empty() {
            writeln!(f, "requires_groups = {}", list(&self.requires_groups))?;
        }
        if self.failback {
            writeln!(f, "failback = true")?;
        }
        for (key, value) in &self.keys {
            writeln!(f, "{key} = {value}")?;
        }
        for resource in &self.resources {
            writeln!(f, "\n[resource.{}]\ntype = {}", key(resource.name.as_str()), quoted(&resource.kind))?;
            for (key, value) in &resource.keys {
                writeln!(f, "{key} = {value}")?;
            }
            if !resource.requires.is_empty() {
                writeln!(f, "requires = {}", list(&resource.requires))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Texts(texts) => f.write_str(&list(texts)),
            Self::Number(number) => number.fmt(f),
            Self::Numbers(numbers) => write!(f, "{numbers:?}"),
            Self::Flag(flag) => flag.fmt(f),
            Self::Amounts(amounts) => {
                let told: Vec<String> =
                    amounts.iter().map(|(name, amount)| format!("{} = {amount}", key(name))).collect();
                write!(f, "{{ {} }}", told.join(", "))
            }
            Self::Pairs(pairs) if pairs.is_empty() => f.write_str("{}"),
            Self::Pairs(pairs) => {
                let told: Vec<String> =
                    pairs.iter().map(|(name, text)| format!("{} = {}", key(name), quoted(text))).collect();
                write!(f, "{{ {} }}", told.join(", "))
            }
        }
    }
}

fn list<T: ToString>(items: &[T]) -> String {
    let told: Vec<String> = items.iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{}]", told.join(", "))
}

/// A key bare where TOML lets it be, in quotes otherwise.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// The last hexadecimal digit of a number.
fn digit(number: u32) -> char {
    char::from_digit(number % 16, 16).unwrap_or('0').to_ascii_uppercase()
}

/// A basic string of TOML 1.0.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                quoted.push_str("\\u");
                quoted.extend([12, 8, 4, 0].map(|shift| digit(u32::from(c) >> shift)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use ims::group::Kind;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_draft_is_the_file_of_its_group() {
        let mut draft = Draft::new("IMS-RG".parse().unwrap());
        draft.nodes = vec!["mail-1".parse().unwrap(), "mail-2".parse().unwrap()];
        draft.requires_groups = vec!["LDAP-USER-RG".parse().unwrap()];
        draft.failback = true;
        let mut address = DraftResource::new("mail.ip".parse().unwrap(), "logical-ip");
        address.set("address", "10.0.37.10/24");
        address.set("device", "eth0");
        let mut command = DraftResource::new("cron".parse().unwrap(), "command");
        for verb in ["start", "stop", "monitor"] {
            command.set(verb, Value::Texts(vec![verb.to_owned(), "a \"b\"".to_owned()]));
        }
        command.set("offline_status", Value::Numbers(vec![1, 3]));
        command.set("restart_limit", 2);
        command.require(&address.name);
        command.require(&address.name);
        draft.resources = vec![address, command];
        let wanted = "\
nodes = [\"mail-1\", \"mail-2\"]
requires_groups = [\"LDAP-USER-RG\"]
failback = true

[resource.\"mail.ip\"]
type = \"logical-ip\"
address = \"10.0.37.10/24\"
device = \"eth0\"

[resource.cron]
type = \"command\"
start = [\"start\", \"a \\\"b\\\"\"]
stop = [\"stop\", \"a \\\"b\\\"\"]
monitor = [\"monitor\", \"a \\\"b\\\"\"]
offline_status = [1, 3]
restart_limit = 2
requires = [\"mail.ip\"]
";
        assert_eq!(draft.to_string(), wanted);
        let group = draft.parse(Path::new("x")).unwrap();
        assert_eq!(group.resources.len(), 2);
        assert_eq!(group.find(&"cron".parse().unwrap()).unwrap().policy.restart_limit, 2);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(name in "\\PC*", text in "(?s).*") {
            let mut draft = Draft::new("g".parse().unwrap());
            draft.nodes = vec!["a".parse().unwrap()];
            let mut agent = DraftResource::new("r".parse().unwrap(), "ocf:heartbeat:Dummy");
            agent.set("parameters", Value::Pairs(vec![(name.clone(), text.clone())]));
            draft.resources = vec![agent];
            let group = draft.parse(Path::new("x")).unwrap();
            let Kind::Ocf(ocf) = &group.resources[0].kind else { panic!() };
            prop_assert_eq!(&ocf.parameters, &vec![(name, text)]);
        }
    }
}
