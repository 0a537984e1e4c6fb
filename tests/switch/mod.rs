//! `ims-switch`: groups moved between two nodes, killed in the middle, cut off, fenced; and every exit status.

mod chaos;
mod explain;
mod faults;
mod files;
mod kills;
mod lab;
mod mail;
mod moves;
mod quiet;
mod react;
mod rehearse;
mod run;
