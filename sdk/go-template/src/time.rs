//! The two time formats templates use, in UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] = [
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
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// What is replaced in a Go layout, longest first where one begins with another.
const PATTERNS: [(&str, Part); 38] = [
    ("January", Part::Month),
    ("Jan", Part::ShortMonth),
    ("Monday", Part::Weekday),
    ("Mon", Part::ShortWeekday),
    ("MST", Part::ZoneName),
    ("002", Part::DayOfYear('0')),
    ("01", Part::MonthNumber(2)),
    ("02", Part::Day("0")),
    ("03", Part::Hour12(2)),
    ("04", Part::Minute(2)),
    ("05", Part::Second(2)),
    ("06", Part::ShortYear),
    ("15", Part::Hour),
    ("1", Part::MonthNumber(1)),
    ("2006", Part::Year),
    ("2", Part::Day("")),
    ("_2006", Part::UnderscoreYear),
    ("__2", Part::DayOfYear(' ')),
    ("_2", Part::Day(" ")),
    ("3", Part::Hour12(1)),
    ("4", Part::Minute(1)),
    ("5", Part::Second(1)),
    ("PM", Part::Fixed("AM", "PM")),
    ("pm", Part::Fixed("am", "pm")),
    ("-07:00:00", Part::Offset("+00:00:00")),
    ("-070000", Part::Offset("+000000")),
    ("-07:00", Part::Offset("+00:00")),
    ("-0700", Part::Offset("+0000")),
    ("-07", Part::Offset("+00")),
    ("Z07:00:00", Part::Offset("Z")),
    ("Z070000", Part::Offset("Z")),
    ("Z07:00", Part::Offset("Z")),
    ("Z0700", Part::Offset("Z")),
    ("Z07", Part::Offset("Z")),
    (".0", Part::Fraction),
    (",0", Part::Fraction),
    (".9", Part::Fraction),
    (",9", Part::Fraction),
];

/// One replaceable part of a layout.
#[derive(Clone, Copy)]
enum Part {
    Year,
    UnderscoreYear,
    ShortYear,
    Month,
    ShortMonth,
    /// Minimal digits.
    MonthNumber(usize),
    Weekday,
    ShortWeekday,
    /// Padding in front of one digit.
    Day(&'static str),
    /// Padding to three digits.
    DayOfYear(char),
    Hour,
    Hour12(usize),
    Minute(usize),
    Second(usize),
    /// Before and after noon.
    Fixed(&'static str, &'static str),
    ZoneName,
    Offset(&'static str),
    Fraction,
}

/// Formats a time in UTC with Go's reference layout (`2006-01-02T15:04:05Z07:00`).
///
/// # Source
///
/// The documented layout of Go's `time` package, including fractions and day of the year.
#[must_use]
pub fn format_go_layout(unix_nanos: i64, layout: &str) -> String {
    let time = civil(unix_nanos);
    let mut out = String::with_capacity(layout.len() + 8);
    let mut rest = layout;
    while let Some(letter) = rest.chars().next() {
        if let Some(length) = push_part(&mut out, rest, &time) {
            rest = &rest[length..];
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    out
}

/// Formats a time in UTC with `%` codes: B b m A a d H I M S Y y p Z z L and `%%`. Unknown codes
/// stay as they are.
#[must_use]
pub fn strftime(unix_nanos: i64, format: &str) -> String {
    let mut out = String::with_capacity(format.len() + 16);
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let Some(code) = letters.next() else {
            out.push('%');
            break;
        };
        let layout = match code {
            'B' => "January",
            'b' => "Jan",
            'm' => "01",
            'A' => "Monday",
            'a' => "Mon",
            'd' => "02",
            'H' => "15",
            'I' => "03",
            'M' => "04",
            'S' => "05",
            'Y' => "2006",
            'y' => "06",
            'p' => "PM",
            'Z' => "MST",
            'z' => "-0700",
            'L' => ".000",
            '%' => "%",
            other => {
                out.push('%');
                out.push(other);
                continue;
            }
        };
        let text = format_go_layout(unix_nanos, layout);
        out.push_str(text.trim_start_matches('.'));
    }
    out
}

fn civil(unix_nanos: i64) -> DateTime {
    // Every 64-bit count of nanoseconds lies between the years 1677 and 2262, which jiff covers.
    let time = Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(time)
}

/// Writes the part `rest` starts with; its length in the layout, or `None` for plain text.
fn push_part(out: &mut String, rest: &str, time: &DateTime) -> Option<usize> {
    let (pattern, part) = PATTERNS.iter().find(|(pattern, part)| {
        let followed_by_lower =
            || rest[pattern.len()..].starts_with(|letter: char| letter.is_ascii_lowercase());
        rest.starts_with(pattern)
            && !(matches!(part, Part::ShortMonth | Part::ShortWeekday) && followed_by_lower())
    })?;
    if matches!(part, Part::Fraction) {
        return push_fraction(out, rest, time);
    }
    out.push_str(&part_text(*part, time));
    Some(pattern.len())
}

fn part_text(part: Part, time: &DateTime) -> String {
    let month = usize::try_from(time.month() - 1).unwrap_or(0);
    let weekday = usize::try_from(time.weekday().to_monday_zero_offset()).unwrap_or(0);
    match part {
        Part::Year => format!("{:04}", time.year()),
        Part::UnderscoreYear => format!("_{:04}", time.year()),
        Part::ShortYear => format!("{:02}", time.year() % 100),
        Part::Month => MONTHS[month].to_owned(),
        Part::ShortMonth => MONTHS[month][..3].to_owned(),
        Part::MonthNumber(digits) => format!("{:0digits$}", time.month()),
        Part::Weekday => DAYS[weekday].to_owned(),
        Part::ShortWeekday => DAYS[weekday][..3].to_owned(),
        Part::Day(pad) if time.day() < 10 => format!("{pad}{}", time.day()),
        Part::Day(_) => time.day().to_string(),
        Part::DayOfYear('0') => format!("{:03}", time.day_of_year()),
        Part::DayOfYear(_) => format!("{:3}", time.day_of_year()),
        Part::Hour => format!("{:02}", time.hour()),
        Part::Hour12(digits) => format!("{:0digits$}", (time.hour() + 11) % 12 + 1),
        Part::Minute(digits) => format!("{:0digits$}", time.minute()),
        Part::Second(digits) => format!("{:0digits$}", time.second()),
        Part::Fixed(before, after) => (if time.hour() < 12 { before } else { after }).to_owned(),
        Part::ZoneName => "UTC".to_owned(),
        Part::Offset(text) => text.to_owned(),
        Part::Fraction => String::new(),
    }
}

/// Writes `.000` with its digits or `.999` without trailing zeros; a run of digits that goes on
/// with another digit is plain text.
fn push_fraction(out: &mut String, rest: &str, time: &DateTime) -> Option<usize> {
    let bytes = rest.as_bytes();
    let digit = bytes[1];
    let count = bytes[1..].iter().take_while(|byte| **byte == digit).count();
    if count > 9 || bytes.get(1 + count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let nanos = format!("{:09}", time.subsec_nanosecond());
    let mut digits = &nanos[..count];
    if digit == b'9' {
        digits = digits.trim_end_matches('0');
    }
    if !digits.is_empty() {
        out.push_str(&rest[..1]);
        out.push_str(digits);
    }
    Some(1 + count)
}
