//! Boxes in layers, each below all that lead to it, with lines that cross as little as they can: the layout of
//! Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981). A line that
//! passes a layer has a narrow place of its own there. Lengths are pixels, and the same input gives the same output.

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

/// How often the order is looked over, from the top and from the bottom in turn, and then the places.
const SWEEPS: usize = 16;
const SETTLES: usize = 200;

/// The width of a line's own place in a layer.
const PLACE: f64 = 12.0;

/// A box, or the place where a line passes a layer.
#[derive(Debug, Clone)]
struct Item {
    size: Size,
    layer: usize,
    above: Vec<usize>,
    below: Vec<usize>,
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

/// The layers, each in the order in which the fewest lines cross that a few sweeps find.
fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
    let mut layers = in_the_order_of_trees(items);
    let mut best = (crossings(items, &layers), layers.clone());
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        let count = layers.len();
        for step in 1..count {
            let (moved, fixed) = if is_down { (step, step - 1) } else { (count - 1 - step, count - step) };
            let fixed = layers.get(fixed).cloned().unwrap_or_default();
            if let Some(layer) = layers.get_mut(moved) {
                let mean = |id: &usize| middle_of_ties(items, *id, is_down, &fixed);
                let mut keyed: Vec<(f64, usize)> = layer
                    .iter()
                    .enumerate()
                    .map(|(place, id)| (mean(id).unwrap_or_else(|| number(place)), *id))
                    .collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0)); // a stable sort: ties stay as they were
                *layer = keyed.into_iter().map(|(_, id)| id).collect();
            }
        }
        let found = crossings(items, &layers);
        if found < best.0 {
            best = (found, layers.clone());
        }
    }
    best.1
}

/// The first order: that in which a walk from the tops first comes to each.
fn in_the_order_of_trees(items: &[Item]) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.layer + 1).max().unwrap_or(0);
    let mut layers = vec![Vec::new(); count];
    let mut waiting: Vec<usize> =
        (0..items.len()).filter(|id| items.get(*id).is_some_and(|i| i.above.is_empty())).collect();
    waiting.reverse();
    let mut seen = vec![false; items.len()];
    while let Some(id) = waiting.pop() {
        let (Some(item), Some(seen)) = (items.get(id), seen.get_mut(id)) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        layers.get_mut(item.layer).into_iter().for_each(|layer| layer.push(id));
        waiting.extend(item.below.iter().rev());
    }
    layers
}

/// The mean place of what an item is tied to in the layer above or below, `None` when that is nothing.
fn middle_of_ties(items: &[Item], id: usize, is_above: bool, layer: &[usize]) -> Option<f64> {
    let item = items.get(id)?;
    let ties = if is_above { &item.above } else { &item.below };
    let places: Vec<f64> =
        ties.iter().filter_map(|tie| layer.iter().position(|other| other == tie)).map(number).collect();
    (!places.is_empty()).then(|| places.iter().sum::<f64>() / number(places.len()))
}

/// How many pairs of lines between neighbouring layers cross.
fn crossings(items: &[Item], layers: &[Vec<usize>]) -> usize {
    let between = |(upper, lower): (&Vec<usize>, &Vec<usize>)| {
        let ties: Vec<(usize, usize)> = upper
            .iter()
            .enumerate()
            .flat_map(|(place, id)| {
                let below = items.get(*id).map(|item| item.below.clone()).unwrap_or_default();
                below.into_iter().filter_map(move |to| Some((place, lower.iter().position(|id| *id == to)?)))
            })
            .collect();
        let crossed = |(index, a): (usize, &(usize, usize))| {
            ties.iter()
                .skip(index + 1)
                .filter(|b| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1))
                .count()
        };
        ties.iter().enumerate().map(crossed).sum::<usize>()
    };
    layers.iter().zip(layers.iter().skip(1)).map(between).sum()
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
