//! Every template under `testdata/` is read without a complaint.

use std::path::{Path, PathBuf};

use host_diag::{SourceMap, render_text};
use host_syntax::{parse_hcl, parse_hcl_json};

fn templates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let entries = std::fs::read_dir(folder).expect("testdata is readable");
    entries
        .map(|entry| entry.expect("testdata is readable").path())
        .collect()
}

#[test]
fn every_template_is_read_without_a_complaint() {
    let paths = templates();
    assert!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).expect("templates are UTF-8");
        let mut sources = SourceMap::default();
        let file = sources.add(name.clone(), text.clone());
        let (body, diagnostics) = match name.ends_with(".json") {
            true => parse_hcl_json(file, &text),
            false => parse_hcl(file, &text),
        };
        assert!(
            diagnostics.is_empty(),
            "{}",
            render_text(&diagnostics, &sources)
        );
        assert!(body.is_some(), "{name}");
    }
}
