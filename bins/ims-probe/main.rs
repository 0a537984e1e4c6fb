//! The `ims-probe` command; everything it does is in the library crate of the same name.
fn main() -> std::process::ExitCode {
    ims_probe::run()
}
