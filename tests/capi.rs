//! The C side: the archive that `make lib` builds, linked and run as its users do.
//!
//! Needs a C compiler (`CC`, else `cc`). Further compilers, a C++ compiler, the address sanitizer, valgrind and
//! pkg-config are used where they are installed; what is missing is named on standard error.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Written past the test harness, which would swallow it.
fn notice(text: &str) {
    let _ = writeln!(std::io::stderr(), "capi: {text}");
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        let text = run(Command::new("rustc").arg("-vV"));
        text.lines().find_map(|l| l.strip_prefix("host: ")).unwrap().to_owned()
    })
}

/// True where the tests run on another processor than the one that builds (under an emulator): the archive is
/// then tested on the machine itself.
fn emulated() -> bool {
    let emulated = !host().starts_with(std::env::consts::ARCH);
    if emulated {
        notice("skipped: the tests run on another processor than the compiler");
    }
    emulated
}

/// The folder with the archive and the headers, built once.
fn dist() -> &'static Path {
    static DIST: OnceLock<PathBuf> = OnceLock::new();
    DIST.get_or_init(|| {
        // The test's own cargo settings must not reach the release build.
        run(Command::new("sh").arg("scripts/lib.sh").current_dir(ROOT).env_remove("RUSTFLAGS"));
        Path::new(ROOT).join("dist").join(host())
    })
}

/// A fresh folder for one test.
fn folder(test: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("capi-{test}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
}

/// The C compilers to test with: the machine's own, and gcc and clang where they are.
fn c_compilers() -> Vec<String> {
    let own = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    assert!(installed(&own), "no C compiler: install gcc or clang, or set CC");
    compilers(own, ["gcc", "clang"])
}

/// The C++ compilers; empty, with a notice, if there is none.
fn cxx_compilers() -> Vec<String> {
    let own = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    if !installed(&own) {
        notice("C++ tests skipped: no C++ compiler (install g++ or clang, or set CXX)");
        return Vec::new();
    }
    compilers(own, ["g++", "clang++"])
}

fn compilers(own: String, others: [&str; 2]) -> Vec<String> {
    let mut all = vec![own];
    for other in others {
        if installed(other) {
            all.push(other.into());
        } else {
            notice(&format!("{other} is not installed: not tested with it"));
        }
    }
    all.dedup();
    all
}

/// A compiler with the flags that it needs for this machine, and all warnings as errors.
fn compiler(name: &str, std: &str) -> Command {
    let tool = cc::Build::new()
        .compiler(name)
        .target(host())
        .host(host())
        .opt_level(1)
        .debug(true)
        .cargo_metadata(false)
        .cargo_warnings(false)
        .get_compiler();
    let mut command = tool.to_command();
    command.arg(format!("-std={std}")).args(WARNINGS).current_dir(ROOT);
    command.arg("-I").arg(dist().join("include"));
    command
}

/// Compiles and links with the archive, runs, returns what the program printed.
fn build_and_run(compiler: &mut Command, source: &str, program: &Path) -> String {
    compiler.arg(source).arg(dist().join("libhybridq.a")).arg("-o").arg(program);
    run(compiler);
    run(&mut Command::new(program))
}

/// Names of the functions that the header declares.
fn header_functions() -> Vec<String> {
    let header = std::fs::read_to_string(Path::new(ROOT).join("include/hybridq.h")).unwrap();
    let mut names: Vec<String> = header
        .lines()
        .filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|l| l.split_once('(')?.0.rsplit([' ', '*']).next().map(str::to_owned))
        .filter(|name| name.starts_with("hq_"))
        .collect();
    names.sort();
    names
}

/// Names of the constants that the header declares.
fn header_constants() -> Vec<String> {
    let header = std::fs::read_to_string(Path::new(ROOT).join("include/hybridq.h")).unwrap();
    let declarations = header.lines().filter(|l| l.starts_with("extern const "));
    declarations.filter_map(|l| l.trim_end_matches(';').rsplit(' ').next().map(str::to_owned)).collect()
}

