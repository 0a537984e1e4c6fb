//! `ims-registry` as a program.
