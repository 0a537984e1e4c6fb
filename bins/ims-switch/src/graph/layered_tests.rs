use super::*;

const GAPS: Gaps = Gaps { across: 20.0, down: 40.0 };

fn sizes(widths: &[f64]) -> Vec<Size> {
    widths.iter().map(|width| Size { width: *width, height: 30.0 }).collect()
}

/// A line as short straight pieces, as it is drawn.
fn pieces(line: &[Point]) -> Vec<(Point, Point)> {
    let mut points = vec![line[0]];
    for pair in line.windows(2) {
        for step in 1..=20 {
            let t = f64::from(step) / 20.0;
            let s = t * t * (3.0 - 2.0 * t); // a cubic with upright ends
            points.push((pair[0].0 + (pair[1].0 - pair[0].0) * s, pair[0].1 + (pair[1].1 - pair[0].1) * t));
        }
    }
    points.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn side(a: Point, b: Point, c: Point) -> f64 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}

fn cross(a: (Point, Point), b: (Point, Point)) -> bool {
    side(a.0, a.1, b.0) * side(a.0, a.1, b.1) < -1e-6 && side(b.0, b.1, a.0) * side(b.0, b.1, a.1) < -1e-6
}

/// How often the lines cross on paper, whatever the layout counted.
pub fn crossings_on_paper(laid: &Laid) -> usize {
    let lines: Vec<_> = laid.lines.iter().map(|line| pieces(line)).collect();
    let mut count = 0;
    for (index, one) in lines.iter().enumerate() {
        for other in &lines[index + 1..] {
            count += one.iter().flat_map(|a| other.iter().filter(|b| cross(*a, **b))).count();
        }
    }
    count
}

fn is_apart(laid: &Laid, sizes: &[Size]) -> bool {
    let all: Vec<_> = laid.corners.iter().zip(sizes).collect();
    all.iter().enumerate().all(|(index, (a, of_a))| {
        all[index + 1..].iter().all(|(b, of_b)| {
            a.0 + of_a.width <= b.0 + 1e-6
                || b.0 + of_b.width <= a.0 + 1e-6
                || a.1 + of_a.height <= b.1 + 1e-6
                || b.1 + of_b.height <= a.1 + 1e-6
        })
    })
}

#[test]
fn boxes_stand_apart_below_what_leads_to_them_and_no_line_of_a_tree_crosses() {
    for (what, widths, edges) in [
        ("one", vec![50.0], vec![]),
        ("a chain", vec![50.0, 90.0, 10.0], vec![(0, 1), (1, 2)]),
        ("the seed's tree", vec![80.0, 60.0, 120.0, 200.0, 50.0], vec![(0, 1), (1, 2), (1, 3), (2, 4)]),
        ("a line past a layer", vec![80.0, 60.0, 90.0], vec![(0, 1), (1, 2), (0, 2)]),
        ("in a bad order", vec![50.0; 6], vec![(0, 5), (0, 4), (1, 3), (1, 2), (2, 5)]),
        ("two trees", vec![50.0; 4], vec![(0, 3), (1, 2)]),
        ("many", vec![40.0; 9], vec![(0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (3, 6), (4, 7), (6, 8)]),
    ] {
        let sizes = sizes(&widths);
        let laid = lay(&sizes, &edges, GAPS);
        assert!(is_apart(&laid, &sizes), "{what}: {laid:?}");
        assert_eq!(crossings_on_paper(&laid), 0, "{what}: {laid:?}");
        for ((from, to), line) in edges.iter().zip(&laid.lines) {
            let (above, below) = (laid.corners[*from], laid.corners[*to]);
            assert!(above.1 < below.1, "{what}: {from} above {to}");
            assert_eq!(line[0], (above.0 + widths[*from] / 2.0, above.1 + 30.0), "{what}: {from} to {to}");
            assert_eq!(
                line[line.len() - 1],
                (below.0 + widths[*to] / 2.0, below.1),
                "{what}: {from} to {to}"
            );
        }
        let right = laid.corners.iter().zip(&widths).map(|(at, width)| at.0 + width).fold(0.0, f64::max);
        assert!(laid.corners.iter().all(|at| at.0 >= 0.0) && laid.size.width >= right, "{what}: {laid:?}");
        assert_eq!(laid, lay(&sizes, &edges, GAPS), "{what}: the same again");
    }
}

#[test]
fn lines_that_must_cross_are_seen_to() {
    let all = [(0, 3), (0, 4), (0, 5), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5)];
    let laid = lay(&sizes(&[50.0; 6]), &all, GAPS);
    assert!(crossings_on_paper(&laid) >= 1, "three and three, each tied to each, cannot be drawn without");
}

#[test]
fn what_would_overlap_is_moved_as_little_as_it_can_be() {
    let one = |(left, width, weight)| Wanted { left, width, weight };
    for (wanted, found) in [
        (vec![(0.0, 10.0, 1.0), (100.0, 10.0, 1.0)], vec![0.0, 100.0]),
        (vec![(50.0, 10.0, 1.0), (50.0, 10.0, 1.0)], vec![40.0, 60.0]),
        (vec![(50.0, 10.0, 3.0), (50.0, 10.0, 1.0)], vec![45.0, 65.0]),
        (vec![(100.0, 10.0, 1.0), (0.0, 10.0, 1.0)], vec![40.0, 60.0]),
        (vec![(0.0, 40.0, 1.0), (10.0, 40.0, 1.0), (200.0, 40.0, 1.0)], vec![-20.0, 30.0, 200.0]),
    ] {
        let all: Vec<Wanted> = wanted.iter().copied().map(one).collect();
        assert_eq!(apart(&all, 10.0), found, "{wanted:?}");
    }
}

#[test]
fn what_hangs_on_one_line_alone_hangs_straight() {
    let widths = [120.0, 130.0, 170.0, 190.0, 140.0];
    let laid = lay(&sizes(&widths), &[(0, 1), (1, 2), (1, 3), (2, 4)], GAPS);
    let middle = |id: usize| laid.corners[id].0 + widths[id] / 2.0;
    for (above, below) in [(0, 1), (2, 4)] {
        assert!((middle(above) - middle(below)).abs() < 0.5, "{above} over {below}: {laid:?}");
    }
}
