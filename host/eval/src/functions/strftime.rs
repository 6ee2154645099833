//! The format of `legacy_strftime`.

use super::time_parse::Moment;

/// Replaces the codes; an unknown one stays as it is. `%L` brings its own point.
pub(super) fn format(format: &str, moment: Moment) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let mut behind = rest[at + 1..].chars();
        match behind.next() {
            Some(code) => match field(code, moment) {
                Some(field) => text.push_str(&field),
                None => {
                    text.push('%');
                    text.push(code);
                }
            },
            None => text.push('%'),
        }
        rest = behind.as_str();
    }
    text.push_str(rest);
    text
}

fn field(code: char, moment: Moment) -> Option<String> {
    let local = moment.local;
    Some(match code {
        'B' => moment.month_name().to_owned(),
        'b' => moment.month_name()[..3].to_owned(),
        'm' => format!("{:02}", local.month()),
        'A' => moment.weekday_name().to_owned(),
        'a' => moment.weekday_name()[..3].to_owned(),
        'd' => format!("{:02}", local.day()),
        'H' => format!("{:02}", local.hour()),
        'I' => format!("{:02}", moment.hour12()),
        'M' => format!("{:02}", local.minute()),
        'S' => format!("{:02}", local.second()),
        'Y' => format!("{:04}", local.year()),
        'y' => format!("{:02}", local.year().rem_euclid(100)),
        'p' => if local.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'Z' => "UTC".to_owned(),
        'z' => moment.offset(""),
        'L' => format!(".{:03}", local.subsec_nanosecond() / 1_000_000),
        '%' => "%".to_owned(),
        _ => return None,
    })
}
