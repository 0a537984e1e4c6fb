//! A cluster command as what it does, in either of the two languages: `scrgadm` and `scswitch` of Sun Cluster 3.0 and
//! 3.1, `clrg`, `clrs` and their like of 3.2 and later. Their options are those of scrgadm(1M), scswitch(1M) and
//! clresource(1CL).

use super::script::{Script, Word};

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes resource types known.
    Register(Vec<String>),
    /// Makes a group, or changes one.
    Group(Change),
    /// Makes a resource, or changes one.
    Resource(Change),
    /// Removes groups.
    RemoveGroups(Vec<String>),
    /// Removes resources.
    RemoveResources(Vec<String>),
    /// Enables resources.
    Enable(Vec<String>),
    /// Disables resources.
    Disable(Vec<String>),
    /// Brings groups online, on a node when one is named.
    Online {
        /// The groups.
        groups: Vec<String>,
        /// The node.
        on: Option<String>,
        /// Whether what they have is enabled too.
        enables: bool,
    },
    /// Takes groups offline.
    Offline(Vec<String>),
    /// Looks at something, or unregisters a type that nothing uses any more.
    Nothing,
    /// Does what a group file does not hold.
    Other,
}

/// What is made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Whether it is made.
    pub is_new: bool,
    /// The group, of a resource.
    pub group: Option<String>,
    /// The type, of a resource.
    pub kind: Option<String>,
    /// Properties in the order they are set.
    pub properties: Vec<Property>,
    /// Whether it is made enabled.
    pub enabled: bool,
}

/// A property as it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its value; lists are parted by commas.
    pub value: String,
    /// Where it stands.
    pub line: usize,
}

/// The type of logical hosts, by the name that `-L` stands for.
pub const LOGICAL_HOST: &str = "SUNW.LogicalHostname";

/// The options and operands of a command.
struct Parsed {
    options: Vec<(char, String, usize)>,
    operands: Vec<String>,
}

impl Parsed {
    fn of(words: &[Word], with_value: &str, script: &Script) -> Self {
        let mut parsed = Self { options: Vec::new(), operands: Vec::new() };
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let Some(letters) = word.text.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                if script.is_transcript && word.gap > 1 {
                    break; // prose that follows the command
                }
                parsed.operands.push(word.text.clone());
                continue;
            };
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let mut value = String::new();
                if with_value.contains(letter) {
                    value = letters.by_ref().collect();
                    if value.is_empty() {
                        value = words.next().map(|word| word.text.clone()).unwrap_or_default();
                    }
                }
                parsed.options.push((letter, value, word.line));
            }
        }
        parsed
    }

    fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(known, ..)| *known == letter)
    }

    fn get(&self, letter: char) -> Option<(String, usize)> {
        let found = self.options.iter().find(|(known, ..)| *known == letter);
        found.map(|(_, value, line)| (value.clone(), *line))
    }

    fn text(&self, letter: char) -> Option<String> {
        self.get(letter).map(|(value, _)| value)
    }

    fn list(&self, letter: char) -> Vec<String> {
        self.text(letter).map(|value| list(&value)).unwrap_or_default()
    }

    /// The properties that the options of these letters set, and those that other options stand for.
    fn properties(&self, letters: &str, others: &[(char, &str)]) -> Vec<Property> {
        self.options
            .iter()
            .filter_map(|(letter, value, line)| {
                let (name, value) = match others.iter().find(|(known, _)| known == letter) {
                    Some((_, name)) => (*name, value.as_str()),
                    None if letters.contains(*letter) => value.split_once('=').unwrap_or((value, "")),
                    None => return None,
                };
                Some(Property { name: name.to_owned(), value: value.to_owned(), line: *line })
            })
            .collect()
    }
}

/// The items of a list.
pub fn list(value: &str) -> Vec<String> {
    let items = value.split([',', ' ']).map(str::trim).filter(|item| !item.is_empty());
    items.map(ToOwned::to_owned).collect()
}

/// What a command does.
pub fn of(words: &[Word], script: &Script) -> Action {
    let Some((tool, rest)) = words.split_first() else { return Action::Nothing };
    match tool.text.as_str() {
        "scrgadm" => scrgadm(&Parsed::of(rest, "tfhgyjxlnX", script)),
        "scswitch" => scswitch(&Parsed::of(rest, "gjhfDK", script)),
        "scstat" => Action::Nothing,
        tool => {
            let Some((verb, rest)) = rest.split_first() else { return Action::Nothing };
            modern(tool, &verb.text, &Parsed::of(rest, "nphgtNfiozxyXu", script))
        }
    }
}

