//! The README shows programs that are built and run elsewhere, to the letter.

use std::fs;
use std::path::Path;

#[test]
fn its_programs_are_the_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let programs =
        [("c", "c", "c_examples/quickstart.c"), ("firmware", "rust", "examples/firmware/src/main.rs")];
    for (block, language, file) in programs {
        let program = fs::read_to_string(root.join(file)).unwrap();
        let expected = format!(
            "<!-- example:{block}:begin -->\n```{language}\n{program}```\n<!-- example:{block}:end -->"
        );
        assert!(readme.contains(&expected), "README.md does not show {file}: copy it into the {block} block");
    }
}
