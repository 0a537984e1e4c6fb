//! One poll loop and the tasks in it. A task is a probe: an `async fn`, used for what the compiler makes of it, a
//! state machine that stands still where it waits. There is no runtime and nobody is woken: a task that cannot go
//! on has told the [`Hub`] what it waits for, and is polled when that is there.
//!
//! What can be waited for is little: a [`Socket`] that connects, has bytes or takes some; the time
//! ([`Hub::before`]); and work that may hang, on a thread that can be left behind ([`Job`]).

mod aside;
mod hub;
mod socket;
mod tasks;
mod time;

pub use aside::Job;
pub use hub::{Bell, Hub};
pub use socket::Socket;
pub use tasks::Tasks;