#[test]
fn archive_defines_what_the_header_declares_and_nothing_else() {
    if emulated() {
        return;
    }
    let archive = dist().join("libhybridq.a");
    let symbols = |flag: &str| -> Vec<String> {
        let text = run(Command::new("nm").args(["-g", flag]).arg(&archive));
        let mut names: Vec<_> =
            text.lines().filter_map(|l| l.split_whitespace().last()).map(str::to_owned).collect();
        names.retain(|n| !n.ends_with(':'));
        names.sort();
        names
    };
    let mut declared = [header_functions(), header_constants()].concat();
    declared.sort();
    assert_eq!(symbols("--defined-only"), declared);
    for name in symbols("--undefined-only") {
        assert!(["memcpy", "memmove", "memset", "memcmp", "bcmp"].contains(&name.as_str()), "{name}");
    }
    let all = run(Command::new("nm").arg(&archive));
    assert!(!all.contains("panic"), "a panic path is left");
}

#[test]
fn headers_are_clean_for_every_compiler_and_standard() {
    if emulated() {
        return;
    }
    let dir = folder("header");
    let twice = "#include \"hybridq.h\"\n#include \"hybridq.h\"\nint main(void) { return HQ_OK; }\n";
    std::fs::write(dir.join("h.c"), twice).unwrap();
    std::fs::write(dir.join("h.cpp"), twice.replace("main(void)", "main()")).unwrap();
    std::fs::write(dir.join("hpp.cpp"), "#include \"hybridq.hpp\"\nint main() { hybridq::check(HQ_OK); }\n")
        .unwrap();
    let check = |name: &str, std: &str, file: &str| {
        let strict = ["-Wconversion", "-Wshadow", "-Wundef", "-fsyntax-only"];
        run(compiler(name, std).args(strict).arg(dir.join(file)));
    };
    for name in c_compilers() {
        for std in ["c99", "c11"] {
            check(&name, std, "h.c");
        }
    }
    for name in cxx_compilers() {
        for std in ["c++11", "c++17"] {
            check(&name, std, "h.cpp");
        }
        check(&name, "c++17", "hpp.cpp");
    }
}

#[test]
fn cpp_wrapper_gives_the_same_bits_by_every_way() {
    if emulated() {
        return;
    }
    let dir = folder("wrapper");
    for name in cxx_compilers() {
        for (program, says) in [
            ("wrapper", "the same bits\n"),
            ("wrapper_kmeans", "the same clusters\n"),
            ("wrapper_learn", "the same steps\n"),
        ] {
            let text = build_and_run(
                &mut compiler(&name, "c++17"),
                &format!("tests/c/{program}.cpp"),
                &dir.join(format!("{program}-{name}")),
            );
            assert_eq!(text, says);
        }
    }
}

#[test]
fn cpp_wrapper_has_every_function_of_its_rooms() {
    for (header, rooms) in [
        ("kmeans", &["kmeans_", "cluster_", "suggest_"][..]),
        ("data", &["data_"]),
        ("constrain", &["set_", "sets_", "affine_", "trust_region_", "hessian_", "steihaug"]),
        ("core", &["selftest"]),
        ("hybrid", &["hybrid_"]),
        ("layers", &["layers_", "loss_"]),
        ("learn", &["optimizer_", "latent_free_"]),
        ("packets", &["gradient_packet_", "gradient_sums_"]),
        ("predictor", &["predictor_"]),
    ] {
        let text = std::fs::read_to_string(format!("{ROOT}/include/hybridq/{header}.hpp")).unwrap();
        let functions = header_functions();
        let of_room = |f: &String, room: &str| f["hq_".len()..].starts_with(room);
        for room in rooms {
            assert!(functions.iter().any(|f| of_room(f, room)), "no function hq_{room}*");
        }
        let own = functions.iter().filter(|f| rooms.iter().any(|room| of_room(f, room)));
        let missing: Vec<_> = own.filter(|f| !text.contains(&format!("{f}("))).collect();
        assert!(missing.is_empty(), "include/hybridq/{header}.hpp lacks {missing:?}");
    }
}

