//! The order of boxes in their layers, with as few crossings of lines as a few sweeps find.

use super::layered::{Item, number};

/// How often the order is looked over, from the top and from the bottom in turn.
const SWEEPS: usize = 16;

/// The layers, each in the order in which the fewest lines cross that a few sweeps find.
pub fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
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
pub fn crossings(items: &[Item], layers: &[Vec<usize>]) -> usize {
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
