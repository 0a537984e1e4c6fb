//! `ims-switch`: groups moved between two nodes, killed in the middle, cut off, fenced; and every exit status.

mod availability;
mod chaos;
mod faults;
mod files;
mod history;
mod kills;
mod lab;
mod mail;
mod moves;
mod quiet;
mod react;
mod rehearse;
mod run;
