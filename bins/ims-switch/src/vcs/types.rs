//! The resource types that the files declare, and what they say of all their resources.

use std::path::Path;

use super::syntax::{Declaration, Declared, Item, Scope, Tree, Type, Value};
use crate::import::{Remark, RemarkKind};

/// Attributes that every resource has, which a type may pass to its agent without declaring them.
const BUILT_IN: &[&str] =
    &["State", "IState", "Name", "Type", "Group", "Enabled", "Probed", "Start", "Signaled"];

/// Every type of the files.
pub struct Types<'a>(Vec<(&'a Path, &'a Type)>);

impl<'a> Types<'a> {
    /// The types of the files; tells one that is declared twice, and what a type passes to its agent and has not.
    pub fn of(files: &'a [(&'a Path, Tree)], remarks: &mut Vec<Remark>) -> Self {
        let mut types: Vec<(&Path, &Type)> = Vec::new();
        for (file, tree) in files {
            for item in &tree.items {
                let Item::Type(of) = item else { continue };
                if let Some((first, there)) = types.iter().find(|(_, known)| known.name == of.name) {
                    let what = format!(
                        "type {} stands at {}:{} already; that one counts",
                        of.name,
                        first.display(),
                        there.line
                    );
                    remarks.push(Remark::at(RemarkKind::Slip, file, of.line, what));
                    continue;
                }
                arguments(file, of, remarks);
                types.push((file, of));
            }
        }
        Self(types)
    }

    /// What a type says of all its resources.
    pub fn said(&self, of_type: &str, attribute: &str) -> Option<&'a Value> {
        let (_, found) = self.0.iter().find(|(_, known)| known.name == of_type)?;
        let found = declarations(found)
            .find(|declaration| declaration.scope == Scope::Static && declaration.name == attribute)?;
        found.value.as_ref()
    }
}

fn declarations(of: &Type) -> impl Iterator<Item = &Declaration> {
    of.declared.iter().filter_map(|declared| match declared {
        Declared::Attribute(declaration) => Some(declaration),
        Declared::NameRule(_) => None,
    })
}

/// Tells names in `ArgList` that nothing declares. `RESOURCE:ATTRIBUTE` is an attribute of another resource.
fn arguments(file: &Path, of: &Type, remarks: &mut Vec<Remark>) {
    for list in declarations(of).filter(|declaration| declaration.name == "ArgList") {
        let Some(Value::Many(entries)) = &list.value else { continue };
        for name in entries.iter().map(|entry| entry.key.0.as_str()) {
            let is_known = name.contains(':')
                || BUILT_IN.contains(&name)
                || declarations(of).any(|declaration| declaration.name == name);
            if !is_known {
                let what = format!(
                    "ArgList of type {} names '{}', which it does not declare",
                    of.name,
                    name.escape_debug()
                );
                remarks.push(Remark::at(RemarkKind::Slip, file, list.line, what));
            }
        }
    }
}
