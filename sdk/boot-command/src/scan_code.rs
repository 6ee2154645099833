//! Keys as PC-XT scan codes, for VirtualBox, Parallels and Hyper-V.

use std::time::Duration;

use async_trait::async_trait;

use crate::action::{Key, Stroke, needs_shift};
use crate::clock::Clock;
use crate::driver::{Driver, SinkError};
use crate::error::TypeError;

/// Something with a keyboard that is worked by scan codes.
#[async_trait]
pub trait ScanCodeSink: Send {
    /// Sends codes of set 1, in order.
    ///
    /// # Errors
    ///
    /// When the machine did not take them.
    async fn send(&mut self, codes: &[u8]) -> Result<(), SinkError>;
}

const SHIFT_DOWN: u8 = 0x2a;
const SHIFT_UP: u8 = 0xaa;
const PREFIX: u8 = 0xe0;
/// Added to a make code, it gives the break code.
const BREAK: u8 = 0x80;

/// Rows of a US keyboard: the code of the first key, the keys, and the same keys with Shift.
const ROWS: [(u8, &str, &str); 5] = [
    (0x02, "1234567890-=", "!@#$%^&*()_+"),
    (0x10, "qwertyuiop[]", "QWERTYUIOP{}"),
    (0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
    (0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (0x39, " ", " "),
];

fn make_code(letter: char) -> u8 {
    for (first, plain, shifted) in ROWS {
        let keys = (first..).zip(plain.chars().zip(shifted.chars()));
        for (code, (without, with)) in keys {
            if letter == without || letter == with {
                return code;
            }
        }
    }
    // As Packer does for characters a US keyboard does not have.
    0
}

/// The codes of one stroke: make codes, break codes, and Shift around what needs it.
#[must_use]
pub fn scan_codes(key: Key, stroke: Stroke) -> Vec<u8> {
    let (make, shifted) = match key {
        Key::Character(letter) => (vec![make_code(letter)], needs_shift(letter)),
        Key::Special(special) => (special.scan_code().to_vec(), false),
    };
    let mut codes = Vec::with_capacity(6);
    if stroke.goes_down() {
        codes.extend(shifted.then_some(SHIFT_DOWN));
        codes.extend(&make);
    }
    if stroke.comes_up() {
        codes.extend(
            make.iter()
                .map(|code| if *code == PREFIX { *code } else { code | BREAK }),
        );
        codes.extend(shifted.then_some(SHIFT_UP));
    }
    codes
}

/// Collects scan codes and sends them in chunks.
///
/// The codes of one key are never split. A machine that accepts any number has limit `None`.
#[derive(Debug)]
pub struct ScanCodeDriver<S> {
    sink: S,
    limit: Option<usize>,
    group_interval: Duration,
    chunks: Vec<Vec<u8>>,
}

impl<S: ScanCodeSink> ScanCodeDriver<S> {
    /// A driver that sends at most `limit` codes at once and waits `group_interval` after that.
    pub fn new(sink: S, limit: Option<usize>, group_interval: Duration) -> Self {
        Self {
            sink,
            limit,
            group_interval,
            chunks: Vec::new(),
        }
    }

    /// Gives the sink back.
    pub fn into_inner(self) -> S {
        self.sink
    }
}

#[async_trait]
impl<S: ScanCodeSink> Driver for ScanCodeDriver<S> {
    async fn key(&mut self, key: Key, stroke: Stroke, _clock: &dyn Clock) -> Result<(), TypeError> {
        let codes = scan_codes(key, stroke);
        let limit = self.limit.unwrap_or(usize::MAX);
        if codes.len() > limit {
            return Err(TypeError::TooManyCodes {
                key,
                codes: codes.len(),
                limit,
            });
        }
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() + codes.len() <= limit => chunk.extend(codes),
            _ => self.chunks.push(codes),
        }
        Ok(())
    }

    async fn flush(&mut self, clock: &dyn Clock) -> Result<(), TypeError> {
        for chunk in std::mem::take(&mut self.chunks) {
            self.sink
                .send(&chunk)
                .await
                .map_err(|source| TypeError::Flush { source })?;
            clock.sleep_until(clock.now() + self.group_interval).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::Duration;

    use async_trait::async_trait;

    use super::{ScanCodeDriver, ScanCodeSink};
    use crate::clock::{Clock, ManualClock};
    use crate::driver::SinkError;
    use crate::{parse, type_actions};

    #[derive(Default)]
    struct Recorder(String);

    #[async_trait]
    impl ScanCodeSink for Recorder {
        async fn send(&mut self, codes: &[u8]) -> Result<(), SinkError> {
            for code in codes {
                write!(self.0, "{code:02x}")?;
            }
            self.0.push(' ');
            Ok(())
        }
    }

    async fn check(text: &str, limit: Option<usize>, expected: &str) {
        let clock = ManualClock::new();
        let interval = Duration::from_millis(100);
        let mut driver = ScanCodeDriver::new(Recorder::default(), limit, interval);
        let actions = parse(text).expect("a boot command");
        let result = type_actions(&actions, &mut driver, &clock).await;
        let sent = driver.into_inner().0;
        let got = result.map_or_else(|err| err.to_string(), |()| sent.trim_end().to_owned());
        assert_eq!(got, expected, "{text}");
        if let Ok(chunks) = u32::try_from(expected.split(' ').count())
            && !expected.contains("accepts")
        {
            assert!(clock.now() >= interval * chunks, "{text}");
        }
    }

    #[tokio::test]
    async fn every_row_has_its_codes() {
        check(
            "1=q]a'`\\/ ",
            None,
            "02820d8d10901b9b1e9e28a829a92bab35b539b9",
        )
        .await;
        check("A", None, "2a1e9eaa").await;
        check("!~|?", None, "2a0282aa2a29a9aa2a2babaa2a35b5aa").await;
        check("ä", None, "0080").await;
    }

    #[tokio::test]
    async fn named_keys_have_prefixes() {
        check(
            "<del><up><rightAlt><f12><menu>",
            None,
            "e053e0d3e048e0c8e038e0b858d8e05de0dd",
        )
        .await;
        check(
            "<leftShiftOn>a<leftShiftOff><leftOption><leftCommand>",
            None,
            "2a1e9eaa38b8e05be0db",
        )
        .await;
    }

    #[tokio::test]
    async fn chunks_never_split_a_key() {
        check("abc", Some(5), "1e9e30b0 2eae").await;
        check("a<wait>b", Some(50), "1e9e 30b0").await;
        check(
            "A",
            Some(3),
            "the key `A` takes 4 codes, and the machine accepts only 3 at once",
        )
        .await;
    }
}
