//! `hybridq cluster`: what it writes, that it is what the library gives, and what it refuses.

use std::path::Path;

use crate::io_support::*;
use hybridq::io::csv::Options;
use hybridq::io::matrix::{Kind, Matrix, write_matrix};
use hybridq::kmeans::{
    FitOptions, Points, Seeding, Sizes, fit, fit_balanced, fit_balanced_workspace_size, fit_workspace_size,
    seed, seed_workspace_size,
};

/// Three groups of rows, far apart, in four columns.
fn groups(rows: usize) -> Vec<f32> {
    let noise = weights(rows * 4, 3);
    (0..rows * 4).map(|i| noise[i] + [0.0, 20.0, -20.0][i / 4 % 3] * ((i % 4) as f32 - 1.0)).collect()
}

fn open(path: &Path) -> Matrix {
    Matrix::open(path, &Options::default()).unwrap()
}

fn cluster<S: AsRef<std::ffi::OsStr>>(input: &Path, more: &[S]) -> Run {
    let mut args = vec!["cluster".into(), input.as_os_str().to_owned()];
    args.extend(more.iter().map(|s| s.as_ref().to_owned()));
    hybridq(&args)
}

#[test]
fn labels_and_centroids_are_those_of_the_library() {
    let folder = Folder::new();
    let x = groups(300);
    let input = folder.path("data.npy");
    write_matrix(&input, Kind::Npy, 4, &x, false).unwrap();
    let (labels, centroids, plot) = (folder.path("l.npy"), folder.path("c.csv"), folder.path("p.svg"));
    let outputs = [
        "-k".as_ref(),
        "3".as_ref(),
        "--seed".as_ref(),
        "7".as_ref(),
        "--labels".as_ref(),
        labels.as_os_str(),
        "--centroids".as_ref(),
        centroids.as_os_str(),
        "--plot".as_ref(),
        plot.as_os_str(),
    ];
    let table = cluster(&input, &outputs).done();
    assert!(table.contains("33.3 %") && table.contains("300 rows of 4 columns in 3 clusters"), "{table}");

    let points = Points::new(300, 4, &x).unwrap();
    let (mut rows, mut want) = ([0; 3], [0.0; 12]);
    let seeding = Seeding::PlusPlus { trials: 0 };
    let mut scratch = vec![0; seed_workspace_size(seeding, 300, 3).unwrap()];
    seed(&points, 3, seeding, 7, &mut rows, &mut want, &mut scratch).unwrap();
    let options = FitOptions::DEFAULT;
    let (mut want_labels, mut scratch) =
        ([0; 300], vec![0; fit_workspace_size(300, 4, 3, &options).unwrap()]);
    fit(&points, 3, &options, &mut want, &mut want_labels, &mut scratch).unwrap();
    assert_eq!(open(&centroids).data, want);
    assert_eq!(open(&labels).data, want_labels.map(|l| l as f32));

    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("Inertia over iterations") && svg.contains("Rows on their principal axes"));
    assert!(svg.matches("<circle").count() > 300 && !svg.contains("NaN"), "{}", svg.len());

    // The same again: refused, then allowed.
    let line = cluster(&input, &outputs).refused();
    assert!(line.contains("exists already"), "{line}");
    cluster(&input, &[&outputs[..], &["--overwrite".as_ref(), "-q".as_ref()]].concat()).done();
}

