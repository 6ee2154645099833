//! Debian's database.
//!
//! # Source
//!
//! dpkg's `status` file: deb822(5), and the states of dpkg(1).

use super::{Found, Kind, Package, tidy};

/// Reads a `status` file. Packages whose files are not there (removed ones) are no packages.
pub(super) fn read(text: &str, found: &mut Found) {
    for paragraph in paragraphs(text) {
        let fields = fields(&paragraph);
        let get = |name: &str| {
            let field = fields
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            field.map(|(_, value)| *value).unwrap_or_default()
        };
        let state = get("Status").split_whitespace().last().unwrap_or_default();
        if matches!(state, "not-installed" | "config-files") {
            continue;
        }
        let package = Package::named(Kind::Deb, get("Package"), get("Version"));
        found.add(package.map(|package| Package {
            architecture: tidy(get("Architecture")),
            supplier: tidy(get("Maintainer")),
            description: tidy(get("Description")),
            homepage: tidy(get("Homepage")),
            ..package
        }));
    }
}

fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let mut all = vec![Vec::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            all.push(Vec::new());
        } else if let Some(current) = all.last_mut() {
            current.push(line);
        }
    }
    all.retain(|lines| !lines.is_empty());
    all
}

/// Names and the first lines of their values; continuation lines hold nothing that is needed.
fn fields<'a>(paragraph: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let lines = paragraph
        .iter()
        .filter(|line| !line.starts_with([' ', '\t']));
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect()
}
