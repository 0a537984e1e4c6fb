//! The kernel's mount table, and mounting and unmounting with a deadline.
