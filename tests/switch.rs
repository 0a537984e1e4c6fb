//! `ims-switch` on two nodes.
