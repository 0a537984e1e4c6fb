//! The chain beside closed formulas, beside the seed's table, and beside the simulation.

use super::*;
use crate::availability::rules::{Away, Meaning, Pooled};
use crate::availability::simulate::{Seen, simulate};

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

/// What the seed assumes: a server is down for a day every three months, a storage device for one every twelve.
fn seed() -> Assumed {
    Assumed {
        server: Wear { mtbf: hours(365 * 24 / 4), mttr: hours(24) },
        storage: Wear { mtbf: hours(365 * 24), mttr: hours(24) },
        failover: Duration::from_millis(1),
        planned: 0,
        maintenance: hours(2),
        switchover: Duration::from_secs(5),
        primaries: 3,
        standbys: 1,
        capacity: 3,
    }
}

/// Everything fails often, and every state is seen.
fn rough() -> Assumed {
    Assumed {
        server: Wear { mtbf: hours(100), mttr: hours(12) },
        storage: Wear { mtbf: hours(300), mttr: hours(8) },
        failover: hours(2),
        ..seed()
    }
}

fn close(one: f64, other: f64, within: f64) -> bool {
    (one / other - 1.0).abs() < within
}

#[test]
fn table_a2_comes_out_of_its_assumptions() {
    let days: Vec<(f64, f64, u32)> = Model::ALL
        .map(|model| seed().table_a2(model))
        .map(|days| (days.server.round(), days.storage.round(), days.over))
        .to_vec();
    assert_eq!(days, [(4.0, 1.0, 1), (0.0, 1.0, 1), (0.0, 0.0, 1), (0.0, 1.0, 3)]);
    let percent: Vec<String> =
        Model::ALL.map(|model| format!("{:.2}", seed().table_a2(model).down() * 100.0)).to_vec();
    assert_eq!(percent, ["1.37", "0.27", "0.00", "0.09"], "1.37 %, 0.27 %, near 0, 0.27 %/3");
}

#[test]
fn the_chain_says_what_the_closed_formulas_say() {
    let (server, storage) = (4.0 / 365.0, 1.0 / 365.0);
    let either = |one: f64, other: f64| 1.0 - (1.0 - one) * (1.0 - other);
    let side: f64 = either(server, storage);
    // A failover of a millisecond is none.
    for (model, down, all_down) in [
        (Model::Single, either(server, storage), server),
        (Model::Asymmetric, either(server * server, storage), server * server),
        (Model::Symmetric, side * side, side * side),
    ] {
        let figures = seed().figures(model).unwrap();
        assert!(close(figures.unplanned(), down, 1e-6), "{model:?}: {} and not {down}", figures.unplanned());
        assert!(close(figures.all_down, all_down, 1e-6), "{model:?}: {}", figures.all_down);
    }
    // A service of N+1 has no place when its primary and the standby are down.
    let figures = seed().figures(Model::NPlusOne).unwrap();
    assert!(close(figures.no_place, server * server, 1e-6), "{}", figures.no_place);
    assert!(close(figures.all_down, server.powi(4), 1e-6), "{}", figures.all_down);
    assert_eq!(format!("{:.2}", seed().figures(Model::Single).unwrap().unplanned() * 100.0), "1.37");
    assert_eq!(format!("{:.2}", seed().figures(Model::NPlusOne).unwrap().storage * 100.0), "0.27");
}

#[test]
fn a_failover_is_felt_once_for_each_failure_of_the_server_that_carries_the_service() {
    let assumed = Assumed { failover: Duration::from_secs(60), ..seed() };
    let failures_a_day = 1.0 / 91.25;
    for model in [Model::Asymmetric, Model::NPlusOne] {
        let figures = assumed.figures(model).unwrap();
        assert!(close(figures.failover, failures_a_day / 1440.0, 0.03), "{model:?}: {}", figures.failover);
    }
}

#[test]
fn standbys_that_can_carry_less_leave_more_without_a_place() {
    let at = |standbys, capacity| {
        let assumed = Assumed { primaries: 6, standbys, capacity, ..rough() };
        assumed.figures(Model::NPlusOne).unwrap().no_place
    };
    assert!(at(1, 1) > 1.2 * at(1, 2), "{} {}", at(1, 1), at(1, 2));
    assert!(at(1, 6) > 2.0 * at(2, 6), "{} {}", at(1, 6), at(2, 6));
}

#[test]
fn planned_work_is_felt_for_its_length_without_a_cluster_and_for_a_moves_with_one() {
    let assumed = Assumed { planned: 12, ..seed() };
    let seconds =
        Model::ALL.map(|model| (assumed.figures(model).unwrap().planned * 365.0 * 86_400.0).round()).to_vec();
    // Twelve times two hours; twelve moves; twelve there and back, and home after four failures, or five.
    assert_eq!(seconds, [86_400.0, 60.0, 145.0, 140.0]);
}

