//! The disks below a volume, asked of their health.

use std::time::Duration;

use ims::Fail;
use ims::sys::disks;
use ims::sys::hand::{Hand, Heard};
use ims::sys::lock::Lock;

use super::ask::Question;
use super::record::Disk;
use super::smart::Smart;
use crate::hand::{self, WORDS};

/// A disk that is asked.
pub struct Patient {
    disk: disks::Disk,
    hand: Option<Hand>,
}

/// Asks each disk, all at once; where there is no `smartctl`, nobody can.
pub fn ask(disks: Vec<disks::Disk>, lock: &Lock, patience: Duration) -> Result<Vec<Patient>, Fail> {
    let is_there = ims::sys::exec::is_there("smartctl");
    let ask = |disk: disks::Disk| {
        let hand = if is_there {
            let mut hand = Hand::start(WORDS, Some(lock))?;
            hand.ask(&hand::Question::Check(Question::Smart(disk.path(), patience)))?;
            Some(hand)
        } else {
            None
        };
        Ok(Patient { disk, hand })
    };
    disks.into_iter().map(ask).collect()
}

impl Patient {
    /// What it says within so long.
    pub fn answer(&mut self, patience: Duration) -> Result<Disk, Fail> {
        let smart =
            match self.hand.as_mut().map(|hand| hand.answer::<Option<Smart>>(patience, None)).transpose()? {
                None => None,
                Some(Heard::Answer(smart)) => smart,
                Some(Heard::Silence | Heard::Stopped(_)) => {
                    Some(Smart { why: Some("no answer in time".to_owned()), ..Smart::default() })
                }
            };
        let disks::Disk { name, number, state, errors, timeouts } = self.disk.clone();
        Ok(Disk { name, number, state, errors, timeouts, smart })
    }
}
