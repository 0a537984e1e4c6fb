//! `ims-switch`: groups moved between two nodes, killed in the middle, cut off, fenced; and every exit status.

mod chaos;
mod faults;
mod files;
mod graph;
mod kills;
mod lab;
mod mail;
mod model;
mod moves;
mod quiet;
mod react;
mod rehearse;
mod run;
