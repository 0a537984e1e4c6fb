//! LVM2: a volume group, or one logical volume of it (lvm(8), lvmsystemid(7)).
//!
//! A group that has a system ID belongs to the node of that name. It is exported when it is released, which takes the ID
//! off, and imported when it is taken, which puts this node's on: so every node sees whether somebody has it. A group without an
//! ID guards nothing.

use ims::Fail;
use ims::sys::exec::Line;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::tools::Tools;
use super::{Sight, Standing, strange};

/// What `vgs --reportformat json` tells, a row for each physical volume.
#[derive(Debug, Deserialize)]
struct GroupRow {
    vg_systemid: String,
    vg_exported: String,
    vg_lock_type: String,
    vg_missing_pv_count: String,
    pv_name: String,
}

/// What `lvs --reportformat json` tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct VolumeRow {
    lv_name: String,
    lv_active: String,
}

impl VolumeRow {
    fn is_active(&self) -> bool {
        !self.lv_active.is_empty()
    }
}

/// A volume group as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    name: String,
    /// The one logical volume that is meant, or all.
    meant: Option<String>,
    /// The node that it belongs to; empty when to none.
    system_id: String,
    /// The ID of this node; empty when it has none.
    ours: String,
    is_exported: bool,
    /// `sanlock` or `dlm` where lvmlockd keeps the nodes apart, else empty.
    lock_type: String,
    missing: u32,
    /// Every volume: its name, and whether it is active here.
    volumes: Vec<(String, bool)>,
    /// When its metadata were written last.
    written: Option<Timestamp>,
}

/// Looks at a volume group.
pub fn look(name: &str, meant: Option<&str>, tools: &mut Tools<'_>) -> Result<Group, Fail> {
    let fields = "vg_systemid,vg_exported,vg_lock_type,vg_missing_pv_count,pv_name";
    let vgs = tools.run(&report("vgs", fields, name))?;
    if !vgs.is_success() {
        return Err(Fail::unknown(format!("cannot find the volume group {name}"))
            .because(vgs.words())
            .hint("is its disk attached to this node?"));
    }
    let rows: Vec<GroupRow> = rows("vgs", "vg", &vgs.stdout)?;
    let first = rows.first().ok_or_else(|| strange("vgs", "it tells of no group"))?;
    let is_exported = !first.vg_exported.is_empty();
    let volumes: Vec<VolumeRow> = if is_exported {
        Vec::new()
    } else {
        let lvs = tools.must(&report("lvs", "lv_name,lv_active", name))?;
        self::rows("lvs", "lv", &lvs.stdout)?
    };
    if let Some(meant) = meant
        && !is_exported
        && !volumes.iter().any(|row| row.lv_name == meant)
    {
        return Err(Fail::usage(format!("no logical volume {meant} in the volume group {name}"))
            .hint(format!("see lvs {name}")));
    }
    let ours = system_id(&tools.must(&Line::new(["lvm", "systemid"]))?.stdout);
    let written = if first.vg_systemid.is_empty() || first.vg_systemid == ours {
        None
    } else {
        let dump = Line::new(["pvck", "--dump", "metadata", first.pv_name.as_str()]);
        written(&tools.must(&dump)?.stdout)
    };
    Ok(Group {
        name: name.to_owned(),
        meant: meant.map(ToOwned::to_owned),
        system_id: first.vg_systemid.clone(),
        ours,
        is_exported,
        lock_type: first.vg_lock_type.clone(),
        missing: first.vg_missing_pv_count.parse().map_err(|e| strange("vgs", e))?,
        volumes: volumes.into_iter().map(|row| (row.lv_name.clone(), row.is_active())).collect(),
        written,
    })
}

/// Asks for fields of a group, whoever it belongs to.
fn report(tool: &str, fields: &str, group: &str) -> Line {
    Line::new([tool, "--foreign", "--shared", "--reportformat", "json", "-o", fields, group])
}

/// The rows of a report in JSON.
fn rows<R: DeserializeOwned>(tool: &str, kind: &str, text: &str) -> Result<Vec<R>, Fail> {
    let mut report: serde_json::Value = serde_json::from_str(text).map_err(|e| strange(tool, e))?;
    let rows = report
        .pointer_mut(&format!("/report/0/{kind}"))
        .ok_or_else(|| strange(tool, "a report without rows"))?;
    serde_json::from_value(rows.take()).map_err(|e| strange(tool, e))
}

/// The ID in `lvm systemid`'s answer, a line such as `  system ID: mail-1`.
fn system_id(text: &str) -> String {
    text.lines().find_map(|line| line.trim().strip_prefix("system ID:")).unwrap_or_default().trim().to_owned()
}

/// When the metadata were written, by the clock of the node that did: the last `creation_time = 1795373136`, behind those of
/// the volumes.
fn written(text: &str) -> Option<Timestamp> {
    let mut lines = text.lines().rev();
    let value = lines.find_map(|line| line.trim().strip_prefix("creation_time = "))?;
    Timestamp::from_second(value.split_whitespace().next()?.parse().ok()?).ok()
}

impl Group {
    fn is_meant(&self, volume: &str) -> bool {
        self.meant.as_deref().is_none_or(|meant| meant == volume)
    }

    fn active(&self, is_meant: bool) -> usize {
        self.volumes.iter().filter(|(name, active)| *active && self.is_meant(name) == is_meant).count()
    }

    fn is_ours(&self) -> bool {
        !self.system_id.is_empty() && self.system_id == self.ours
    }

