//! What a template consists of, for those who have to prove it.

use std::collections::BTreeMap;
use std::path::Path;

use host_diag::SourceMap;

/// Ends of the names of templates.
const TEMPLATES: [&str; 3] = [".pkr.hcl", ".pkr.json", ".json"];
/// Ends of the names of files of variables' values.
const VALUES: [&str; 2] = [".pkrvars.hcl", ".pkrvars.json"];

/// The files the template consists of, as they are named in messages, each with the SHA-256 of what
/// was read. Files of variables' values are not among them: they may be secret, and so short that
/// a digest gives them away.
pub fn digests(
    working_dir: &Path,
    sources: &SourceMap,
    values: &[impl AsRef<Path>],
) -> BTreeMap<String, String> {
    let ends_in = |name: &str, ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let is_template = |name: &str| {
        (ends_in(name, &TEMPLATES) || host_template::is_yaml(name))
            && !ends_in(name, &VALUES)
            && !values.iter().any(|path| path.as_ref() == Path::new(name))
    };
    let files = sources
        .files()
        .filter(|file| is_template(&file.name) && working_dir.join(&file.name).is_file());
    files
        .map(|file| {
            let digest = sdk_attestation::sha256_hex(file.text.as_bytes());
            (file.name.clone(), digest)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_listed_and_values_are_not() {
        let mut sources = SourceMap::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in [
            "validate.schema.json",
            "-var",
            "no-such.pkr.hcl",
            "Cargo.toml",
        ] {
            sources.add(name, "abc");
        }
        let none: [&str; 0] = [];
        let found = digests(folder, &sources, &none);
        let names: Vec<&String> = found.keys().collect();
        assert_eq!(names, ["validate.schema.json"]);
        assert!(found["validate.schema.json"].starts_with("ba7816bf"));
        assert!(digests(folder, &sources, &["validate.schema.json"]).is_empty());
    }
}
