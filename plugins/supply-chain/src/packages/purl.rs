//! Package URLs.
//!
//! # Source
//!
//! The package-url specification (ECMA-427) and its definitions of the types `apk`, `alpm`, `deb`
//! and `rpm`.

use super::{Kind, OsRelease, Package};

/// The URL of a package of `os`, in canonical form.
pub fn purl(package: &Package, os: &OsRelease) -> String {
    let namespace = match (os.id.as_str(), package.kind) {
        ("", Kind::Apk) => "alpine",
        ("", Kind::Alpm) => "arch",
        ("", Kind::Deb) => "debian",
        (id, _) => id,
    };
    let mut url = format!("pkg:{}/", package.kind.name());
    if !namespace.is_empty() {
        url.push_str(&encoded(namespace));
        url.push('/');
    }
    url.push_str(&encoded(&name(package)));
    url.push('@');
    url.push_str(&encoded(&package.version));
    let distribution = match (os.id.is_empty(), os.version_id.as_str()) {
        (true, _) => String::new(),
        (false, "") => os.id.clone(),
        (false, version) => format!("{}-{version}", os.id),
    };
    // In the order of their names.
    let qualifiers = [
        ("arch", &package.architecture),
        ("distro", &distribution),
        ("epoch", &package.epoch),
    ];
    let set = qualifiers.iter().filter(|(_, value)| !value.is_empty());
    let set: Vec<String> = set
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if !set.is_empty() {
        url.push('?');
        url.push_str(&set.join("&"));
    }
    url
}

/// Names of these types have no case, but those of RPMs do.
fn name(package: &Package) -> String {
    match package.kind {
        Kind::Rpm => package.name.clone(),
        _ => package.name.to_lowercase(),
    }
}

/// Everything is encoded but what has no meaning in a URL, and the colon.
fn encoded(text: &str) -> String {
    let mut url = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                url.push(char::from(byte));
            }
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url
}
