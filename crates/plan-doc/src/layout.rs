//! Boxes and edges on a plane: a layered layout, top to bottom.
//!
//! The four steps of Sugiyama, Tagawa and Toda: layers, order, coordinates, routes. Boxes of one layer share
//! their upper edge; an edge that passes a layer has a column of its own there, so that it never runs through a
//! box. All of it is plain arithmetic in a fixed order, so that a graph looks the same on every machine.

mod layers;
mod order;
mod place;

/// Blank between two neighbours in a layer.
const GAP_X: f64 = 22.0;
/// Blank between two layers, in which edges change columns.
const GAP_Y: f64 = 34.0;
/// Blank between the columns of two edges.
const COLUMN_GAP: f64 = 9.0;
/// Width of the column of an edge that passes a layer.
const COLUMN: f64 = 6.0;
/// Most columns; longer edges beyond that run straight, behind the boxes.
const COLUMNS_MAX: usize = 4_000;
/// Distance of two edges at one side of a box, where it has room.
const PORT_GAP: f64 = 14.0;
/// Blank between the corner of a box and the first edge.
const PORT_INSET: f64 = 12.0;

/// Size of a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A place, from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// Upper left corner of each box.
    pub(crate) corners: Vec<Point>,
    /// For each edge the points it passes: pairs are joined by straight lines, and the end of each pair with the
    /// start of the next by a curve.
    pub(crate) routes: Vec<Vec<(Point, Point)>>,
    /// Size of the whole.
    pub(crate) size: Size,
}

/// Boxes and columns in layers.
struct Plane {
    /// Width of each; boxes first, then columns.
    widths: Vec<f64>,
    /// What each is joined with in the layer above and below.
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// Each layer from left to right.
    layers: Vec<Vec<usize>>,
    boxes: usize,
}

/// Lays out boxes; an edge goes from a box to one that is to stand lower. A layer gets no wider than `width_max`
/// where its boxes can stand lower instead.
pub(crate) fn layout(sizes: &[Size], edges: &[(usize, usize)], width_max: f64) -> Layout {
    let rank = layers::rank(sizes, edges, width_max);
    let (mut plane, columns) = plane(sizes, edges, &rank);
    order::order(&mut plane);
    let centers = place::centers(&plane);
    let (tops, heights) = rows(sizes, &plane);
    let corner = |at: usize| {
        let x = centers.get(at).copied().unwrap_or(0.0) - width(sizes, at) / 2.0;
        Point { x, y: rank.get(at).and_then(|row| tops.get(*row)).copied().unwrap_or(0.0) }
    };
    let corners: Vec<Point> = (0..sizes.len()).map(corner).collect();
    let router =
        Router { sizes, edges, columns: &columns, centers: &centers, rank: &rank, corners: &corners };
    let routes = router.routes(&tops, &heights);
    let right = corners.iter().zip(sizes).map(|(corner, size)| corner.x + size.width).fold(0.0, f64::max);
    let outermost = centers.iter().skip(sizes.len()).map(|x| x + COLUMN / 2.0).fold(right, f64::max);
    let bottom = tops.iter().zip(&heights).map(|(top, height)| top + height).fold(0.0, f64::max);
    Layout { corners, routes, size: Size { width: outermost, height: bottom } }
}

fn width(sizes: &[Size], at: usize) -> f64 {
    sizes.get(at).map_or(COLUMN, |size| size.width)
}

/// The plane, and the columns of each edge from top to bottom; `None` for an edge that runs straight.
fn plane(sizes: &[Size], edges: &[(usize, usize)], rank: &[usize]) -> (Plane, Vec<Option<Vec<usize>>>) {
    let count = rank.iter().max().map_or(0, |last| last + 1);
    let mut plane = Plane {
        widths: sizes.iter().map(|size| size.width).collect(),
        above: vec![Vec::new(); sizes.len()],
        below: vec![Vec::new(); sizes.len()],
        layers: vec![Vec::new(); count],
        boxes: sizes.len(),
    };
    for (at, row) in rank.iter().enumerate() {
        plane.stand(at, *row);
    }
    let row = |at: usize| rank.get(at).copied().unwrap_or(0);
    let mut spans: Vec<(usize, usize)> = edges
        .iter()
        .enumerate()
        .map(|(edge, (from, to))| (row(*to).saturating_sub(row(*from)), edge))
        .collect();
    // The shortest first, so that those that are left out are the longest.
    spans.sort_unstable();
    let mut columns = vec![None; edges.len()];
    let mut left = COLUMNS_MAX;
    for (span, edge) in spans {
        let Some(&(from, to)) = edges.get(edge).filter(|_| span > 0 && span - 1 <= left) else { continue };
        left -= span - 1;
        let mut passed = Vec::with_capacity(span - 1);
        let mut last = from;
        for passes in row(from) + 1..row(to) {
            let column = plane.add_column(passes);
            plane.join(last, column);
            passed.push(column);
            last = column;
        }
        plane.join(last, to);
        if let Some(slot) = columns.get_mut(edge) {
            *slot = Some(passed);
        }
    }
    (plane, columns)
}

