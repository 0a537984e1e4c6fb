//! Man pages, completions and schemas are what the commands say of themselves.
//!
//! `IMS_BLESS=1` writes what is generated; without it a difference fails the test.

mod options;

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;
use ims::record::schema_of;

/// The six commands, as clap knows them.
pub fn commands() -> Vec<clap::Command> {
    vec![
        ims_diskctl::Args::command(),
        ims_ipbind::Args::command(),
        ims_portcheck::Args::command(),
        ims_probe::Args::command(),
        ims_registry::Args::command(),
        ims_switch::Args::command(),
    ]
}

/// Every record type, by the file its schema is published in.
fn schemas() -> Vec<(String, schemars::Schema)> {
    macro_rules! of {
        ($($record:ty),* $(,)?) => {
            vec![$((file_of(<$record as ims::Record>::SCHEMA), schema_of::<$record>())),*]
        };
    }
    of![
        ims::ahead::Ended,
        ims::ahead::Ready,
        ims::change::Change,
        ims::fail::FailRecord,
        ims::fencing::Fenced,
        ims::instance::Instance,
        ims_diskctl::Degraded,
        ims_diskctl::DiskGroup,
        ims_diskctl::GuardRecord,
        ims_diskctl::LayerStep,
        ims_diskctl::Mirror,
        ims_diskctl::Volume,
        ims_diskctl::VolumeCheck,
        ims_diskctl::VolumeStep,
        ims_ipbind::address::AddressRecord,
        ims_ipbind::address::LinkRecord,
        ims_ipbind::Sent,
        ims_ipbind::Shown,
        ims_ipbind::Stray,
        ims_portcheck::Conflict,
        ims_portcheck::Fit,
        ims_probe::Answer,
        ims_probe::Summary,
        ims_registry::Checked,
        ims_registry::Difference,
        ims_registry::Finding,
        ims_registry::Replica,
        ims_switch::AvailabilityRecord,
        ims_switch::Decision,
        ims_switch::ExportedFile,
        ims_switch::Explained,
        ims_switch::GroupCheck,
        ims_switch::GroupGraph,
        ims_switch::GroupRecord,
        ims_switch::Recovery,
        ims_switch::MarkRecord,
        ims_switch::ModelRecord,
        ims_switch::Remark,
        ims_switch::RehearsalRecord,
        ims_switch::Reply,
        ims_switch::ResourceRecord,
        ims_switch::RunRecord,
        ims_switch::StepRecord,
        ims_switch::Timeline,
    ]
}

/// `ims.instance/1` is published in `ims.instance.v1.json`.
fn file_of(schema: &str) -> String {
    format!("{}.json", schema.replace('/', ".v"))
}

fn project(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a checked-in file with what was generated, or writes it when asked to.
fn same(path: impl AsRef<Path>, generated: &str) {
    let path = project(path);
    if std::env::var_os("IMS_BLESS").is_some() {
        fs_err::write(&path, generated).unwrap();
    }
    let found = fs_err::read_to_string(&path).unwrap_or_default();
    assert!(found == generated, "{} is out of date: run the tests with IMS_BLESS=1", path.display());
}

/// A command without what is not for typing: help hides it, and what completes a line for bash would offer it.
fn shown(command: &clap::Command) -> clap::Command {
    let mut shown = clap::Command::new(&*command.get_name().to_owned().leak());
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    if command.get_version().is_some() {
        shown = shown.version(env!("CARGO_PKG_VERSION"));
    }
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    shown.args(command.get_arguments().filter(|arg| !arg.is_hide_set())).subcommands(verbs.map(self::shown))
}

#[test]
fn completions_are_what_the_commands_understand() {
    for command in commands() {
        let mut command = shown(&command);
        let name = command.get_name().to_owned();
        for (shell, file) in [
            (Shell::Bash, format!("completions/{name}.bash")),
            (Shell::Zsh, format!("completions/_{name}")),
            (Shell::Fish, format!("completions/{name}.fish")),
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, &name, &mut script);
            same(file, &String::from_utf8(script).unwrap());
        }
    }
}

#[test]
fn man_pages_list_the_options_the_commands_have() {
    for command in commands() {
        let page = format!("man/{}.8", command.get_name());
        let text = fs_err::read_to_string(project(&page)).unwrap();
        same(&page, &options::put(&text, &options::block(&command)));
    }
}

#[test]
fn schemas_are_what_the_records_hold() {
    let published = schemas();
    for (file, schema) in &published {
        let text = serde_json::to_string_pretty(schema).unwrap();
        same(Path::new("lib/schemas").join(file), &format!("{text}\n"));
    }
    for entry in fs_err::read_dir(project("lib/schemas")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(published.iter().any(|(file, _)| *file == name), "lib/schemas/{name} is nobody's");
    }
}

#[test]
fn every_record_shown_in_a_man_page_is_valid() {
    let published = schemas();
    let mut shown = 0;
    for entry in fs_err::read_dir(project("man")).unwrap() {
        let page = entry.unwrap().path();
        let text = fs_err::read_to_string(&page).unwrap();
        for line in text.lines().filter(|line| line.starts_with("{\"schema\":\"")) {
            let line = line.replace("\\-", "-").replace("\\e", "\\").replace("\\(aq", "'");
            let record: serde_json::Value =
                serde_json::from_str(&line).unwrap_or_else(|e| panic!("{}: {e}: {line}", page.display()));
            let file = file_of(record["schema"].as_str().unwrap());
            let (_, schema) = published
                .iter()
                .find(|(name, _)| *name == file)
                .unwrap_or_else(|| panic!("{}: no schema {file}", page.display()));
            let validator = jsonschema::validator_for(schema.as_value()).unwrap();
            let errors: Vec<String> = validator.iter_errors(&record).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {line}: {errors:?}", page.display());
            shown += 1;
        }
    }
    assert!(shown > 0, "the man pages show no record");
}

#[test]
fn every_record_type_of_the_sources_has_a_published_schema() {
    let published = schemas();
    for folder in ["bins", "lib/src"] {
        for source in crate::contract::rust_files(&project(folder)) {
            let code = fs_err::read_to_string(&source).unwrap();
            for line in code.lines().filter(|line| line.contains("const SCHEMA: &'static str = \"")) {
                let name = line.split('"').nth(1).unwrap();
                let file = file_of(name);
                assert!(published.iter().any(|(known, _)| *known == file), "{}: {name}", source.display());
            }
        }
    }
}
