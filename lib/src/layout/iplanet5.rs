//! iPlanet Messaging Server 5.x with Directory Server 4.x: the `iplanet-5` layout.

use crate::instance::Instance;
use crate::layout::{Listener, Part, Program};
use crate::{Fail, Host};

/// The programs of one part of an instance.
pub fn programs(instance: &Instance, _part: Part) -> Result<Vec<Program>, Fail> {
    Err(Fail::unknown(format!("the programs of {} are not described yet", instance.name)))
}

/// Every TCP listener.
pub fn listeners(_host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    Err(Fail::unknown(format!("the listeners of {} are not described yet", instance.name)))
}
