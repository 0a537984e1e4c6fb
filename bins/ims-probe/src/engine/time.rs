//! Waiting for a time.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use super::Hub;

impl Hub {
    /// What a future gives, unless the time is there before.
    pub async fn before<F: Future>(&self, deadline: Instant, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.until(deadline).map(|()| None),
        })
        .await
    }

    /// Whether the time is there; the present task is polled again when it is.
    pub fn until(&self, time: Instant) -> Poll<()> {
        if self.now() >= time {
            return Poll::Ready(());
        }
        self.alarm.set(Some(self.alarm.get().map_or(time, |alarm| alarm.min(time))));
        Poll::Pending
    }
}
