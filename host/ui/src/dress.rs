//! How a message of a build looks as text: target, time, colour.

use std::collections::HashMap;

use jiff::Zoned;

use crate::color::Color;

/// Puts targets, times and colours on messages.
#[derive(Debug, Default)]
pub(crate) struct Dress {
    /// By the names of builds.
    pub(crate) colors: HashMap<String, Color>,
    /// Whether every message gets the time.
    pub(crate) timestamps: bool,
}

impl Dress {
    /// Text of a message: every line with its target, the whole with time and colour.
    pub(crate) fn message(&self, target: &str, text: &str, error: bool) -> String {
        let text = text.trim_end();
        let mut lines: Vec<String> = Vec::new();
        for line in text.split('\n') {
            lines.push(format!("==> {target}: {line}").trim_end().to_owned());
        }
        self.whole(target, lines.join("\n"), error)
    }

    /// The text with time and colour.
    pub(crate) fn whole(&self, target: &str, mut text: String, error: bool) -> String {
        if self.timestamps {
            text = format!("{}: {text}", stamp(&Zoned::now()));
        }
        let build = target.split(" (").next().unwrap_or(target);
        match self.colors.get(target).or_else(|| self.colors.get(build)) {
            Some(_) if error => Color::Red.paint(&text),
            Some(color) => color.paint(&text),
            None => text,
        }
    }
}

/// Local time as RFC 3339 has it.
fn stamp(now: &Zoned) -> String {
    let zone = if now.offset().seconds() == 0 {
        "Z"
    } else {
        "%:z"
    };
    now.strftime(&format!("%Y-%m-%dT%H:%M:%S{zone}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::{Offset, TimeZone};

    use super::*;

    #[test]
    fn the_time_is_that_of_the_place() {
        let check = |seconds: i32, expected: &str| {
            let zone = TimeZone::fixed(Offset::from_seconds(seconds).unwrap());
            let now = Timestamp::from_second(1_700_000_000).unwrap();
            assert_eq!(stamp(&now.to_zoned(zone)), expected);
        };
        check(0, "2023-11-14T22:13:20Z");
        check(19_800, "2023-11-15T03:43:20+05:30");
        check(-12_600, "2023-11-14T18:43:20-03:30");
    }

    fn check(color: bool, target: &str, text: &str, error: bool, expected: &str) {
        let mut dress = Dress::default();
        if color {
            dress.colors.insert("null.a".into(), Color::of_build(0));
        }
        assert_eq!(dress.message(target, text, error), expected);
    }

    #[test]
    fn every_line_gets_its_target_and_the_end_is_trimmed() {
        check(
            false,
            "null.a",
            "one\n\ntwo \n\n",
            false,
            "==> null.a: one\n==> null.a:\n==> null.a: two",
        );
    }

    #[test]
    fn one_pair_of_colour_codes_spans_the_message() {
        check(
            true,
            "null.a",
            "a\nb",
            false,
            "\u{1b}[1;32m==> null.a: a\n==> null.a: b\u{1b}[0m",
        );
        check(
            true,
            "null.a (compress)",
            "bad",
            true,
            "\u{1b}[1;31m==> null.a (compress): bad\u{1b}[0m",
        );
    }

    #[test]
    fn the_time_stands_once_before_the_first_target() {
        let dress = Dress {
            timestamps: true,
            ..Dress::default()
        };
        let text = dress.message("null.a", "a\nb", false);
        let (time, rest) = text.split_once(": ").unwrap();
        assert!(time.parse::<Timestamp>().is_ok(), "{text}");
        assert_eq!(rest, "==> null.a: a\n==> null.a: b");
    }
}
