//! `ims-switch`: groups moved between two nodes, killed in the middle, cut off, fenced; and every exit status.

mod add;
mod chaos;
mod enable;
mod explain;
mod faults;
mod files;
mod freeze;
mod kills;
mod kin;
mod lab;
mod mail;
mod moves;
mod quiet;
mod react;
mod rehearse;
mod run;
