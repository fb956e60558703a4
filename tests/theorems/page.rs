//! docs/theorems.md and the tests name each other.

#[test]
fn every_theorem_names_tests_that_exist_and_every_test_here_has_its_theorem() {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |path: &str| {
        std::fs::read_to_string(format!("{root}/{path}")).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    let page = read("docs/theorems.md");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert!(sections.len() >= 8, "{} theorems", sections.len());
    let mut named = Vec::new();
    for section in sections {
        let title = section.lines().next().unwrap();
        assert!(section.contains("\n**Theorem.** ") && section.contains("\n**Proof.** "), "{title}");
        let (_, tests) =
            section.rsplit_once("\n**Tests.** ").unwrap_or_else(|| panic!("{title} names no test"));
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{title} names no test");
        for name in names {
            let (path, function) = name.split_once("::").unwrap_or_else(|| panic!("{title}: `{name}`"));
            let source = read(path);
            let (before, _) = source
                .split_once(&format!("fn {function}("))
                .unwrap_or_else(|| panic!("{title}: no test {name}"));
            assert!(before.trim_end().ends_with("#[test]"), "{title}: {name} is no test");
            named.push(name.to_owned());
        }
    }
    for file in ["codes", "errors", "products"] {
        let path = format!("tests/theorems/{file}.rs");
        let here = read(&path);
        for (_, rest) in here.match_indices("#[test]\n").map(|(at, tag)| here.split_at(at + tag.len())) {
            let Some(rest) = rest.trim_start().strip_prefix("fn ") else { continue };
            let name = format!("{path}::{}", rest.split('(').next().unwrap());
            assert!(named.contains(&name), "{name} proves no theorem");
        }
    }
}
