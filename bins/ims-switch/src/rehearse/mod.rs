//! A fire drill without an outage: everything that a move depends on and that can be looked at beforehand, on the node
//! that would get the group and on the one that has it. Nothing is touched and no lock is taken.

mod bearing;
mod ids;
mod points;
mod record;

use std::time::Duration;

use ims::group::Group;
use ims::name::NodeName;
use ims::nodes::Nodes;
use ims::{Exit, Fail, Host, Out};

pub use bearing::{Bearing, bearing};
pub use points::points;
pub use record::{Point, RehearsalRecord};

use crate::around::Asker;
use crate::cli::Rehearse;
use crate::drive::online_on;
use crate::drive::team::Team;
use crate::fence;
use crate::found::{Found, Seen};
use crate::marks::Kept;
use crate::plan::{self, Wish};
use crate::seat::wire::{Ask, Say, answers_another};
use record::Verdict;

/// How long each node may take to look at what is asked.
const PATIENCE: Duration = Duration::from_secs(120);

/// Rehearses a move of a group.
pub fn rehearse(host: &Host, args: &Rehearse, out: &mut Out) -> Result<Exit, Fail> {
    let mut team = Team::gather(host, Group::load(host, &args.group)?, Nodes::load(host)?, None)?;
    let (said, kept) = said(&mut team);
    let (found, _) = team.look();
    let (found, around) = around(host, &team, &kept, found);
    let holder = online_on(&team.group, &found);
    let wish = match (&holder, &args.to) {
        (Some(holder), Some(to)) if holder == to => {
            return Err(Fail::usage(format!("{} is online on {to}", args.group)).hint("name another node"));
        }
        (Some(_), to) => Wish::Move(to.clone()),
        (None, to) => Wish::Online(to.clone()),
    };
    let planned = plan::plan(&team.group, &found, &wish);
    let target = match (&args.to, &planned) {
        (Some(to), _) => plan::known(&team.group, to).map(|()| to.clone())?,
        (None, Ok(plan)) => plan.target.clone().ok_or_else(|| Fail::unknown("the plan leads nowhere"))?,
        (None, Err(_)) => return Err(planned.err().unwrap_or_else(|| Fail::unknown("no plan"))),
    };
    let mut told = files(host, &team)?;
    told.push(said);
    told.push(around);
    told.extend(stands(&team, &found, &target));
    told.extend(nodes(&team, &found));
    told.push(match &planned {
        Ok(plan) => {
            let steps = plan.steps.iter().filter(|step| step.verb != plan::Verb::Fence).count();
            Point::new(None, "plan", Verdict::Good).because(format!("{} in {steps} steps", wish.words()))
        }
        Err(fail) => Point::new(None, "plan", of(fail)).because(fail.to_string()),
    });
    let bearing = borne(&team, holder.as_ref(), &target, &mut told);
    let rehearsed = team.seat(&target).and_then(|seat| {
        let say = seat.ask(Ask::Rehearse { bearing }, PATIENCE)?;
        let Say::Rehearsed(points) = say else { return Err(answers_another(&target)) };
        Ok(points)
    });
    match rehearsed {
        Ok(points) => told.extend(points),
        Err(fail) => told.push(Point::new(None, "target", Verdict::Unknown).because(fail.to_string())),
    }
    let mut exit = Exit::Ok;
    for Point { resource, subject, verdict, reason } in told {
        exit = worse(exit, verdict.exit());
        let (group, node) = (args.group.clone(), target.clone());
        out.record(&RehearsalRecord { group, node, resource, subject, verdict, reason })?;
    }
    Ok(exit)
}

/// An obstacle that was found counts more than what could not be found out.
fn worse(one: Exit, other: Exit) -> Exit {
    if one == Exit::No || other == Exit::No { Exit::No } else { one.gravest(other) }
}

fn of(fail: &Fail) -> Verdict {
    if fail.exit() == Exit::Unknown { Verdict::Unknown } else { Verdict::Obstacle }
}

/// Whether every node that answers says the same of the group.
fn files(host: &Host, team: &Team) -> Result<Vec<Point>, Fail> {
    let differences = team.differences(host)?;
    if differences.is_empty() {
        return Ok(vec![Point::new(None, "group file and registry", Verdict::Good)]);
    }
    let told = |(node, what): (NodeName, String)| {
        Point::new(None, "group file and registry", Verdict::Obstacle).because(format!("{node}: {what}"))
    };
    Ok(differences.into_iter().map(told).collect())
}

