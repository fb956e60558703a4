//! `hybridq plan`: every byte counted, estimates and measurements labelled.

use crate::io_support::*;
use hybridq::quant::Format;

/// The cells of the line that begins with a name, as columns two or more spaces apart.
fn cells(text: &str, name: &str) -> Vec<String> {
    let line = text
        .lines()
        .find(|l| l.starts_with(&format!("{name}  ")))
        .unwrap_or_else(|| panic!("{name}\n{text}"));
    line.split("  ").filter(|c| !c.is_empty()).map(|c| c.trim().to_owned()).collect()
}

/// Matrices of a Llama-like model: (how many, rows, columns).
fn llama(layers: u64, d: u64, ffn: u64) -> Vec<(u64, u64, u64)> {
    vec![(2 * layers, d, d), (2 * layers, 1024, d), (2 * layers, ffn, d), (layers, d, ffn), (2, 128_256, d)]
}

#[test]
fn the_tables_of_70_and_405_billion_count_every_byte() {
    let text = hybridq(&["plan"]).done();
    let (first, second) = text.split_once("\n\n").unwrap();
    for (table, name, layers, d, ffn) in
        [(first, "70B", 80, 8192, 28672), (second, "405B", 126, 16384, 53248)]
    {
        let shapes = llama(layers, d, ffn);
        let norms = (2 * layers + 1) * d;
        let weights: u64 = shapes.iter().map(|(n, r, c)| n * r * c).sum();
        assert!(table.starts_with(&format!("{name}: {} parameters", weights + norms)), "{table}");
        for format in Format::ALL {
            let bytes = |(n, r, c): &(u64, u64, u64)| {
                n * format.matrix_bytes(*r as usize, *c as usize).unwrap() as u64
            };
            let bytes = shapes.iter().map(bytes).sum::<u64>() + 4 * norms;
            assert_eq!(cells(table, format.name())[2], bytes.to_string(), "{format:?}");
        }
        assert_eq!(cells(table, "f16")[2], (2 * weights + 4 * norms).to_string());
        // A row of K values: K bytes and a float; half of them and two floats; 7 bits a pair and two floats.
        let rows: u64 = shapes.iter().map(|(n, r, _)| n * r).sum();
        for (name, bytes) in [
            ("int8, f32 scale a row", weights + 4 * rows),
            ("int4, f32 scale and offset a row", weights / 2 + 8 * rows),
            ("3.5-bit pairs, f32 scale and offset a row", weights / 16 * 7 + 8 * rows),
            ("q4_0 of ggml", weights / 32 * 18),
        ] {
            assert_eq!(cells(table, name)[2], (bytes + 4 * norms).to_string(), "{name}");
        }
    }
    assert!(!text.contains("tokens"), "{text}");
}

#[test]
fn bandwidth_gives_an_estimate_that_is_called_one() {
    let text = hybridq(&["plan", "--params", "70e9", "--bandwidth", "50"]).done();
    assert!(
        text.contains("tokens/s, estimate") && text.contains("tokens/s is an estimate: 50 GB/s"),
        "{text}"
    );
    assert_eq!(cells(&text, "f16").last().unwrap(), "0.357"); // 50 / 140
    let fast = hybridq(&["plan", "--params", "1M", "--bandwidth", "1000", "--format", "q8_0"]).done();
    assert_eq!(cells(&fast, "q8_0").last().unwrap(), "941176.5"); // 1e12 / 1.0625e6
    // The embedding table is not read: of 70.55 G weights 1.05 G less.
    let text = hybridq(&["plan", "--bandwidth", "139"]).done();
    let tokens: f64 = cells(&text, "f16").last().unwrap().parse().unwrap();
    assert!((tokens - 1.0).abs() < 0.001, "{text}"); // 139 / (2 * 69.5)
}

#[test]
fn measure_runs_every_format_and_says_what_it_measured() {
    let args = ["plan", "--measure", "--working-set", "1", "--params", "1e6", "--cols", "1000"];
    let text = hybridq(&args).done();
    assert!(text.contains("tokens/s is measured on this machine: one thread"), "{text}");
    for format in Format::ALL {
        let cells = cells(&text, format.name());
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        let (speed, tokens) = (number(cells.len() - 2), number(cells.len() - 1));
        assert!(speed > 0.0 && tokens > 0.0, "{text}");
        // A million weights a token, and two digits behind the point of the speed.
        assert!((speed * 1e3 / tokens - 1.0).abs() < 0.01 + 0.005 / speed, "{text}");
    }
    assert_eq!(cells(&text, "f16").len(), 6, "what was not measured has no number");
    let text = hybridq(&[&args[..], &["--format", "tq2_0", "--threads", "2"]].concat()).done();
    assert!(text.contains("tokens/s is measured on this machine: 2 threads"), "{text}");
}

#[test]
fn what_plan_refuses() {
    for args in [
        &["--bandwidth", "0"][..],
        &["--bandwidth", "-1"],
        &["--bandwidth", "nan"],
        &["--bandwidth", "50", "--measure"],
        &["--working-set", "5"],
        &["--threads", "2"],
        &["--measure", "--threads", "0"],
        &["--measure", "--working-set", "0"],
        &["--cols", "100"],
        &["--params", "1e6", "--cols", "0"],
        &["--format", "int3"],
    ] {
        let run = hybridq(&[&["plan"], args].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}");
    }
}
