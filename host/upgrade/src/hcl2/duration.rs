//! Durations as Go prints them.

/// Units from the largest to the smallest, with their nanoseconds.
const UNITS: [(&str, f64); 8] = [
    ("h", 3.6e12),
    ("ms", 1e6),
    ("m", 6e10),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ns", 1.0),
    ("s", 1e9),
];

/// A duration such as `90s` as Go prints it, `1m30s`; `None` when it is none, or has parts of a
/// second.
pub(super) fn normal(text: &str) -> Option<String> {
    let mut rest = text;
    let mut nanos = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|found: char| !(found.is_ascii_digit() || found == '.'))?;
        let amount: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, size) = UNITS.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        nanos += amount * size;
    }
    from_nanos(nanos)
}

/// Nanoseconds as Go prints them; `None` when there are parts of a second.
pub(super) fn from_nanos(nanos: f64) -> Option<String> {
    let seconds = nanos / 1e9;
    if seconds.fract() != 0.0 || !(0.0..1e15).contains(&seconds) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and its range was checked"
    )]
    let seconds = seconds as i64;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (text, expected) in [
            ("90s", Some("1m30s")),
            ("1h", Some("1h0m0s")),
            ("1.5m", Some("1m30s")),
            ("2000ms", Some("2s")),
            ("10ms", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(normal(text).as_deref(), expected, "{text}");
        }
        assert_eq!(from_nanos(5e9).as_deref(), Some("5s"));
    }
}
