//! Work that may hang, such as reading files of a dead disk or asking a silent resolver: on threads that can be left
//! behind. The end of the process ends them.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::thread;

use rustix::event::{EventfdFlags, eventfd};

use super::Hub;

/// The most threads at once; any of them may hang.
const THREADS: usize = 64;

/// Work on a thread, which several tasks may wait for.
#[derive(Debug)]
pub struct Job<T> {
    number: u64,
    told: Arc<OnceLock<T>>,
}

impl<T> Clone for Job<T> {
    fn clone(&self) -> Self {
        Self { number: self.number, told: Arc::clone(&self.told) }
    }
}

impl<T> Job<T> {
    /// Whether it has ended.
    pub fn is_done(&self) -> bool {
        self.told.get().is_some()
    }

    /// What it has ended with, if it has.
    pub fn told(&self) -> Option<&T> {
        self.told.get()
    }
}

/// The threads, and who waits for what.
#[derive(Debug)]
pub(super) struct Aside {
    desk: Arc<Desk>,
    jobs: Cell<u64>,
    waiting: RefCell<HashMap<u64, Vec<usize>>>,
}

/// What the loop and the threads share.
#[derive(Debug)]
struct Desk {
    bell: OwnedFd,
    papers: Mutex<Papers>,
}

#[derive(Default)]
struct Papers {
    to_do: VecDeque<(u64, Box<dyn FnOnce() + Send>)>,
    done: Vec<u64>,
    threads: usize,
}

impl fmt::Debug for Papers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Papers").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl Hub {
    /// Begins work on a thread, as soon as one of a limited number is free.
    pub fn aside<T: Send + Sync + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Job<T>> {
        let number = self.aside.jobs.get();
        self.aside.jobs.set(number + 1);
        let told = Arc::new(OnceLock::new());
        let teller = Arc::clone(&told);
        let work = move || {
            // Nobody else sets it.
            let _ = teller.set(work());
        };
        self.aside.desk.take(number, Box::new(work))?;
        Ok(Job { number, told })
    }

    /// Waits for the end of work.
    pub async fn done<'j, T>(&self, job: &'j Job<T>) -> &'j T {
        poll_fn(|_| {
            if let Some(told) = job.told.get() {
                return Poll::Ready(told);
            }
            self.aside.waiting.borrow_mut().entry(job.number).or_default().push(self.task());
            Poll::Pending
        })
        .await
    }
}

impl Aside {
    pub(super) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let desk = Arc::new(Desk { bell, papers: Mutex::default() });
        Ok(Self { desk, jobs: Cell::new(0), waiting: RefCell::default() })
    }

    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.desk.bell.as_fd()
    }

    /// Adds the tasks that waited for what is done. One that is polled for another reason meanwhile is there twice,
    /// which does no harm.
    pub(super) fn done(&self, woken: &mut Vec<usize>) {
        // What rings again meanwhile is in the list already.
        let _ = rustix::io::read(&self.desk.bell, &mut [0; 8]);
        let mut waiting = self.waiting.borrow_mut();
        for number in self.desk.papers().done.drain(..) {
            woken.extend(waiting.remove(&number).unwrap_or_default());
        }
    }
}

impl Desk {
    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, number: u64, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        let mut papers = self.papers();
        if papers.threads < THREADS {
            let desk = Arc::clone(self);
            match thread::Builder::new().name("aside".to_owned()).spawn(move || desk.work()) {
                Ok(_) => papers.threads += 1,
                Err(error) if papers.threads == 0 => return Err(error),
                Err(_) => {} // one of the others takes it
            }
        }
        papers.to_do.push_back((number, work));
        Ok(())
    }

    fn work(&self) {
        loop {
            let mut papers = self.papers();
            let Some((number, work)) = papers.to_do.pop_front() else {
                papers.threads -= 1;
                return;
            };
            drop(papers);
            work();
            self.papers().done.push(number);
            // It is full only when nobody has looked for 2^64 jobs.
            let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
        }
    }
}
