//! f32 products of matrices: against f64, in the order that is promised, with the same bits on every tier.

use crate::common::gaussian;
use crate::support::{places, product, same_on_all};
use hybridq::Error;
use hybridq::linear::matrix::{Form, Product};

const FORMS: [Form; 3] = [Form::ABt, Form::AB, Form::AtB];

/// Sums of 256 products in order, added up in order: what the page of the room promises.
fn in_order(form: Form, shape: [usize; 3], a: &[f32], b: &[f32], c: Option<&[f32]>) -> Vec<f32> {
    let [rows, cols, inner] = shape;
    let mut out = Vec::new();
    for i in 0..rows {
        for j in 0..cols {
            let mut total = c.map(|c| c[i * cols + j]);
            for first in (0..inner).step_by(256) {
                let mut sum = 0.0f32;
                for p in first..(first + 256).min(inner) {
                    let [at_a, at_b] = places(form, shape, i, j, p);
                    sum += a[at_a] * b[at_b];
                }
                total = Some(total.map_or(sum, |t| t + sum));
            }
            out.push(total.unwrap_or(0.0));
        }
    }
    out
}

#[test]
fn every_shape_has_the_bits_of_the_loop_in_order_on_every_tier() {
    let sizes = [1, 2, 3, 4, 5, 6, 7, 10, 13, 16, 17, 31, 33, 97];
    let mut shapes = Vec::new();
    for (i, &rows) in sizes.iter().enumerate() {
        for (j, &cols) in sizes.iter().enumerate() {
            shapes.push([rows, cols, sizes[(5 * i + 3 * j) % sizes.len()]]);
        }
    }
    // across the borders of blocks of the inner index, of columns, and of rows
    shapes.extend([
        [3, 5, 255],
        [4, 16, 256],
        [7, 20, 257],
        [2, 3, 1000],
        [5, 513, 20],
        [200, 17, 33],
        [2, 1030, 258],
    ]);
    for form in FORMS {
        for shape in &shapes {
            let [rows, cols, inner] = *shape;
            let (a, b) = (gaussian(rows * inner, 1), gaussian(cols * inner, 2));
            let start = gaussian(rows * cols, 3);
            for add in [false, true] {
                let got = same_on_all(&format!("{form:?} {shape:?}"), || {
                    let mut c = start.clone();
                    product(form, *shape, add, &a, &b, &mut c);
                    c
                });
                let expected = in_order(form, *shape, &a, &b, add.then_some(&start));
                assert!(got == expected, "{form:?} {shape:?} add {add}");
            }
        }
    }
}

#[test]
fn the_error_is_within_the_bound() {
    let shape @ [rows, cols, inner] = [5, 7, 3000];
    for form in FORMS {
        let (a, b) = (gaussian(rows * inner, 4), gaussian(cols * inner, 5));
        let mut c = vec![0.0; rows * cols];
        product(form, shape, false, &a, &b, &mut c);
        for i in 0..rows {
            for j in 0..cols {
                let (mut exact, mut size) = (0.0f64, 0.0f64);
                for p in 0..inner {
                    let [at_a, at_b] = places(form, shape, i, j, p);
                    let term = a[at_a] as f64 * b[at_b] as f64;
                    exact += term;
                    size += term.abs();
                }
                let bound = (256.0 + inner as f64 / 256.0 + 2.0) * 2f64.powi(-24) * size;
                assert!((c[i * cols + j] as f64 - exact).abs() <= bound);
            }
        }
    }
}

#[test]
fn an_output_does_not_depend_on_its_neighbours() {
    let [rows, cols, inner] = [13, 37, 300];
    let (a, b) = (gaussian(rows * inner, 6), gaussian(cols * inner, 7));
    let mut whole = vec![0.0; rows * cols];
    product(Form::ABt, [rows, cols, inner], false, &a, &b, &mut whole);
    for i in 0..rows {
        let mut one = vec![0.0; cols];
        product(Form::ABt, [1, cols, inner], false, &a[i * inner..(i + 1) * inner], &b, &mut one);
        assert_eq!(one, whole[i * cols..(i + 1) * cols]);
    }
}

#[test]
fn nothing_to_multiply() {
    for form in FORMS {
        let mut c = [1.0; 6];
        product(form, [2, 3, 0], true, &[], &[], &mut c);
        assert_eq!(c, [1.0; 6]);
        product(form, [2, 3, 0], false, &[], &[], &mut c);
        assert_eq!(c, [0.0; 6]);
        product(form, [0, 3, 2], false, &[], &[1.0; 6], &mut []);
        product(form, [2, 0, 3], false, &[1.0; 6], &[], &mut []);
    }
}

#[test]
fn nan_and_infinity_go_their_way() {
    let mut c = [0.0; 4];
    let a = [f32::NAN, 1.0, 1.0, f32::INFINITY];
    product(Form::ABt, [2, 2, 2], false, &a, &[1.0, 0.0, 0.0, 1.0], &mut c);
    assert!(c[0].is_nan() && c[1].is_nan() && c[2].is_nan() && c[3] == f32::INFINITY);
}

#[test]
fn wrong_lengths_are_refused_and_write_nothing() {
    for form in FORMS {
        let p = Product { form, rows: 2, cols: 3, inner: 4, add: false };
        let mut scratch = vec![0; p.workspace_size().unwrap()];
        let (a, b) = ([1.0; 8], [1.0; 12]);
        let mut c = [7.0; 6];
        let mut run =
            |a: &[f32], b: &[f32], len: usize, room: usize| p.run(a, b, &mut c[..len], &mut scratch[..room]);
        let room = p.workspace_size().unwrap();
        assert_eq!(run(&a[..7], &b, 6, room), Err(Error::Shape));
        assert_eq!(run(&a, &b[..11], 6, room), Err(Error::Shape));
        assert_eq!(run(&a, &b, 5, room), Err(Error::OutputTooSmall));
        assert_eq!(run(&a, &b, 6, 255), Err(Error::WorkspaceTooSmall));
        assert_eq!(c, [7.0; 6]);
        let huge = Product { rows: usize::MAX, inner: 2, ..p };
        assert_eq!(huge.run(&a, &b, &mut c, &mut scratch), Err(Error::SizeOverflow));
    }
    assert_eq!(Form::from_i32(1), Ok(Form::AB));
    assert_eq!(Form::from_i32(3), Err(Error::UnknownEnum));
}
