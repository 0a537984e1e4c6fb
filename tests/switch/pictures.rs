//! What is drawn, read by others: `dot` lays it out, an XML parser reads it and its boxes are measured, and Mermaid's
//! language is read word by word. Each has the same resources and the same edges as the records.

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;
use roxmltree::{Document, Node as Element};
use serde_json::Value;

use super::graph::Host;
use crate::support::needs;

/// What a picture shows: the names of the resources with their groups, and who requires whom.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    resources: Vec<String>,
    edges: Vec<String>,
}

impl Shown {
    fn sorted(mut self) -> Self {
        self.resources.sort();
        self.edges.sort();
        self
    }
}

/// What the records say.
fn of_records(host: &Host) -> Shown {
    let mut shown = Shown::default();
    let text = host.drawn(&["-o", "json"]);
    let groups: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    for group in &groups {
        let name = group["group"].as_str().unwrap();
        shown.edges.extend(texts(&group["requires_groups"]).iter().map(|other| format!("{name} -> {other}")));
        for one in group["resources"].as_array().unwrap() {
            let resource = format!("{name}/{}", one["resource"].as_str().unwrap());
            let requires = texts(&one["requires"]);
            shown.edges.extend(requires.iter().map(|other| format!("{resource} -> {name}/{other}")));
            shown.resources.push(resource);
        }
    }
    shown.sorted()
}

/// What Graphviz makes of it.
fn of_dot(drawn: &str) -> Shown {
    let ran = Command::new("dot").arg("-Tjson0").write_stdin(drawn).output().unwrap();
    assert!(
        ran.status.success() && ran.stderr.is_empty(),
        "{}\n{drawn}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let laid: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let objects = laid["objects"].as_array().unwrap();
    let name = |id: &Value| -> &str {
        objects.iter().find(|one| one["_gvid"] == *id).unwrap()["name"].as_str().unwrap()
    };
    let mut shown = Shown::default();
    for one in objects.iter().filter(|one| one.get("pos").is_some() && one["style"] != "invis") {
        let (name, label) = (one["name"].as_str().unwrap(), one["label"].as_str().unwrap());
        assert_eq!(label.split("\\n").next(), name.split_once('/').map(|(_, resource)| resource));
        shown.resources.push(name.to_owned());
    }
    for edge in laid["edges"].as_array().into_iter().flatten() {
        let group = |key: &str| edge[key].as_str().and_then(|cluster| cluster.strip_prefix("cluster_"));
        let from = group("ltail").unwrap_or_else(|| name(&edge["tail"]));
        let to = group("lhead").unwrap_or_else(|| name(&edge["head"]));
        shown.edges.push(format!("{from} -> {to}"));
    }
    shown.sorted()
}

/// A label of Mermaid as it is shown, line by line; nothing in it but plain signs, codes and line breaks.
fn label(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut pieces = line.split('#');
        let mut read = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (code, rest) =
                piece.split_once(';').unwrap_or_else(|| panic!("a code without an end: {text}"));
            read.push(char::from_u32(code.parse().unwrap()).unwrap());
            read.push_str(rest);
        }
        let is_plain = |c: char| c.is_alphanumeric() || " -_./:,()@+=#;".contains(c);
        assert!(line.chars().all(is_plain), "{line}");
        read
    };
    text.split("<br/>").map(line).collect()
}

/// `NAME["LABEL"]REST`
fn boxed(text: &str) -> Option<(String, Vec<String>, &str)> {
    let (name, rest) = text.split_once("[\"")?;
    let (inside, rest) = rest.split_once("\"]")?;
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
    Some((name.to_owned(), label(inside), rest))
}

