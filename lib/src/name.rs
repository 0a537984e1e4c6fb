//! Names that are safe in paths, argument lists and file sections.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fail;

/// The longest name, in bytes; Linux gives host names as many.
const LONGEST: usize = 64;

fn checked(kind: &str, text: &str) -> Result<String, Fail> {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if first && rest && text.len() <= LONGEST {
        return Ok(text.to_owned());
    }
    Err(Fail::usage(format!("not {kind}: '{}'", text.escape_debug()))
        .hint("letters, digits, '-', '_' and '.', at most 64, a letter or digit first"))
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = Fail;

            fn from_str(text: &str) -> Result<Self, Fail> {
                checked($kind, text).map(Self)
            }
        }

        impl TryFrom<String> for $type {
            type Error = Fail;

            fn try_from(text: String) -> Result<Self, Fail> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// The name of an instance, without its leading `msg-`.
    InstanceName,
    "an instance name"
);
name!(
    /// The name of a directory server instance, without its leading `slapd-`.
    DirectoryName,
    "a directory server's name"
);
name!(
    /// The name of a node, as `uname -n` gives it there.
    NodeName,
    "a node name"
);
name!(
    /// The name of a resource group.
    GroupName,
    "a group name"
);
name!(
    /// The name of a resource in its group.
    ResourceName,
    "a resource name"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_leave_its_folder_or_its_section() {
        for good in ["mail-1", "stork", "IMS-RG", "logical_IP", "a.b"] {
            assert!(good.parse::<InstanceName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "-n", "a]", "a\n", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<InstanceName>().is_err(), "{bad}");
        }
    }
}
