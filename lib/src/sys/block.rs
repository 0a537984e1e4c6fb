//! Block devices read past the page cache: superblocks and guard blocks, and the size of a device.