#[test]
fn a_stop_between_slices_changes_nothing() {
    // Uniform rows want many iterations.
    let folder = Folder::new();
    let x = weights(2000 * 3, 11);
    let input = folder.path("data.npy");
    write_matrix(&input, Kind::Npy, 3, &x, false).unwrap();
    let points = Points::new(2000, 3, &x).unwrap();
    for most in [0usize, 1, 5, 40] {
        let centroids = folder.path(&format!("c{most}.npy"));
        let text = most.to_string();
        let args =
            ["-k", "9", "--init", "random", "--max-iter", &text, "--centroids", centroids.to_str().unwrap()];
        cluster(&input, &args).done();
        let (mut rows, mut want, mut labels) = ([0; 9], [0.0; 27], [0; 2000]);
        let mut scratch = vec![0; seed_workspace_size(Seeding::Random, 2000, 9).unwrap()];
        seed(&points, 9, Seeding::Random, 0, &mut rows, &mut want, &mut scratch).unwrap();
        let options = FitOptions { max_iterations: most, ..FitOptions::DEFAULT };
        let mut scratch = vec![0; fit_workspace_size(2000, 3, 9, &options).unwrap()];
        fit(&points, 9, &options, &mut want, &mut labels, &mut scratch).unwrap();
        assert_eq!(open(&centroids).data, want, "{most}");
    }
}

#[test]
fn more_starts_are_no_worse_and_text_may_have_a_header() {
    let folder = Folder::new();
    let rows = weights(400, 5);
    let mut text = "height;weight\n".to_owned();
    rows.chunks(2).for_each(|r| text += &format!("{};{}\n", r[0], r[1]));
    let input = folder.write("data.csv", text.as_bytes());
    let inertia = |starts: &str| {
        let out =
            cluster(&input, &["-k", "8", "--delimiter", ";", "--init", "random", "--n-init", starts]).done();
        let (_, rest) = out.split_once("inertia ").unwrap();
        rest.split_once(',').unwrap().0.parse::<f32>().unwrap()
    };
    assert!(inertia("10") <= inertia("1"));
    // One column, one cluster, constant values: the plot has an empty range to draw.
    let flat = folder.write("flat.txt", b"5\n5\n5\n");
    let plot = folder.path("flat.svg");
    let args = ["-k", "1", "--plot", plot.to_str().unwrap()];
    assert!(cluster(&flat, &args).done().contains("inertia 0,"));
    assert!(!std::fs::read_to_string(&plot).unwrap().contains("NaN"));
}

#[test]
fn refusals_are_one_line_and_leave_nothing() {
    let folder = Folder::new();
    let input = folder.write("data.csv", b"1,2\n3,4\n");
    let bad = folder.write("bad.csv", b"1,2\n3,x\n");
    let odd = folder.write("data.parquet", b"1,2\n");
    let names = folder.names();
    let labels = folder.path("l.npy");
    let labels = labels.to_str().unwrap();
    let wrong = folder.path("l.doc");
    let here = input.to_str().unwrap();
    for (input, args, says) in [
        (&input, vec!["-k", "3", "--labels", labels], "has 2 rows, fewer than 3 clusters"),
        (&bad, vec!["-k", "1", "--labels", labels], "line 2, column 2 is no number: 'x'"),
        (&odd, vec!["-k", "1", "--labels", labels], "ends in none of .npy"),
        (&input, vec!["-k", "1", "--labels", wrong.to_str().unwrap()], "ends in none of .npy"),
        (&input, vec!["-k", "1", "--labels", labels, "--centroids", labels], "is named twice"),
        (&input, vec!["-k", "1", "--labels", here, "--overwrite"], "is named twice"),
        (
            &input,
            vec!["-k", "1", "--has-header", "false", "--delimiter", ";"],
            "line 1, column 1 is no number",
        ),
    ] {
        let line = cluster(input, &args).refused();
        assert!(line.contains(says), "{line} / {says}");
    }
    for args in [
        vec!["-k", "0"],
        vec!["-k", "two"],
        vec![],
        vec!["-k", "1", "--delimiter", "1"],
        vec!["-k", "1", "--tol", "-1"],
    ] {
        assert_eq!(cluster(&input, &args).code, Some(2), "{args:?}");
    }
    assert_eq!(folder.names(), names);
}