/// Whether the group may be moved at all. What is disabled is no part of the plan from here on.
fn said(team: &mut Team) -> (Point, Kept) {
    let point = |verdict| Point::new(None, "frozen", verdict);
    match team.marks() {
        Ok((kept, _)) => {
            kept.apply(&mut team.group);
            let point = match kept.refuse_frozen(&team.group.name) {
                Ok(()) => point(Verdict::Good),
                Err(fail) => point(Verdict::Obstacle).because(fail.to_string()),
            };
            (point, kept)
        }
        Err(fail) => (point(Verdict::Unknown).because(fail.to_string()), Kept::default()),
    }
}

/// What else decides where the group may be, and whether that could be found out.
fn around(host: &Host, team: &Team, kept: &Kept, found: Found) -> (Found, Point) {
    let point = |verdict| Point::new(None, "other groups", verdict);
    match team.around(host, kept) {
        Ok(around) => {
            let names: Vec<&str> = around.neighbours.iter().map(|other| other.name.as_str()).collect();
            let told = if names.is_empty() { "none bears on it".to_owned() } else { names.join(", ") };
            (found.amid(around), point(Verdict::Good).because(told))
        }
        Err(fail) => (found, point(Verdict::Unknown).because(fail.to_string())),
    }
}

/// What forbids the target, each a point; a fault of late keeps only a fault from going there.
fn stands(team: &Team, found: &Found, target: &NodeName) -> Vec<Point> {
    if !matches!(found.get(target), Some(Seen::Reached(_))) {
        return vec![
            Point::new(None, "room", Verdict::Unknown).because(format!("the load of {target} is unknown")),
        ];
    }
    let standing = found.around().standing(&team.group, target, Asker::Person);
    let fault = standing.fault.map(|mark| {
        let why = format!("a fault would not move it there: it failed there {mark}");
        Point::new(None, "ping-pong interval", Verdict::Good).because(why)
    });
    let point = Point::new(None, "room", Verdict::Good);
    let mut told: Vec<Point> = fault.into_iter().collect();
    if standing.against.is_empty() {
        told.push(point);
    } else {
        let obstacle = Point { verdict: Verdict::Obstacle, ..point };
        told.extend(
            standing
                .against
                .into_iter()
                .map(|against| obstacle.clone().because(format!("{} ({})", against.why, against.way_out))),
        );
    }
    told
}

/// Which nodes answer, and whether one that does not could be fenced.
fn nodes(team: &Team, found: &Found) -> Vec<Point> {
    let mut told = Vec::new();
    for (node, seen) in found.nodes() {
        match seen {
            Seen::Reached(_) | Seen::Fenced => {}
            Seen::Lost { why, .. } => {
                told.push(Point::new(None, format!("reach {node}"), Verdict::Unknown).because(why));
            }
        }
        let (subject, entry) = (format!("fence {node}"), team.nodes.get(node));
        told.push(if fence::is_possible(entry) {
            Point::new(None, subject, Verdict::NotChecked).because("its fence agent is asked only in earnest")
        } else {
            let lacks = "it has no fence agent: when it is lost a person must switch it off";
            Point::new(None, subject, Verdict::NotChecked).because(lacks)
        });
    }
    told
}

/// What the node that has the group tells of it.
fn borne(
    team: &Team,
    holder: Option<&NodeName>,
    target: &NodeName,
    told: &mut Vec<Point>,
) -> Option<Bearing> {
    let Some(holder) = holder else {
        let why = "the group is online nowhere, so there is nothing to compare with";
        told.push(Point::new(None, "programs, users, memory and ports", Verdict::NotChecked).because(why));
        return None;
    };
    let asked = team.seat(holder).and_then(|seat| {
        let say = seat.ask(Ask::Bearing { target: target.clone() }, PATIENCE)?;
        let Say::Bearing(bearing) = say else { return Err(answers_another(holder)) };
        Ok(*bearing)
    });
    match asked {
        Ok(bearing) => {
            told.push(bearing.ports.clone());
            Some(bearing)
        }
        Err(fail) => {
            let unknown = Point::new(None, "programs, users, memory and ports", Verdict::Unknown);
            told.push(unknown.because(fail.to_string()));
            None
        }
    }
}
