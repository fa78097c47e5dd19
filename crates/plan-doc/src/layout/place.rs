//! How far right everything stands: near what it is joined with, and apart from its neighbours.

use super::Plane;

/// How often the layers are gone through down and up.
const SWEEPS: usize = 16;
/// For more boxes and columns than this, only a few times.
const MANY: usize = 3_000;
/// How much more two columns of one edge pull at each other than boxes do: long edges are to be straight.
const STRAIGHT: f64 = 8.0;

/// The middle of each box and column; the leftmost ends at 0.
pub(super) fn centers(plane: &Plane) -> Vec<f64> {
    let sweeps = if plane.widths.len() > MANY { 4 } else { SWEEPS };
    let mut centers = vec![0.0; plane.widths.len()];
    for layer in &plane.layers {
        for (at, offset) in layer.iter().zip(offsets(plane, layer)) {
            set(&mut centers, *at, offset);
        }
    }
    for sweep in 0..sweeps {
        let rows: Vec<&Vec<usize>> =
            if sweep % 2 == 0 { plane.layers.iter().collect() } else { plane.layers.iter().rev().collect() };
        for layer in rows {
            // In the last sweeps both sides count, so that neither is pulled at for nothing.
            let both = sweep + 4 >= sweeps;
            let up = both || sweep % 2 == 0;
            let down = both || sweep % 2 == 1;
            settle(plane, layer, &mut centers, up, down);
        }
    }
    let left =
        (0..centers.len()).map(|at| value(&centers, at) - plane.width(at) / 2.0).fold(f64::MAX, f64::min);
    centers.iter().map(|center| center - left).collect()
}

fn value(list: &[f64], at: usize) -> f64 {
    list.get(at).copied().unwrap_or(0.0)
}

fn set(list: &mut [f64], at: usize, to: f64) {
    if let Some(slot) = list.get_mut(at) {
        *slot = to;
    }
}

/// Moves a layer to where its neighbours pull it, as near as order and distances allow: the sum of the squares of
/// what is missing is the least there is.
fn settle(plane: &Plane, layer: &[usize], centers: &mut [f64], up: bool, down: bool) {
    let offsets = offsets(plane, layer);
    let mut blocks: Vec<Block> = Vec::with_capacity(layer.len());
    for (position, (at, offset)) in layer.iter().zip(&offsets).enumerate() {
        let (wanted, weight) = pull(plane, *at, centers, up, down);
        // Without the distances to its left, a place is only to be no further left than the one before.
        let mut block = Block { sum: (wanted - offset) * weight, weight, from: position };
        // Those that want to pass each other meet in the middle (pool adjacent violators).
        while let Some(before) = blocks.pop_if(|before| before.mean() >= block.mean()) {
            block = Block {
                sum: before.sum + block.sum,
                weight: before.weight + block.weight,
                from: before.from,
            };
        }
        blocks.push(block);
    }
    let mut block = 0;
    for (position, (at, offset)) in layer.iter().zip(&offsets).enumerate() {
        while blocks.get(block + 1).is_some_and(|next| next.from <= position) {
            block += 1;
        }
        set(centers, *at, blocks.get(block).map_or(0.0, Block::mean) + offset);
    }
}

/// How far right of the first each is at least.
fn offsets(plane: &Plane, layer: &[usize]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut before = None;
    let one = |at: &usize| {
        if let Some(before) = before {
            offset += plane.width(before) / 2.0 + plane.gap(before, *at) + plane.width(*at) / 2.0;
        }
        before = Some(*at);
        offset
    };
    layer.iter().map(one).collect()
}

/// Neighbours that stand as close as they may.
struct Block {
    sum: f64,
    weight: f64,
    from: usize,
}

impl Block {
    fn mean(&self) -> f64 {
        self.sum / self.weight
    }
}

/// Where the neighbours of a box pull it, and how much. Who has none stays, and gives way to all others.
fn pull(plane: &Plane, at: usize, centers: &[f64], up: bool, down: bool) -> (f64, f64) {
    let (mut sum, mut total) = (0.0, 0.0);
    let sides = [(up, &plane.above), (down, &plane.below)];
    for (_, side) in sides.iter().filter(|(counts, _)| *counts) {
        for other in side.get(at).into_iter().flatten() {
            let both = plane.is_column(at) && plane.is_column(*other);
            let weight = if both { STRAIGHT } else { 1.0 };
            sum += value(centers, *other) * weight;
            total += weight;
        }
    }
    if total > 0.0 { (sum / total, total) } else { (value(centers, at), 0.01) }
}
