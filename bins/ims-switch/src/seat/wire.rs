//! What is said between the node that drives a run and the others: one JSON object a line, requests on the
//! other end's stdin, replies as records on its stdout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ims::change::Change;
use ims::fencing::Fenced;
use ims::name::{GroupName, NodeName, ResourceName};
use ims::{Exit, Fail, Record, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::around::Around;
use crate::lap::Done;
use crate::marks::Kept;
use crate::plan::Hints;
use crate::rehearse::{Bearing, Point};

/// Counts the changes of what is said; both ends must say the same.
pub const VERSION: u32 = 5;

/// A request with its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// By which the reply is found.
    pub id: u64,
    /// What is asked for.
    pub ask: Ask,
}

/// What is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Who are you, and what do your files say?
    Hello,
    /// Nothing: whoever drives the run is still there.
    Beat,
    /// Take the group's lock for the rest of the session.
    Lock {
        /// How long another run may be waited for.
        patience_ms: u64,
    },
    /// Wait for `ims-switch run` to end, and keep others from beginning for the rest of the session.
    HoldRuns {
        /// How long they may be waited for.
        patience_ms: u64,
    },
    /// Have you any of the group, and does `ims-switch react` watch it there?
    Reacts,
    /// What was said of the group, as you keep it?
    Marks,
    /// Keep what was said of the group.
    Keep {
        /// All of it.
        kept: Kept,
    },
    /// Look at every resource.
    Look,
    /// What are these other groups on this node?
    Others {
        /// Their names.
        groups: Vec<GroupName>,
    },
    /// Take room for the group on this node, for the rest of the session, unless what is around it forbids that by now.
    Claim {
        /// What decides where it may be; where the other groups are is looked at anew.
        around: Box<Around>,
        /// Whether a fault moves it here.
        by_fault: bool,
    },
    /// Which executables do the servers here use?
    Needs,
    /// What would keep the group from starting here?
    Check {
        /// The executables that the servers use on the node that has them now.
        needs: BTreeMap<ResourceName, Vec<PathBuf>>,
        /// Whether somebody said that mirrors may be started without legs that are missing or stale.
        #[serde(default)]
        degraded: bool,
    },
    /// What does this node, which has the group, tell of it, so that another can say whether it could have it?
    Bearing {
        /// The other node.
        target: NodeName,
    },
    /// Could this node have the group?
    Rehearse {
        /// What the node tells that has it.
        bearing: Option<Bearing>,
    },
    /// Write out what the volumes' file systems keep in memory, so that giving them up takes little time.
    Sync,
    /// Start the commands of these steps ahead, so that they only have to be told when their turn comes.
    Ahead {
        /// The resources that will be started, with what the plan knows of each.
        starts: BTreeMap<ResourceName, Hints>,
        /// The resources that will be stopped.
        stops: BTreeSet<ResourceName>,
    },
    /// Keep the proof that a node was fenced.
    Prove {
        /// The proof.
        fenced: Fenced,
    },
    /// Put the group's file there.
    Put {
        /// What is in it.
        text: String,
        /// Whether it is only found out what would change, and whether it may.
        dry_run: bool,
    },
    /// Take the group's file away.
    Remove {
        /// Whether it is only found out whether it may be.
        dry_run: bool,
    },
    /// Start a resource.
    Start {
        /// Its name.
        resource: ResourceName,
        /// What the plan knows about it.
        hints: Hints,
    },
    /// Stop a resource.
    Stop {
        /// Its name.
        resource: ResourceName,
    },
}

/// How a request ended.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The request's number.
    pub id: u64,
    /// The exit status it would have as a command.
    pub exit: u8,
    /// What went wrong, in words.
    pub message: Option<String>,
    /// What was found or done.
    #[schemars(with = "serde_json::Value")]
    pub say: Option<Say>,
}

/// What was found or done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Say {
    /// Who answers.
    Hello(Hello),
    /// The states of the resources, with what makes each so when it is not plain.
    Looked(BTreeMap<ResourceName, (State, Option<String>)>),
    /// The states of other groups here.
    Others(BTreeMap<GroupName, State>),
    /// Whether it has any of the group, and reacts.
    Reacts {
        /// Whether anything of the group is, or may be, up.
        has_any: bool,
        /// Whether `ims-switch react` runs.
        reacts: bool,
    },
    /// What was said of the group.
    Marks(Box<Kept>),
    /// The executables that the servers use.
    Needs(BTreeMap<ResourceName, Vec<PathBuf>>),
    /// What would keep the group from starting.
    Findings(Vec<String>),
    /// What became of the group's file.
    Changed(Change),
    /// What the node that has the group tells of it.
    Bearing(Box<Bearing>),
    /// What was found of each thing that a move depends on.
    Rehearsed(Vec<Point>),
    /// What a step did.
    Done(Done),
}

/// Who answers, and what its files say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of what is said.
    pub version: u32,
    /// The node.
    pub node: NodeName,
    /// The bytes of the group's file.
    pub group: String,
    /// The bytes of the registry; empty when there is none.
    pub registry: String,
}

impl Reply {
    /// The reply to a request that ended so.
    pub fn to(id: u64, result: Result<Say, Fail>) -> Self {
        match result {
            Ok(say) => Self { id, exit: Exit::Ok.code(), message: None, say: Some(say) },
            Err(fail) => Self { id, exit: fail.exit().code(), message: Some(fail.to_string()), say: None },
        }
    }

    /// What was found or done, or the failure of the other end.
    pub fn result(self, node: &NodeName) -> Result<Say, Fail> {
        let exit = Exit::from_code(self.exit.into()).unwrap_or(Exit::Unknown);
        match (exit, self.say) {
            (Exit::Ok, Some(say)) => Ok(say),
            (Exit::Ok, None) => Err(Fail::unknown(format!("{node} answered nothing"))),
            (exit, _) => Err(Fail::new(exit, self.message.unwrap_or_else(|| exit.word().to_owned()))),
        }
    }
}

/// The failure of a node that answered another question than it was asked.
pub fn answers_another(node: &NodeName) -> Fail {
    Fail::unknown(format!("{node} answered something else"))
}

impl Record for Reply {
    const SCHEMA: &'static str = "ims.reply/1";
}
