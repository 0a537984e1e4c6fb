//! The planner's stored scenarios: pairs of files in `tests/data/plan`. `GROUP.asked` names the interesting ones by
//! hand, `GROUP.plans` has the answer to these and to every situation × wish that the vocabulary allows, and each is
//! judged by a checker of its own.

mod checker;
mod course;
mod mutants;
mod places;
mod text;
pub mod world;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ims::group::Group;
use ims::sys::file;

use super::Wish;
use super::explain::{Action, explain};
use checker::{Checker, real};
use world::{Shape, Side, World};

/// The groups, and the situations of a node that are combined for each.
const GROUPS: [(&str, &[&str]); 3] = [
    (
        "IMS-RG",
        &["whole", "empty", "low", "holed", "hung", "dim", "bare", "blind", "lost", "lost+fence", "fenced"],
    ),
    ("LDAP-USER-RG", &["whole", "empty", "low", "lost", "lost+fence"]),
    ("STORE-RG", &["whole", "empty", "holed", "lost+fence"]),
];

/// Says it past the test harness: how much was tried is part of the answer.
pub fn tell(what: std::fmt::Arguments<'_>) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{what}\n")); // nobody may be listening
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("tests/data/plan")
}

fn read(file: &str) -> String {
    file::read_text(&folder().join(file))
        .unwrap()
        .unwrap_or_else(|| panic!("tests/data/plan/{file} is missing"))
}

fn shape(name: &str) -> Shape {
    let file = format!("{name}.toml");
    Shape::of(Group::parse(name.parse().unwrap(), &read(&file), Path::new(&file)).unwrap())
}

/// A scenario: what was found in words and as a world, what is wished, and its name if it has one.
struct Scenario {
    name: Option<String>,
    words: String,
    world: World,
    wish: Wish,
}

/// The scenarios that were named by hand.
fn named(shape: &Shape) -> Vec<Scenario> {
    let asked = read(&format!("{}.asked", shape.group.name));
    let lines = asked.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let [words, wish, name] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
                panic!("not FOUND | WISH | NAME: {line}");
            };
            Scenario {
                name: Some(name.to_owned()),
                words: words.to_owned(),
                world: text::world(shape, words),
                wish: text::wish(wish),
            }
        })
        .collect()
}

/// Every combination of situations, with every wish.
fn generated(shape: &Shape, situations: &[&str]) -> Vec<Scenario> {
    let mut found: Vec<String> = vec![String::new()];
    for node in &shape.group.nodes {
        let mut longer = Vec::new();
        for words in &found {
            longer.extend(situations.iter().map(|word| format!("{words} {node}={word}")));
        }
        found = longer;
    }
    found
        .iter()
        .flat_map(|words| {
            text::wishes(&shape.group).into_iter().map(|wish| Scenario {
                name: None,
                words: words.trim().to_owned(),
                world: text::world(shape, words),
                wish,
            })
        })
        .collect()
}

/// The file of answers, and how many scenarios it holds.
fn answers(shape: &Shape, situations: &[&str]) -> (String, usize) {
    let (named, generated) = (named(shape), generated(shape, situations));
    let mut told = text::head(shape);
    for Scenario { name, words, world, wish } in &named {
        let planned = real(shape, world, wish);
        let name = name.as_deref().unwrap_or_default();
        write!(told, "\n## {name}\n{words} | {}\n", wish.words()).unwrap();
        told += &text::in_full(shape, world, wish, &planned);
    }
    told += "\n# Every situation with every wish.\n";
    for group in generated.chunk_by(|one, two| one.words == two.words) {
        write!(told, "\n{}\n", group[0].words).unwrap();
        let mut lines: Vec<(String, Vec<String>)> = Vec::new();
        for Scenario { world, wish, .. } in group {
            let line = text::in_one_line(&real(shape, world, wish));
            match lines.iter_mut().find(|(known, _)| *known == line) {
                Some((_, wishes)) => wishes.push(wish.words()),
                None => lines.push((line, vec![wish.words()])),
            }
        }
        for (line, wishes) in lines {
            write!(told, "  {}\n    => {line}\n", wishes.join(" | ")).unwrap();
        }
    }
    (told, named.len() + generated.len())
}

