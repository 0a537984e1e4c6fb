//! The word of a person that a node is off, kept once the guard has borne it out and before it is cleared: so the same
//! command killed after that is finished without anybody's word, and what was said by whom can be read later.

use ims::Fail;
use ims::fencing::Fenced;

use super::Run;
use crate::guard::mmp::{Block, Sequence};
use crate::look::Found;
use crate::proof::Holder;

impl Run<'_> {
    /// Keeps the word, if it was given and a holder is put out of force on it.
    pub(super) fn keep_word(&self, found: &Found, judged: &Block) -> Result<(), Fail> {
        let Some(word) = &self.word else { return Ok(()) };
        if judged.sequence() == Sequence::Clean && !judged.is_claim() {
            return Ok(()); // it was given up
        }
        let guard = Holder::of(found, found.signer.as_deref(), self.site.host.name()).guard;
        let guards = guard.into_iter().collect();
        Fenced { guards, ..word.fenced.clone() }.keep(self.site.host).map(drop)
    }
}
