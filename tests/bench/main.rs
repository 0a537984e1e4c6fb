//! Figures, each beside a peer or the floor in the same run.

fn main() {}
