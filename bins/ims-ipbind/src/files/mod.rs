//! Stub.

pub mod cli;

use ims::{Exit, Fail, Host, Out};

/// Stub.
pub fn show(_host: &Host, _args: &cli::Show, _out: &mut Out) -> Result<Exit, Fail> {
    Err(Fail::unknown("not yet"))
}

/// Stub.
pub fn set(_host: &Host, _args: &cli::Set, _out: &mut Out) -> Result<Exit, Fail> {
    Err(Fail::unknown("not yet"))
}

/// Stub.
pub fn restore(_host: &Host, _args: &cli::Restore, _out: &mut Out) -> Result<Exit, Fail> {
    Err(Fail::unknown("not yet"))
}