#[test]
fn links_with_every_compiler_with_and_without_gc_sections() {
    if emulated() {
        return;
    }
    let dir = folder("link");
    let programs = c_compilers().into_iter().map(|c| (c, "c99", "quickstart.c"));
    let programs = programs.chain(cxx_compilers().into_iter().map(|c| (c, "c++17", "quickstart.cpp")));
    for (i, (name, std, source)) in programs.enumerate() {
        for (j, flags) in [&[][..], &["-Wl,--gc-sections"]].into_iter().enumerate() {
            let program = dir.join(format!("p{i}{j}"));
            let text =
                build_and_run(compiler(&name, std).args(flags), &format!("c_examples/{source}"), &program);
            if source == "quickstart.c" {
                assert_eq!(text, "y = -2.000 2.923\n", "{name} {flags:?}");
            }
            assert!(!text.is_empty(), "{name} {flags:?}");
        }
    }
}

#[test]
fn a_second_rust_archive_links_beside_ours() {
    if emulated() {
        return;
    }
    let target_dir = Path::new(ROOT).join("target/second_archive");
    run(Command::new("cargo")
        .args(["build", "--quiet", "--locked", "--manifest-path", "tests/c/second_archive/Cargo.toml"])
        .current_dir(ROOT)
        .env("CARGO_TARGET_DIR", &target_dir));
    let second = target_dir.join("debug/libsecond_archive.a");
    let ours = dist().join("libhybridq.a");
    let dir = folder("two");
    for (name, archives) in [("a", [&ours, &second]), ("b", [&second, &ours])] {
        // Everything of both archives, so that no clash hides in a member that nobody asked for.
        for whole in [&[][..], &["-Wl,--whole-archive"]] {
            let program = dir.join(name);
            let mut command = compiler(&c_compilers()[0], "c99");
            command.arg("tests/c/two_archives.c").args(whole).args(archives);
            command.args((!whole.is_empty()).then_some("-Wl,--no-whole-archive"));
            run(command.args(["-lpthread", "-ldl", "-lm", "-o"]).arg(&program));
            assert_eq!(run(&mut Command::new(&program)), "2997 12977\n");
        }
    }
}

#[test]
fn misuse_gives_the_documented_status_and_writes_nothing() {
    if emulated() {
        return;
    }
    let dir = folder("misuse");
    let plain = dir.join("plain");
    for name in c_compilers() {
        let text = build_and_run(&mut compiler(&name, "c99"), "tests/c/misuse.c", &plain);
        assert!(text.ends_with("cases\n"), "{text}");
    }
    if installed("valgrind") {
        run(Command::new("valgrind").args(["--quiet", "--error-exitcode=9"]).arg(&plain));
    } else {
        notice("valgrind is not installed: misuse.c not run under it");
    }
    let program = dir.join("sanitized");
    let mut command = compiler(&c_compilers()[0], "c99");
    command.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    // Whether the compiler has the sanitizers is a property of the machine, not of the code.
    let probe = dir.join("probe.c");
    std::fs::write(&probe, "int main(void) { return 0; }\n").unwrap();
    let mut have = compiler(&c_compilers()[0], "c99");
    have.arg("-fsanitize=address,undefined").arg(&probe).arg("-o").arg(dir.join("probe"));
    if have.output().unwrap().status.success() {
        build_and_run(&mut command, "tests/c/misuse.c", &program);
    } else {
        notice("the C compiler has no address sanitizer: misuse.c not run under it");
    }
}

