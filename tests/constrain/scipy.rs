//! Every kind of set against what general solvers of SciPy find. `tests/golden/README.md` says how the file was made.

use std::collections::HashMap;

use hybridq::constrain::{
    Affine, BoxSet, CappedSimplex, Codebook, DykstraOptions, ExactTernary, Halfspace, Hyperplane, L1Ball,
    L2Ball, Limit, LinfBall, NonNegative, Part, Product, Project, RowMaxNorm, SecondOrderCone, Set, Simplex,
    Sphere, TopK, affine_prepare, affine_prepare_workspace_size, dykstra, dykstra_workspace_size,
};

/// Of the norms of the input and of the nearest point together. The solvers stop within 1e-7, f32 rounds at 6e-8.
const TOLERANCE: f64 = 1e-6;

struct Case {
    kind: String,
    values: HashMap<String, Vec<f64>>,
}

impl Case {
    fn get(&self, name: &str) -> Vec<f32> {
        self.values.get(name).map_or(Vec::new(), |v| v.iter().map(|&v| v as f32).collect())
    }

    fn one(&self, name: &str) -> f32 {
        self.get(name)[0]
    }
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/constrain/scipy.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        match line.split_once(' ') {
            None => cases.push(Case { kind: line.into(), values: HashMap::new() }),
            Some((name, numbers)) => {
                let numbers = numbers.split(' ').map(|n| n.parse().unwrap()).collect();
                cases.last_mut().unwrap().values.insert(name.into(), numbers);
            }
        }
    }
    cases
}

fn norm(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}

/// Ours for one case.
fn nearest(case: &Case, x: &[f32]) -> Vec<f32> {
    let (a, b, radius, len) = (case.get("a"), case.get("b"), case.get("radius"), x.len());
    let count = || case.one("count") as usize;
    let center = (!a.is_empty()).then_some(a.as_slice());
    let mut factor = vec![0.0; b.len() * (len + 1)];
    let parts;
    let set = match case.kind.as_str() {
        "l2_ball" => Set::L2Ball(L2Ball { center, radius: radius[0] }),
        "linf_ball" => Set::LinfBall(LinfBall { center, radius: radius[0] }),
        "l1_ball" => Set::L1Ball(L1Ball { center, radius: radius[0] }),
        "sphere" => Set::Sphere(Sphere { center, radius: radius[0] }),
        "box" => Set::Box(BoxSet { lower: Limit::Each(&a), upper: Limit::Each(&b) }),
        "non_negative" => Set::NonNegative(NonNegative),
        "halfspace" => Set::Halfspace(Halfspace { normal: &a, bound: case.one("value") }),
        "hyperplane" => Set::Hyperplane(Hyperplane { normal: &a, bound: case.one("value") }),
        "affine" => {
            let mut scratch = vec![0; affine_prepare_workspace_size(b.len(), len).unwrap()];
            affine_prepare(b.len(), len, &a, &b, &mut factor, &mut scratch).unwrap();
            Set::Affine(Affine { rows: b.len(), factor: &factor })
        }
        "second_order_cone" => Set::SecondOrderCone(SecondOrderCone),
        "row_max_norm" => Set::RowMaxNorm(RowMaxNorm { cols: count(), radius: radius[0] }),
        "simplex" => Set::Simplex(Simplex { total: radius[0] }),
        "capped_simplex" => Set::CappedSimplex(CappedSimplex { cap: case.one("value"), total: radius[0] }),
        "product" => {
            parts = [
                Part { set: Set::Simplex(Simplex { total: radius[0] }), len: count() },
                Part { set: Set::L2Ball(L2Ball { center: None, radius: radius[1] }), len: len - count() },
            ];
            Set::Product(Product { parts: &parts })
        }
        "top_k" => Set::TopK(TopK { count: count() }),
        "codebook" => Set::Codebook(Codebook { values: &a }),
        "exact_ternary" => Set::ExactTernary(ExactTernary),
        "intersection" => {
            let sets = [
                Set::NonNegative(NonNegative),
                Set::Halfspace(Halfspace { normal: &a, bound: case.one("value") }),
                Set::L2Ball(L2Ball { center: None, radius: radius[0] }),
            ];
            let mut out = x.to_vec();
            let mut scratch = vec![0; dykstra_workspace_size(&sets, len).unwrap()];
            let options = DykstraOptions { max_cycles: 100_000, tolerance: 0.0 };
            dykstra(&sets, &options, &mut out, &mut scratch).unwrap();
            return out;
        }
        other => panic!("{other}"),
    };
    let mut out = vec![f32::NAN; len];
    let mut scratch = vec![0; set.workspace_size(len).unwrap()];
    set.project(x, &mut out, &mut scratch).unwrap();
    out
}

#[test]
fn nearest_points_are_those_that_scipy_finds() {
    let mut worst: HashMap<String, (usize, f64)> = HashMap::new();
    for (i, case) in cases().iter().enumerate() {
        let (x, want) = (case.get("x"), &case.values["y"]);
        let found = nearest(case, &x);
        let size = norm(x.iter().map(|&x| x as f64)) + norm(want.iter().copied());
        let apart = |to: &[f32]| norm(to.iter().zip(want).map(|(&a, b)| a as f64 - b));
        let off = match case.kind.as_str() {
            // Several points may be nearest: what counts is the distance.
            "top_k" | "codebook" | "exact_ternary" => {
                let distance = norm(x.iter().zip(&found).map(|(&x, &p)| x as f64 - p as f64));
                (distance - apart(&x)).abs()
            }
            _ => apart(&found),
        };
        assert!(off <= TOLERANCE * size, "case {i}, {}: {found:?}, SciPy {want:?}", case.kind);
        let entry = worst.entry(case.kind.clone()).or_default();
        *entry = (entry.0 + 1, entry.1.max(off / size));
    }
    let mut kinds: Vec<_> = worst.into_iter().collect();
    kinds.sort_by(|a, b| a.0.cmp(&b.0));
    for (kind, (count, off)) in &kinds {
        println!("{kind}: {count} cases, {off:.1e} off at the most");
        assert!(*count >= 4, "{kind}");
    }
    assert_eq!(kinds.len(), 18, "17 kinds of sets, and an intersection");
}
