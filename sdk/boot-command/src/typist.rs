//! Runs a boot command.

use crate::action::Action;
use crate::clock::Clock;
use crate::driver::Driver;
use crate::error::TypeError;

/// Types `actions` through `driver`.
///
/// Drop the future to stop: nothing more is typed then, and keys that are down stay down.
///
/// # Errors
///
/// The first key that did not reach the machine.
pub async fn type_actions(
    actions: &[Action],
    driver: &mut dyn Driver,
    clock: &dyn Clock,
) -> Result<(), TypeError> {
    for action in actions {
        match *action {
            Action::Wait(time) => {
                driver.flush(clock).await?;
                tracing::debug!(wait_ms = time.as_millis(), "waiting in the boot command");
                clock.sleep_until(clock.now() + time).await;
            }
            Action::Key(key, stroke) => driver.key(key, stroke, clock).await?,
        }
    }
    driver.flush(clock).await
}
