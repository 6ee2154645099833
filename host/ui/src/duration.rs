//! Durations for people.

use std::time::Duration;

/// The two largest units of a duration, in words: `3 minutes 2 seconds`, `42 milliseconds 13
/// microseconds`.
///
/// # Source
///
/// The texts Packer prints; scripts match them.
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    const UNITS: [(&str, u128); 8] = [
        ("year", 365 * 24 * 3600 * 1_000_000),
        ("week", 7 * 24 * 3600 * 1_000_000),
        ("day", 24 * 3600 * 1_000_000),
        ("hour", 3600 * 1_000_000),
        ("minute", 60 * 1_000_000),
        ("second", 1_000_000),
        ("millisecond", 1000),
        ("microsecond", 1),
    ];
    let mut rest = duration.as_micros();
    let mut words = Vec::new();
    for (name, micros) in UNITS {
        let count = rest / micros;
        rest %= micros;
        if count > 0 && words.len() < 2 {
            words.push(format!(
                "{count} {name}{}",
                if count == 1 { "" } else { "s" }
            ));
        }
    }
    if words.is_empty() {
        "0 microseconds".to_owned()
    } else {
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_largest_units_are_told() {
        for (micros, text) in [
            (0, "0 microseconds"),
            (42_013, "42 milliseconds 13 microseconds"),
            (1_025_000, "1 second 25 milliseconds"),
            (182_000_000, "3 minutes 2 seconds"),
            (3_600_000_000, "1 hour"),
            (3_601_500_000, "1 hour 1 second"),
        ] {
            assert_eq!(human_duration(Duration::from_micros(micros)), text);
        }
    }
}
