//! `ims-switch`: groups moved between two nodes, killed in the middle, cut off, fenced; and every exit status.

mod add;
mod availability;
mod chaos;
mod enable;
mod explain;
mod export;
mod faults;
mod files;
mod freeze;
mod graph;
mod headless;
mod history;
mod import;
mod kills;
mod kin;
mod lab;
mod mail;
mod model;
mod moves;
mod quiet;
mod react;
mod rehearse;
mod run;
mod vcs;
