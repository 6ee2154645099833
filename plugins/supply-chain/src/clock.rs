//! Points in time as documents write them.

use jiff::Timestamp;

/// The variable by which a build's documents are made to compare equal.
///
/// # Source
///
/// reproducible-builds.org, `SOURCE_DATE_EPOCH`.
const EPOCH_VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// Now, in RFC 3339, UTC, whole seconds.
pub fn now() -> String {
    written(Timestamp::now())
}

/// Nanoseconds since 1970 UTC, in the same form.
pub fn of_nanos(nanos: i64) -> String {
    written(Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default())
}

/// What `SOURCE_DATE_EPOCH` says, or now when it is not set or no number.
pub fn of_documents() -> String {
    let value = std::env::var(EPOCH_VARIABLE).ok();
    match value.and_then(|seconds| epoch(&seconds)) {
        Some(time) => written(time),
        None => now(),
    }
}

fn epoch(seconds: &str) -> Option<Timestamp> {
    Timestamp::from_second(seconds.trim().parse().ok()?).ok()
}

fn written(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or_default();
    whole.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_in_utc() {
        assert_eq!(of_nanos(1_700_000_000_987_654_321), "2023-11-14T22:13:20Z");
        assert_eq!(
            epoch("0").map(written).as_deref(),
            Some("1970-01-01T00:00:00Z")
        );
        assert_eq!(epoch("soon"), None);
        assert_eq!(epoch("99999999999999999999"), None);
        assert_eq!(now().len(), "1970-01-01T00:00:00Z".len());
    }
}
