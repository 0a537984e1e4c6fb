//! Groups from a configuration of VERITAS Cluster Server.

use ims::Fail;

use crate::import::{Given, Imported, Source};

/// Reads `main.cf` and the types files that came with it.
pub fn read(_sources: &[Source], _given: &Given) -> Result<Imported, Fail> {
    Err(Fail::usage("import vcs is not there yet"))
}