fn scrgadm(parsed: &Parsed) -> Action {
    let is_new = parsed.has('a');
    if parsed.has('r') {
        return match (parsed.text('j'), parsed.text('g')) {
            (Some(resources), _) => Action::RemoveResources(list(&resources)),
            (None, Some(group)) => Action::RemoveGroups(vec![group]),
            (None, None) => Action::Nothing,
        };
    }
    if !is_new && !parsed.has('c') {
        return Action::Nothing; // -p prints
    }
    if parsed.has('S') {
        return Action::Other;
    }
    let mut change = Change { is_new, group: parsed.text('g'), kind: parsed.text('t'), ..Change::default() };
    if parsed.has('L') {
        change.kind = Some(LOGICAL_HOST.to_owned());
        change.properties = parsed.properties("xy", &[('l', "HostnameList"), ('n', "NetIfList")]);
        let first = parsed.list('l').into_iter().next();
        change.name = parsed.text('j').or(first).unwrap_or_default();
        return Action::Resource(change);
    }
    match (parsed.text('j'), parsed.text('g'), parsed.text('t')) {
        (Some(name), ..) => {
            change.name = name;
            change.properties = parsed.properties("xy", &[]);
            Action::Resource(change)
        }
        (None, Some(name), _) => {
            change.name = name;
            change.properties = parsed.properties("xy", &[('h', "Nodelist")]);
            Action::Group(change)
        }
        (None, None, Some(kind)) => Action::Register(vec![kind]),
        (None, None, None) => Action::Other,
    }
}

fn scswitch(parsed: &Parsed) -> Action {
    let groups = parsed.list('g');
    if parsed.has('M') || parsed.has('R') || parsed.has('S') || parsed.has('c') || parsed.has('Q') {
        return Action::Other;
    }
    if parsed.has('e') {
        return Action::Enable(parsed.list('j'));
    }
    if parsed.has('n') {
        return Action::Disable(parsed.list('j'));
    }
    match (parsed.has('Z'), parsed.has('z'), parsed.has('F')) {
        (true, ..) => Action::Online { groups, on: None, enables: true },
        // Without a node -z goes to the preferred ones; with an empty one the group goes offline.
        (_, true, _) => match parsed.text('h') {
            Some(node) if node.is_empty() => Action::Offline(groups),
            on => Action::Online { groups, on, enables: false },
        },
        (.., true) => Action::Offline(groups),
        (false, false, false) => Action::Other,
    }
}

fn modern(tool: &str, verb: &str, parsed: &Parsed) -> Action {
    let names = parsed.operands.clone();
    let name = names.first().cloned().unwrap_or_default();
    if ["show", "status", "list", "export", "list-props", "list-methods"].contains(&verb) {
        return Action::Nothing;
    }
    let is_new = verb == "create";
    let change = |kind: Option<String>, others: &[(char, &str)]| Change {
        name: name.clone(),
        is_new,
        group: parsed.text('g'),
        kind,
        properties: parsed.properties("pxy", others),
        enabled: is_new && !parsed.has('d'),
    };
    match (tool, verb) {
        ("clrt" | "clresourcetype", "register") => Action::Register(names),
        ("clrt" | "clresourcetype", "unregister") => Action::Nothing,
        ("clrg" | "clresourcegroup", "create" | "set") => Action::Group(change(None, &[('n', "Nodelist")])),
        ("clrg" | "clresourcegroup", "delete") => Action::RemoveGroups(names),
        ("clrg" | "clresourcegroup", "online" | "switch") => {
            Action::Online { groups: names, on: parsed.text('n'), enables: parsed.has('e') }
        }
        ("clrg" | "clresourcegroup", "offline") => Action::Offline(names),
        ("clrslh" | "clreslogicalhostname", "create") => {
            let mut made =
                change(Some(LOGICAL_HOST.to_owned()), &[('h', "HostnameList"), ('N', "NetIfList")]);
            if !parsed.has('h') {
                let property = Property { name: "HostnameList".to_owned(), value: name.clone(), line: 0 };
                made.properties.push(property);
            }
            Action::Resource(made)
        }
        ("clrs" | "clresource" | "clrslh" | "clreslogicalhostname", _) => match verb {
            "create" => Action::Resource(change(parsed.text('t'), &[])),
            "set" => Action::Resource(change(None, &[])),
            "delete" => Action::RemoveResources(names),
            "enable" => Action::Enable(names),
            "disable" => Action::Disable(names),
            _ => Action::Other,
        },
        _ => Action::Other,
    }
}
