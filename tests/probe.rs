//! `ims-probe` against real and hostile servers.
