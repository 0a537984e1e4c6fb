//! Groups as a picture: a frame for each group with its resources in it, arrows from what requires to what is required,
//! dashed ones between groups. It needs no other file, and shows the same in every viewer that has a fixed-width font.

use ims::State;

use super::between;
use super::layered::{Gaps, Laid, Point, Size, lay, number};
use super::record::{GroupGraph, ResourceGraph};

/// The height of a line of text, and a little more than a character of 12 pixels takes in any fixed-width font.
const LINE: f64 = 16.0;
const CHARACTER: f64 = 7.4;
/// The room round text in a box, round boxes in a frame, and round the whole.
const PAD: f64 = 10.0;
const FRAME: f64 = 18.0;
const MARGIN: f64 = 12.0;
/// What does not fit into so many characters is cut; the whole stands in the title, which viewers show on pointing.
const LONGEST: usize = 56;

const STYLE: &str = "text{font:12px monospace;fill:#1f2328}.name{font-weight:bold}.frame{fill:#f6f8fa;stroke:#57606a}\
                     .box{fill:#fff;stroke:#1f2328}.persistent,.elsewhere,.between{stroke-dasharray:5 3}\
                     .line{fill:none;stroke:#1f2328}.note{fill:#57606a}";

/// The places of what requires and of what is required.
type Edge = (usize, usize);

/// A frame and what is in it.
struct Frame<'a> {
    group: &'a GroupGraph,
    boxes: Vec<Size>,
    laid: Laid,
    size: Size,
}

/// The colour of a state, beside its word.
pub const fn color(state: State) -> &'static str {
    match state {
        State::Up => "#1a7f37",
        State::Down => "#6e7781",
        State::Partial => "#bc4c00",
        State::Unknown => "#8250df",
    }
}

/// The whole picture.
pub fn svg(groups: &[GroupGraph]) -> String {
    let frames: Vec<Frame<'_>> = groups.iter().map(frame).collect();
    let sizes: Vec<Size> = frames.iter().map(|frame| frame.size).collect();
    let (forward, back) = without_rings(&between(groups));
    let edges: Vec<(usize, usize)> = forward.iter().chain(&back).copied().collect();
    let laid = lay(&sizes, &edges, Gaps { across: 30.0, down: 56.0 });
    let (width, height) = (laid.size.width + 2.0 * MARGIN, laid.size.height + 2.0 * MARGIN);
    let names: Vec<&str> = groups.iter().map(|group| group.group.as_str()).collect();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{}</title>\n\
         <desc>An arrow leads from what requires to what is required. A dashed box may be up on every node.</desc>\n\
         <style>{STYLE}</style>\n<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" \
         markerWidth=\"9\" markerHeight=\"9\" orient=\"auto-start-reverse\"><path d=\"M0 1 10 5 0 9z\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        escaped(&names.join(", ")),
    );
    for (frame, at) in frames.iter().zip(&laid.corners) {
        text += &framed(frame, (at.0 + MARGIN, at.1 + MARGIN));
    }
    for (index, line) in laid.lines.iter().enumerate() {
        // What closes a ring leads upwards, and was laid the other way round.
        let heads = if index < forward.len() { "marker-end" } else { "marker-start" };
        text += &arrow(line, (MARGIN, MARGIN), "line between", heads);
    }
    text + "</svg>\n"
}

fn frame(group: &GroupGraph) -> Frame<'_> {
    let boxes: Vec<Size> = group.resources.iter().map(|one| box_of(&lines(one))).collect();
    let place = |name| group.resources.iter().position(|other| &other.resource == name);
    // What is required stands lower, and those that nothing requires are come to first, as in the file.
    let edges: Vec<(usize, usize)> = group
        .resources
        .iter()
        .enumerate()
        .flat_map(|(from, one)| one.requires.iter().filter_map(place).map(move |to| (from, to)))
        .collect();
    let laid = lay(&boxes, &edges, Gaps { across: 24.0, down: 40.0 });
    let title = box_of(&[group.group.to_string(), cut(&group.below())]);
    let size = Size {
        width: laid.size.width.max(title.width) + 2.0 * FRAME,
        height: laid.size.height + title.height + FRAME,
    };
    Frame { group, boxes, laid, size }
}

