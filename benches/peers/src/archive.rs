//! How much less than FP32 the ternary archive takes on a real transformer: the 2-D matrices of the encoder layers of
//! all-MiniLM-L6-v2. Bytes are counted as they stand in a file: headers, tables, checksums and scales included.

use std::time::Instant;

use hybridq::io::model::{Model, Tensor};
use hybridq::quant::{
    ArchiveDecoder, Format, Options, archive_bound, archive_encode, dequantize, quantize,
    quantize_workspace_size,
};

/// Sums over all matrices.
#[derive(Default)]
struct Total {
    values: usize,
    packed: usize,
    archived: usize,
    error: f64,
    square: f64,
    encode: f64,
    decode: f64,
}

pub fn run() {
    let path = std::env::var("MINILM").expect("MINILM is not set: run `make bench-peers SUITE=archive`");
    let model = Model::open(path.as_ref()).unwrap_or_else(|e| panic!("{e}"));
    let encoder = |t: &&Tensor| t.name.contains("encoder.layer.") && t.shape.len() == 2;
    let tensors: Vec<&Tensor> = model.tensors.iter().filter(encoder).collect();
    println!(
        "{:<14} {:>9} {:>12} {:>12} {:>9} {:>10} {:>10}",
        "format", "rel. RMSE", "packed bits", "archive bits", "x FP32", "encode M/s", "decode M/s"
    );
    for format in [Format::Tq2_0, Format::Tq1_0, Format::DenseTernary] {
        let mut total = Total::default();
        for tensor in &tensors {
            matrix(&model, tensor, format, &mut total);
        }
        let n = total.values as f64;
        let ratio = 4.0 * n / total.archived as f64;
        println!(
            "{:<14} {:>9.4} {:>12.4} {:>12.4} {:>9.3} {:>10.0} {:>10.0}",
            format.name(),
            (total.error / total.square).sqrt(),
            8.0 * total.packed as f64 / n,
            8.0 * total.archived as f64 / n,
            ratio,
            n / total.encode / 1e6,
            n / total.decode / 1e6
        );
        if format == Format::Tq2_0 {
            println!("figure ternary_archive_ratio {ratio:.3} x");
            println!("figure ternary_archive_rmse {:.4} relative", (total.error / total.square).sqrt());
        }
    }
    println!("{} matrices", tensors.len());
}

fn matrix(model: &Model, tensor: &Tensor, format: Format, total: &mut Total) {
    let (rows, cols) = (tensor.rows(), tensor.cols());
    let mut x = vec![0.0; tensor.len()];
    model.read_rows(tensor, 0..rows, &mut x).unwrap();
    let options = Options::new(format); // fit `mse`
    let mut packed = vec![0; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols).unwrap()];
    quantize(format, &options, rows, cols, &x, &mut packed, &mut scratch).unwrap();

    let start = Instant::now();
    let mut stream = vec![0; archive_bound(format, rows, cols, 0).unwrap()];
    let size = archive_encode(format, rows, cols, &packed, 0, &mut stream).unwrap();
    total.encode += start.elapsed().as_secs_f64();

    let start = Instant::now();
    let stream = &stream[..size];
    let mut decoder = ArchiveDecoder::new(stream).unwrap();
    let mut back = vec![0; packed.len()];
    let (row, mut done) = (format.row_bytes(cols).unwrap(), 0);
    while done < rows {
        done += decoder.next_rows(stream, 0, rows - done, &mut back[done * row..]).unwrap();
    }
    total.decode += start.elapsed().as_secs_f64();
    assert_eq!(back, packed, "{}: the archive gives the packed bytes back", tensor.name);

    // The error of what has been decoded.
    let mut y = vec![0.0; x.len()];
    dequantize(format, rows, cols, &back, &mut y).unwrap();
    for (a, b) in x.iter().zip(&y) {
        total.error += f64::from(a - b).powi(2);
        total.square += f64::from(*a).powi(2);
    }
    total.values += x.len();
    total.packed += packed.len();
    total.archived += size;
}
