//! The rows of the matrix.

use super::Guard::{Mmp, None, NoneSaid};
use super::Holder::{Alive, Clean, Crashed, Cut, Frozen};
use super::Proof::{Another, Good, Stale, Without};
use super::Row;

const ALIVE: &str = "/dev/ims1 is alive on mail-1: its guard moved from ";
const STALE: &str = "/tmp/proof does not prove it dead: mail-1 was fenced at ";
const ANOTHER: &str = "/tmp/proof does not prove it dead: it is about mail-3, and mail-1 holds the volume";
const NO_GUARD: &str = "/dev/ims1 has no guard against a second mount";

/// Those that are not taken leave the pair as it is for the next.
pub const ROWS: &[Row] = &[
    Row { holder: Clean, guard: Mmp, takes: &[(Without, 0, "")] },
    Row { holder: Clean, guard: Mmp, takes: &[(Stale, 0, "")] },
    Row { holder: Crashed, guard: Mmp, takes: &[(Without, 0, "")] },
    Row { holder: Crashed, guard: Mmp, takes: &[(Stale, 4, STALE), (Another, 4, ANOTHER), (Good, 0, "")] },
    // The proofs that would be good are wrong: who confirmed them was mistaken.
    Row { holder: Alive, guard: Mmp, takes: LIVING },
    Row { holder: Frozen, guard: Mmp, takes: LIVING },
    Row { holder: Cut, guard: Mmp, takes: LIVING },
    Row { holder: Clean, guard: None, takes: UNGUARDED },
    Row { holder: Crashed, guard: None, takes: UNGUARDED },
    Row { holder: Alive, guard: None, takes: UNGUARDED },
    Row { holder: Frozen, guard: None, takes: UNGUARDED },
    Row { holder: Cut, guard: None, takes: UNGUARDED },
    Row { holder: Alive, guard: NoneSaid, takes: &[(Without, 0, "")] },
    Row { holder: Frozen, guard: NoneSaid, takes: &[(Without, 0, "")] },
    Row { holder: Cut, guard: NoneSaid, takes: &[(Good, 0, "")] },
];

const LIVING: &[(super::Proof, i32, &str)] =
    &[(Stale, 4, STALE), (Another, 4, ANOTHER), (Good, 4, ALIVE), (Without, 4, ALIVE)];
const UNGUARDED: &[(super::Proof, i32, &str)] =
    &[(Without, 4, NO_GUARD), (Good, 4, NO_GUARD), (Stale, 4, NO_GUARD), (Another, 4, NO_GUARD)];
