//! Keys as X11 keysyms, for VNC.

use async_trait::async_trait;

use crate::action::{Key, Stroke, needs_shift};
use crate::clock::Clock;
use crate::driver::{Driver, SinkError};
use crate::error::TypeError;
use crate::pacing::{Pacer, Pacing};
use crate::special::Special;
use crate::starvation::Starvation;

/// Something with a keyboard that is worked by keysyms.
#[async_trait]
pub trait KeySink: Send {
    /// Presses a key.
    ///
    /// # Errors
    ///
    /// When the machine is not reachable.
    async fn press(&mut self, keysym: u32) -> Result<(), SinkError>;

    /// Releases a key.
    ///
    /// # Errors
    ///
    /// When the machine is not reachable.
    async fn release(&mut self, keysym: u32) -> Result<(), SinkError>;

    /// Returns when everything sent so far has reached the machine's keyboard.
    ///
    /// # Errors
    ///
    /// When the machine is not reachable or does not answer in time.
    async fn settle(&mut self) -> Result<(), SinkError>;
}

/// The keysym of a key: a character's code point, a named key's X11 number.
#[must_use]
pub fn keysym(key: Key) -> u32 {
    match key {
        Key::Character(letter) => u32::from(letter),
        Key::Special(special) => special.keysym(),
    }
}

/// Types with keysyms, one event for each transition, and Shift around what needs it.
#[derive(Debug)]
pub struct KeysymDriver<S> {
    sink: S,
    pacer: Pacer,
    starvation: Option<Starvation>,
}

impl<S: KeySink> KeysymDriver<S> {
    /// A driver that types into `sink`.
    pub fn new(sink: S, pacing: Pacing) -> Self {
        Self {
            sink,
            pacer: Pacer::new(pacing),
            starvation: None,
        }
    }

    /// Watches the machine's process, so that no key is sent while the host does not let it run.
    ///
    /// Without this, a crowded host can make a machine lose keys. Only Linux tells enough; on
    /// other systems, and for a process that is not there, nothing is held back.
    #[must_use]
    pub fn watching(mut self, process_id: u32) -> Self {
        self.starvation = Some(Starvation::of(process_id));
        self
    }

    async fn ready(&mut self, clock: &dyn Clock) {
        // A pace that the template asked for is left alone.
        if let (Some(starvation), Some(interval)) =
            (&mut self.starvation, self.pacer.adaptive_interval())
        {
            starvation.wait(interval, clock).await;
        }
    }

    /// Gives the sink back.
    pub fn into_inner(self) -> S {
        self.sink
    }

    async fn press(&mut self, key: Key, code: u32, clock: &dyn Clock) -> Result<(), TypeError> {
        self.ready(clock).await;
        self.sink
            .press(code)
            .await
            .map_err(|source| TypeError::Key { key, source })?;
        self.pacer.after_event(clock).await;
        Ok(())
    }

    async fn release(&mut self, key: Key, code: u32, clock: &dyn Clock) -> Result<(), TypeError> {
        self.ready(clock).await;
        self.sink
            .release(code)
            .await
            .map_err(|source| TypeError::Key { key, source })?;
        self.pacer.after_event(clock).await;
        Ok(())
    }
}

#[async_trait]
impl<S: KeySink> Driver for KeysymDriver<S> {
    async fn key(&mut self, key: Key, stroke: Stroke, clock: &dyn Clock) -> Result<(), TypeError> {
        let shift = Special::LeftShift.keysym();
        let shifted = matches!(key, Key::Character(letter) if needs_shift(letter));
        if stroke.goes_down() {
            if shifted {
                // Shift and its key go down together: their order counts, not the time between.
                self.sink
                    .press(shift)
                    .await
                    .map_err(|source| TypeError::Key { key, source })?;
            }
            self.press(key, keysym(key), clock).await?;
        }
        if stroke.comes_up() {
            self.release(key, keysym(key), clock).await?;
            if shifted {
                self.release(key, shift, clock).await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self, _clock: &dyn Clock) -> Result<(), TypeError> {
        self.sink
            .settle()
            .await
            .map_err(|source| TypeError::Flush { source })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::Duration;

    use async_trait::async_trait;

    use super::{KeySink, KeysymDriver};
    use crate::clock::{Clock, ManualClock};
    use crate::driver::SinkError;
    use crate::{Pacing, parse, type_actions};

    #[derive(Default)]
    struct Recorder(String);

    #[async_trait]
    impl KeySink for Recorder {
        async fn press(&mut self, keysym: u32) -> Result<(), SinkError> {
            Ok(write!(self.0, "+{keysym:x} ")?)
        }

        async fn release(&mut self, keysym: u32) -> Result<(), SinkError> {
            Ok(write!(self.0, "-{keysym:x} ")?)
        }

        async fn settle(&mut self) -> Result<(), SinkError> {
            self.0.push_str(". ");
            Ok(())
        }
    }

    async fn check(text: &str, expected: &str, millis: u64) {
        let clock = ManualClock::new();
        let mut driver = KeysymDriver::new(Recorder::default(), Pacing::SAFE);
        let actions = parse(text).expect("a boot command");
        type_actions(&actions, &mut driver, &clock)
            .await
            .expect("types");
        assert_eq!(driver.into_inner().0.trim_end(), expected, "{text}");
        assert_eq!(clock.now(), Duration::from_millis(millis), "{text}");
    }

    #[tokio::test]
    async fn presses_shift_where_it_takes_it() {
        check("a", "+61 -61 .", 20).await;
        check("A", "+ffe1 +41 -41 -ffe1 .", 30).await;
        check("~", "+ffe1 +7e -7e -ffe1 .", 30).await;
        check("ä", "+e4 -e4 .", 20).await;
    }

    #[tokio::test]
    async fn holds_releases_and_waits() {
        check("<leftCtrlOn>c<leftCtrlOff>", "+ffe3 +63 -63 -ffe3 .", 40).await;
        check("<AOn><AOff>", "+ffe1 +41 -41 -ffe1 .", 30).await;
        check("<enter><wait5>x", "+ff0d -ff0d . +78 -78 .", 5040).await;
        check(
            "<leftOption><leftCommand><spacebar><menu>",
            "+ffe7 -ffe7 +ffe9 -ffe9 +20 -20 +ff67 -ff67 .",
            80,
        )
        .await;
    }
}
