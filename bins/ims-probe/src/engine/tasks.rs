//! The tasks under way, and when each wants to be polled though nothing happened.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use slab::Slab;

use super::Hub;

/// Tasks that each end with a `T`.
pub struct Tasks<'a, T> {
    hub: &'a Hub,
    running: Slab<Task<'a, T>>,
    alarms: BTreeSet<(Instant, usize)>,
}

struct Task<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    alarm: Option<Instant>,
}

impl<'a, T> Tasks<'a, T> {
    /// None yet.
    pub const fn new(hub: &'a Hub) -> Self {
        Self { hub, running: Slab::new(), alarms: BTreeSet::new() }
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts a task, which goes as far as it can; gives its end when that is reached already.
    pub fn start(&mut self, task: impl Future<Output = T> + 'a) -> Option<T> {
        let index = self.running.insert(Task { future: Box::pin(task), alarm: None });
        self.poll(index)
    }

    /// Lets a task go on as far as it can; gives its end. One that has ended already is passed over.
    pub fn poll(&mut self, index: usize) -> Option<T> {
        let task = self.running.get_mut(index)?;
        self.hub.enter(index);
        let polled = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let alarm = match &polled {
            Poll::Pending => self.hub.alarm.get(),
            Poll::Ready(_) => None,
        };
        if alarm != task.alarm {
            let old = std::mem::replace(&mut task.alarm, alarm);
            old.map(|old| self.alarms.remove(&(old, index)));
            alarm.map(|new| self.alarms.insert((new, index)));
        }
        match polled {
            Poll::Pending => None,
            Poll::Ready(end) => {
                self.running.remove(index);
                Some(end)
            }
        }
    }

    /// When the first task wants to be polled.
    pub fn alarm(&self) -> Option<Instant> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Adds the tasks whose time is there.
    pub fn due(&self, woken: &mut Vec<usize>) {
        let now = self.hub.now();
        woken.extend(self.alarms.iter().take_while(|(at, _)| *at <= now).map(|(_, index)| *index));
    }
}
