//! Points in time, and RFC 3339 text for them.

use jiff::civil::{Date, DateTime, Weekday};

/// A point in time as a clock somewhere shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// What the clock shows, with nanoseconds.
    pub local: DateTime,
    /// How far that is ahead of UTC.
    pub offset_secs: i32,
}

/// Seconds of a day.
const DAY_SECS: i64 = 86_400;

impl Moment {
    /// In UTC; `None` far outside of the years that have four digits.
    pub(super) fn from_unix_nanos(nanos: i128) -> Option<Self> {
        let secs = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
        let fraction = i32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
        let local = local_at(secs)?
            .with()
            .subsec_nanosecond(fraction)
            .build()
            .ok()?;
        Some(Self {
            local,
            offset_secs: 0,
        })
    }

    /// Whole seconds since 1970 UTC.
    pub(super) fn unix_secs(self) -> i64 {
        let days = i64::from(days_since_1970(self.local.date()));
        let time = self.local.time();
        let secs = i64::from(time.hour()) * 3600
            + i64::from(time.minute()) * 60
            + i64::from(time.second());
        days * DAY_SECS + secs - i64::from(self.offset_secs)
    }

    /// The moment `nanos` later, on the same clock; `None` far outside of four-digit years.
    pub(super) fn plus_nanos(self, nanos: i128) -> Option<Self> {
        let offset_secs = self.offset_secs;
        let own = i128::from(self.unix_secs() + i64::from(offset_secs)) * 1_000_000_000
            + i128::from(self.local.subsec_nanosecond());
        Some(Self {
            offset_secs,
            ..Self::from_unix_nanos(own.checked_add(nanos)?)?
        })
    }

    /// `2026-11-20T15:04:05Z`; a fraction of a second only when it has one and `fraction` says so.
    pub(super) fn rfc3339(self) -> String {
        let local = self.local;
        let mut text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            local.year(),
            local.month(),
            local.day(),
            local.hour(),
            local.minute(),
            local.second()
        );
        match self.offset_secs {
            0 => text.push('Z'),
            _ => text.push_str(&self.offset(":")),
        }
        text
    }

    /// The distance to UTC: `+02:00` with `:` as separator.
    pub(super) fn offset(self, separator: &str) -> String {
        let sign = if self.offset_secs < 0 { '-' } else { '+' };
        let minutes = self.offset_secs.unsigned_abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }

    pub(super) fn weekday(self) -> Weekday {
        self.local.weekday()
    }

    /// The hour on a clock of twelve hours.
    pub(super) fn hour12(self) -> i8 {
        match self.local.hour() % 12 {
            0 => 12,
            hour => hour,
        }
    }
}

fn days_since_1970(date: Date) -> i32 {
    let start = jiff::civil::date(1970, 1, 1);
    date.since(start).map_or(0, |span| span.get_days())
}

fn local_at(secs: i64) -> Option<DateTime> {
    let days = secs.div_euclid(DAY_SECS);
    let in_day = i32::try_from(secs.rem_euclid(DAY_SECS)).ok()?;
    let days = jiff::Span::new().try_days(days).ok()?;
    let date = jiff::civil::date(1970, 1, 1).checked_add(days).ok()?;
    if !(0..=9999).contains(&date.year()) {
        return None;
    }
    let part = |value: i32| i8::try_from(value).ok();
    Some(date.at(
        part(in_day / 3600)?,
        part(in_day / 60 % 60)?,
        part(in_day % 60)?,
        0,
    ))
}

/// What may stand between date and time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// `T`.
    Letter,
    /// `T` or a space.
    LetterOrSpace,
}

