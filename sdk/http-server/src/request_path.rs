//! Paths of requests.

/// The path of a URL: decoded, always absolute, without `.`, `..` and doubled slashes; a slash at
/// the end stays. `None` when it is not UTF-8 or has a NUL in it.
pub(crate) fn clean(path: &str) -> Option<String> {
    let decoded = decode(path)?;
    let mut parts: Vec<&str> = Vec::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let folder = decoded.ends_with('/') || decoded.ends_with("/.") || decoded.ends_with("/..");
    let slash = if folder && !parts.is_empty() { "/" } else { "" };
    Some(format!("/{}{slash}", parts.join("/")))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|decoded| !decoded.contains('\0'))
}

/// Encodes one part of a path for a link.
pub(crate) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'@' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{clean, encode};

    fn check(path: &str, expected: Option<&str>) {
        assert_eq!(clean(path).as_deref(), expected, "{path}");
    }

    #[test]
    fn never_leads_out() {
        check("/a/b", Some("/a/b"));
        check("/a//b/./c", Some("/a/b/c"));
        check("/../../etc/passwd", Some("/etc/passwd"));
        check("/a/%2e%2e/%2E%2E/b", Some("/b"));
        check("/a%2f..%2f..%2fb", Some("/b"));
        check("/a/", Some("/a/"));
        check("/", Some("/"));
        check("/..", Some("/"));
        check("", Some("/"));
        check("/k%C3%A4se%20x", Some("/käse x"));
    }

    #[test]
    fn refuses_what_is_no_text() {
        for path in ["/%", "/%4", "/%zz", "/%+1", "/%ff", "/%00"] {
            check(path, None);
        }
    }

    #[test]
    fn links_lead_back() {
        assert_eq!(encode("a b?#%.txt"), "a%20b%3F%23%25.txt");
    }
}
