//! The parts of a CIB that groups are made of, each with its line.

use roxmltree::Node;

/// A primitive resource.
#[derive(Debug, Clone)]
pub struct Primitive {
    /// Its id.
    pub id: String,
    /// `ocf`, `systemd`, `lsb`, `stonith` …
    pub class: String,
    /// The provider, of an OCF agent.
    pub provider: String,
    /// The agent.
    pub agent: String,
    /// Its parameters.
    pub parameters: Vec<Pair>,
    /// Its meta attributes, those of its group last.
    pub meta: Vec<Pair>,
    /// What it asks of its node.
    pub utilization: Vec<Pair>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// Its line.
    pub line: usize,
}

/// A name and its value.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Its line.
    pub line: usize,
}

/// An operation of a resource.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `start`, `stop`, `monitor` …
    pub name: String,
    /// What else is said of it.
    pub attributes: Vec<Pair>,
    /// Its line.
    pub line: usize,
}

/// A constraint between two resources, or of one to a node.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// The first of an order, the one that follows of a colocation, the resource of a location.
    pub of: String,
    /// The then of an order, the one that leads of a colocation, the node of a location.
    pub to: String,
    /// `INFINITY`, a number, or the kind of an order.
    pub weight: String,
    /// Its line.
    pub line: usize,
}

/// What a CIB says.
#[derive(Debug, Default)]
pub struct Cib {
    /// The names of the nodes.
    pub nodes: Vec<String>,
    /// The primitives in their order.
    pub primitives: Vec<Primitive>,
    /// Groups: the id, its members, and whether one requires the one before it.
    pub groups: Vec<(String, Vec<String>, bool)>,
    /// Orders.
    pub orders: Vec<Constraint>,
    /// Colocations.
    pub colocations: Vec<Constraint>,
    /// Locations.
    pub locations: Vec<Constraint>,
    /// The stickiness that holds where a resource says none.
    pub stickiness: Option<String>,
}

/// The line of a node.
pub fn line(node: Node<'_, '_>) -> usize {
    usize::try_from(node.document().text_pos_at(node.range().start).row).unwrap_or(1)
}