/// Reads RFC 3339.
///
/// # Errors
///
/// What is wrong, in words.
pub(super) fn parse(text: &str, separator: Separator) -> Result<Moment, String> {
    let mut rest = text;
    let year = digits(&mut rest, 4, "year", i32::from(i16::MAX))?;
    literal(&mut rest, "-", "year")?;
    let month = digits(&mut rest, 2, "month", 12)?;
    literal(&mut rest, "-", "month")?;
    let day = digits(&mut rest, 2, "day of month", 31)?;
    if separator == Separator::LetterOrSpace && rest.starts_with(' ') {
        rest = &rest[1..];
    } else {
        literal(&mut rest, "T", "day of month")?;
    }
    let hour = digits(&mut rest, 2, "hour", 23)?;
    literal(&mut rest, ":", "hour")?;
    let minute = digits(&mut rest, 2, "minute", 59)?;
    literal(&mut rest, ":", "minute")?;
    let second = digits(&mut rest, 2, "second", 59)?;
    let nanos = fraction(&mut rest, separator)?;
    let offset_secs = zone(&mut rest)?;
    if !rest.is_empty() {
        return Err(format!(
            "not a valid RFC3339 timestamp: extra text {rest:?} behind the time zone"
        ));
    }
    let small = |value: i32| i8::try_from(value).unwrap_or(i8::MAX);
    let local = DateTime::new(
        i16::try_from(year).unwrap_or(i16::MAX),
        small(month),
        small(day),
        small(hour),
        small(minute),
        small(second),
        nanos,
    )
    .map_err(|_| "not a valid RFC3339 timestamp: there is no such day in that month".to_owned())?;
    Ok(Moment { local, offset_secs })
}

fn digits(rest: &mut &str, count: usize, what: &str, most: i32) -> Result<i32, String> {
    let found = rest
        .get(..count)
        .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let value = found.and_then(|part| part.parse().ok()).ok_or_else(|| {
        format!(
            "not a valid RFC3339 timestamp: missing {count} digits for the {what} before {rest:?}"
        )
    })?;
    if value > most {
        return Err(format!(
            "not a valid RFC3339 timestamp: {value} is too large for the {what}"
        ));
    }
    *rest = &rest[count..];
    Ok(value)
}

fn literal(rest: &mut &str, wanted: &str, behind: &str) -> Result<(), String> {
    match rest.strip_prefix(wanted) {
        Some(after) => {
            *rest = after;
            Ok(())
        }
        None => Err(format!(
            "not a valid RFC3339 timestamp: missing required {wanted:?} behind the {behind}"
        )),
    }
}

fn fraction(rest: &mut &str, separator: Separator) -> Result<i32, String> {
    // The two readers of Go differ here too.
    let points: &[char] = match separator {
        Separator::Letter => &['.'],
        Separator::LetterOrSpace => &['.', ','],
    };
    let Some(after) = rest.strip_prefix(points) else {
        return Ok(0);
    };
    let end = after
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(after.len());
    if end == 0 {
        return Err(
            "not a valid RFC3339 timestamp: missing digits for the fraction of a second".to_owned(),
        );
    }
    let padded = format!("{:0<9.9}", &after[..end]);
    *rest = &after[end..];
    Ok(padded.parse().unwrap_or(0))
}

fn zone(rest: &mut &str) -> Result<i32, String> {
    if let Some(after) = rest.strip_prefix('Z') {
        *rest = after;
        return Ok(0);
    }
    let sign = match rest.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return Err("not a valid RFC3339 timestamp: missing time zone".to_owned()),
    };
    *rest = &rest[1..];
    let hours = digits(rest, 2, "hours of the time zone", 23)?;
    literal(rest, ":", "hours of the time zone")?;
    let minutes = digits(rest, 2, "minutes of the time zone", 59)?;
    Ok(sign * (hours * 3600 + minutes * 60))
}

/// Names as English has them.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names as English has them, from Sunday.
pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

impl Moment {
    pub(super) fn month_name(self) -> &'static str {
        MONTHS[usize::try_from(self.local.month() - 1).unwrap_or(0)]
    }

    pub(super) fn weekday_name(self) -> &'static str {
        WEEKDAYS[usize::try_from(self.weekday().to_sunday_zero_offset()).unwrap_or(0)]
    }
}
