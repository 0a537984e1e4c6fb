//! Reads a CIB's document; what groups cannot say is told.

use std::path::Path;

use roxmltree::{Document, Node};

use super::cib::{Cib, Constraint, Operation, Pair, Primitive, line};
use crate::import::{Remark, RemarkKind};

fn attribute(node: Node<'_, '_>, name: &str) -> String {
    node.attribute(name).unwrap_or_default().to_owned()
}

struct Reader<'a> {
    file: &'a Path,
    remarks: &'a mut Vec<Remark>,
}

/// Reads a CIB.
pub fn read(document: &Document<'_>, file: &Path, remarks: &mut Vec<Remark>) -> Cib {
    let mut cib = Cib::default();
    let mut reader = Reader { file, remarks };
    let of = |section: &'static str| {
        let is_it = move |node: &Node<'_, '_>| node.has_tag_name(section);
        let status = |node: &Node<'_, '_>| node.ancestors().any(|above| above.has_tag_name("status"));
        document.descendants().filter(move |node| is_it(node) && !status(node)).flat_map(elements)
    };
    for node in of("nodes") {
        cib.nodes.push(node.attribute("uname").or(node.attribute("id")).unwrap_or_default().to_owned());
        for pair in reader.pairs(node, "utilization") {
            let (name, value) = (cib.nodes.last().map_or("", String::as_str), &pair.value);
            let what = format!(
                "utilization {}={value} of {name}: say capacity = {{ {} = {value} }} of it in /etc/ims/nodes.toml",
                pair.name, pair.name
            );
            reader.remarks.push(Remark::at(RemarkKind::Lost, file, pair.line, what));
        }
    }
    for node in of("resources") {
        reader.resource(node, &mut cib);
    }
    for node in of("constraints") {
        reader.constraint(node, &mut cib);
    }
    for node in of("rsc_defaults").flat_map(elements) {
        match node.attribute("name") {
            Some("resource-stickiness") => cib.stickiness = node.attribute("value").map(ToOwned::to_owned),
            name => reader.lost(node, format!("{} of rsc_defaults", name.unwrap_or("a rule"))),
        }
    }
    for (section, what) in [
        ("op_defaults", "defaults of operations; say online_timeout and offline_timeout for each resource"),
        ("fencing-topology", "the levels of fencing; say fence in /etc/ims/nodes.toml"),
        ("tickets", "tickets; there are no sites"),
        ("acls", "rights; ims-switch is run by root"),
        ("alerts", "alerts; records say what happened"),
    ] {
        if let Some(first) = of(section).next() {
            reader.lost(first, what.to_owned());
        }
    }
    for node in of("crm_config").flat_map(elements).filter(|node| node.has_tag_name("nvpair")) {
        let name = attribute(node, "name");
        if name == "maintenance-mode" || name == "stonith-enabled" && node.attribute("value") == Some("false")
        {
            reader.lost(node, format!("{name}={} of the whole cluster", attribute(node, "value")));
        }
    }
    cib
}

fn elements<'a, 'b>(node: Node<'a, 'b>) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children().filter(Node::is_element)
}

