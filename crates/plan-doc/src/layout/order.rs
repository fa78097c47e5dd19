//! Who stands beside whom: few edges cross.

use super::Plane;

/// How often the layers are gone through down and up.
const SWEEPS: usize = 12;
/// For more boxes and columns than this, only a few times.
const MANY: usize = 3_000;

/// Sorts each layer by where its neighbours stand, and keeps the best order that was seen.
pub(super) fn order(plane: &mut Plane) {
    let sweeps = if plane.widths.len() > MANY { 3 } else { SWEEPS };
    let mut positions = vec![0; plane.widths.len()];
    note_positions(plane, &mut positions);
    let mut best = (crossings(plane, &positions), plane.layers.clone());
    for sweep in 0..2 * sweeps {
        if best.0 == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        for step in 1..plane.layers.len() {
            let row = if down { step } else { plane.layers.len() - 1 - step };
            sort_layer(plane, row, down, &mut positions);
        }
        let count = crossings(plane, &positions);
        if count < best.0 {
            best = (count, plane.layers.clone());
        }
    }
    plane.layers = best.1;
}

fn note_positions(plane: &Plane, positions: &mut [usize]) {
    for layer in &plane.layers {
        for (position, at) in layer.iter().enumerate() {
            if let Some(slot) = positions.get_mut(*at) {
                *slot = position;
            }
        }
    }
}

/// Sorts a layer by the mean position of the neighbours above or below; who has none stays where it is.
fn sort_layer(plane: &mut Plane, row: usize, by_above: bool, positions: &mut [usize]) {
    let neighbours = if by_above { &plane.above } else { &plane.below };
    let Some(layer) = plane.layers.get_mut(row) else { return };
    let mut keyed: Vec<(f64, usize)> = layer
        .iter()
        .enumerate()
        .map(|(own, at)| {
            let list = neighbours.get(*at).map_or(&[][..], Vec::as_slice);
            let sum: usize = list.iter().filter_map(|other| positions.get(*other)).sum();
            let mean = if list.is_empty() { own as f64 } else { sum as f64 / list.len() as f64 };
            (mean, *at)
        })
        .collect();
    // Stable, so that equals keep their order.
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    *layer = keyed.into_iter().map(|(_, at)| at).collect();
    for (position, at) in layer.iter().enumerate() {
        if let Some(slot) = positions.get_mut(*at) {
            *slot = position;
        }
    }
}

/// How many pairs of edges cross.
fn crossings(plane: &Plane, positions: &[usize]) -> u64 {
    plane.layers.iter().map(|layer| crossings_below(plane, layer, positions)).sum()
}

/// Edges from left to right: each crosses those before it that end further right. Counted in a Fenwick tree.
fn crossings_below(plane: &Plane, layer: &[usize], positions: &[usize]) -> u64 {
    let mut ends = Vec::new();
    for at in layer {
        let first = ends.len();
        let list = plane.below.get(*at).into_iter().flatten();
        ends.extend(list.filter_map(|other| positions.get(*other)).copied());
        if let Some(own) = ends.get_mut(first..) {
            own.sort_unstable();
        }
    }
    let size = ends.iter().max().map_or(0, |last| last + 1);
    let mut tree = vec![0_u64; size + 1];
    let mut total = 0;
    for (seen, end) in ends.iter().enumerate() {
        let mut not_right = 0;
        let mut at = end + 1;
        while at > 0 {
            not_right += tree.get(at).copied().unwrap_or(0);
            at &= at - 1;
        }
        total += seen as u64 - not_right;
        let mut at = end + 1;
        while let Some(slot) = tree.get_mut(at) {
            *slot += 1;
            at += at & at.wrapping_neg();
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::{Size, plane};
    use super::*;

    #[test]
    fn crossings_are_counted_and_undone() {
        let sizes = [Size { width: 10.0, height: 10.0 }; 6];
        let edges = [(0, 5), (1, 4), (2, 3)];
        let (mut plane, _) = plane(&sizes, &edges, &[0, 0, 0, 1, 1, 1]);
        let mut positions = vec![0; 6];
        note_positions(&plane, &mut positions);
        assert_eq!(crossings(&plane, &positions), 3);
        order(&mut plane);
        note_positions(&plane, &mut positions);
        assert_eq!(crossings(&plane, &positions), 0);
    }
}
