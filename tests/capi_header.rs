//! `include/hybridq.h` is what cbindgen makes of `src/capi`, and says the version of the package.

use std::path::Path;

fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new()
        .with_src(root.join("src/capi/mod.rs"))
        .with_config(config)
        .generate()
        .expect("cbindgen reads src/capi");
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).unwrap()
}

#[test]
fn header_is_what_the_sources_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/hybridq.h");
    let generated = generated();
    if std::env::var_os("HQ_WRITE_HEADER").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &generated).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "include/hybridq.h is not what src/capi says: run `make header`");
}

#[test]
fn every_extern_function_is_in_the_header() {
    let header = generated();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/capi")];
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let mut found = 0;
    for file in files {
        let source = std::fs::read_to_string(file).unwrap();
        let mut lines = source.lines();
        while lines.by_ref().any(|l| l.trim() == "#[unsafe(no_mangle)]") {
            let line = lines.next().unwrap();
            if let Some(constant) = line.strip_prefix("pub static ") {
                let name = constant.split(':').next().unwrap();
                assert!(header.contains(&format!("extern const struct hq_layer_kind {name};")), "{name}");
                continue;
            }
            let name = line.split("fn ").nth(1).and_then(|l| l.split('(').next()).unwrap();
            assert!(header.contains(&format!(" {name}(")) || header.contains(&format!("*{name}(")), "{name}");
            found += 1;
        }
    }
    assert_eq!(found, header.matches("```c").count(), "every function has an example");
    assert!(found >= 25);
}

#[test]
fn version_macros_are_those_of_the_package() {
    let header = generated();
    for (name, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        let line = format!("#define HQ_VERSION_{name} {value}");
        assert!(header.lines().any(|l| l == line), "{line}");
    }
}

#[test]
fn fortran_interfaces_have_the_numbers_and_the_arguments_of_the_header() {
    let header = generated();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("c_examples/hybridq.f90");
    let fortran = std::fs::read_to_string(path).unwrap().replace("&\n", "");
    let mut numbers = 0;
    for line in fortran.lines() {
        let Some((_, constant)) = line.split_once(", parameter, public :: ") else { continue };
        let (name, value) = constant.split_once(" = ").unwrap();
        assert!(header.lines().any(|l| l == format!("#define {name} {value}")), "{constant}");
        numbers += 1;
    }
    assert!(numbers >= 8);
    // The arguments of a function as one line without blanks: those of C end in the names that Fortran has.
    let arguments = |text: &str, name: &str| -> Option<Vec<String>> {
        let (_, rest) = text.split_once(&format!("{name}("))?;
        let inside = rest.split(')').next()?;
        let last = |a: &str| a.trim().rsplit([' ', '*']).next().unwrap_or_default().to_owned();
        Some(inside.split(',').map(last).filter(|a| a != "void" && !a.is_empty()).collect())
    };
    let mut functions = 0;
    for line in fortran.lines().filter(|l| l.contains("function hq_") && l.contains("bind(c)")) {
        let name = line.split("function ").nth(1).and_then(|l| l.split('(').next()).unwrap();
        // Declarations begin a line with the type; the examples in comments do not.
        let declarations: String =
            header.lines().filter(|l| !l.trim_start().starts_with('*')).collect::<Vec<_>>().join("\n");
        let c = arguments(&declarations, &format!(" {name}"));
        let c =
            c.or_else(|| arguments(&declarations, &format!("*{name}"))).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(arguments(line, name).unwrap(), c, "{name}");
        functions += 1;
    }
    assert!(functions >= 10, "{functions}");
}
