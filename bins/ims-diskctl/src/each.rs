//! The same for each of several volumes, side by side; what came of each is told in the order in which they were named.

use std::thread;

use ims::fail::FailRecord;
use ims::sys::stderr;
use ims::{Exit, Fail, Out, Record};

use crate::NAME;
use crate::naming::Asked;
use crate::record;
use crate::volume::{Item, Volume};

/// Which volumes wait for which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// None for any.
    Any,
    /// Each for those it stands on, as they are mounted.
    Up,
    /// Each for those that stand on it, as they are unmounted.
    Down,
}

/// The records about one volume, until its turn comes.
#[derive(Default)]
pub struct Told(Vec<Entry>);

enum Entry {
    /// The volume, whose record grows until the end.
    Volume(Box<record::Volume>),
    /// Any other record, printed by this.
    Other(Print),
}

/// Prints a record.
type Print = Box<dyn FnOnce(&mut Out) -> Result<(), Fail> + Send>;

impl Told {
    /// Keeps a record to be printed.
    pub fn record<R: Record + Send + 'static>(&mut self, record: R) {
        self.0.push(Entry::Other(Box::new(move |out| out.record(&record))));
    }

    /// Keeps the record of a volume, to which more can be said.
    pub fn volume(&mut self, record: record::Volume) {
        self.0.push(Entry::Volume(Box::new(record)));
    }

    /// Says more about the volumes.
    pub fn amend(&mut self, more: impl Fn(&mut record::Volume)) {
        for entry in &mut self.0 {
            match entry {
                Entry::Volume(record) => more(record),
                Entry::Other(_) => {}
            }
        }
    }

    fn print(self, out: &mut Out) -> Result<(), Fail> {
        self.0.into_iter().try_for_each(|entry| match entry {
            Entry::Volume(record) => out.record(&*record),
            Entry::Other(print) => print(out),
        })
    }
}

/// What came of one volume.
type Came = Result<Exit, Undone>;

/// Why nothing came of it.
enum Undone {
    /// It failed.
    Failed(Fail),
    /// Another failed that it waits for.
    LeftAlone(Fail),
}

/// Does the work on each volume; what a disk group is asked with other volumes is passed over.
pub fn each(
    asked: &Asked,
    order: Order,
    out: &mut Out,
    work: impl Fn(&Volume, &mut Told) -> Result<Exit, Fail> + Sync,
) -> Result<Exit, Fail> {
    if let [Item::DiskGroup(group)] = asked.items.as_slice() {
        return Err(Fail::usage(format!("{} is a disk group, and no volume", group.called())));
    }
    each_item(asked, order, out, |item, told| match item {
        Item::Volume(volume) => work(volume, told),
        Item::DiskGroup(_) => Ok(Exit::Ok),
    })
}

/// Does the work on each volume and disk group, in a thread of its own, as soon as those are done that it waits for; one
/// that waits for a volume that failed is left alone. Every failure is told, the gravest at the end.
pub fn each_item(
    asked: &Asked,
    order: Order,
    out: &mut Out,
    work: impl Fn(&Item, &mut Told) -> Result<Exit, Fail> + Sync,
) -> Result<Exit, Fail> {
    let mut done: Vec<Option<(Told, Came)>> = asked.items.iter().map(|_| None).collect();
    let before = before(&asked.below, order);
    for turn in turns(&before)? {
        let jobs: Vec<Job<'_>> = turn
            .iter()
            .filter_map(|index| {
                let kept_from = failed_before(asked, &before, &done, *index);
                Some(Job { index: *index, item: asked.items.get(*index)?, kept_from })
            })
            .collect();
        let came = side_by_side(&jobs, &work);
        for (index, came) in came {
            if let Some(place) = done.get_mut(index) {
                *place = Some(came);
            }
        }
    }
    tell(done.into_iter().flatten(), out)
}

/// The work on one volume or disk group.
struct Job<'a> {
    index: usize,
    item: &'a Item,
    /// What it waits for, which failed.
    kept_from: Option<String>,
}

