//! `ims-switch`: resource groups, moved between nodes in the order their parts require.

pub mod found;
pub mod plan;

/// The arguments.
#[derive(Debug, clap::Parser)]
#[command(name = "ims-switch", version)]
pub struct Args {
    #[command(flatten)]
    common: ims::command::Common,
}
impl ims::command::Arguments for Args {
    fn common(&self) -> &ims::command::Common {
        &self.common
    }
}
/// Runs the command.
pub fn main(_a: Args, _h: &ims::Host, _o: &mut ims::Out) -> Result<ims::Exit, ims::Fail> {
    Ok(ims::Exit::Ok)
}
mod lap;
mod resource;
mod seat;
