//! Boxes in layers, each below all that lead to it, with lines that cross as little as they can: the layout of
//! Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981). A line that
//! passes a layer has a narrow place of its own there. Lengths are pixels, and the same input gives the same output.

use super::crossings::ordered;

/// A box's or a place's width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

/// The room between two boxes of a layer, and between two layers.
#[derive(Debug, Clone, Copy)]
pub struct Gaps {
    /// Between boxes.
    pub across: f64,
    /// Between layers; lines bend there.
    pub down: f64,
}

/// A place from the left and from the top.
pub type Point = (f64, f64);

/// Where everything is.
#[derive(Debug, Clone, PartialEq)]
pub struct Laid {
    /// The left upper corner of each box.
    pub corners: Vec<Point>,
    /// The bends of each edge, from the bottom of a box to the top of another. Of the pieces between two, the first goes
    /// straight down, the second may lead sideways, and so on in turn.
    pub lines: Vec<Vec<Point>>,
    /// What all of it takes.
    pub size: Size,
}

/// How often the places are looked over.
const SETTLES: usize = 200;

/// The width of a line's own place in a layer.
const PLACE: f64 = 12.0;

/// A box, or the place where a line passes a layer.
#[derive(Debug, Clone)]
pub struct Item {
    size: Size,
    /// Its layer, from the top.
    pub layer: usize,
    /// What leads to it from the layer above.
    pub above: Vec<usize>,
    /// What it leads to in the layer below.
    pub below: Vec<usize>,
    left: f64,
}

/// Lays boxes out; an edge leads from a box to one below it, and no edges may lead in a ring.
pub fn lay(sizes: &[Size], edges: &[(usize, usize)], gaps: Gaps) -> Laid {
    let mut items = boxes(sizes, edges);
    let chains: Vec<Vec<usize>> = edges.iter().map(|(from, to)| chain(&mut items, *from, *to)).collect();
    let layers = ordered(&items);
    place(&mut items, &layers, gaps.across);
    let mut tops: Vec<Size> = Vec::new(); // the top of each layer, and its height
    let mut top = 0.0;
    for layer in &layers {
        let heights = layer.iter().filter_map(|id| items.get(*id)).map(|item| item.size.height);
        let height = heights.fold(0.0, f64::max);
        tops.push(Size { width: top, height });
        top += height + gaps.down;
    }
    let at = |id: &usize| items.get(*id).and_then(|item| Some((item, tops.get(item.layer)?)));
    let corners = (0..sizes.len()).filter_map(|id| at(&id)).map(|(item, layer)| (item.left, layer.width));
    let lines = chains.iter().map(|chain| {
        let stops = chain.iter().filter_map(at).map(|(item, layer)| {
            // The top and the bottom of the layer, and the end of the box, which may be less high.
            let middle = item.left + item.size.width / 2.0;
            [
                (middle, layer.width),
                (middle, layer.width + layer.height),
                (middle, layer.width + item.size.height),
            ]
        });
        let stops: Vec<[Point; 3]> = stops.collect();
        let last = stops.len().saturating_sub(1);
        let bends = stops.iter().enumerate().flat_map(|(index, [top, bottom, end])| match index {
            0 => vec![*end, *bottom],
            last_one if last_one == last => vec![*top],
            _ => vec![*top, *bottom],
        });
        bends.collect()
    });
    let right = items.iter().map(|item| item.left + item.size.width).fold(0.0, f64::max);
    let size = Size { width: right, height: (top - gaps.down).max(0.0) };
    Laid { corners: corners.collect(), lines: lines.collect(), size }
}

