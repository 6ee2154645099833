//! Alpine's database.
//!
//! # Source
//!
//! apk-tools, the format of `lib/apk/db/installed`: one letter, a colon and a value in each line,
//! an empty line behind each package.

use super::{Found, Kind, Package, tidy};

/// Reads an `installed` file.
pub(super) fn read(text: &str, found: &mut Found) {
    for block in text.split("\n\n") {
        let lines = || block.lines().filter(|line| !line.trim().is_empty());
        if lines().next().is_none() {
            continue;
        }
        let get = |letter: &str| {
            let mut fields = lines().filter_map(|line| line.split_once(':'));
            let field = fields.find(|(name, _)| *name == letter);
            field.map(|(_, value)| value.trim()).unwrap_or_default()
        };
        let package = Package::named(Kind::Apk, get("P"), get("V"));
        found.add(package.map(|package| Package {
            architecture: tidy(get("A")),
            license: tidy(get("L")),
            supplier: tidy(get("m")),
            description: tidy(get("T")),
            homepage: tidy(get("U")),
            ..package
        }));
    }
}