#[test]
fn the_stored_scenarios_have_the_answers_that_are_stored_beside_them() {
    let mut scenarios = 0;
    for (name, situations) in GROUPS {
        let shape = shape(name);
        let (told, count) = answers(&shape, situations);
        let path = folder().join(format!("{name}.plans"));
        if std::env::var_os("IMS_BLESS").is_some() {
            file::replace(&path, told.as_bytes()).unwrap();
        }
        let stored = file::read_text(&path).unwrap().unwrap_or_default();
        let differs = stored.lines().zip(told.lines()).enumerate().find(|(_, (stored, told))| stored != told);
        if let Some((line, (stored, told))) = differs {
            panic!("{name}.plans:{}: stored\n{stored}\nplanned\n{told}\n(IMS_BLESS=1 writes it)", line + 1);
        }
        assert!(stored == told, "{name}.plans is out of date: run the tests with IMS_BLESS=1");
        scenarios += count;
    }
    assert!(scenarios >= 300, "{scenarios}");
    tell(format_args!("{scenarios} stored scenarios"));
}

#[test]
fn every_stored_scenario_keeps_the_properties_in_every_order_and_through_every_mishap() {
    for (group, situations) in GROUPS {
        let shape = shape(group);
        let mut checker = Checker::new(&shape, &real);
        let mut wrongs = Vec::new();
        for Scenario { name, words, world, wish } in
            named(&shape).into_iter().chain(generated(&shape, situations))
        {
            // The ways grow with the mishaps; two in a row are tried on what is named, of the smaller groups.
            let mishaps = if name.is_some() && shape.len() < world::MOST { 2 } else { 1 };
            if let Err(wrong) = checker.check(&world, &wish, mishaps) {
                wrongs.push(format!("{words} | {}: {wrong}", wish.words()));
            }
        }
        tell(format_args!("{group}: {} courses, {} points of them judged", checker.courses, checker.points));
        assert!(
            wrongs.is_empty(),
            "{} wrong: {:#?}",
            wrongs.len(),
            wrongs.iter().take(5).collect::<Vec<_>>()
        );
    }
}

#[test]
fn every_plan_from_every_state_of_two_nodes_keeps_the_properties_and_is_final() {
    let shape = shape("IMS-RG");
    let mut words = vec!["u".to_owned()];
    for _ in 1..shape.len() {
        words =
            words.iter().flat_map(|word| ["u", "d", "p"].map(|letter| format!("{word}{letter}"))).collect();
    }
    let sides: Vec<Side> = words.iter().map(|word| text::side(&shape, word)).collect();
    let named = ["online", "offline", "move --to mail-2", "restart ldap", "restart"].map(text::wish);
    let renew = Wish::Renew(vec!["ldap".parse().unwrap()]);
    let wishes: Vec<Wish> = named.into_iter().chain([renew]).collect();
    let mut checker = Checker::new(&shape, &real);
    for (one, two) in sides.iter().flat_map(|one| sides.iter().map(move |two| (*one, *two))) {
        for wish in &wishes {
            checker.check(&vec![one, two], wish, 0).unwrap_or_else(|wrong| panic!("{wrong}"));
        }
    }
    tell(format_args!("{} plans, {} points of them judged", checker.courses, checker.points));
    assert!(checker.courses > 81 * 81 * 3, "{}", checker.courses);
}

#[test]
fn every_resource_of_every_scenario_is_explained_once_and_as_it_is_planned() {
    for (name, situations) in GROUPS {
        let shape = shape(name);
        for Scenario { words, world, wish, .. } in generated(&shape, situations) {
            let planned = real(&shape, &world, &wish);
            let rows = explain(&shape.group, &shape.found(&world), &wish, &planned);
            let case = || format!("{name}: {words} | {}\n{rows:#?}", wish.words());
            let fenced = rows.iter().filter(|row| row.action == Action::Fence).count();
            assert_eq!(rows.len(), world.len() * shape.len() + fenced, "{}", case());
            assert!(rows.iter().all(|row| !row.reason.is_empty()), "{}", case());
            let mut told: Vec<usize> = rows.iter().flat_map(|row| row.steps.clone()).collect();
            told.sort_unstable();
            let steps = planned.as_ref().map_or(0, |plan| plan.steps.len());
            assert_eq!(told, (1..=steps).collect::<Vec<_>>(), "{}", case());
            let is_idle = |row: &super::explain::Explained| row.action == Action::None;
            assert!(rows.iter().all(|row| is_idle(row) == row.steps.is_empty()), "{}", case());
        }
    }
}
