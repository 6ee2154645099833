//! Arch's database.
//!
//! # Source
//!
//! libalpm, the format of `local/*/desc`: a name between percent signs, then lines up to an empty
//! one.

use super::{Found, Kind, Package, tidy};

/// Every `desc` file begins with it.
const FIRST: &str = "%NAME%";

/// Reads `desc` files, one behind the other.
pub(super) fn read(text: &str, found: &mut Found) {
    let mut parts = text.split(FIRST);
    // What stands before the first package.
    if parts.next().is_some_and(|text| !text.trim().is_empty()) {
        found.add(None);
    }
    for part in parts {
        let values = |name: &str| -> Vec<&str> {
            let mut lines = part.lines().map(str::trim);
            if name != FIRST {
                lines.by_ref().find(|line| *line == name);
            } else {
                lines.next();
            }
            lines.take_while(|line| !line.is_empty()).collect()
        };
        let first = |name: &str| values(name).first().copied().unwrap_or_default();
        let package = Package::named(Kind::Alpm, first(FIRST), first("%VERSION%"));
        found.add(package.map(|package| Package {
            architecture: tidy(first("%ARCH%")),
            license: tidy(&values("%LICENSE%").join(" AND ")),
            supplier: tidy(first("%PACKAGER%")),
            description: tidy(first("%DESC%")),
            homepage: tidy(first("%URL%")),
            ..package
        }));
    }
}
