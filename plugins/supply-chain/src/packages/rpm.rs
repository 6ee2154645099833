//! Red Hat's database, as `rpm` prints it.

use super::machine::RPM_FIELDS;
use super::{Found, Kind, Package, tidy};

/// What `rpm` prints for a field that is not set.
const NONE: &str = "(none)";
/// Keys of repositories are in the database as if they were packages.
const KEYS: &str = "gpg-pubkey";

/// Reads lines of tab-separated fields.
pub(super) fn read(text: &str, found: &mut Found) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line
            .split('\t')
            .map(|field| if field == NONE { "" } else { field.trim() })
            .collect();
        let [
            name,
            epoch,
            version,
            release,
            architecture,
            license,
            supplier,
            summary,
            url,
        ] = fields[..]
        else {
            found.add(None);
            continue;
        };
        const { assert!(RPM_FIELDS.len() == 9) };
        if name == KEYS {
            continue;
        }
        let whole = match release {
            "" => version.to_owned(),
            release => format!("{version}-{release}"),
        };
        let numeric = epoch.bytes().all(|byte| byte.is_ascii_digit());
        let package = Package::named(Kind::Rpm, name, &whole);
        let package = package.filter(|_| numeric && !version.is_empty());
        found.add(package.map(|package| Package {
            epoch: epoch.trim_start_matches('0').to_owned(),
            architecture: tidy(architecture),
            license: tidy(license),
            supplier: tidy(supplier),
            description: tidy(summary),
            homepage: tidy(url),
            ..package
        }));
    }
}