/// What Mermaid's language says: nothing but the forms that are read here.
fn of_mermaid(drawn: &str) -> Shown {
    let mut lines = drawn.lines();
    assert_eq!(lines.next(), Some("flowchart TB"));
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let (mut shown, mut open) = (Shown::default(), None::<String>);
    for line in lines.map(str::trim_start) {
        let words: Vec<&str> = line.split(' ').collect();
        if let Some((name, label, rest)) = line.strip_prefix("subgraph ").and_then(boxed) {
            assert!(open.is_none() && rest.is_empty(), "{line}");
            open = Some(label[0].clone());
            assert_eq!(names.insert(name, label[0].clone()), None, "{line}");
        } else if line == "end" {
            assert!(open.take().is_some(), "an end of nothing");
        } else if let Some((name, label, rest)) = boxed(line) {
            assert!(["", ":::persistent"].contains(&rest), "{line}");
            // A frame is drawn round something alone.
            if label[0] != " " {
                let resource = format!("{}/{}", open.as_ref().unwrap(), label[0]);
                assert_eq!(names.insert(name, resource.clone()), None, "{line}");
                shown.resources.push(resource);
            }
        } else if let [from, "-->" | "-.->", to] = words[..] {
            shown.edges.push(format!("{} -> {}", names[from], names[to]));
        } else {
            assert_eq!(line, "classDef persistent stroke-dasharray:4 3");
        }
    }
    assert_eq!(open, None);
    shown.sorted()
}

/// The left, top, right and lower side.
fn sides(rect: Element<'_, '_>) -> [f64; 4] {
    let number = |name: &str| rect.attribute(name).unwrap().parse::<f64>().unwrap();
    [number("x"), number("y"), number("x") + number("width"), number("y") + number("height")]
}

fn is_within(inner: [f64; 4], outer: [f64; 4]) -> bool {
    inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3]
}

fn overlap(one: [f64; 4], other: [f64; 4]) -> bool {
    one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}

#[track_caller]
fn no_two_overlap(rects: &[[f64; 4]], drawn: &str) {
    for (index, one) in rects.iter().enumerate() {
        let other = rects[index + 1..].iter().find(|other| overlap(*one, **other));
        assert_eq!(other, None, "overlaps {one:?} in {drawn}");
    }
}

/// The view of a picture, which is as large as the picture.
fn view(picture: &Document<'_>) -> [f64; 4] {
    let root = picture.root_element();
    let numbers: Vec<f64> =
        root.attribute("viewBox").unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
    let size = |name: &str| root.attribute(name).unwrap().parse::<f64>().unwrap();
    assert_eq!(numbers, [0.0, 0.0, size("width"), size("height")]);
    [0.0, 0.0, numbers[2], numbers[3]]
}

/// The frames lie in the view and the boxes in their frames, none over another, and every line begins and ends at a
/// side of a box or frame. Says which resources are there, and how many lines.
fn of_svg(drawn: &str) -> (Vec<String>, usize) {
    let picture = Document::parse(drawn).unwrap();
    let view = view(&picture);
    let of_class = |element: &Element<'_, '_>, tag: &str, class: &str| {
        let is_of = |found: &str| found.split(' ').any(|word| word == class);
        element.has_tag_name(("http://www.w3.org/2000/svg", tag))
            && element.attribute("class").is_some_and(is_of)
    };
    let frames: Vec<Element<'_, '_>> =
        picture.descendants().filter(|element| of_class(element, "rect", "frame")).collect();
    let (mut resources, mut all) = (Vec::new(), Vec::new());
    for frame in &frames {
        let outer = sides(*frame);
        assert!(is_within(outer, view), "{outer:?} in {view:?}: {drawn}");
        let group = frame.next_sibling_element().unwrap();
        assert!(of_class(&group, "text", "name"), "{drawn}");
        let boxes = frame.parent_element().unwrap();
        let boxes = boxes.descendants().filter(|element| of_class(element, "rect", "box"));
        let mut inner = Vec::new();
        for one in boxes {
            assert!(is_within(sides(one), outer), "{drawn}");
            inner.push(sides(one));
            let name = one.next_sibling_element().unwrap();
            resources.push(format!("{}/{}", group.text().unwrap(), name.text().unwrap()));
        }
        no_two_overlap(&inner, drawn);
        all.extend(inner);
    }
    let frames: Vec<[f64; 4]> = frames.into_iter().map(sides).collect();
    no_two_overlap(&frames, drawn);
    all.extend(frames);
    let lines = picture.descendants().filter(|element| of_class(element, "path", "line"));
    let ends = lines.map(|line| {
        let path = line.attribute("d").unwrap();
        let numbers: Vec<f64> = path
            .split(|c: char| "MVC ".contains(c))
            .filter(|word| !word.is_empty())
            .map(|number| number.parse().unwrap())
            .collect();
        let (begin, end) =
            ((numbers[0], numbers[1]), (numbers[numbers.len() - 2], numbers[numbers.len() - 1]));
        for (x, y) in [begin, end] {
            let touches = |side: &[f64; 4]| {
                x >= side[0] - 0.1
                    && x <= side[2] + 0.1
                    && [side[1], side[3]].iter().any(|edge| (edge - y).abs() < 0.11)
            };
            assert!(all.iter().any(touches), "{path} ends at ({x}, {y}) and at no box: {drawn}");
        }
    });
    let lines = ends.count();
    resources.sort();
    (resources, lines)
}