    /// Activates or deactivates what is meant.
    fn change(&self, word: &str) -> Line {
        match &self.meant {
            Some(volume) => Line::new(["lvchange", word]).arg(format!("{}/{volume}", self.name)),
            None => Line::new(["vgchange", word]).arg(&self.name),
        }
    }
}

impl Sight for Group {
    fn standing(&self) -> Standing {
        if self.is_exported {
            return Standing::Free;
        }
        if !self.system_id.is_empty() && !self.is_ours() {
            return Standing::Theirs(self.system_id.clone());
        }
        let meant = self.volumes.iter().filter(|(name, _)| self.is_meant(name)).count();
        match self.active(true) {
            0 if self.is_ours() => Standing::Ours,
            0 => Standing::Free,
            active if active == meant => Standing::Active,
            _ => Standing::Partly,
        }
    }

    fn is_guard(&self) -> bool {
        // An import puts the ID of this node on.
        let has_id = !self.ours.is_empty() && (self.is_exported || !self.system_id.is_empty());
        has_id || !self.lock_type.is_empty()
    }

    fn last_sign(&self) -> Option<Timestamp> {
        self.written
    }

    fn missing(&self) -> u32 {
        self.missing
    }

    fn why(&self) -> Option<String> {
        match (self.missing, self.is_exported) {
            (0, false) => None,
            (0, true) => Some("it is exported: the last node gave it up".to_owned()),
            (missing, _) => Some(format!("{missing} of its physical volumes are missing")),
        }
    }

    fn up(&self, _degraded: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.is_exported {
            lines.push(Line::new(["vgimport", self.name.as_str()]));
        } else if let Standing::Theirs(theirs) = self.standing() {
            let leave = format!("local/extra_system_ids=[\"{theirs}\"]");
            let change = ["vgchange", "--yes", "--config", &leave, "--systemid", &self.ours, &self.name];
            lines.push(Line::new(change));
        }
        if !self.lock_type.is_empty() {
            lines.push(Line::new(["vgchange", "--lockstart", self.name.as_str()]));
        }
        let word = if self.lock_type.is_empty() { "-ay" } else { "-aey" };
        lines.push(self.change(word));
        lines
    }

    fn down(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.active(true) > 0 {
            lines.push(self.change("-an"));
        }
        // What others of the group are in use for is not ours to give away.
        if self.is_ours() && !self.is_exported && self.active(false) == 0 {
            lines.push(Line::new(["vgexport", self.name.as_str()]));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group with two volumes, the first of which is meant.
    fn group(system_id: &str, is_exported: bool, active: [bool; 2]) -> Group {
        Group {
            name: "shared".into(),
            meant: Some("mail".into()),
            system_id: system_id.into(),
            ours: "mail-1".into(),
            is_exported,
            lock_type: String::new(),
            missing: 0,
            volumes: vec![("mail".into(), active[0]), ("logs".into(), active[1])],
            written: None,
        }
    }

    fn lines(lines: &[Line]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_group_belongs_to_its_system_id_and_is_exported_when_it_is_let_go() {
        let (up, import) = ("lvchange -ay shared/mail", "vgimport shared");
        let (off, export) = ("lvchange -an shared/mail", "vgexport shared");
        let theirs = Standing::Theirs("mail-2".into());
        let over = "vgchange --yes --config 'local/extra_system_ids=[\"mail-2\"]' --systemid mail-1 shared";
        let rows = [
            (group("", true, [false; 2]), Standing::Free, vec![import, up], vec![]),
            (group("mail-1", false, [false; 2]), Standing::Ours, vec![up], vec![export]),
            (group("mail-1", false, [true, false]), Standing::Active, vec![up], vec![off, export]),
            (group("mail-1", false, [true, true]), Standing::Active, vec![up], vec![off]),
            (group("mail-2", false, [false; 2]), theirs, vec![over, up], vec![]),
            (group("", false, [false; 2]), Standing::Free, vec![up], vec![]),
            (group("", false, [true, false]), Standing::Active, vec![up], vec![off]),
        ];
        for (group, standing, up, down) in rows {
            assert_eq!(group.standing(), standing, "{group:?}");
            assert_eq!(
                (lines(&group.up(false)), lines(&group.down())),
                (
                    up.into_iter().map(ToOwned::to_owned).collect(),
                    down.into_iter().map(ToOwned::to_owned).collect()
                ),
                "{group:?}"
            );
        }
    }

    #[test]
    fn a_group_of_lvmlockd_is_locked_and_activated_by_one_node_alone() {
        let group = Group { lock_type: "sanlock".into(), ..group("", false, [false; 2]) };
        assert_eq!(lines(&group.up(false)), ["vgchange --lockstart shared", "lvchange -aey shared/mail"]);
    }

    #[test]
    fn the_answers_of_the_tools_are_read() {
        let vgs = include_str!("../../../../tests/data/layers/lvm/vgs.json");
        let found: Vec<GroupRow> = rows("vgs", "vg", vgs).unwrap();
        assert_eq!((found[0].vg_systemid.as_str(), found[0].vg_exported.as_str()), ("mail-1", ""));
        let lvs = include_str!("../../../../tests/data/layers/lvm/lvs.json");
        let found: Vec<VolumeRow> = rows("lvs", "lv", lvs).unwrap();
        assert!(found[0].is_active() && found[0].lv_name == "mail");
        let dump = include_str!("../../../../tests/data/layers/lvm/pvck.txt");
        assert!(written(dump).is_some());
        assert_eq!((system_id("  system ID: mail-1\n"), system_id("")), ("mail-1".into(), String::new()));
        assert!(rows::<VolumeRow>("lvs", "lv", "{}").is_err());
    }
}
