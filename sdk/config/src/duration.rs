//! Durations as templates write them.

use std::time::Duration;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A signed duration, for options that give a meaning to negative ones.
///
/// Written as Go does: `300ms`, `1m30s`, `-1s`; a bare number counts nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GoDuration {
    /// Nanoseconds; negative ones are legal.
    pub nanos: i64,
}

impl GoDuration {
    /// Reads a Go duration: signs, fractions and the units `ns us µs ms s m h`; a bare `0` is
    /// allowed. `None` when it is not one or does not fit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Some(Self::default());
        }
        let nanos = unsigned_nanos(rest)?;
        let nanos = if negative {
            nanos.checked_neg()?
        } else {
            nanos
        };
        i64::try_from(nanos).ok().map(|nanos| Self { nanos })
    }

    /// The same as an unsigned duration; `None` when it is negative.
    #[must_use]
    pub fn to_duration(self) -> Option<Duration> {
        u64::try_from(self.nanos).ok().map(Duration::from_nanos)
    }
}

impl std::fmt::Display for GoDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        write!(
            f,
            "{sign}{}",
            format_duration(Duration::from_nanos(self.nanos.unsigned_abs()))
        )
    }
}

/// Reads a Go duration that is not negative: `300ms`, `1m30s`, `1.5h`; a bare `0` is allowed.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    GoDuration::parse(text)?.to_duration()
}

/// Writes a duration as Go does: `1m30s`, `300ms`, `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => return format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => return format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {}
    }
    let minutes = duration.as_secs() / 60;
    let seconds = fraction(nanos - u128::from(minutes) * 60_000_000_000, 1_000_000_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `value / unit` in decimal, without trailing zeros.
fn fraction(value: u128, unit: u128) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let rest = format!("{rest:0digits$}");
    format!("{whole}.{}", rest.trim_end_matches('0'))
}

fn unsigned_nanos(mut text: &str) -> Option<i128> {
    if text.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !text.is_empty() {
        let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at(number_end);
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit_end);
        total = total.checked_add(scaled(number, nanos_of(unit)?)?)?;
        text = rest;
    }
    Some(total)
}

fn nanos_of(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        // Both letters that print as a micro sign.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => NANOS_PER_SECOND,
        "m" => 60 * NANOS_PER_SECOND,
        "h" => 3_600 * NANOS_PER_SECOND,
        _ => return None,
    })
}

/// `number` (digits with at most one dot, at least one digit) times `unit`, rounded down.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && part.is_empty()) || part.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut total = whole.checked_mul(unit)?;
    let mut weight = unit;
    for digit in part.bytes() {
        weight /= 10;
        total += i128::from(digit - b'0') * weight;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::{GoDuration, format_duration, parse_duration};

    fn check(text: &str, expected: Option<&str>) {
        let got = GoDuration::parse(text).map(|duration| duration.to_string());
        assert_eq!(got.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn reads_and_writes_as_go_does() {
        check("10s", Some("10s"));
        check("1m30s", Some("1m30s"));
        check("90m", Some("1h30m0s"));
        check("1.5h", Some("1h30m0s"));
        check(".5s", Some("500ms"));
        check("1s500ms", Some("1.5s"));
        check("-1s", Some("-1s"));
        check("+2ms", Some("2ms"));
        check("1500us", Some("1.5ms"));
        check("3µs", Some("3µs"));
        check("7ns", Some("7ns"));
        check("0", Some("0s"));
        check("-0", Some("0s"));
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            "-",
            "10",
            "s",
            "1 s",
            "1d",
            "1.2.3s",
            ".s",
            "ten",
            "9999999999h",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn unsigned_durations_are_not_negative() {
        assert_eq!(parse_duration("-1s"), None);
        assert_eq!(
            parse_duration("2s").map(format_duration).as_deref(),
            Some("2s")
        );
    }
}