#[test]
fn the_chain_agrees_with_the_simulation() {
    for (name, assumed, years) in [
        ("rough", rough(), 400),
        ("seed", Assumed { failover: Duration::from_secs(600), ..seed() }, 20_000),
        ("two standbys", Assumed { primaries: 4, standbys: 2, capacity: 1, ..rough() }, 400),
    ] {
        for model in Model::ALL {
            let figures = assumed.figures(model).unwrap();
            let seen = simulate(model, &assumed, years, 7);
            assert_eq!(
                seen.unplanned.holds(figures.unplanned()),
                Some(true),
                "{name} {model:?}: {figures:?} {seen:?}"
            );
            if figures.all_down > 1e-4 {
                assert_eq!(
                    seen.all_down.holds(figures.all_down),
                    Some(true),
                    "{name} {model:?}: {figures:?} {seen:?}"
                );
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_course_and_another_one_another() {
    let course = |seed| simulate(Model::Symmetric, &rough(), 100, seed);
    assert_eq!(course(1), course(1));
    assert_ne!(course(1), course(2));
}

/// Rules with one thing wrong.
struct Mutant<R, F> {
    rules: R,
    change: F,
}

impl<R: Rules, F: Fn(&R::State, Meaning, f64, Meaning) -> f64> Rules for Mutant<R, F> {
    type State = R::State;

    fn first(&self) -> R::State {
        self.rules.first()
    }

    fn next(&self, state: &R::State) -> Vec<(f64, R::State)> {
        let changed = |(rate, to): (f64, R::State)| {
            ((self.change)(state, self.rules.meaning(state), rate, self.rules.meaning(&to)), to)
        };
        self.rules.next(state).into_iter().map(changed).filter(|(rate, _)| *rate > 0.0).collect()
    }

    fn meaning(&self, state: &R::State) -> Meaning {
        self.rules.meaning(state)
    }
}

/// Whether the simulation's figures tell that the rules are not those of the model.
fn is_caught(seen: &Seen, rules: &impl Rules, model: Model) -> bool {
    let assumed = rough();
    let services = assumed.size(model).1;
    let wrong =
        Figures { storage: assumed.figures(model).unwrap().storage, ..solve(rules, services).unwrap() };
    seen.unplanned.holds(wrong.unplanned()) == Some(false)
        || seen.all_down.holds(wrong.all_down) == Some(false)
}

/// What a mutant makes of a rate.
type Change<S> = fn(&S, Meaning, f64, Meaning) -> f64;

#[test]
fn a_chain_with_one_thing_wrong_is_caught() {
    let pace = rough().pace();
    let homes = Homes { primaries: 3, standbys: 1, room: 3, pace };
    let pool = Pool { servers: 2, services: 2, room: 2, arrays: true, pace };
    let pair = Pool { servers: 2, services: 1, room: 1, arrays: false, pace };
    let is_move = |from: Meaning, to: Meaning| to.waiting < from.waiting && from.placeless < from.waiting;

    let [of_homes, of_pool, of_pair] = [Model::NPlusOne, Model::Symmetric, Model::Asymmetric]
        .map(|model| simulate(model, &rough(), 1000, 3));

    // Nothing wrong.
    assert!(!is_caught(&of_homes, &homes, Model::NPlusOne));
    assert!(!is_caught(&of_pool, &pool, Model::Symmetric));
    assert!(!is_caught(&of_pair, &pair, Model::Asymmetric));

    let mutants: [(&str, Change<Away>); 3] = [
        ("a standby that carries something never fails", |_, from, rate, to| {
            if to.waiting > from.waiting + 1 { 0.0 } else { rate }
        }),
        ("a failover takes no time", |_, from, rate, to| {
            if to.waiting < from.waiting && from.placeless < from.waiting { rate * 100.0 } else { rate }
        }),
        ("no server fails while a service waits", |_, from, rate, to| {
            if from.waiting > 0 && to.waiting > from.waiting { 0.0 } else { rate }
        }),
    ];
    for (name, change) in mutants {
        assert!(is_caught(&of_homes, &Mutant { rules: homes, change }, Model::NPlusOne), "{name}");
    }
    for (name, homes) in [
        ("half the room", Homes { room: 1, ..homes }),
        ("one standby too many", Homes { standbys: 2, ..homes }),
        ("repairs at half the pace", Homes { pace: Pace { repair: pace.repair / 2.0, ..pace }, ..homes }),
        (
            "mean time between failures without the repair",
            Homes { pace: Pace { fail: 24.0 / 100.0, ..pace }, ..homes },
        ),
    ] {
        assert!(is_caught(&of_homes, &homes, Model::NPlusOne), "{name}");
    }
    let one_repairer: Change<Pooled> =
        |_, from, rate, to| if from.all_down && !to.all_down { rate / 2.0 } else { rate };
    assert!(
        is_caught(&of_pool, &Mutant { rules: pool, change: one_repairer }, Model::Symmetric),
        "one repairer for two"
    );
    assert!(
        is_caught(&of_pair, &Mutant { rules: pair, change: one_repairer }, Model::Asymmetric),
        "one repairer for two"
    );
    let one_by_one = |_: &Pooled, from: Meaning, rate: f64, to: Meaning| {
        if is_move(from, to) { rate / f64::from(from.waiting) } else { rate }
    };
    assert!(
        is_caught(&of_pool, &Mutant { rules: pool, change: one_by_one }, Model::Symmetric),
        "failed over one by one"
    );
    assert!(is_caught(&of_pool, &Pool { arrays: false, ..pool }, Model::Symmetric), "arrays that never fail");
    assert!(is_caught(&of_pool, &Pool { room: 1, ..pool }, Model::Symmetric), "no room for both services");
}
