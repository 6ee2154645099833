//! The format of `formatdate`.

use super::time_parse::Moment;

/// Formats by runs of one letter; other characters stand for themselves, and so does what is in
/// single quotes. Two single quotes stand for one.
///
/// # Errors
///
/// What is wrong with the format, in words.
pub(super) fn format(format: &str, moment: Moment) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("''") {
            text.push('\'');
            rest = after;
            continue;
        }
        if first == '\'' {
            rest = quoted(rest, &mut text)?;
            continue;
        }
        let length = rest.find(|c| c != first).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        if first.is_ascii_alphabetic() {
            text.push_str(&verb(run, moment)?);
        } else {
            text.push_str(run);
        }
        rest = after;
    }
    Ok(text)
}

/// Appends what is between the quotes, where two quotes stand for one as well.
fn quoted<'f>(format: &'f str, text: &mut String) -> Result<&'f str, String> {
    let mut rest = &format[1..];
    loop {
        let end = rest
            .find('\'')
            .ok_or_else(|| "unterminated literal '".to_owned())?;
        text.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                text.push('\'');
                rest = after;
            }
            None => return Ok(rest),
        }
    }
}

fn verb(run: &str, moment: Moment) -> Result<String, String> {
    let local = moment.local;
    Ok(match run {
        "YYYY" => format!("{:04}", local.year()),
        "YY" => format!("{:02}", local.year().rem_euclid(100)),
        "MMMM" => moment.month_name().to_owned(),
        "MMM" => moment.month_name()[..3].to_owned(),
        "MM" => format!("{:02}", local.month()),
        "M" => local.month().to_string(),
        "DD" => format!("{:02}", local.day()),
        "D" => local.day().to_string(),
        "EEEE" => moment.weekday_name().to_owned(),
        "EEE" => moment.weekday_name()[..3].to_owned(),
        "hh" => format!("{:02}", local.hour()),
        "h" => local.hour().to_string(),
        "HH" => format!("{:02}", moment.hour12()),
        "H" => moment.hour12().to_string(),
        "AA" => if local.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "aa" => if local.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "mm" => format!("{:02}", local.minute()),
        "m" => local.minute().to_string(),
        "ss" => format!("{:02}", local.second()),
        "s" => local.second().to_string(),
        "ZZZZZ" => moment.offset(":"),
        "ZZZZ" => moment.offset(""),
        "ZZZ" if moment.offset_secs == 0 => "UTC".to_owned(),
        "ZZZ" => moment.offset(""),
        "Z" if moment.offset_secs == 0 => "Z".to_owned(),
        "Z" => moment.offset(":"),
        _ => return Err(invalid(run)),
    })
}

fn invalid(run: &str) -> String {
    let must = match run.chars().next() {
        Some('Y') => "year must either be \"YY\" or \"YYYY\"",
        Some('M') => "month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"",
        Some('D') => "day of month must either be \"D\" or \"DD\"",
        Some('E') => "day of week must either be \"EEE\" or \"EEEE\"",
        Some('h') => "24-hour must either be \"h\" or \"hh\"",
        Some('H') => "12-hour must either be \"H\" or \"HH\"",
        Some('A') => "must be \"AA\"",
        Some('a') => "must be \"aa\"",
        Some('m') => "minute must either be \"m\" or \"mm\"",
        Some('s') => "second must either be \"s\" or \"ss\"",
        Some('Z') => "timezone must be Z, ZZZ, ZZZZ, or ZZZZZ",
        _ => "only the letters of the format verbs can be used without single quotes",
    };
    format!("invalid date format verb {run:?}: {must}")
}