/// Does each job in a thread of its own, the last one in this.
fn side_by_side(
    jobs: &[Job<'_>],
    work: &(impl Fn(&Item, &mut Told) -> Result<Exit, Fail> + Sync),
) -> Vec<(usize, (Told, Came))> {
    let carry_out = |job: &Job<'_>| {
        let mut told = Told::default();
        let came = match &job.kept_from {
            Some(other) => Err(Undone::LeftAlone(left_alone(job.item, other))),
            None => work(job.item, &mut told).map_err(Undone::Failed),
        };
        (job.index, (told, came))
    };
    let Some((last, others)) = jobs.split_last() else { return Vec::new() };
    thread::scope(|scope| {
        let threads: Vec<_> = others.iter().map(|job| (job.index, scope.spawn(|| carry_out(job)))).collect();
        let own = carry_out(last);
        let gone = || (Told::default(), Err(Undone::Failed(Fail::unknown("a thread ended too early"))));
        let end = |(index, thread): (usize, thread::ScopedJoinHandle<'_, _>)| {
            thread.join().unwrap_or_else(|_| (index, gone()))
        };
        threads.into_iter().map(end).chain([own]).collect()
    })
}

fn tell(done: impl Iterator<Item = (Told, Came)>, out: &mut Out) -> Result<Exit, Fail> {
    let (mut exit, mut fails, mut left) = (Exit::Ok, Vec::new(), Vec::new());
    for (told, came) in done {
        told.print(out)?;
        match came {
            Ok(found) => exit = exit.gravest(found),
            Err(Undone::Failed(fail)) => fails.push(fail),
            Err(Undone::LeftAlone(fail)) => left.push(fail),
        }
    }
    // What was left alone is no graver than why.
    for fail in left {
        stderr::say(NAME, &fail);
        out.record(&FailRecord::from(&fail))?;
    }
    // A run that failed ends with its gravest failure.
    let gravest = fails.iter().map(Fail::exit).fold(Exit::Ok, Exit::gravest);
    let Some(at) = fails.iter().position(|fail| fail.exit() == gravest) else { return Ok(exit) };
    let last = fails.remove(at);
    for fail in fails {
        stderr::say(NAME, &fail);
        out.record(&FailRecord::from(&fail))?;
    }
    Err(last)
}

/// Which come before each.
fn before(below: &[Vec<usize>], order: Order) -> Vec<Vec<usize>> {
    let on = |index| {
        let stands_on_it = |(_, below): &(usize, &Vec<usize>)| below.contains(&index);
        below.iter().enumerate().filter(stands_on_it).map(|(other, _)| other).collect()
    };
    match order {
        Order::Any => below.iter().map(|_| Vec::new()).collect(),
        Order::Up => below.to_vec(),
        Order::Down => (0..below.len()).map(on).collect(),
    }
}

/// What can be done side by side, turn by turn.
fn turns(before: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, Fail> {
    let mut turns: Vec<Vec<usize>> = Vec::new();
    let mut waiting: Vec<usize> = (0..before.len()).collect();
    while !waiting.is_empty() {
        let is_ready = |index: &usize| {
            before.get(*index).is_none_or(|before| before.iter().all(|other| !waiting.contains(other)))
        };
        let (ready, rest): (Vec<usize>, Vec<usize>) = waiting.iter().partition(|index| is_ready(index));
        if ready.is_empty() {
            return Err(Fail::usage("the volumes wait for each other")
                .hint("one is mounted below another that requires it; change the group's file"));
        }
        turns.push(ready);
        waiting = rest;
    }
    Ok(turns)
}

/// The first of those before a volume that failed.
fn failed_before(
    asked: &Asked,
    before: &[Vec<usize>],
    done: &[Option<(Told, Came)>],
    index: usize,
) -> Option<String> {
    let has_failed = |other: &&usize| matches!(done.get(**other), Some(Some((_, Err(_)))));
    let other = before.get(index)?.iter().find(has_failed)?;
    asked.items.get(*other).map(Item::called)
}

fn left_alone(item: &Item, other: &str) -> Fail {
    Fail::refused(format!("{} was left alone", item.called())).because(format!("{other} comes before it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_another_is_mounted_after_it_and_unmounted_before_it() {
        let below = [vec![1], vec![], vec![0, 1], vec![]];
        for (order, expected) in [
            (Order::Any, vec![vec![0, 1, 2, 3]]),
            (Order::Up, vec![vec![1, 3], vec![0], vec![2]]),
            (Order::Down, vec![vec![2, 3], vec![0], vec![1]]),
        ] {
            assert_eq!(turns(&before(&below, order)).unwrap(), expected, "{order:?}");
        }
        assert_eq!(turns(&[vec![1], vec![0]]).unwrap_err().exit(), Exit::Usage);
    }
}
