//! ZFS: a pool (zpool(8)). An exported pool is free; one that another host used last and did not export may be in use there, and
//! only the pool's own `multihost` tells whether it is.

use ims::Fail;
use ims::sys::exec::Line;

use super::tools::Tools;
use super::{Sight, Standing};

/// A pool as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    name: String,
    seen: Seen,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// It is imported here, and this is its health.
    Imported(String),
    /// It can be imported: its state, and what `zpool import` says of it.
    Importable { state: String, said: String },
}

/// Looks at a pool.
pub fn look(name: &str, tools: &mut Tools<'_>) -> Result<Pool, Fail> {
    let ours = |seen| Pool { name: name.to_owned(), seen };
    let listed = tools.run(&Line::new(["zpool", "list", "-H", "-o", "health", name]))?;
    if listed.is_success() {
        return Ok(ours(Seen::Imported(listed.stdout.trim().to_owned())));
    }
    if !listed.words().contains("no such pool") {
        return Err(Fail::unknown(format!("cannot tell whether {name} is imported")).because(listed.words()));
    }
    let offered = tools.run(&Line::new(["zpool", "import"]))?;
    importable(&offered.stdout, name).map(ours).ok_or_else(|| {
        Fail::unknown(format!("no pool {name} is imported here, and none can be"))
            .hint("are its disks attached to this node? zpool import lists what can be imported")
    })
}

/// The part about a pool in what `zpool import` offers: fields with a colon, each of which may go on in further lines.
fn importable(text: &str, name: &str) -> Option<Seen> {
    let is_pool = |line: &&str| line.trim().strip_prefix("pool:").is_some_and(|pool| pool.trim() == name);
    let mut lines = text.lines().skip_while(|line| !is_pool(line)).skip(1);
    let part: Vec<&str> = lines.by_ref().take_while(|line| !line.trim().starts_with("pool:")).collect();
    let state = part.iter().find_map(|line| line.trim().strip_prefix("state:"))?.trim().to_owned();
    let said = part.iter().take_while(|line| !line.trim().starts_with("config:"));
    let said: Vec<&str> = said.flat_map(|line| line.split_whitespace()).collect();
    Some(Seen::Importable { state, said: said.join(" ") })
}

impl Sight for Pool {
    fn standing(&self) -> Standing {
        match &self.seen {
            Seen::Imported(health) if matches!(health.as_str(), "ONLINE" | "DEGRADED") => Standing::Active,
            Seen::Imported(_) => Standing::Partly,
            Seen::Importable { said, .. } => {
                let owner = said
                    .split_once("must be exported from ")
                    .and_then(|(_, rest)| rest.split_whitespace().next());
                match owner {
                    Some(owner) => Standing::Theirs(owner.to_owned()),
                    None if said.contains("another system") => {
                        Standing::Unsure("another system used it last and did not export it".to_owned())
                    }
                    None => Standing::Free,
                }
            }
        }
    }

    fn missing(&self) -> u32 {
        match &self.seen {
            Seen::Imported(health) => u32::from(health == "DEGRADED"),
            Seen::Importable { state, .. } => u32::from(state != "ONLINE"),
        }
    }

    fn why(&self) -> Option<String> {
        match &self.seen {
            Seen::Imported(health) if health != "ONLINE" => Some(format!("it is {health}")),
            Seen::Importable { state, .. } if state != "ONLINE" => Some(format!("it is {state}")),
            Seen::Imported(_) | Seen::Importable { .. } => None,
        }
    }

    fn up(&self, _degraded: bool) -> Vec<Line> {
        match (&self.seen, self.standing()) {
            (Seen::Imported(_), _) => Vec::new(),
            // With multihost the import looks for a sign of life all the same.
            (_, Standing::Unsure(_) | Standing::Theirs(_)) => {
                vec![Line::new(["zpool", "import", "-f", &self.name])]
            }
            (_, Standing::Active | Standing::Partly | Standing::Free | Standing::Ours) => {
                vec![Line::new(["zpool", "import", &self.name])]
            }
        }
    }

    fn down(&self) -> Vec<Line> {
        match self.seen {
            Seen::Imported(_) => vec![Line::new(["zpool", "export", &self.name])],
            Seen::Importable { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_stands_as_zpool_says() {
        let offered = include_str!("../../../../tests/data/layers/zfs/import.txt");
        let unsure = Standing::Unsure("another system used it last and did not export it".into());
        for (name, standing) in
            [("tank", Standing::Free), ("data", unsure), ("shared", Standing::Theirs("mail-2".into()))]
        {
            let pool = Pool { name: name.into(), seen: importable(offered, name).unwrap() };
            assert_eq!(pool.standing(), standing, "{name}");
            assert!(pool.down().is_empty());
        }
        assert_eq!(importable(offered, "tan"), None);
        for (health, standing) in
            [("ONLINE", Standing::Active), ("DEGRADED", Standing::Active), ("SUSPENDED", Standing::Partly)]
        {
            let pool = Pool { name: "tank".into(), seen: Seen::Imported(health.into()) };
            assert_eq!((pool.standing(), pool.down().len()), (standing, 1), "{health}");
        }
    }
}