impl Reader<'_> {
    fn lost(&mut self, node: Node<'_, '_>, what: impl Into<String>) {
        self.remarks.push(Remark::at(RemarkKind::Lost, self.file, line(node), what));
    }

    fn resource(&mut self, node: Node<'_, '_>, cib: &mut Cib) {
        match node.tag_name().name() {
            "primitive" => {
                let primitive = self.primitive(node);
                cib.primitives.push(primitive);
            }
            "group" => {
                let meta = self.pairs(node, "meta_attributes");
                let mut members = Vec::new();
                for member in elements(node).filter(|node| node.has_tag_name("primitive")) {
                    let mut primitive = self.primitive(member);
                    primitive.meta.extend(meta.iter().filter(|pair| pair.name != "ordered").cloned());
                    members.push(primitive.id.clone());
                    cib.primitives.push(primitive);
                }
                let is_ordered = !meta.iter().any(|pair| pair.name == "ordered" && pair.value == "false");
                cib.groups.push((attribute(node, "id"), members, is_ordered));
            }
            "template" => {} // read where it is used
            other => {
                let id = attribute(node, "id");
                self.lost(node, format!("{other} {id}: a resource is up on one node, once"));
            }
        }
    }

    fn primitive(&mut self, node: Node<'_, '_>) -> Primitive {
        let template = node.attribute("template").and_then(|wanted| {
            let mut all = node.document().descendants();
            all.find(|node| node.has_tag_name("template") && node.attribute("id") == Some(wanted))
        });
        let said = |name: &str| {
            let from_template = || template.map(|template| attribute(template, name)).unwrap_or_default();
            node.attribute(name).map_or_else(from_template, ToOwned::to_owned)
        };
        let (mut parameters, mut meta) =
            (self.pairs(node, "instance_attributes"), self.pairs(node, "meta_attributes"));
        let mut listed = operations(node);
        if let Some(template) = template {
            let add = |own: &mut Vec<Pair>, more: Vec<Pair>| {
                for pair in more {
                    if !own.iter().any(|known| known.name == pair.name) {
                        own.push(pair);
                    }
                }
            };
            add(&mut parameters, self.pairs(template, "instance_attributes"));
            add(&mut meta, self.pairs(template, "meta_attributes"));
            listed.extend(operations(template));
        }
        Primitive {
            id: attribute(node, "id"),
            class: said("class"),
            provider: said("provider"),
            agent: said("type"),
            parameters,
            meta,
            utilization: self.pairs(node, "utilization"),
            operations: listed,
            line: line(node),
        }
    }

    /// The pairs of the sets of that name; a set with a rule holds only at times and is told.
    fn pairs(&mut self, node: Node<'_, '_>, set: &str) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for set in elements(node).filter(|node| node.has_tag_name(set)) {
            for part in elements(set) {
                match (part.tag_name().name(), part.attribute("name"), part.attribute("value")) {
                    ("nvpair", Some(name), Some(value)) => {
                        pairs.push(Pair { name: name.to_owned(), value: value.to_owned(), line: line(part) });
                    }
                    (other, ..) => self.lost(part, format!("{other} in {}", attribute(node, "id"))),
                }
            }
        }
        pairs
    }

    fn constraint(&mut self, node: Node<'_, '_>, cib: &mut Cib) {
        let of = |of: &str, to: &str, weight: &str, otherwise: &str| Constraint {
            of: attribute(node, of),
            to: attribute(node, to),
            weight: node.attribute(weight).unwrap_or(otherwise).to_owned(),
            line: line(node),
        };
        let id = attribute(node, "id");
        let name = node.tag_name().name();
        if let Some(inner) = elements(node).next().filter(|inner| !inner.has_tag_name("lifetime")) {
            // Sets are kept where they are a plain chain of two or more.
            match chain(name, node) {
                Some(chain) if name == "rsc_order" => cib.orders.extend(chain),
                Some(chain) => cib.colocations.extend(chain),
                None => self.lost(inner, format!("{id}: a {} in a {name}", inner.tag_name().name())),
            }
            return;
        }
        match name {
            "rsc_order" => {
                let acts = |which: &str| node.attribute(which).is_some_and(|action| action != "start");
                if acts("first-action") || acts("then-action") {
                    self.lost(node, format!("{id}: an order of other actions than start"));
                } else {
                    let weight = if node.has_attribute("kind") { "kind" } else { "score" };
                    cib.orders.push(of("first", "then", weight, "Mandatory"));
                }
            }
            "rsc_colocation" => cib.colocations.push(of("rsc", "with-rsc", "score", "INFINITY")),
            "rsc_location" if node.has_attribute("node") => {
                cib.locations.push(of("rsc", "node", "score", "INFINITY"));
            }
            other => self.lost(node, format!("{id}: a {other}")),
        }
    }
}

fn operations(node: Node<'_, '_>) -> Vec<Operation> {
    let lists = elements(node).filter(|node| node.has_tag_name("operations"));
    lists
        .flat_map(elements)
        .filter(|node| node.has_tag_name("op"))
        .map(|op| {
            let attributes = op.attributes().map(|known| Pair {
                name: known.name().to_owned(),
                value: known.value().to_owned(),
                line: line(op),
            });
            let attributes =
                attributes.filter(|pair| !["id", "name"].contains(&pair.name.as_str())).collect();
            Operation { name: attribute(op, "name"), attributes, line: line(op) }
        })
        .collect()
}

/// Sets that are sequential and mandatory, as constraints of two.
fn chain(name: &str, node: Node<'_, '_>) -> Option<Vec<Constraint>> {
    let sets: Vec<Node<'_, '_>> = elements(node).collect();
    let plain = |set: &Node<'_, '_>| {
        set.has_tag_name("resource_set")
            && set.attribute("sequential") != Some("false")
            && !["role", "action", "require-all"].iter().any(|name| set.has_attribute(*name))
    };
    let known = ["rsc_order", "rsc_colocation"].contains(&name);
    if !known || !sets.iter().all(plain) || (name == "rsc_colocation" && sets.len() > 1) {
        return None;
    }
    let weight = node.attribute("kind").or(node.attribute("score"));
    let default = if name == "rsc_order" { "Mandatory" } else { "INFINITY" };
    let ids: Vec<(String, usize)> =
        sets.into_iter().flat_map(elements).map(|member| (attribute(member, "id"), line(member))).collect();
    let pairs = ids.iter().zip(ids.iter().skip(1)).map(|((first, _), (then, line))| {
        // In both kinds of sets a member depends on the one before it.
        let (of, to) = if name == "rsc_order" { (first, then) } else { (then, first) };
        Constraint {
            of: of.clone(),
            to: to.clone(),
            weight: weight.unwrap_or(default).to_owned(),
            line: *line,
        }
    });
    Some(pairs.collect())
}
