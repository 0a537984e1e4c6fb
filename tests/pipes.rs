//! The pipes of the design, as an operator writes them.
