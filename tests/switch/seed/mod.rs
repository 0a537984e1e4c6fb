//! The guide's simple and complex example live: its commands, as they are printed, are imported and their counterparts
//! carried out in its order on four nodes with real servers.

mod complex;
mod simple;
mod site;
mod transcript;