#[test]
fn examples_of_the_header_compile_and_run() {
    if emulated() {
        return;
    }
    let header = std::fs::read_to_string(Path::new(ROOT).join("include/hybridq.h")).unwrap();
    let mut program = String::from(
        "#undef NDEBUG\n#include <assert.h>\n#include <math.h>\n#include <stdio.h>\n#include <string.h>\n#include \"hybridq.h\"\n",
    );
    let mut count = 0;
    let mut lines = header.lines().map(|l| l.trim().trim_start_matches('*').trim_start());
    while lines.by_ref().any(|l| l == "```c") {
        program += &format!("static void example_{count}(void) {{\n");
        for line in lines.by_ref().take_while(|l| *l != "```") {
            program += &format!("    {line}\n");
        }
        program += "}\n";
        count += 1;
    }
    program += "int main(void) {\n";
    for i in 0..count {
        program += &format!("    example_{i}();\n");
    }
    program += "    return 0;\n}\n";
    assert_eq!(count, header_functions().len(), "every function has an example");

    let dir = folder("header-examples");
    let source = dir.join("examples.c");
    std::fs::write(&source, program).unwrap();
    for name in c_compilers() {
        build_and_run(&mut compiler(&name, "c99"), source.to_str().unwrap(), &dir.join("examples"));
    }
}

#[test]
fn standalone_makefile_builds_and_runs_the_examples() {
    if emulated() {
        return;
    }
    let dir = folder("examples");
    let has_cxx = !cxx_compilers().is_empty();
    let text = run(Command::new("make")
        .args(["--no-print-directory", "-C", "c_examples", if has_cxx { "run" } else { "run-c" }])
        .arg(format!("HYBRIDQ={}", dist().display()))
        .arg(format!("OUT={}", dir.display()))
        .env_remove("MAKEFLAGS")
        .current_dir(ROOT));
    for line in [
        "y = -2.000 2.923",
        "outputs: 17.2539 -24.7674 -2.8369 0.7436",
        "weights 6040 bytes, scratch 2406, activations 584, no heap",
        "budget        40.00 of 40.00",
        "ternary  trained 9",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!has_cxx || text.contains("five-level: 3.844 0.000"), "{text}");
    for student in ["constrained", "latent-free"] {
        assert!(!has_cxx || text.contains(&format!("{student}  256 of 256 trits")), "{text}");
    }
}

/// The C program's scores are those of the same network in Rust, bit for bit, in every ternary format.
#[cfg(feature = "std")]
#[test]
fn classify_gives_the_scores_of_the_rust_path() {
    use hybridq::quant::Format;
    if emulated() {
        return;
    }
    let dir = folder("classify");
    let csv = Path::new(ROOT).join("data/digits/test.csv");
    for format in Format::ALL {
        let net = digits::Net::quantized(format);
        std::fs::write(dir.join("digits_weights.h"), net.header()).unwrap();
        let program = dir.join(format.name());
        let mut command = compiler(&c_compilers()[0], "c99");
        command.arg("-I").arg(&dir).arg("c_examples/classify.c").arg(dist().join("libhybridq.a"));
        run(command.arg("-o").arg(&program));
        let scores = dir.join("scores");
        let text = run(Command::new(&program).arg(&csv).arg("--scores").arg(&scores));
        assert!(text.contains("of 360)") && text.contains("us per image"), "{text}");
        let bytes: Vec<u8> = net
            .scores(&std::fs::read_to_string(&csv).unwrap())
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .collect();
        assert_eq!(bytes.len(), 360 * 10 * 4);
        assert!(std::fs::read(&scores).unwrap() == bytes, "{format:?}: the scores differ\n{text}");
    }
    let usage = Command::new(dir.join(Format::Q8_0.name())).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let missing = Command::new(dir.join(Format::Q8_0.name())).arg("/nonexistent.csv").output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
}

