//! Guards: what keeps two nodes from writing to one volume at once.

pub mod choice;
pub mod claim;
pub mod mmp;
pub mod offers;
pub mod reservation;
pub mod sanlock;
pub mod show;
