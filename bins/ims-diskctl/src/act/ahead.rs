//! What can be done before the word to begin comes: the lock of each device, and an eye with the process that does what may
//! hang. It looks once, so that the first look that counts, which is the one after the word, finds its way in memory.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ims::Host;
use ims::sys::block::{self, Number};
use ims::sys::hand::Hand;
use ims::sys::lock::Lock;

use super::lock;
use crate::hand::WORDS;
use crate::look::Eye;
use crate::naming::Asked;
use crate::volume::{Item, Volume};

/// How long that look may take. A disk that does not answer is left to the work itself.
const GLANCE: Duration = Duration::from_millis(500);

/// The locks and eyes of the volumes that could be prepared.
#[derive(Debug, Default)]
pub struct Prepared(Mutex<Vec<(Number, Lock, Eye)>>);

impl Prepared {
    /// Prepares what is asked for. What cannot be prepared is left to the work itself, which tells why: another run has
    /// the lock, or the device comes with its layers.
    pub fn of(host: &Host, asked: &Asked) -> Self {
        let volumes = asked.items.iter().filter_map(|item| match item {
            Item::Volume(volume) if volume.layers.is_empty() => Some(volume),
            Item::Volume(_) | Item::DiskGroup(_) => None,
        });
        Self(Mutex::new(volumes.filter_map(|volume| prepared(host, volume)).collect()))
    }

    /// What was prepared for a device, once.
    pub fn take(&self, number: Number) -> Option<(Lock, Eye)> {
        let mut prepared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = prepared.iter().position(|(is, _, _)| *is == number)?;
        let (_, lock, eye) = prepared.swap_remove(at);
        Some((lock, eye))
    }
}

fn prepared(host: &Host, volume: &Volume) -> Option<(Number, Lock, Eye)> {
    let number = block::number_of(&volume.device).ok()?;
    let lock = lock(host, number, Duration::ZERO).ok()?;
    let mut eye = Eye::open(host, Hand::start(WORDS, Some(&lock)).ok()?.left_to_end()).ok()?;
    if eye.look(volume, GLANCE).is_ok() && !eye.is_blind() {
        return Some((number, lock, eye));
    }
    // Whoever only reads keeps nobody from it, though no signal ends it before the disk answers.
    lock.give_up();
    eye.close();
    None
}
