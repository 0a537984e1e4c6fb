//! A small library to make nodes, disks, wires, clients and power cuts in a few lines.
pub mod mail;