#[test]
fn sizes_are_kept() {
    let folder = Folder::new();
    let x = weights(100 * 2, 17);
    let input = folder.path("data.npy");
    write_matrix(&input, Kind::Npy, 2, &x, false).unwrap();
    let labels = folder.path("l.npy");
    let sizes_of = |more: &[&str]| {
        let args = ["-k", "7", "--overwrite", "--labels", labels.to_str().unwrap()];
        let table = cluster(&input, &[&args[..], more].concat()).done();
        assert!(table.contains("100 rows of 2 columns in 7 clusters"), "{table}");
        let mut sizes = [0; 7];
        open(&labels).data.iter().for_each(|&l| sizes[l as usize] += 1);
        sizes
    };
    assert!(sizes_of(&["--balanced", "--n-init", "2"]).iter().all(|n| (14..=15).contains(n)));
    assert!(sizes_of(&["--min-size", "10", "--max-size", "18"]).iter().all(|n| (10..=18).contains(n)));
    assert!(sizes_of(&["--max-size", "15"]).iter().all(|n| *n <= 15));
    // The centres are those of the library.
    let centroids = folder.path("c.npy");
    let args = ["-k", "4", "--balanced", "--init", "random", "--centroids", centroids.to_str().unwrap()];
    cluster(&input, &args).done();
    let (mut rows, mut want, mut found) = ([0; 4], [0.0; 8], [0; 100]);
    let mut scratch = vec![0; seed_workspace_size(Seeding::Random, 100, 4).unwrap()];
    let points = Points::new(100, 2, &x).unwrap();
    seed(&points, 4, Seeding::Random, 0, &mut rows, &mut want, &mut scratch).unwrap();
    let mut scratch = vec![0; fit_balanced_workspace_size(100, 2, 4).unwrap()];
    let options = FitOptions::DEFAULT;
    fit_balanced(&points, 4, &Sizes::BALANCED, &options, &mut want, &mut found, &mut scratch).unwrap();
    assert_eq!(open(&centroids).data, want);
    for (args, says) in [
        (
            vec!["-k", "7", "--max-size", "14"],
            "has 100 rows, too many for 7 clusters of at most 14; raise --max-size or -k",
        ),
        (
            vec!["-k", "1", "--min-size", "101"],
            "has 100 rows, too few for 1 cluster of at least 101; lower --min-size or -k",
        ),
        (
            vec!["-k", "7", "--min-size", "15"],
            "has 100 rows, too few for 7 clusters of at least 15; lower --min-size or -k",
        ),
        (vec!["-k", "7", "--min-size", "9", "--max-size", "8"], "--min-size 9 is above --max-size 8"),
        (vec!["-k", "auto", "--balanced"], "sizes need a number of clusters"),
    ] {
        let line = cluster(&input, &args).refused();
        assert!(line.contains(says), "{line} / {says}");
    }
    assert_eq!(cluster(&input, &["-k", "2", "--balanced", "--max-size", "50"]).code, Some(2));
}

#[test]
fn the_number_of_clusters_is_found() {
    let folder = Folder::new();
    let input = folder.path("data.npy");
    write_matrix(&input, Kind::Npy, 4, &groups(300), false).unwrap();
    let (centroids, plot) = (folder.path("c.npy"), folder.path("p.svg"));
    let args = ["-k", "auto", "--centroids", centroids.to_str().unwrap(), "--plot", plot.to_str().unwrap()];
    let out = cluster(&input, &args).done();
    assert!(out.contains("in 3 clusters: inertia") && out.contains("chosen by vote"), "{out}");
    assert!(out.contains("Calinski-Harabasz") && out.contains("3 *"), "{out}");
    assert_eq!(open(&centroids).rows, 3);
    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(svg.contains("Inertia over clusters") && !svg.contains("NaN"));

    let even = folder.path("even.npy");
    write_matrix(&even, Kind::Npy, 2, &weights(2000, 21), false).unwrap();
    let out = cluster(&even, &["-k", "auto", "--max-k", "6"]).done();
    assert!(out.contains("in 1 cluster: inertia") && out.contains("no structure"), "{out}");
    let line = cluster(&even, &["-k", "auto", "--max-k", "1001"]).refused();
    assert!(line.contains("has 1000 rows, fewer than 1001 clusters; lower --max-k"), "{line}");
}