impl Plane {
    fn stand(&mut self, at: usize, row: usize) {
        if let Some(layer) = self.layers.get_mut(row) {
            layer.push(at);
        }
    }

    fn add_column(&mut self, row: usize) -> usize {
        let at = self.widths.len();
        self.widths.push(COLUMN);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        self.stand(at, row);
        at
    }

    fn join(&mut self, upper: usize, lower: usize) {
        if let Some(below) = self.below.get_mut(upper) {
            below.push(lower);
        }
        if let Some(above) = self.above.get_mut(lower) {
            above.push(upper);
        }
    }

    fn is_column(&self, at: usize) -> bool {
        at >= self.boxes
    }

    /// Blank between two neighbours in a layer.
    fn gap(&self, left: usize, right: usize) -> f64 {
        if self.is_column(left) && self.is_column(right) { COLUMN_GAP } else { GAP_X }
    }

    fn width(&self, at: usize) -> f64 {
        self.widths.get(at).copied().unwrap_or(COLUMN)
    }
}

/// Upper edge and height of each layer.
fn rows(sizes: &[Size], plane: &Plane) -> (Vec<f64>, Vec<f64>) {
    let height = |layer: &Vec<usize>| {
        layer.iter().filter_map(|at| sizes.get(*at)).map(|size| size.height).fold(0.0, f64::max)
    };
    let heights: Vec<f64> = plane.layers.iter().map(height).collect();
    let mut top = 0.0;
    let mut tops = Vec::with_capacity(heights.len());
    for height in &heights {
        tops.push(top);
        top += height + GAP_Y;
    }
    (tops, heights)
}

/// What is known when edges get their points.
struct Router<'a> {
    sizes: &'a [Size],
    edges: &'a [(usize, usize)],
    columns: &'a [Option<Vec<usize>>],
    centers: &'a [f64],
    rank: &'a [usize],
    corners: &'a [Point],
}

