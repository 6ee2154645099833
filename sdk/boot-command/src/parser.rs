//! From boot command text to actions.

use std::time::Duration;

use crate::action::{Action, Key, Stroke};
use crate::error::ParseError;
use crate::special::Special;

/// Reads a boot command, rendered and joined.
///
/// At each place a wait, a toggle of a character, and a named key are tried, in that order; what is
/// none of them is typed. So `<foo>` types five characters, and empty text does nothing.
///
/// # Errors
///
/// A wait of zero or less, or of more than 292 years.
///
/// # Source
///
/// Packer's boot command grammar. The word `wait` is lower case only, names and on/off are not.
pub fn parse(text: &str) -> Result<Vec<Action>, ParseError> {
    let mut actions = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let (action, length) = if let Some((duration, length)) = wait(rest, at)? {
            (Action::Wait(duration), length)
        } else if let Some(found) = character_toggle(rest).or_else(|| special(rest)) {
            found
        } else {
            (
                Action::Key(Key::Character(letter), Stroke::Press),
                letter.len_utf8(),
            )
        };
        actions.push(action);
        at += length;
    }
    Ok(actions)
}

/// Reads `<wait>`, `<wait5>` or `<wait1m20s>`.
fn wait(rest: &str, offset: usize) -> Result<Option<(Duration, usize)>, ParseError> {
    let Some((amount, _)) = rest
        .strip_prefix("<wait")
        .and_then(|after| after.split_once('>'))
    else {
        return Ok(None);
    };
    let length = "<wait>".len() + amount.len();
    let text = || rest[..length].to_owned();
    let nanos = if amount.is_empty() {
        Some(1_000_000_000)
    } else if is_integer(amount) {
        amount
            .parse::<i128>()
            .ok()
            .and_then(|seconds| seconds.checked_mul(1_000_000_000))
    } else if let Some(nanos) = duration_nanos(amount) {
        nanos
    } else {
        return Ok(None);
    };
    match nanos.map(i64::try_from) {
        Some(Ok(nanos)) => match u64::try_from(nanos) {
            Ok(nanos @ 1..) => Ok(Some((Duration::from_nanos(nanos), length))),
            _ => Err(ParseError::WaitNotPositive {
                text: text(),
                offset,
            }),
        },
        _ => Err(ParseError::WaitTooLong {
            text: text(),
            offset,
        }),
    }
}

/// Whether `text` is digits without a leading zero, or a zero.
fn is_integer(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

/// Reads numbers with units; the outer `None` when `text` is not that, the inner one when it is
/// too long to count.
fn duration_nanos(text: &str) -> Option<Option<i128>> {
    let mut total = Some(0_i128);
    let mut rest = text;
    while !rest.is_empty() {
        let negative = rest.starts_with('-');
        let unsigned = rest.strip_prefix('-').unwrap_or(rest);
        let length = unsigned.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = unsigned.split_at(length);
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (number, ""),
        };
        if !is_integer(whole) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (unit, after) = unit(after)?;
        let part = scaled(whole, fraction, unit);
        let part = part.map(|nanos| if negative { -nanos } else { nanos });
        total = total
            .zip(part)
            .and_then(|(sum, part)| sum.checked_add(part));
        rest = after;
    }
    Some(total)
}

fn unit(text: &str) -> Option<(i128, &str)> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    UNITS
        .iter()
        .find_map(|(name, nanos)| Some((*nanos, text.strip_prefix(name)?)))
}

fn scaled(whole: &str, fraction: &str, unit: i128) -> Option<i128> {
    let mut nanos = whole.parse::<i128>().ok()?.checked_mul(unit)?;
    let mut weight = unit;
    for digit in fraction.bytes() {
        weight /= 10;
        nanos = nanos.checked_add(i128::from(digit - b'0') * weight)?;
    }
    Some(nanos)
}

/// Reads `<aOn>` or `<aOff>` for any one character.
fn character_toggle(rest: &str) -> Option<(Action, usize)> {
    let inner = rest.strip_prefix('<')?;
    let letter = inner.chars().next()?;
    let (stroke, toggle) = toggle(&inner[letter.len_utf8()..])?;
    let length = 1 + letter.len_utf8() + toggle;
    Some((Action::Key(Key::Character(letter), stroke), length))
}

