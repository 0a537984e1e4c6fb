//! The `ims-ipbind` command; everything it does is in the library crate of the same name.
fn main() -> std::process::ExitCode {
    ims::command::run(ims_ipbind::main)
}
