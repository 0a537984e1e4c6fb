//! stub
/// stub
pub fn main(_a: Args, _h: &ims::Host, _o: &mut ims::Out) -> Result<ims::Exit, ims::Fail> {
    Ok(ims::Exit::Ok)
}
/// stub
#[derive(Debug, clap::Parser)]
#[command(name = "ims-diskctl", version)]
pub struct Args {
    #[command(flatten)]
    common: ims::command::Common,
}
impl ims::command::Arguments for Args {
    fn common(&self) -> &ims::command::Common {
        &self.common
    }
}
