//! `include "FILE"`: which files belong together, and which of them are not there.

use std::path::Path;

use ims::suggest::nearest;

use super::parser;
use super::syntax::{Item, Tree};
use crate::import::{Remark, RemarkKind, Source};

/// The files that a file includes, each a name without a folder; none of a file that is not valid.
pub fn included(source: &Source) -> Vec<String> {
    let tree = parser::parse(&source.text, &source.file).unwrap_or_default();
    let name = |item: Item| match item {
        Item::Include { file, .. } => Path::new(&file).file_name()?.to_str().map(ToOwned::to_owned),
        Item::Block(_) | Item::Group(_) | Item::Type(_) => None,
    };
    tree.items.into_iter().filter_map(name).collect()
}

/// Tells an included file that was not given, and one that was given under another name than it is included by.
pub fn told(files: &[(&Path, Tree)], remarks: &mut Vec<Remark>) {
    let included: Vec<(&Path, usize, &str)> = files
        .iter()
        .flat_map(|(file, tree)| {
            tree.items.iter().filter_map(move |item| match item {
                Item::Include { line, file: name } => Some((*file, *line, name.as_str())),
                Item::Block(_) | Item::Group(_) | Item::Type(_) => None,
            })
        })
        .collect();
    let is_given = |name: &str| files.iter().any(|(file, _)| file.file_name() == Path::new(name).file_name());
    let strangers = || {
        files.iter().filter_map(|(file, tree)| {
            let name = file.file_name()?.to_str()?;
            let is_types = tree.items.iter().all(|item| matches!(item, Item::Type(_)));
            let is_included =
                included.iter().any(|(.., wanted)| Path::new(wanted).file_name() == file.file_name());
            (is_types && !is_included).then_some(name)
        })
    };
    for (file, line, name) in &included {
        if is_given(name) {
            continue;
        }
        let (kind, what) = match nearest(name, strangers()) {
            Some(meant) => {
                (RemarkKind::Slip, format!("{name} is included and {meant} was given; taken as one file"))
            }
            None => (
                RemarkKind::Note,
                format!("{name} is not there: of types that it declares the defaults of group files count"),
            ),
        };
        remarks.push(Remark::at(kind, file, *line, what));
    }
}
