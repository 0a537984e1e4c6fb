//! How much a group asks of the node it is on, and how much a node has to give: amounts by name, such as groups or
//! gigabytes of memory. What they measure is for the operator to say; they are only added and compared.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the amount that every group asks for one of unless its file says otherwise.
pub const GROUPS: &str = "groups";

/// Amounts by name, in whatever unit the operator chose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Load(BTreeMap<String, u64>);

impl Load {
    /// These amounts.
    pub const fn new(amounts: BTreeMap<String, u64>) -> Self {
        Self(amounts)
    }

    /// The same, one group where nothing is said of groups.
    #[must_use]
    pub fn of_a_group(mut self) -> Self {
        self.0.entry(GROUPS.to_owned()).or_insert(1);
        self
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The amounts with their names, in the order of these.
    pub fn amounts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    /// The amount of that name; 0 when nothing is said.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, amount)) in self.0.iter().enumerate() {
            write!(f, "{}{name} {amount}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