impl Router<'_> {
    fn routes(&self, tops: &[f64], heights: &[f64]) -> Vec<Vec<(Point, Point)>> {
        let (starts, ends) = (self.ports(true), self.ports(false));
        let pick = |list: &[f64], at: usize| list.get(at).copied().unwrap_or(0.0);
        let row = |at: usize| self.rank.get(at).copied().unwrap_or(0);
        let mut routes = Vec::with_capacity(self.edges.len());
        for (edge, (from, to)) in self.edges.iter().enumerate() {
            let bottom =
                self.corners.get(*from).zip(self.sizes.get(*from)).map_or(0.0, |(c, s)| c.y + s.height);
            let (start_x, end_x) = (pick(&starts, edge), pick(&ends, edge));
            let start = Point { x: start_x, y: bottom };
            // Down along the box to where its layer ends: a taller neighbour may stand beside it.
            let layer_end = pick(tops, row(*from)) + pick(heights, row(*from));
            let end = Point { x: end_x, y: pick(tops, row(*to)) };
            let mut route = Vec::new();
            match self.columns.get(edge).and_then(Option::as_ref) {
                None => route.push((start, end)),
                Some(passed) => {
                    route.push((start, Point { x: start_x, y: layer_end.max(bottom) }));
                    for (at, column) in passed.iter().enumerate() {
                        let layer = row(*from) + 1 + at;
                        let (x, top) = (pick(self.centers, *column), pick(tops, layer));
                        route.push((Point { x, y: top }, Point { x, y: top + pick(heights, layer) }));
                    }
                    route.push((end, end));
                }
            }
            routes.push(route);
        }
        routes
    }

    /// Where each edge leaves the box it starts from, or meets the one it ends at: beside one another, in the order
    /// of where they lead.
    fn ports(&self, start: bool) -> Vec<f64> {
        let center = |at: usize| self.centers.get(at).copied().unwrap_or(0.0);
        let mut of_box: Vec<Vec<(f64, usize)>> = vec![Vec::new(); self.sizes.len()];
        for (edge, (from, to)) in self.edges.iter().enumerate() {
            let passed = self.columns.get(edge).and_then(Option::as_ref);
            let (at, next) = if start {
                (*from, passed.and_then(|passed| passed.first()).copied().unwrap_or(*to))
            } else {
                (*to, passed.and_then(|passed| passed.last()).copied().unwrap_or(*from))
            };
            if let Some(list) = of_box.get_mut(at) {
                list.push((center(next), edge));
            }
        }
        let mut ports = vec![0.0; self.edges.len()];
        for (at, list) in of_box.iter_mut().enumerate() {
            list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let gaps = list.len().saturating_sub(1) as f64;
            let room = (width(self.sizes, at) - 2.0 * PORT_INSET).max(0.0);
            let gap = if gaps > 0.0 { (room / gaps).min(PORT_GAP) } else { 0.0 };
            for (position, (_, edge)) in list.iter().enumerate() {
                if let Some(port) = ports.get_mut(*edge) {
                    *port = center(at) + (position as f64 - gaps / 2.0) * gap;
                }
            }
        }
        ports
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOX: Size = Size { width: 100.0, height: 40.0 };

    fn graph() -> impl Strategy<Value = (Vec<Size>, Vec<(usize, usize)>)> {
        (1_usize..40).prop_flat_map(|count| {
            let size = (20.0..300.0, 20.0..200.0).prop_map(|(width, height)| Size { width, height });
            let edge = (0..count, 0..count);
            (proptest::collection::vec(size, count), proptest::collection::vec(edge, 0..count * 2)).prop_map(
                |(sizes, edges)| {
                    let down = edges.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.min(b), a.max(b)));
                    (sizes, down.collect())
                },
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn boxes_stand_apart_and_edges_run_down_around_them((sizes, edges) in graph()) {
            let layout = layout(&sizes, &edges, 800.0);
            let boxes: Vec<(Point, Size)> = layout.corners.iter().copied().zip(sizes.iter().copied()).collect();
            for (at, (a, a_size)) in boxes.iter().enumerate() {
                prop_assert!(a.x >= -0.01 && a.y >= 0.0);
                prop_assert!(a.x + a_size.width <= layout.size.width + 0.01);
                prop_assert!(a.y + a_size.height <= layout.size.height + 0.01);
                for (b, b_size) in &boxes[at + 1..] {
                    let apart_x = a.x + a_size.width <= b.x + 0.01 || b.x + b_size.width <= a.x + 0.01;
                    let apart_y = a.y + a_size.height <= b.y + 0.01 || b.y + b_size.height <= a.y + 0.01;
                    prop_assert!(apart_x || apart_y);
                }
            }
            for (route, (from, to)) in layout.routes.iter().zip(&edges) {
                let points: Vec<Point> = route.iter().flat_map(|(a, b)| [*a, *b]).collect();
                prop_assert!(points.windows(2).all(|pair| pair[0].y <= pair[1].y + 0.01), "{points:?}");
                // Where it runs straight down it runs through no box but its own.
                for (a, b) in route {
                    for (at, (corner, size)) in boxes.iter().enumerate() {
                        let beside = a.x <= corner.x || a.x >= corner.x + size.width;
                        let apart = b.y <= corner.y + 0.01 || a.y >= corner.y + size.height - 0.01;
                        prop_assert!(beside || apart || at == *from || at == *to);
                    }
                }
            }
        }
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let layout = layout(&[BOX; 4], &[(0, 1), (1, 2), (2, 3)], 800.0);
        assert!(layout.corners.windows(2).all(|pair| pair[0].x == pair[1].x && pair[0].y < pair[1].y));
        assert_eq!(layout.size, Size { width: 100.0, height: 4.0 * 40.0 + 3.0 * GAP_Y });
    }

    #[test]
    fn what_waits_for_nothing_stands_side_by_side_as_far_as_there_is_room() {
        let side_by_side = layout(&[BOX; 3], &[], 800.0);
        assert!(side_by_side.corners.iter().all(|corner| corner.y == 0.0));
        let wrapped = layout(&[BOX; 30], &[], 800.0);
        assert!(wrapped.size.width <= 800.0 && wrapped.size.height > 4.0 * 40.0);
    }

    #[test]
    fn a_cycle_is_drawn_too() {
        let layout = layout(&[BOX; 3], &[(0, 1), (1, 2), (2, 0)], 800.0);
        assert_eq!((layout.corners.len(), layout.routes.len()), (3, 3));
    }

    #[test]
    fn nothing_is_a_picture_of_nothing() {
        assert_eq!(layout(&[], &[], 800.0).size, Size { width: 0.0, height: 0.0 });
    }

    #[test]
    fn ten_thousand_boxes_that_all_wait_for_one_another_are_laid_out() {
        let edges: Vec<(usize, usize)> =
            (1..10_000_usize).flat_map(|to| (to.saturating_sub(5)..to).map(move |from| (from, to))).collect();
        assert_eq!(layout(&vec![BOX; 10_000], &edges, 800.0).routes.len(), edges.len());
        let star: Vec<(usize, usize)> = (0..9_999).map(|from| (from, 9_999)).collect();
        assert_eq!(layout(&vec![BOX; 10_000], &star, 800.0).routes.len(), star.len());
    }
}
