//! Stub.

pub mod cli;

use ims::{Exit, Fail, Host, Out};

/// Stub.
pub fn up(_host: &Host, _args: &cli::Up, _out: &mut Out) -> Result<Exit, Fail> {
    Err(Fail::unknown("not yet"))
}

/// Stub.
pub fn down(_host: &Host, _args: &cli::Down, _out: &mut Out) -> Result<Exit, Fail> {
    Err(Fail::unknown("not yet"))
}

/// Stub.
pub fn look(_host: &Host, _args: &cli::Look, _out: &mut Out) -> Result<Exit, Fail> {
    Err(Fail::unknown("not yet"))
}
