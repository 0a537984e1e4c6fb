//! Where a group goes among others: every case of a bond, a capacity or a fault, with every whereabouts of the other
//! group and every wish, stored beside its answer and judged by rules that know nothing of how a node is chosen.

mod cases;
mod judge;

use std::fmt::Write;

use ims::State;
use ims::sys::file;

use super::{folder, tell, text};
use crate::around::{Around, Bond};
use crate::plan::plan;
use cases::{Place, all};

#[test]
fn where_a_group_goes_among_others_is_stored_and_keeps_every_rule() {
    let mut told = String::from(
        "# Where MAIL-RG goes, among others: the case | what each node has of it | where OTHER-RG is, a letter for each\n\
         # node. The cases are in bins/ims-switch/src/plan/scenarios/places/cases.rs. IMS_BLESS=1 writes this file.\n",
    );
    let places = all();
    for group in places.chunk_by(|one, two| one.words == two.words) {
        write!(told, "\n{}\n", group[0].words).unwrap();
        let mut lines: Vec<(String, Vec<String>)> = Vec::new();
        for place in group {
            let planned = plan(&place.group, &place.found, &place.wish);
            let verdict = place.judge(&planned);
            assert!(verdict.is_ok(), "{} | {}: {verdict:?} by {planned:#?}", place.words, place.wish.words());
            let line = text::in_one_line(&planned);
            match lines.iter_mut().find(|(known, _)| *known == line) {
                Some((_, wishes)) => wishes.push(place.wish.words()),
                None => lines.push((line, vec![place.wish.words()])),
            }
        }
        for (line, wishes) in lines {
            write!(told, "  {}\n    => {line}\n", wishes.join(" | ")).unwrap();
        }
    }
    let path = folder().join("places.plans");
    if std::env::var_os("IMS_BLESS").is_some() {
        file::replace(&path, told.as_bytes()).unwrap();
    }
    let stored = file::read_text(&path).unwrap().unwrap_or_default();
    let differs = stored.lines().zip(told.lines()).find(|(stored, told)| stored != told);
    assert!(stored == told, "places.plans differs (IMS_BLESS=1 writes it): {differs:?}");
    tell(format_args!("{} places stored and judged", places.len()));
}

/// A way to see less than there is.
type Blindness = Box<dyn Fn(&mut Around)>;

#[test]
fn a_choice_that_breaks_a_rule_is_caught() {
    let forget = |bond: &'static [Bond]| {
        move |around: &mut Around| {
            around.neighbours.iter_mut().for_each(|other| other.bonds.retain(|known| !bond.contains(known)));
        }
    };
    let mutants: [(&str, &str, Blindness); 9] = [
        ("no leader is waited for", "not together", Box::new(forget(&[Bond::With]))),
        ("followers are forgotten", "another is left behind", Box::new(forget(&[Bond::Followed]))),
        ("groups are not kept apart", "not apart", Box::new(forget(&[Bond::Apart]))),
        ("only one side keeps apart", "not apart", Box::new(forget(&[Bond::KeptApart]))),
        ("nothing is liked", "is liked better", Box::new(forget(&[Bond::RatherWith, Bond::RatherApart]))),
        ("there is room without end", "too full", Box::new(|around: &mut Around| around.capacity.clear())),
        (
            "faults are forgotten",
            "back where it failed",
            Box::new(|around: &mut Around| around.faults.clear()),
        ),
        (
            "who cannot take it is forgotten",
            "cannot take it",
            Box::new(|around: &mut Around| around.unfit.clear()),
        ),
        ("unknown taken for down", "", Box::new(unknown_is_down)),
    ];
    let places = all();
    for (name, wanted, mutant) in mutants {
        let caught = |place: &&Place| {
            let mut around = place.found.around().clone();
            mutant(&mut around);
            let planned = plan(&place.group, &place.found.clone().amid(around), &place.wish);
            place.judge(&planned).is_err_and(|wrong| wrong.contains(wanted))
        };
        let caught = places.iter().filter(caught).count();
        tell(format_args!("{name}: caught in {caught} of {} places", places.len()));
        assert!(caught > 0, "{name}");
    }
}

fn unknown_is_down(around: &mut Around) {
    for other in &mut around.neighbours {
        for node in other.nodes.clone() {
            other.on.entry(node).or_insert(State::Down);
        }
    }
}
