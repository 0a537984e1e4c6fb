//! Groups as a configuration of VERITAS Cluster Server.

use ims::Fail;
use ims::group::Group;
use ims::instance::Instance;

use crate::export::Exported;

/// Writes `main.cf` and `MsgSrvTypes.cf`.
pub fn write(_groups: &[Group], _known: &[Instance]) -> Result<Exported, Fail> {
    Err(Fail::usage("export vcs is not there yet"))
}
