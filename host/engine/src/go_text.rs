//! Durations and quoted text as Go prints them, because scripts read Packer's messages.

use std::time::Duration;

/// The duration as Go's `time.Duration` prints it: `1h0m2.5s`, `1.5ms`, `0s`.
pub(crate) fn duration(value: Duration) -> String {
    let nanos = value.as_nanos();
    match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => return format!("{}µs", decimal(nanos, 3)),
        1_000_000..1_000_000_000 => return format!("{}ms", decimal(nanos, 6)),
        _ => {}
    }
    let seconds = decimal(nanos % 60_000_000_000, 9);
    let minutes = value.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `value` divided by ten to the power of `digits`, without zeros at the end.
fn decimal(value: u128, digits: usize) -> String {
    let unit = 10_u128.pow(u32::try_from(digits).unwrap_or(0));
    let fraction = format!("{:0digits$}", value % unit);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", value / unit)
}

/// The text as Go's `%q` prints it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_duration(nanos: u64, expected: &str) {
        assert_eq!(duration(Duration::from_nanos(nanos)), expected);
    }

    #[test]
    fn durations_read_as_in_go() {
        check_duration(0, "0s");
        check_duration(7, "7ns");
        check_duration(1_500, "1.5µs");
        check_duration(20_000_000, "20ms");
        check_duration(1_250_000_000, "1.25s");
        check_duration(10_000_000_000, "10s");
        check_duration(90_000_000_000, "1m30s");
        check_duration(3_602_500_000_000, "1h0m2.5s");
        check_duration(360_000_000_000_000, "100h0m0s");
    }

    #[test]
    fn quoted_text_reads_as_in_go() {
        assert_eq!(
            quoted("a \"b\"\\\n\x1b\u{85}é"),
            r#""a \"b\"\\\n\x1b\u0085é""#
        );
    }
}
