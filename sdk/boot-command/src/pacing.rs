//! How fast keys follow each other.

use std::time::Duration;

use crate::clock::Clock;
use crate::error::BootCommandError;

/// How fast keys follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// At least this long after each event, as the template asked for.
    Fixed(Duration),
    /// This long after each event on a machine that keeps up, longer while the host is late.
    Adaptive(Duration),
}

impl Pacing {
    /// Pace that no known server or firmware loses keys at: 10 ms for each event.
    ///
    /// # Source
    ///
    /// QEMU's VNC server queues events and spaces them by its `key-delay-ms`, 10 by default; a
    /// faster client only fills that queue. Measured with QEMU 7.2: 10 ms loses nothing.
    /// Differs: Packer waits 100 ms after each event.
    pub const SAFE: Self = Self::Adaptive(Duration::from_millis(10));

    /// Pace for a QEMU that was started with `key-delay-ms=1` in its `-vnc` option: 4 ms
    /// for each event, 200 characters in 1.6 s.
    ///
    /// # Source
    ///
    /// Measured with QEMU 7.2 (TCG) and a program that reads keys through the BIOS: nothing is
    /// lost, also with eight busy loops on two cores.
    pub const FAST: Self = Self::Adaptive(Duration::from_millis(4));

    /// The pace a template or the environment asks for, else `default`.
    ///
    /// `option` is `boot_key_interval`, `environment` the value of PACKER_KEY_INTERVAL; empty text
    /// counts as not set.
    ///
    /// # Errors
    ///
    /// When the environment's text is not a duration above zero.
    pub fn choose(
        option: Option<Duration>,
        environment: Option<&str>,
        default: Self,
    ) -> Result<Self, BootCommandError> {
        if let Some(interval) = option.filter(|interval| !interval.is_zero()) {
            return Ok(Self::Fixed(interval));
        }
        match environment.filter(|text| !text.is_empty()) {
            None => Ok(default),
            Some(text) => match sdk_config::parse_duration(text) {
                Some(interval) if !interval.is_zero() => Ok(Self::Fixed(interval)),
                _ => Err(BootCommandError::KeyInterval {
                    value: text.to_owned(),
                }),
            },
        }
    }

    /// The time between two events when nothing is late.
    #[must_use]
    pub fn interval(self) -> Duration {
        match self {
            Self::Fixed(interval) | Self::Adaptive(interval) => interval,
        }
    }
}

/// Keeps a pace.
#[derive(Debug)]
pub(crate) struct Pacer {
    pacing: Pacing,
    /// What the interval is now; longer than asked for while the host is late.
    current: Duration,
    /// When the last event should have been over.
    deadline: Duration,
}

/// How much slower than asked for an adaptive pace can become.
const GREATEST_SLOWDOWN: u32 = 5;
/// How many intervals an adaptive pace makes up for; what is later than that stays late.
const MOST_ARREARS: u32 = 5;
/// Waking later than this is a stall. A PS/2 keyboard has room for 16 bytes, five characters.
const STALL: Duration = Duration::from_millis(25);

impl Pacer {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            current: pacing.interval(),
            deadline: Duration::ZERO,
        }
    }

    /// The time between two events, when it is not one that was asked for.
    pub(crate) fn adaptive_interval(&self) -> Option<Duration> {
        match self.pacing {
            Pacing::Adaptive(interval) => Some(interval),
            Pacing::Fixed(_) => None,
        }
    }

    /// Waits as long as it takes after an event that has just been sent.
    pub(crate) async fn after_event(&mut self, clock: &dyn Clock) {
        let sent = clock.now();
        let Pacing::Adaptive(interval) = self.pacing else {
            clock.sleep_until(sent + self.current).await;
            return;
        };
        // Counting from the last deadline keeps the mean right although timers have a grain of a
        // millisecond and a busy host wakes late; the lower bound keeps events from bunching.
        let arrears = sent.saturating_sub(self.deadline);
        if arrears > interval * MOST_ARREARS {
            self.deadline = sent;
        }
        self.deadline = (self.deadline + self.current).max(sent + self.current / 2);
        clock.sleep_until(self.deadline).await;
        let late = clock.now().saturating_sub(self.deadline);
        if late > STALL {
            // A host that cannot run this program in time does not run the guest in time either.
            self.current = (self.current * 2).min(interval * GREATEST_SLOWDOWN);
        } else {
            self.current = (self.current * 3 / 4).max(interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pacer, Pacing};
    use crate::clock::{Clock, ManualClock};

    async fn time_of(pacing: Pacing, clock: &ManualClock) -> u128 {
        let mut pacer = Pacer::new(pacing);
        for _ in 0..100 {
            pacer.after_event(clock).await;
        }
        clock.now().as_millis()
    }

    #[tokio::test]
    async fn keeps_the_pace_and_slows_down_on_a_late_host() {
        assert_eq!(time_of(Pacing::SAFE, &ManualClock::new()).await, 1000);
        assert_eq!(time_of(Pacing::FAST, &ManualClock::new()).await, 400);
        let grain = ManualClock::late_by(Duration::from_micros(900));
        assert!(time_of(Pacing::SAFE, &grain).await < 1010);
        let busy = ManualClock::late_by(Duration::from_millis(30));
        assert!(time_of(Pacing::SAFE, &busy).await > 5000);
        let fixed = ManualClock::late_by(Duration::from_millis(1));
        assert_eq!(
            time_of(Pacing::Fixed(Duration::from_millis(7)), &fixed).await,
            800
        );
    }

    #[test]
    fn template_beats_environment_beats_default() {
        let millis = Duration::from_millis;
        let choose = |option, text| Pacing::choose(option, text, Pacing::SAFE);
        assert_eq!(
            choose(Some(millis(3)), Some("9ms")),
            Ok(Pacing::Fixed(millis(3)))
        );
        assert_eq!(
            choose(Some(millis(0)), Some("9ms")),
            Ok(Pacing::Fixed(millis(9)))
        );
        assert_eq!(choose(None, Some("")), Ok(Pacing::SAFE));
        let err = choose(None, Some("soon")).expect_err("not a duration");
        assert_eq!(
            err.to_string(),
            "`soon` in PACKER_KEY_INTERVAL is no duration such as `10ms`"
        );
    }
}
