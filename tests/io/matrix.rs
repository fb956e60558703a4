//! Tables of numbers: what NumPy and spreadsheets write, and files that lie.

use std::path::Path;

use hybridq::io::csv::Options;
use hybridq::io::matrix::{Kind, Matrix, write_labels, write_matrix};
use hybridq::io::{IoError, csv, npy};

fn parse_npy(bytes: &[u8]) -> Result<Matrix, IoError> {
    npy::parse(bytes, Path::new("data.npy"))
}

fn parse_csv(text: &str, options: Options) -> Result<Matrix, IoError> {
    csv::parse(text.as_bytes(), Path::new("data.csv"), &options)
}

fn array(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn of(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    array(1, &format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n"), data)
}

fn bytes_of<const N: usize>(values: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    values.into_iter().flatten().collect()
}

fn matrix(rows: usize, cols: usize, data: &[f32]) -> Matrix {
    Matrix { rows, cols, data: data.to_vec() }
}

#[test]
fn every_type_version_and_order() {
    let want = matrix(2, 3, &[0.0, 1.0, 2.0, 3.0, 4.0, 100.0]);
    let v = [0i64, 1, 2, 3, 4, 100];
    let cases = [
        ("<f4", bytes_of(v.map(|v| (v as f32).to_le_bytes()))),
        ("=f4", bytes_of(v.map(|v| (v as f32).to_le_bytes()))),
        ("<f8", bytes_of(v.map(|v| (v as f64).to_le_bytes()))),
        ("<f2", bytes_of(v.map(|v| half::f16::from_f32(v as f32).to_le_bytes()))),
        ("|i1", bytes_of(v.map(|v| (v as i8).to_le_bytes()))),
        (">u1", bytes_of(v.map(|v| (v as u8).to_le_bytes()))),
        ("<i2", bytes_of(v.map(|v| (v as i16).to_le_bytes()))),
        ("<u2", bytes_of(v.map(|v| (v as u16).to_le_bytes()))),
        ("<i4", bytes_of(v.map(|v| (v as i32).to_le_bytes()))),
        ("<u4", bytes_of(v.map(|v| (v as u32).to_le_bytes()))),
        ("<i8", bytes_of(v.map(|v| v.to_le_bytes()))),
        ("<u8", bytes_of(v.map(|v| (v as u64).to_le_bytes()))),
    ];
    for (descr, data) in cases {
        assert_eq!(parse_npy(&of(descr, "False", "(2, 3)", &data)).unwrap(), want, "{descr}");
    }
    let negative = of("<i2", "False", "(2,)", &bytes_of([-3i16, 7].map(i16::to_le_bytes)));
    assert_eq!(parse_npy(&negative).unwrap(), matrix(2, 1, &[-3.0, 7.0]));
    let truth = of("|b1", "False", "(3, 1)", &[1, 0, 1]);
    assert_eq!(parse_npy(&truth).unwrap(), matrix(3, 1, &[1.0, 0.0, 1.0]));
    let columns = of("|u1", "True", "(2, 3)", &[0, 3, 1, 4, 2, 100]);
    assert_eq!(parse_npy(&columns).unwrap(), want);
    for version in [1, 2, 3] {
        let header = "{\"shape\":(2L,3),\"fortran_order\":False,\"descr\":\"|u1\"}";
        assert_eq!(parse_npy(&array(version, header, &[0, 1, 2, 3, 4, 100])).unwrap(), want);
    }
}

#[test]
fn hostile_arrays_give_one_clear_line() {
    let sound = of("<f4", "False", "(2, 3)", &[0; 24]);
    for cut in 0..sound.len() {
        let error = parse_npy(&sound[..cut]).unwrap_err().to_string();
        assert!(error.starts_with("data.npy: ") && !error.contains('\n'), "{error}");
    }
    let big = "(18446744073709551615, 2)";
    let cases = [
        (of("<f4", "False", "(2, 3)", &[0; 25]), "holds 25 bytes of data, and its shape says 24"),
        (of("<f4", "False", big, &[0; 24]), "more than 2^64"),
        (of("<f4", "False", "(1000000000000, 3)", &[0; 24]), "its shape says 12000000000000"),
        (of("<f4", "False", "(4611686018427387904, 4)", &[]), "more than 2^64"),
        (of("<f4", "False", "(99999999999999999999999, 1)", &[]), "no number of 64 bits"),
        (of("<f4", "False", "(-1, 3)", &[0; 24]), "no number of 64 bits"),
        (of("<f4", "False", "(0, 3)", &[]), "is empty: 0 rows, 3 columns"),
        (of("<f4", "False", "(18446744073709551615, 0)", &[]), "is empty"),
        (of("<f4", "False", "()", &[0; 4]), "0 dimensions"),
        (of("<f4", "False", "(1, 2, 3)", &[0; 24]), "3 dimensions"),
        (of(">f4", "False", "(2, 3)", &[0; 24]), "astype(\"<f4\")"),
        (of("<c8", "False", "(2, 3)", &[0; 48]), "'<c8'"),
        (of("|O", "False", "(2, 3)", &[0; 24]), "'|O'"),
        (of("é4", "False", "(2, 3)", &[0; 24]), "type 'é4'"),
        (of("", "False", "(2, 3)", &[0; 24]), "type ''"),
        (of("<f4", "Maybe", "(2, 3)", &[0; 24]), "True or False"),
        (
            array(
                1,
                "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (3,)}",
                &[0; 24],
            ),
            "[('a'",
        ),
        (array(1, "{'descr': '<f4', 'shape': (2, 3)}", &[0; 24]), "without descr, fortran_order or shape"),
        (array(1, "{'descr': '<f4', 'descr': '<f4'}", &[]), "two entries 'descr'"),
        (array(1, "{'colour': 3}", &[]), "unknown entry 'colour'"),
        (array(1, "{'descr': '<f4", &[]), "without end"),
        (array(1, "", &[]), "'{' expected"),
        (array(4, "{}", &[]), "version 4.0"),
        (array(2, "{}", &[]), "without descr"),
        (array(1, &format!("{{'shape': ({})}}", "1,".repeat(5000)), &[]), "more than 32 dimensions"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec(), "a header of 4294967295 bytes"),
        (b"\x93NUMPY\x01\x00\x02\x00\xff\xfe".to_vec(), "no text"),
        (b"PK\x03\x04".to_vec(), "does not begin as .npy does"),
        (
            of("<f4", "False", "(1, 2)", &bytes_of([0.0, f32::NAN].map(f32::to_le_bytes))),
            "row 1, column 2 is NaN",
        ),
        (
            of("<f8", "True", "(2, 1)", &bytes_of([0.0, -1e300].map(f64::to_le_bytes))),
            "row 2, column 1 is -1e300",
        ),
        (of("<f2", "False", "(1, 1)", &[0, 0x7C]), "infinite"),
    ];
    for (bytes, says) in cases {
        let error = parse_npy(&bytes).unwrap_err().to_string();
        assert!(error.contains(says), "{error} / {says}");
        assert!(!error.contains('\n') && error.contains("; "), "{error}");
    }
}

#[test]
fn text_with_and_without_header() {
    let want = matrix(2, 2, &[1.0, -2.5, 3e4, 4.0]);
    for text in [
        "1,-2.5\n3e4,4\n",
        "1,-2.5\r\n3e4,4",
        " 1 , -2.5\n\n\"3e4\",4\n",
        "a,b\n1,-2.5\n3e4,4\n",
        "\u{feff}1,-2.5\n3e4,4\n",
        "1,name\n1,-2.5\n3e4,4\n",
    ] {
        assert_eq!(parse_csv(text, Options::default()).unwrap(), want, "{text:?}");
    }
    let header = |header| Options { header: Some(header), delimiter: None };
    assert_eq!(parse_csv("7,8\n1,-2.5\n3e4,4", header(true)).unwrap(), want);
    assert!(parse_csv("a,b\n1,-2.5", header(false)).unwrap_err().to_string().contains("line 1, column 1"));
    let semicolon = Options { delimiter: Some(b';'), header: None };
    assert_eq!(parse_csv("1;-2.5\n3e4;4", semicolon).unwrap(), want);
    assert_eq!(parse_csv("5", Options::default()).unwrap(), matrix(1, 1, &[5.0]));
}

#[test]
fn hostile_text_gives_one_clear_line() {
    for (text, says) in [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "a header and no rows"),
        ("a,b\nc,d\n", "line 2, column 1 is no number: 'c'"),
        ("1,2\n3,x\u{1b}[2J\n", "line 2, column 2 is no number: 'x\\u{1b}[2J'"),
        ("1,2\n3,\n", "line 2, column 2 is empty"),
        ("1,2\n\n3\n", "line 3 has 1 cells, and line 1 has 2"),
        ("1,2\n3,4,5\n", "line 2 has 3 cells"),
        ("a\n1,2\n", "line 2 has 2 cells, and line 1 has 1"),
        ("1,nan\n", "line 1, column 2 is NaN"),
        ("1,2\n-inf,2\n", "line 2, column 1 is infinite"),
        ("1,1e39\n", "line 1, column 2 is 1e39, beyond"),
        ("1;2\n3;4\n", "line 2, column 1 is no number: '3;4'"),
        ("1,\"2\n3,4\n", "a header and no rows"),
    ] {
        let error = parse_csv(text, Options::default()).unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error} / {says}");
        assert!(error.starts_with("data.csv: ") && !error.contains('\n') && error.contains("; "), "{error}");
    }
    let bytes = csv::parse(b"1,2\n\xff\xfe,3\n", Path::new("data.csv"), &Options::default());
    assert!(bytes.unwrap_err().to_string().contains("line 2, column 1 is no number"));
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = [1.0f32, -2.5, 1e-40, f32::MAX, 0.1, -0.0];
    for (name, cols) in [("a.npy", 3), ("b.csv", 2), ("c.tsv", 1), ("d.npy", 1)] {
        let path = folder.path().join(name);
        write_matrix(&path, Kind::of(&path).unwrap(), cols, &data, false).unwrap();
        let read = Matrix::open(&path, &Options::default()).unwrap();
        assert_eq!((read.rows, read.cols), (6 / cols, cols));
        let bits = |x: &[f32]| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read.data), bits(&data), "{name}");
        let again = write_matrix(&path, Kind::of(&path).unwrap(), cols, &data, false);
        assert!(again.unwrap_err().to_string().contains("exists already"));
    }
    for name in ["l.npy", "l.csv"] {
        let path = folder.path().join(name);
        write_labels(&path, Kind::of(&path).unwrap(), &[3, 0, 255], false).unwrap();
        let read = Matrix::open(&path, &Options::default()).unwrap();
        assert_eq!(read, matrix(3, 1, &[3.0, 0.0, 255.0]));
    }
    let npy = std::fs::read(folder.path().join("a.npy")).unwrap();
    assert_eq!((npy.len(), npy[127], &npy[..8]), (128 + 24, b'\n', &b"\x93NUMPY\x01\x00"[..]));
    for name in ["x.parquet", "noname"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "1,2\n").unwrap();
        let error = Matrix::open(&path, &Options::default()).unwrap_err().to_string();
        assert!(error.contains(".npy, .csv"), "{error}");
    }
    let missing = Matrix::open(&folder.path().join("none.npy"), &Options::default()).unwrap_err().to_string();
    assert!(missing.contains("check the path"), "{missing}");
}