/// How many shades for outages and how many bars a picture of `history` has: each lies in the view, and no two bars
/// overlap.
pub fn bars(drawn: &str) -> [usize; 2] {
    let picture = Document::parse(drawn).unwrap();
    let view = view(&picture);
    let rects = picture.descendants().filter(|element| element.tag_name().name() == "rect");
    // The first one is the ground.
    let rects: Vec<(Option<&str>, [f64; 4])> = rects
        .filter(|rect| rect.has_attribute("x"))
        .map(|rect| (rect.attribute("fill"), sides(rect)))
        .collect();
    for (_, rect) in &rects {
        assert!(is_within(*rect, view), "{rect:?} in {view:?}: {drawn}");
    }
    let (shades, bars): (Vec<_>, Vec<_>) = rects.into_iter().partition(|(fill, _)| *fill == Some("#fbeaea"));
    let bars: Vec<[f64; 4]> = bars.into_iter().map(|(_, sides)| sides).collect();
    no_two_overlap(&bars, drawn);
    [shades.len(), bars.len()]
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Groups of any shape: some require each other, some are nowhere described.
fn any_groups(dice: &mut Dice) -> Vec<(String, String)> {
    let count = 1 + dice.below(5);
    let group = |number: usize, dice: &mut Dice| {
        let others = (0..=count).filter(|other| *other != number);
        let groups: Vec<String> =
            others.filter(|_| dice.below(4) == 0).map(|other| format!("\"GROUP-{other}\"")).collect();
        let mut text =
            format!("nodes = [\"mail-1\", \"mail-2\"]\nrequires_groups = [{}]\n", groups.join(", "));
        for resource in 0..=dice.below(12) {
            let requires: Vec<String> = (0..resource)
                .filter(|other| dice.below(1 + resource - other) == 0)
                .map(|other| format!("\"r_{other}\""))
                .collect();
            let says = match dice.below(3) {
                0 => "type = \"nic\"\ndevice = \"eth0\"\n".to_owned(),
                1 => format!(
                    "type = \"volume\"\ndevice = \"/dev/{}\"\nmount = \"/{resource}<&#\\\\n>;\\\"]\"\n",
                    "long/".repeat(dice.below(30))
                ),
                _ => "type = \"ocf:heartbeat:anything\"\nparameters = { binfile = \"/x\" }\n".to_owned(),
            };
            text += &format!("[resource.r_{resource}]\n{says}requires = [{}]\n", requires.join(", "));
        }
        (format!("GROUP-{number}"), text)
    };
    (0..count).map(|number| group(number, dice)).collect()
}

#[test]
fn every_picture_shows_what_the_records_say_and_nothing_lies_over_another() {
    let has_dot = needs("dot of Graphviz (tests/setup)", Path::new("/usr/bin/dot").exists());
    let mut dice = Dice(1);
    let mut hosts = vec![Host::seed()];
    hosts.extend((0..20).map(|_| {
        let groups = any_groups(&mut dice);
        Host::with(&groups.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
    }));
    for host in &hosts {
        let wanted = of_records(host);
        assert_eq!(of_mermaid(&host.drawn(&["--format", "mermaid"])), wanted);
        assert_eq!(of_svg(&host.drawn(&["--format", "svg"])), (wanted.resources.clone(), wanted.edges.len()));
        if has_dot {
            assert_eq!(of_dot(&host.drawn(&["--format", "dot"])), wanted);
        }
    }
}