/// The header of a trained network runs by itself, and gives the bits of the library.
#[cfg(feature = "std")]
#[test]
fn a_trained_network_runs_from_c() {
    use hybridq::quant::Format;
    use hybridq::train::{Config, CurveName, Dataset, Exported, LabelColumn, Trainer};
    if emulated() {
        return;
    }
    let dir = folder("classify-trained");
    let data = |file: &str| Path::new(ROOT).join("data/digits").join(file);
    let open = |file: &str| Dataset::open(&data(file), LabelColumn::First, 1.0 / 16.0).unwrap();
    let (train, test) = (open("train.csv"), open("test.csv"));
    for (format, hidden, curve) in [
        (Format::DenseTernary, vec![64], CurveName::Relu),
        // More than a block of activations.
        (Format::Tq2_0, vec![300, 20], CurveName::ReluSquared),
    ] {
        let mut config = Config { epochs: 2, ..Config::default() };
        (config.model.hidden, config.model.curve, config.trust_region.enabled) = (hidden, curve, false);
        config.optimizer.base_learning_rate = 0.02;
        let mut trainer = Trainer::new(config, train.clone()).unwrap();
        while !trainer.ended() {
            trainer.step().unwrap();
        }
        let model = &trainer.config().model;
        let network =
            Exported::new(model, trainer.shape(), trainer.chosen(), Some(format), 1.0 / 16.0).unwrap();
        let header = dir.join("digits_trained.h");
        assert!(network.write_c_header("digits", &header, true).unwrap());
        let mut wanted = vec![0.0; 360 * 10];
        network.scores(360, &test.x, &mut wanted).unwrap();
        let bytes: Vec<u8> = wanted.iter().flat_map(|s| s.to_le_bytes()).collect();
        for name in c_compilers() {
            let program = dir.join("program");
            let mut command = compiler(&name, "c99");
            command.arg("-I").arg(&dir).arg("c_examples/classify_trained.c").arg(dist().join("libhybridq.a"));
            run(command.arg("-lm").arg("-o").arg(&program));
            let scores = dir.join("scores");
            let text = run(Command::new(&program).arg(data("test.csv")).arg("--scores").arg(&scores));
            assert!(text.contains("of 360)"), "{text}");
            assert!(std::fs::read(&scores).unwrap() == bytes, "{name} {format:?}: the scores differ\n{text}");
        }
    }
}