/// The boxes, each in the layer below the lowest that leads to it.
fn boxes(sizes: &[Size], edges: &[(usize, usize)]) -> Vec<Item> {
    let mut layers = vec![0; sizes.len()];
    // The longest way down has fewer steps than there are boxes.
    for _ in sizes {
        for (from, to) in edges {
            let below = layers.get(*from).map_or(0, |layer| layer + 1);
            if let Some(layer) = layers.get_mut(*to).filter(|layer| **layer < below) {
                *layer = below;
            }
        }
    }
    let item = |(size, layer): (&Size, usize)| Item {
        size: *size,
        layer,
        above: Vec::new(),
        below: Vec::new(),
        left: 0.0,
    };
    sizes.iter().zip(layers).map(item).collect()
}

/// Ties two boxes by a place in each layer between them.
fn chain(items: &mut Vec<Item>, from: usize, to: usize) -> Vec<usize> {
    let layer = |items: &[Item], id: usize| items.get(id).map_or(0, |item| item.layer);
    let (first, last) = (layer(items, from), layer(items, to));
    let mut chain = vec![from];
    for layer in first + 1..last {
        chain.push(items.len());
        let size = Size { width: PLACE, height: 0.0 };
        items.push(Item { size, layer, above: Vec::new(), below: Vec::new(), left: 0.0 });
    }
    chain.push(to);
    for (upper, lower) in chain.iter().zip(chain.iter().skip(1)) {
        items.get_mut(*upper).into_iter().for_each(|item| item.below.push(*lower));
        items.get_mut(*lower).into_iter().for_each(|item| item.above.push(*upper));
    }
    chain
}

/// Gives every item its place from the left, so that the squares of the ways that lines lead sideways are least: layer
/// by layer, with the others where they are, until that settles.
fn place(items: &mut [Item], layers: &[Vec<usize>], gap: f64) {
    for _ in 0..SETTLES {
        for layer in layers {
            let wanted: Vec<Wanted> =
                layer.iter().filter_map(|id| items.get(*id)).map(|item| wanted(items, item)).collect();
            for (id, left) in layer.iter().zip(apart(&wanted, gap)) {
                if let Some(item) = items.get_mut(*id) {
                    item.left = left;
                }
            }
        }
    }
    let leftmost = items.iter().map(|item| item.left).fold(f64::INFINITY, f64::min);
    for item in items {
        item.left -= leftmost;
    }
}

/// Where an item would stand if it stood alone.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    left: f64,
    width: f64,
    /// How many lines pull it there.
    weight: f64,
}

/// In the middle of what it is tied to; what is tied to nothing stays.
fn wanted(items: &[Item], item: &Item) -> Wanted {
    let ties: Vec<f64> = item
        .above
        .iter()
        .chain(&item.below)
        .filter_map(|id| items.get(*id))
        .map(|tie| tie.left + tie.size.width / 2.0)
        .collect();
    let width = item.size.width;
    if ties.is_empty() {
        return Wanted { left: item.left, width, weight: 1.0 };
    }
    let weight = number(ties.len());
    Wanted { left: ties.iter().sum::<f64>() / weight - width / 2.0, width, weight }
}

/// Left ends as near to the wanted ones as they can be with a gap between two, by weighted least squares: neighbours
/// that would come too near are moved together (the "pool adjacent violators" of isotonic regression).
fn apart(wanted: &[Wanted], gap: f64) -> Vec<f64> {
    let mut taken = 0.0;
    let mut offsets = Vec::new();
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new(); // what is wanted by weight, the weight, of how many
    for one in wanted {
        offsets.push(taken);
        let mut block = ((one.left - taken) * one.weight, one.weight, 1);
        taken += one.width + gap;
        while let Some((sum, weight, count)) = blocks.last().copied() {
            if sum / weight <= block.0 / block.1 {
                break;
            }
            block = (block.0 + sum, block.1 + weight, block.2 + count);
            blocks.pop();
        }
        blocks.push(block);
    }
    let means = blocks.iter().flat_map(|(sum, weight, count)| std::iter::repeat_n(sum / weight, *count));
    means.zip(offsets).map(|(mean, offset)| mean + offset).collect()
}

/// A count as a length.
pub fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
#[path = "layered_tests.rs"]
pub mod tests;
