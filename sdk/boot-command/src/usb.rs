//! Keys as a USB keyboard reports them, for vSphere.

use async_trait::async_trait;

use crate::action::{Key, Stroke, needs_shift};
use crate::clock::Clock;
use crate::driver::{Driver, SinkError};
use crate::error::TypeError;
use crate::pacing::{Pacer, Pacing};
use crate::special::Usb;

/// Bits of the modifier byte.
pub mod modifier {
    /// Left Control.
    pub const LEFT_CTRL: u8 = 0x01;
    /// Left Shift.
    pub const LEFT_SHIFT: u8 = 0x02;
    /// Left Alt, or Option.
    pub const LEFT_ALT: u8 = 0x04;
    /// Left GUI: Super, or Command.
    pub const LEFT_GUI: u8 = 0x08;
    /// Right Control.
    pub const RIGHT_CTRL: u8 = 0x10;
    /// Right Shift.
    pub const RIGHT_SHIFT: u8 = 0x20;
    /// Right Alt, or Option.
    pub const RIGHT_ALT: u8 = 0x40;
    /// Right GUI: Super, or Command.
    pub const RIGHT_GUI: u8 = 0x80;
}

/// One press and release of a key with modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsbEvent {
    /// Usage of the keyboard page; zero when only modifiers are pressed.
    pub usage: u8,
    /// Bits of [`modifier`] that are down meanwhile.
    pub modifiers: u8,
}

/// Something with a USB keyboard.
#[async_trait]
pub trait UsbSink: Send {
    /// Presses and releases a key.
    ///
    /// # Errors
    ///
    /// When the machine did not take it.
    async fn send(&mut self, event: UsbEvent) -> Result<(), SinkError>;
}

/// Characters by usage, from 0x1e (digits and on); letters are counted from 0x04.
const PLAIN: &str = "1234567890";
const SHIFTED: &str = "!@#$%^&*()";
/// From 0x2c on; the empty places are no characters of a US keyboard.
const PLAIN_SIGNS: &str = " -=[]\\\0;'`,./";
const SHIFTED_SIGNS: &str = " _+{}|\0:\"~<>?";

fn usage_of(letter: char) -> Option<u8> {
    let lower = letter.to_ascii_lowercase();
    if lower.is_ascii_lowercase() {
        return Some(0x04 + u8::try_from(lower).ok()? - b'a');
    }
    let place = |signs: &str| {
        signs
            .chars()
            .position(|sign| sign == letter && sign != '\0')
            .and_then(|at| u8::try_from(at).ok())
    };
    if letter == '\n' {
        return Some(0x28);
    }
    let digit = place(PLAIN).or_else(|| place(SHIFTED)).map(|at| 0x1e + at);
    digit.or_else(|| {
        place(PLAIN_SIGNS)
            .or_else(|| place(SHIFTED_SIGNS))
            .map(|at| 0x2c + at)
    })
}

/// Types as a USB keyboard does.
///
/// Held modifiers are added to the keys that follow. Holding and releasing plain characters is not
/// possible: they are typed once, when held, and releasing them does nothing.
#[derive(Debug)]
pub struct UsbDriver<S> {
    sink: S,
    pacer: Pacer,
    held: u8,
}

impl<S: UsbSink> UsbDriver<S> {
    /// A driver that types into `sink`.
    pub fn new(sink: S, pacing: Pacing) -> Self {
        Self {
            sink,
            pacer: Pacer::new(pacing),
            held: 0,
        }
    }

    /// Gives the sink back.
    pub fn into_inner(self) -> S {
        self.sink
    }

    async fn send(
        &mut self,
        key: Key,
        event: UsbEvent,
        clock: &dyn Clock,
    ) -> Result<(), TypeError> {
        self.sink
            .send(event)
            .await
            .map_err(|source| TypeError::Key { key, source })?;
        self.pacer.after_event(clock).await;
        Ok(())
    }
}

#[async_trait]
impl<S: UsbSink> Driver for UsbDriver<S> {
    async fn key(&mut self, key: Key, stroke: Stroke, clock: &dyn Clock) -> Result<(), TypeError> {
        let (report, shift) = match key {
            Key::Character(letter) => {
                let shift = if needs_shift(letter) {
                    modifier::LEFT_SHIFT
                } else {
                    0
                };
                (usage_of(letter).map(Usb::Usage), shift)
            }
            Key::Special(special) => (special.usb(), 0),
        };
        match report.ok_or(TypeError::NoSuchKey { key })? {
            Usb::Usage(_) if stroke == Stroke::Release => Ok(()),
            Usb::Usage(usage) => {
                let event = UsbEvent {
                    usage,
                    modifiers: self.held | shift,
                };
                self.send(key, event, clock).await
            }
            Usb::Modifier(bit) => match stroke {
                Stroke::Press => {
                    let event = UsbEvent {
                        usage: 0,
                        modifiers: self.held | bit,
                    };
                    self.send(key, event, clock).await
                }
                Stroke::Hold => {
                    self.held |= bit;
                    Ok(())
                }
                Stroke::Release => {
                    self.held &= !bit;
                    Ok(())
                }
            },
        }
    }

    async fn flush(&mut self, _clock: &dyn Clock) -> Result<(), TypeError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use async_trait::async_trait;

    use super::{UsbDriver, UsbEvent, UsbSink};
    use crate::clock::ManualClock;
    use crate::driver::SinkError;
    use crate::{Pacing, parse, type_actions};

    #[derive(Default)]
    struct Recorder(String);

    #[async_trait]
    impl UsbSink for Recorder {
        async fn send(&mut self, event: UsbEvent) -> Result<(), SinkError> {
            Ok(write!(
                self.0,
                "{:02x}/{:02x} ",
                event.usage, event.modifiers
            )?)
        }
    }

    async fn check(text: &str, expected: &str) {
        let mut driver = UsbDriver::new(Recorder::default(), Pacing::SAFE);
        let actions = parse(text).expect("a boot command");
        let result = type_actions(&actions, &mut driver, &ManualClock::new()).await;
        let sent = driver.into_inner().0;
        let got = result.map_or_else(|err| err.to_string(), |()| sent.trim_end().to_owned());
        assert_eq!(got, expected, "{text}");
    }

    #[tokio::test]
    async fn reports_usages_and_modifiers() {
        check("azA", "04/00 1d/00 04/02").await;
        check("10!)", "1e/00 27/00 1e/02 27/02").await;
        check(" -\\;/?", "2c/00 2d/00 31/00 33/00 38/00 38/02").await;
        check("<enter><f1><leftSuper>", "28/00 3a/00 00/08").await;
        check(
            "<leftCtrlOn>c<leftCtrlOff>c<aOn><aOff>",
            "06/01 06/00 04/00",
        )
        .await;
    }

    #[tokio::test]
    async fn names_keys_it_does_not_have() {
        check("<menu>", "a USB keyboard cannot type the key `<menu>`").await;
        check("ä", "a USB keyboard cannot type the key `ä`").await;
    }
}
