//! The test bed itself: nodes, wires, disks and power cuts behave as the real things do.
