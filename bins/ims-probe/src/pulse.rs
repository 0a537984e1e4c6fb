//! Whether the prober itself stood still. A beat is due several times a second; one that comes late means that
//! this process was stopped, starved or suspended, and then a server's silence proves nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The prober's own heartbeat.
#[derive(Debug)]
pub struct Pulse {
    every: Duration,
    /// When the last beat was, and how much all beats came late, both in nanoseconds.
    last: AtomicU64,
    lost: AtomicU64,
}

impl Pulse {
    /// A pulse for probes of this length; must be called inside the runtime.
    pub fn start(timeout: Duration) -> Arc<Self> {
        let every = slack(timeout) / 2;
        let pulse = Arc::new(Self { every, last: AtomicU64::new(clock()), lost: AtomicU64::new(0) });
        let beating = Arc::clone(&pulse);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(beating.every).await;
                beating.beat();
            }
        });
        pulse
    }

    fn beat(&self) {
        let late = self.late();
        self.last.store(clock(), Ordering::Relaxed);
        self.lost.fetch_add(late, Ordering::Relaxed);
    }

    /// By how much the next beat is overdue. A beat that is late by less than its own length is no loss.
    fn late(&self) -> u64 {
        let every = nanos(self.every);
        let since = clock().saturating_sub(self.last.load(Ordering::Relaxed));
        if since > every.saturating_mul(2) { since - every } else { 0 }
    }

    /// How long the prober has stood still so far.
    pub fn lost(&self) -> Duration {
        Duration::from_nanos(self.lost.load(Ordering::Relaxed).saturating_add(self.late()))
    }
}

/// How late the prober may be before its answers count for nothing: a tenth of the timeout, 100 to 500 ms.
pub fn slack(timeout: Duration) -> Duration {
    (timeout / 10).clamp(Duration::from_millis(100), Duration::from_millis(500))
}

/// Time that passes while the machine is suspended too, which `Instant` leaves out.
fn clock() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
