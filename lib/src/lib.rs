//! What the six `ims-*` commands share: the vocabulary of the field as types, the records they print, and
//! [`sys`], the only place that touches the kernel. It knows no command.

pub mod address;
pub mod ahead;
pub mod change;
pub mod command;
pub mod conf;
pub mod edit;
pub mod exit;
pub mod fail;
pub mod fencing;
pub mod group;
pub mod host;
pub mod input;
pub mod instance;
pub mod keys;
pub mod layer;
pub mod layout;
pub mod lease;
pub mod load;
pub mod name;
pub mod nodes;
pub mod output;
pub mod place;
pub mod record;
pub mod registry;
pub mod span;
pub mod state;
pub mod suggest;
pub mod sys;
pub mod volume;
pub mod whose;

pub use exit::Exit;
pub use fail::Fail;
pub use host::Host;
pub use output::Out;
pub use record::Record;
pub use state::State;