/// Twice the same bits, and a good classifier.
#[test]
fn latent_free_learns_the_digits() {
    if emulated() {
        return;
    }
    let program = folder("latent-free").join("program");
    let mut command = compiler(&c_compilers()[0], "c99");
    command.arg("c_examples/latent_free.c").arg(dist().join("libhybridq.a")).arg("-o").arg(&program);
    run(&mut command);
    let data = |file: &str| Path::new(ROOT).join("data/digits").join(file);
    let learn = || run(Command::new(&program).arg(data("train.csv")).arg(data("test.csv")));
    let text = learn();
    let percent = |before: &str| -> f64 {
        let (head, _) = text.split_once(before).unwrap();
        head.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(text.starts_with("1310 bytes of state"), "{text}");
    assert!(percent(" % of 1437") > 96.0 && percent(" % of 360") > 93.0, "{text}");
    assert_eq!(learn(), text);
    let usage = Command::new(&program).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

/// The digits network, packed and multiplied in Rust.
#[cfg(feature = "std")]
mod digits {
    use std::fmt::Write;

    use hybridq::linear::{Packed, matvec};
    use hybridq::quant::{ActBlock, Format, NonFinite, Options, quantize, quantize_activations};

    struct Layer {
        rows: usize,
        cols: usize,
        weight: Vec<u8>,
        bias: Vec<f32>,
    }

    pub struct Net {
        format: Format,
        layers: Vec<Layer>,
    }

    impl Net {
        pub fn quantized(format: Format) -> Net {
            let file = std::fs::read(std::path::Path::new(super::ROOT).join("data/digits/mlp.safetensors"));
            let file = file.unwrap();
            let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
            let values = |name: &str| -> (Vec<usize>, Vec<f32>) {
                let tensor = tensors.tensor(name).unwrap();
                let (words, _) = tensor.data().as_chunks::<4>();
                (tensor.shape().to_vec(), words.iter().map(|w| f32::from_le_bytes(*w)).collect())
            };
            let layers = ["fc1", "fc2"].map(|name| {
                let (shape, w) = values(&format!("{name}.weight"));
                let [rows, cols] = shape[..] else { panic!("a matrix") };
                let mut weight = vec![0; format.matrix_bytes(rows, cols).unwrap()];
                let mut scratch = vec![0; 8 * rows * cols + 8];
                quantize(format, &Options::new(format), rows, cols, &w, &mut weight, &mut scratch).unwrap();
                Layer { rows, cols, weight, bias: values(&format!("{name}.bias")).1 }
            });
            Net { format, layers: layers.into() }
        }

        /// As `hybridq export --c-header` names things.
        pub fn header(&self) -> String {
            let mut text = String::from("#include <stdint.h>\n");
            for (i, layer) in self.layers.iter().enumerate() {
                let (low, up) = (format!("digits_fc{}", i + 1), format!("DIGITS_FC{}", i + 1));
                let format = self.format as i32;
                writeln!(text, "#define {up}_WEIGHT_ROWS {}", layer.rows).unwrap();
                writeln!(text, "#define {up}_WEIGHT_COLS {}", layer.cols).unwrap();
                writeln!(text, "#define {up}_WEIGHT_FORMAT {format}").unwrap();
                writeln!(text, "static const uint8_t {low}_weight[] = {{").unwrap();
                layer.weight.iter().for_each(|b| writeln!(text, "{b},").unwrap());
                writeln!(text, "}};\nstatic const float {low}_bias[] = {{").unwrap();
                layer.bias.iter().for_each(|b| writeln!(text, "{b:.8e}f,").unwrap());
                text += "};\n";
            }
            text
        }

        /// Ten scores for each line of the CSV.
        pub fn scores(&self, csv: &str) -> Vec<f32> {
            let mut all = Vec::new();
            for line in csv.lines() {
                let pixels = line.split(',').skip(1).map(|p| p.parse::<f32>().unwrap() / 16.0);
                let mut x: Vec<f32> = pixels.collect();
                for (i, layer) in self.layers.iter().enumerate() {
                    if i > 0 {
                        x.iter_mut().for_each(|v| *v = v.max(0.0));
                    }
                    let mut acts = vec![ActBlock::ZERO; ActBlock::count(layer.cols)];
                    quantize_activations(1, layer.cols, &x, NonFinite::Error, &mut acts).unwrap();
                    let weights = Packed::new(self.format, layer.rows, layer.cols, &layer.weight).unwrap();
                    let mut y = vec![0.0; layer.rows];
                    matvec(&weights, &acts, &mut y).unwrap();
                    y.iter_mut().zip(&layer.bias).for_each(|(y, b)| *y += b);
                    x = y;
                }
                all.extend(x);
            }
            all
        }
    }
}

#[test]
fn installed_files_are_found_by_pkg_config_and_removed_again() {
    if emulated() {
        return;
    }
    dist();
    let stage = folder("install");
    let make = |goal: &str| {
        run(Command::new("make")
            .args(["--no-print-directory", goal, "PREFIX=/opt/hq"])
            .arg(format!("DESTDIR={}", stage.display()))
            .env_remove("MAKEFLAGS")
            .env_remove("RUSTFLAGS")
            .current_dir(ROOT))
    };
    make("install");
    let prefix = stage.join("opt/hq");
    for pkgconfig in [prefix.join("lib/pkgconfig"), dist().join("lib/pkgconfig")] {
        if !installed("pkg-config") {
            notice("pkg-config is not installed: hybridq.pc not tested");
            continue;
        }
        let query = |flag: &str| {
            run(Command::new("pkg-config").args([flag, "hybridq"]).env("PKG_CONFIG_PATH", &pkgconfig))
        };
        assert_eq!(query("--modversion").trim(), env!("CARGO_PKG_VERSION"));
        let flags = query("--cflags") + &query("--libs");
        let c = c_compilers().into_iter().take(1).map(|c| (c, "-std=c99", "quickstart.c"));
        let cxx = cxx_compilers().into_iter().take(1).map(|c| (c, "-std=c++17", "quickstart.cpp"));
        for (compiler, std, source) in c.chain(cxx) {
            let program = stage.join("program");
            run(Command::new(compiler)
                .arg(std)
                .args(WARNINGS)
                .arg(Path::new(ROOT).join("c_examples").join(source))
                .args(flags.split_whitespace())
                .arg("-o")
                .arg(&program));
            run(&mut Command::new(&program));
        }
    }
    make("uninstall");
    let left: Vec<_> = walk(&prefix);
    assert!(left.is_empty(), "{left:?}");
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
}
