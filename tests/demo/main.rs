//! The main job, end to end, on real servers: a mail service moves between two nodes, by plan and by power cut.

fn main() {}
