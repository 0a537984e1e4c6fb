//! The message store's parameter, which its own tool keeps: set, looked at again, and put back.

use crate::Fail;
use crate::layout::messaging;
use crate::sys::exec::Line;

use super::Transaction;

impl Transaction<'_> {
    /// Fails when the message store's parameter is not what was found: what is put back must be what was there.
    pub(super) fn is_still(&self, before: &str) -> Result<(), Fail> {
        let now = messaging::listenaddr(self.host, self.instance, self.timeout)?;
        if now == before {
            return Ok(());
        }
        let (name, of) = (messaging::LISTENADDR, &self.instance.name);
        Err(Fail::failed(format!("{name} of {of} was changed from '{before}' to '{now}' just now"))
            .hint("run it again when nobody else changes it"))
    }

    /// Sets the message store's parameter, and looks whether it is set.
    pub(super) fn set_parameter(&self, value: &str) -> Result<(), Fail> {
        let name = messaging::LISTENADDR;
        let cannot = || Fail::failed(format!("cannot set {name} of {}", self.instance.name));
        let tool = messaging::files(self.instance).ok_or_else(cannot)?.configutil;
        let line = Line::new([self.host.path(tool)]).arg("-o").arg(name).arg("-v").arg(value);
        let ended = line.run(self.timeout).map_err(|fail| cannot().because(fail))?;
        if !ended.is_success() {
            return Err(
                cannot().because(format!("configutil: {}", crate::conf::secret::masked(&ended.last_words())))
            );
        }
        let now = messaging::parameter(self.host, self.instance, name, self.timeout)
            .map_err(|fail| cannot().because(fail))?;
        if now != value {
            return Err(cannot().because(format!("configutil took it and says '{}'", now.escape_debug())));
        }
        Ok(())
    }

    /// Sets the message store's parameter to what it was, unless it is that still: a tool that failed to set it may
    /// fail again.
    pub(super) fn give_parameter_back(&self, before: &str) -> Result<(), Fail> {
        let now = messaging::parameter(self.host, self.instance, messaging::LISTENADDR, self.timeout);
        if now.is_ok_and(|now| now == before) { Ok(()) } else { self.set_parameter(before) }
    }
}
