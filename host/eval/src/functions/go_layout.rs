//! Go's time layouts: a sample of the moment `Mon Jan 2 15:04:05 MST 2006`.

use super::time_parse::Moment;

/// The words that stand for something; of those that fit, the longest counts.
const WORDS: [&str; 34] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "002",
    "__2",
    "_2006",
    "_2",
    "15",
    "PM",
    "pm",
    "-07:00:00",
    "-070000",
    "-07:00",
    "-0700",
    "-07",
    "Z07:00:00",
    "Z070000",
    "Z07:00",
    "Z0700",
    "Z07",
    "1",
    "2",
    "3",
    "4",
    "5",
];

/// Formats a moment.
pub(super) fn format(layout: &str, moment: Moment) -> String {
    let mut text = String::new();
    let mut rest = layout;
    while !rest.is_empty() {
        match word_at(rest) {
            Some((word, length)) => {
                text.push_str(&field(word, &rest[..length], moment));
                rest = &rest[length..];
            }
            None => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                text.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    text
}

/// The word at the start of `rest`, and how long it is there.
fn word_at(rest: &str) -> Option<(&'static str, usize)> {
    let bytes = rest.as_bytes();
    if matches!(bytes[0], b'.' | b',') {
        return fraction_at(rest);
    }
    let found = WORDS
        .iter()
        .filter(|word| rest.starts_with(**word))
        .max_by_key(|word| word.len())?;
    match *found {
        // "Jan" inside of another word, such as "Janet", is text.
        "Jan" | "Mon" if bytes.get(3).is_some_and(u8::is_ascii_lowercase) => None,
        // "_2006" is an underscore and a year.
        "_2006" => None,
        word => Some((word, word.len())),
    }
}

/// A point or comma, then zeros or nines, and no further digit.
fn fraction_at(rest: &str) -> Option<(&'static str, usize)> {
    let bytes = rest.as_bytes();
    let digit = *bytes.get(1).filter(|byte| matches!(byte, b'0' | b'9'))?;
    let run = bytes[1..].iter().take_while(|byte| **byte == digit).count();
    if bytes.get(run + 1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((if digit == b'0' { ".000" } else { ".999" }, run + 1))
}

fn field(word: &str, written: &str, moment: Moment) -> String {
    let local = moment.local;
    match word {
        "January" => moment.month_name().to_owned(),
        "Jan" => moment.month_name()[..3].to_owned(),
        "Monday" => moment.weekday_name().to_owned(),
        "Mon" => moment.weekday_name()[..3].to_owned(),
        "MST" if moment.offset_secs == 0 => "UTC".to_owned(),
        "MST" => moment.offset(""),
        "2006" => format!("{:04}", local.year()),
        "06" => format!("{:02}", local.year().rem_euclid(100)),
        "01" => format!("{:02}", local.month()),
        "1" => local.month().to_string(),
        "02" => format!("{:02}", local.day()),
        "_2" => format!("{:2}", local.day()),
        "2" => local.day().to_string(),
        "002" => format!("{:03}", local.day_of_year()),
        "__2" => format!("{:3}", local.day_of_year()),
        "15" => format!("{:02}", local.hour()),
        "03" => format!("{:02}", moment.hour12()),
        "3" => moment.hour12().to_string(),
        "04" => format!("{:02}", local.minute()),
        "4" => local.minute().to_string(),
        "05" => format!("{:02}", local.second()),
        "5" => local.second().to_string(),
        "PM" => if local.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "pm" => if local.hour() < 12 { "am" } else { "pm" }.to_owned(),
        ".000" | ".999" => fraction(word, written, moment),
        _ => zone(word, moment),
    }
}

fn fraction(word: &str, written: &str, moment: Moment) -> String {
    let digits = format!("{:09}", moment.local.subsec_nanosecond());
    let kept = &digits[..(written.len() - 1).min(digits.len())];
    let kept = if word == ".999" {
        kept.trim_end_matches('0')
    } else {
        kept
    };
    if kept.is_empty() {
        String::new()
    } else {
        format!("{}{kept}", &written[..1])
    }
}

fn zone(word: &str, moment: Moment) -> String {
    if word.starts_with('Z') && moment.offset_secs == 0 {
        return "Z".to_owned();
    }
    let seconds =
        |separator: &str| format!("{separator}{:02}", moment.offset_secs.unsigned_abs() % 60);
    match &word[1..] {
        "07:00" => moment.offset(":"),
        "0700" => moment.offset(""),
        "07" => moment.offset("")[..3].to_owned(),
        "07:00:00" => moment.offset(":") + &seconds(":"),
        _ => moment.offset("") + &seconds(""),
    }
}