/// Reads `<enter>`, `<leftShiftOn>` or `<leftShiftOff>`.
fn special(rest: &str) -> Option<(Action, usize)> {
    let inner = rest.strip_prefix('<')?;
    let name = &inner[..inner.find('>')?];
    if let Some(special) = Special::named(name) {
        return Some((
            Action::Key(Key::Special(special), Stroke::Press),
            name.len() + 2,
        ));
    }
    let end = ["on", "off"].iter().find_map(|end| {
        let at = name.len().checked_sub(end.len())?;
        name.get(at..)?.eq_ignore_ascii_case(end).then_some(at)
    })?;
    let special = Special::named(&name[..end])?;
    let (stroke, _) = toggle(&inner[end..])?;
    Some((Action::Key(Key::Special(special), stroke), name.len() + 2))
}

/// Reads `on>` or `off>` in any case; with its length.
fn toggle(text: &str) -> Option<(Stroke, usize)> {
    [("on>", Stroke::Hold), ("off>", Stroke::Release)]
        .into_iter()
        .find_map(|(word, stroke)| {
            text.get(..word.len())?
                .eq_ignore_ascii_case(word)
                .then_some((stroke, word.len()))
        })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::{ProptestConfig, proptest};

    use super::{Action, Key, Stroke, parse};

    fn describe(text: &str) -> String {
        let actions = match parse(text) {
            Ok(actions) => actions,
            Err(err) => return format!("{}: {err}", err.offset()),
        };
        let mut out = String::new();
        for action in actions {
            let key = match action {
                Action::Wait(time) => {
                    write!(out, "[{time:?}]").expect("writes");
                    continue;
                }
                Action::Key(Key::Character(letter), Stroke::Press) => {
                    out.push(letter);
                    continue;
                }
                Action::Key(Key::Character(letter), _) => letter.to_string(),
                Action::Key(Key::Special(special), _) => format!("{special:?}"),
            };
            let Action::Key(_, stroke) = action else {
                continue;
            };
            let mark = match stroke {
                Stroke::Press => "",
                Stroke::Hold => "+",
                Stroke::Release => "-",
            };
            write!(out, "[{key}{mark}]").expect("writes");
        }
        out
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(describe(text), expected, "{text}");
    }

    #[test]
    fn types_plain_text() {
        check("", "");
        check("linux auto=true ä<\n", "linux auto=true ä<\n");
    }

    #[test]
    fn waits_for_seconds_and_durations() {
        check("<wait><wait5><wait10>", "[1s][5s][10s]");
        check("<wait300ms><wait1m20s><wait1.5h>", "[300ms][80s][5400s]");
        check("<wait1us><wait1µs><wait1m-30s>", "[1µs][1µs][30s]");
    }

    #[test]
    fn types_what_is_almost_a_wait() {
        for text in [
            "<Wait>",
            "<wait1.5>",
            "<wait05>",
            "<wait 5>",
            "<wait5",
            "<wait.5s>",
            "<wait-5>",
            "<wait1.s>",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn refuses_waits_of_no_time() {
        check(
            "ab<wait0>",
            "2: `<wait0>` waits for no time at all; waits are longer than zero",
        );
        check(
            "<wait-1s>",
            "0: `<wait-1s>` waits for no time at all; waits are longer than zero",
        );
        check(
            "<wait0s>",
            "0: `<wait0s>` waits for no time at all; waits are longer than zero",
        );
        check(
            "<wait99999999999999999999>",
            "0: `<wait99999999999999999999>` is too long a wait",
        );
        check(
            "<wait9999999999h>",
            "0: `<wait9999999999h>` is too long a wait",
        );
    }

    #[test]
    fn names_keys_in_any_case() {
        check(
            "<enter><ENTER><PageUp><f1><f10><leftcommand>",
            "[Enter][Enter][PageUp][F1][F10][LeftCommand]",
        );
        check("<foo><f13><enter ><>", "<foo><f13><enter ><>");
    }

    #[test]
    fn holds_and_releases_keys() {
        check("<leftShiftOn>a<leftShiftOff>", "[LeftShift+]a[LeftShift-]");
        check(
            "<aOn><AOFF><>on><<off><upOn><äon>",
            "[a+][A-][>+][<-][Up+][ä+]",
        );
        check("<leftAltoN>", "[LeftAlt+]");
        check("<abOn>", "<abOn>");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn never_panics_and_types_text_without_brackets(text in "[^<]*", noise in "[<>waiton0-9s.äF -]*") {
            assert_eq!(describe(&text), text);
            // Only that it ends counts.
            drop(parse(&noise));
        }
    }
}
