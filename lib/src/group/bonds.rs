//! Groups that are kept together or apart: Sun Cluster's `RG_affinities`, Pacemaker's colocations.

use crate::Fail;
use crate::keys::Keys;
use crate::name::GroupName;

/// Which other groups decide where a group may be, or would rather be. A group stands in one of the lists at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bonds {
    /// It may only be where these are online.
    pub together_with: Vec<GroupName>,
    /// It may not be where these are, nor these where it is.
    pub apart_from: Vec<GroupName>,
    /// Of several nodes it takes one where more of these are online.
    pub rather_with: Vec<GroupName>,
    /// Of several nodes it takes one where fewer of these are.
    pub rather_apart_from: Vec<GroupName>,
}

impl Bonds {
    /// The lists by the names of their keys.
    pub fn lists(&self) -> [(&'static str, &[GroupName]); 4] {
        [
            ("together_with", &self.together_with),
            ("apart_from", &self.apart_from),
            ("rather_with", &self.rather_with),
            ("rather_apart_from", &self.rather_apart_from),
        ]
    }
}

/// The bonds of a group; one with itself, or two with the same other, are refused with their line.
pub fn of(keys: &Keys<'_>, name: &GroupName) -> Result<Bonds, Fail> {
    let bonds = Bonds {
        together_with: keys.all_parsed("together_with")?,
        apart_from: keys.all_parsed("apart_from")?,
        rather_with: keys.all_parsed("rather_with")?,
        rather_apart_from: keys.all_parsed("rather_apart_from")?,
    };
    let mut seen: Vec<(&str, &GroupName)> = Vec::new();
    for (key, list) in bonds.lists() {
        for other in list {
            if other == name {
                return Err(keys.wrong(key, format!("{name} stands in its own {key}")));
            }
            if let Some((first, _)) = seen.iter().find(|(_, known)| *known == other) {
                let what = if *first == key { "twice".to_owned() } else { format!("in {first} already") };
                return Err(keys.wrong(key, format!("{other} stands {what}")));
            }
            seen.push((key, other));
        }
    }
    Ok(bonds)
}