/// The text in the box of a resource.
fn lines(resource: &ResourceGraph) -> Vec<String> {
    std::iter::once(resource.resource.to_string())
        .chain(resource.lines().iter().map(|line| cut(line)))
        .collect()
}

fn box_of(lines: &[String]) -> Size {
    let longest = lines.iter().map(|line| columns(line)).max().unwrap_or(0);
    Size { width: number(longest) * CHARACTER + 2.0 * PAD, height: number(lines.len()) * LINE + 2.0 * PAD }
}

/// The columns that a text may take: what is not ASCII may be wide.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 3).chain("...".chars()).collect()
}

fn framed(frame: &Frame<'_>, at: Point) -> String {
    let group = frame.group;
    let class = if group.is_here { "frame" } else { "frame elsewhere" };
    let mut text = String::from("<g>\n") + &rect(class, at, frame.size, None);
    let title = [group.group.to_string(), cut(&group.below())];
    let middle = at.0 + frame.size.width / 2.0;
    text += &words(&title, middle, at.1 + PAD);
    let inner = (
        at.0 + (frame.size.width - frame.laid.size.width) / 2.0,
        at.1 + frame.size.height - FRAME - frame.laid.size.height,
    );
    for line in &frame.laid.lines {
        text += &arrow(line, inner, "line", "marker-end");
    }
    for ((one, size), corner) in group.resources.iter().zip(&frame.boxes).zip(&frame.laid.corners) {
        let at = (inner.0 + corner.0, inner.1 + corner.1);
        let class = if one.persistent { "box persistent" } else { "box" };
        text += "<g><title>";
        text += &escaped(&one.line());
        text += "</title>\n";
        text += &rect(class, at, *size, one.state);
        text += &words(&lines(one), at.0 + size.width / 2.0, at.1 + PAD);
        text += "</g>\n";
    }
    text + "</g>\n"
}

fn rect(class: &str, at: Point, size: Size, state: Option<State>) -> String {
    let (left, top, Size { width, height }) = (at.0, at.1, size);
    let style = state.map(|state| format!(" style=\"stroke:{};stroke-width:2\"", color(state)));
    format!(
        "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\"{}/>\n",
        style.unwrap_or_default()
    )
}

/// Lines of text, the first one a name.
fn words(lines: &[String], middle: f64, top: f64) -> String {
    let line = |(index, line): (usize, &String)| {
        let class = if index == 0 { " class=\"name\"" } else { "" };
        let base = top + number(index + 1) * LINE - 4.0;
        format!(
            "<text x=\"{middle:.1}\" y=\"{base:.1}\" text-anchor=\"middle\"{class}>{}</text>\n",
            escaped(line)
        )
    };
    lines.iter().enumerate().map(line).collect()
}

fn arrow(line: &[Point], offset: Point, class: &str, head: &str) -> String {
    let moved: Vec<Point> = line.iter().map(|point| (point.0 + offset.0, point.1 + offset.1)).collect();
    let begin = moved.first().map(|point| format!("M{:.1} {:.1}", point.0, point.1));
    let pieces = moved.iter().zip(moved.iter().skip(1)).enumerate().map(|(index, (from, to))| {
        if index % 2 == 0 {
            return format!("V{:.1}", to.1);
        }
        let middle = f64::midpoint(from.1, to.1);
        format!("C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}", from.0, to.0, to.0, to.1)
    });
    let path: Vec<String> = begin.into_iter().chain(pieces).collect();
    format!("<path class=\"{class}\" d=\"{}\" {head}=\"url(#head)\"/>\n", path.concat())
}

/// The edges that lead in no ring, and those that would close one, turned round.
fn without_rings(edges: &[Edge]) -> (Vec<Edge>, Vec<Edge>) {
    let mut forward: Vec<Edge> = Vec::new();
    let mut back = Vec::new();
    for (from, to) in edges {
        let mut reached = vec![*to];
        let mut next = 0;
        while let Some(at) = reached.get(next).copied() {
            let further = forward.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to);
            let new: Vec<usize> = further.filter(|to| !reached.contains(to)).collect();
            reached.extend(new);
            next += 1;
        }
        if reached.contains(from) { back.push((*to, *from)) } else { forward.push((*from, *to)) }
    }
    (forward, back)
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            c if c.is_control() => "\u{fffd}".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
#[path = "svg_tests.rs"]
mod tests;
