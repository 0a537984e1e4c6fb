//! The command line of `clear`.

use std::str::FromStr;

use ims::Fail;
use ims::name::{GroupName, ResourceName};

use super::enable::Part;
use super::freeze::Say;

/// A group, or one resource of it: `GROUP` or `GROUP:RESOURCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeOrPart {
    /// The group.
    pub group: GroupName,
    /// The resource; all of the group's when there is none.
    pub resource: Option<ResourceName>,
}

impl FromStr for WholeOrPart {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        if !text.contains(':') {
            return Ok(Self { group: text.parse()?, resource: None });
        }
        let Part { group, resource } = text.parse()?;
        Ok(Self { group, resource: Some(resource) })
    }
}

/// The arguments of `clear`.
#[derive(Debug, clap::Args)]
pub struct Clear {
    /// The groups, or resources of them
    #[arg(value_name = "GROUP[:RESOURCE]", required = true)]
    pub parts: Vec<WholeOrPart>,
    /// Common to what says something.
    #[command(flatten)]
    pub say: Say,
}
