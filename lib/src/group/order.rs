//! The order in which resources can be started: what is required comes first, else the order of the file.

use crate::group::Resource;
use crate::name::ResourceName;

/// Resources that require each other in a ring, the first named twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<ResourceName>);

/// Puts resources into an order in which they can be started.
pub fn sorted(resources: Vec<Resource>) -> Result<Vec<Resource>, Cycle> {
    let mut waiting = resources;
    let mut done: Vec<Resource> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|resource| {
            resource.requires.iter().all(|name| done.iter().any(|before| &before.name == name))
        });
        match ready {
            Some(index) => done.push(waiting.remove(index)),
            None => return Err(ring(&waiting)),
        }
    }
    Ok(done)
}

/// Follows what is required among resources of which each requires another, until one comes round again.
fn ring(waiting: &[Resource]) -> Cycle {
    let mut path: Vec<ResourceName> = waiting.first().map(|first| first.name.clone()).into_iter().collect();
    while let Some(last) = path.last() {
        let next = waiting
            .iter()
            .find(|resource| &resource.name == last)
            .and_then(|resource| {
                resource.requires.iter().find(|name| waiting.iter().any(|other| &&other.name == name))
            })
            .cloned();
        let Some(next) = next else { break };
        if let Some(start) = path.iter().position(|name| name == &next) {
            path.drain(..start);
            path.push(next);
            break;
        }
        path.push(next);
    }
    Cycle(path)
}
