//! What becomes of an entry on another node. Pure: (what is sent, what is there) → an outcome for each entry.

use std::collections::HashSet;

use ims::Record;
use ims::instance::Instance;
use ims::name::{InstanceName, NodeName};
use ims::registry::{Registry, keys};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of an entry on another node; with `--dry-run`, what would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was not there and is now.
    Added,
    /// It was another, and now says what it says here.
    Replaced,
    /// It says the same there already.
    Same,
    /// It is there alone, and stays.
    Kept,
    /// It is another there, and nothing was changed on that node.
    Refused,
    /// It is not there, and was not added since another was refused.
    Withheld,
}

impl Outcome {
    /// The word for records and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Same => "same",
            Self::Kept => "kept",
            Self::Refused => "refused",
            Self::Withheld => "withheld",
        }
    }
}

/// One entry on one other node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replica {
    /// The other node.
    pub node: NodeName,
    /// The entry.
    pub name: InstanceName,
    /// What became of it there.
    pub outcome: Outcome,
    /// Whether it was only shown.
    pub dry_run: bool,
    /// The keys that were not the same.
    pub differences: Vec<Pair>,
    /// When the registry there had been written, by the clock there; absent when there was none.
    pub written: Option<Timestamp>,
}

/// A key that two registries do not say the same of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// The key in msgregistry.inf(5).
    pub key: String,
    /// Its value on the node that asks; absent when it is not set.
    pub here: Option<String>,
    /// Its value on the other node; absent when it is not set.
    pub there: Option<String>,
}

impl Record for Replica {
    const SCHEMA: &'static str = "ims.replica/1";

    fn columns() -> &'static [&'static str] {
        &["node", "name", "outcome", "keys"]
    }

    fn row(&self) -> Vec<String> {
        let keys: Vec<&str> = self.differences.iter().map(|pair| pair.key.as_str()).collect();
        let keys = if keys.is_empty() { "-".to_owned() } else { keys.join(", ") };
        let would = match (self.dry_run, self.outcome) {
            (true, Outcome::Added | Outcome::Replaced | Outcome::Refused | Outcome::Withheld) => "would be ",
            (true, Outcome::Same | Outcome::Kept) | (false, _) => "",
        };
        vec![self.node.to_string(), self.name.to_string(), format!("{would}{}", self.outcome.word()), keys]
    }
}

/// A key of an entry that this node and another do not say the same of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// The other node.
    pub node: NodeName,
    /// The entry.
    pub name: InstanceName,
    /// The key in msgregistry.inf(5); every key of an entry that only one of the two has.
    pub key: String,
    /// Its value on this node; absent when it is not set.
    pub here: Option<String>,
    /// Its value on the other node; absent when it is not set.
    pub there: Option<String>,
}

impl Record for Difference {
    const SCHEMA: &'static str = "ims.difference/1";

    fn columns() -> &'static [&'static str] {
        &["node", "name", "key", "here", "there"]
    }

    fn row(&self) -> Vec<String> {
        let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let (here, there) = (cell(&self.here), cell(&self.there));
        vec![self.node.to_string(), self.name.to_string(), self.key.clone(), here, there]
    }
}

/// The keys that two entries do not say the same of; of an entry that one of them lacks, every key of the other.
pub fn pairs(here: Option<&Instance>, there: Option<&Instance>) -> Vec<Pair> {
    let said = |instance: Option<&Instance>| instance.map(keys).into_iter().flatten().collect::<Vec<_>>();
    let (ours, theirs) = (said(here), said(there));
    let names: Vec<&str> =
        if ours.is_empty() { &theirs } else { &ours }.iter().map(|(key, _)| *key).collect();
    let value = |of: &[(&str, Option<String>)], key| {
        of.iter().find(|(name, _)| *name == key).and_then(|(_, value)| value.clone())
    };
    let both = names.into_iter().map(|key| (key, value(&ours, key), value(&theirs, key)));
    both.filter(|(_, here, there)| here != there)
        .map(|(key, here, there)| Pair { key: key.to_owned(), here, there })
        .collect()
}

/// What becomes of each entry that is sent, and of those that are there alone.
///
/// An entry is the same when its five keys are. Which of two is the newer cannot be told for certain, as the clocks
/// of two nodes may differ: one that is another is overwritten only when `replace` says so. Otherwise nothing is
/// changed there.
pub fn outcomes(
    there: &Registry,
    sent: &[Instance],
    replace: bool,
) -> Vec<(InstanceName, Outcome, Vec<Pair>)> {
    let of_sent = sent.iter().map(|instance| {
        let known = there.get(&instance.name);
        let outcome = match known {
            None => Outcome::Added,
            Some(known) if known == instance => Outcome::Same,
            Some(_) if replace => Outcome::Replaced,
            Some(_) => Outcome::Refused,
        };
        let pairs = if outcome == Outcome::Same { Vec::new() } else { pairs(Some(instance), known) };
        (instance.name.clone(), outcome, pairs)
    });
    let names: HashSet<&InstanceName> = sent.iter().map(|instance| &instance.name).collect();
    let alone = there.instances().filter(|instance| !names.contains(&instance.name));
    let kept = alone.map(|instance| (instance.name.clone(), Outcome::Kept, pairs(None, Some(instance))));
    let mut all: Vec<_> = of_sent.chain(kept).collect();
    if all.iter().any(|(_, outcome, _)| *outcome == Outcome::Refused) {
        for (_, outcome, _) in all.iter_mut().filter(|(_, outcome, _)| *outcome == Outcome::Added) {
            *outcome = Outcome::Withheld;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn registry(text: &str) -> Registry {
        Registry::parse(text, Path::new("/etc/msgregistry.inf")).unwrap()
    }

    #[test]
    fn an_entry_that_is_another_there_is_overwritten_only_when_it_is_said() {
        let entry = |name: &str, root: &str| format!("[{name}]\nlayout = iplanet-5\nroot = {root}\n");
        let sent: Vec<Instance> = registry(&(entry("a", "/a") + &entry("b", "/b") + &entry("c", "/c")))
            .instances()
            .cloned()
            .collect();
        let there = registry(&(entry("b", "/b") + &entry("c", "/elsewhere") + &entry("d", "/d")));
        for (replace, of_a, of_c) in
            [(false, Outcome::Withheld, Outcome::Refused), (true, Outcome::Added, Outcome::Replaced)]
        {
            let found = outcomes(&there, &sent, replace);
            let told: Vec<(&str, Outcome, usize)> =
                found.iter().map(|(name, outcome, pairs)| (name.as_str(), *outcome, pairs.len())).collect();
            let rest = ("d", Outcome::Kept, 2);
            assert_eq!(told, [("a", of_a, 2), ("b", Outcome::Same, 0), ("c", of_c, 1), rest]);
            let root = Pair {
                key: "root".to_owned(),
                here: Some("/c".to_owned()),
                there: Some("/elsewhere".to_owned()),
            };
            assert_eq!(found[2].2, [root]);
        }
    }
}
