//! Which layer each box stands in.

use super::{GAP_X, Size};

/// The layer of each box: below everything it waits for, as high as there is room.
pub(super) fn rank(sizes: &[Size], edges: &[(usize, usize)], width_max: f64) -> Vec<usize> {
    let mut waits = vec![0_usize; sizes.len()];
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
    for (from, to) in edges {
        if let (Some(list), Some(count)) = (below.get_mut(*from), waits.get_mut(*to)) {
            list.push(*to);
            *count += 1;
        }
    }
    let mut highest = vec![0_usize; sizes.len()];
    let mut rank = vec![None; sizes.len()];
    let mut rows = Rows { widths: Vec::new(), full: 0, width_max };
    // Those that may stand now, by the layer they may stand in and their number; a heap of reversed pairs.
    let mut ready: std::collections::BTreeSet<(usize, usize)> =
        waits.iter().enumerate().filter(|(_, count)| **count == 0).map(|(at, _)| (0, at)).collect();
    let mut unseen = 0;
    loop {
        let Some((wanted, at)) = ready.pop_first() else {
            // Only boxes in a cycle are left: the first of them may stand where it would.
            while rank.get(unseen).is_some_and(Option::is_some) {
                unseen += 1;
            }
            let Some(from) = highest.get(unseen) else { break };
            ready.insert((*from, unseen));
            continue;
        };
        let Some(slot) = rank.get_mut(at).filter(|slot| slot.is_none()) else { continue };
        let row = rows.stand(wanted, sizes.get(at).map_or(0.0, |size| size.width));
        *slot = Some(row);
        for next in below.get(at).into_iter().flatten() {
            if let (Some(count), Some(highest)) = (waits.get_mut(*next), highest.get_mut(*next)) {
                *count = count.saturating_sub(1);
                *highest = (*highest).max(row + 1);
                if *count == 0 {
                    ready.insert((*highest, *next));
                }
            }
        }
    }
    rank.into_iter().map(Option::unwrap_or_default).collect()
}

/// How wide each layer is so far.
struct Rows {
    widths: Vec<f64>,
    /// All layers before this one are full.
    full: usize,
    width_max: f64,
}

impl Rows {
    /// The first layer from `wanted` on that has room for `width`.
    fn stand(&mut self, wanted: usize, width: f64) -> usize {
        let mut row = wanted.max(self.full);
        loop {
            if row >= self.widths.len() {
                self.widths.resize(row + 1, 0.0);
            }
            let Some(used) = self.widths.get_mut(row) else { return row };
            let needed = if *used > 0.0 { *used + GAP_X + width } else { width };
            if *used == 0.0 || needed <= self.width_max {
                *used = needed;
                return row;
            }
            // Nothing of a usual size fits any more; without this, many boxes would ask each layer.
            if *used + GAP_X + NARROW > self.width_max && row == self.full {
                self.full += 1;
            }
            row += 1;
        }
    }
}

/// Width of the narrowest box that is worth looking for room for.
const NARROW: f64 = 60.0;
