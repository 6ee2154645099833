//! The boot command language and its keyboards.

use std::time::Duration;

use async_trait::async_trait;
use sdk_boot_command::{
    Action, KeySink, KeysymDriver, ManualClock, Pacing, ScanCodeDriver, ScanCodeSink, SinkError,
    UsbDriver, UsbEvent, UsbSink, parse, type_actions,
};

use crate::template::block_on;

/// Most codes a machine takes at once, as VirtualBox has it.
const CHUNK: usize = 25;

/// Takes everything; remembers the longest chunk.
#[derive(Default)]
struct Keyboard {
    longest: usize,
}

#[async_trait]
impl KeySink for Keyboard {
    async fn press(&mut self, _keysym: u32) -> Result<(), SinkError> {
        Ok(())
    }

    async fn release(&mut self, _keysym: u32) -> Result<(), SinkError> {
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[async_trait]
impl ScanCodeSink for Keyboard {
    async fn send(&mut self, codes: &[u8]) -> Result<(), SinkError> {
        self.longest = self.longest.max(codes.len());
        Ok(())
    }
}

#[async_trait]
impl UsbSink for Keyboard {
    async fn send(&mut self, _event: UsbEvent) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Any text is a boot command or has an error with its place; waits are never zero, and every
/// keyboard can type what it asks for.
///
/// # Panics
///
/// When that is not so.
pub fn check(text: &str) {
    let actions = match parse(text) {
        Ok(actions) => actions,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!(actions.len() <= text.chars().count());
    assert_eq!(actions.is_empty(), text.is_empty());
    for action in &actions {
        assert!(!matches!(action, Action::Wait(time) if time.is_zero()));
    }
    type_all(&actions);
}

fn type_all(actions: &[Action]) {
    let clock = ManualClock::new();
    let mut keysyms = KeysymDriver::new(Keyboard::default(), Pacing::SAFE);
    block_on(type_actions(actions, &mut keysyms, &clock)).expect("a keyboard that takes all");
    let clock = ManualClock::new();
    let mut codes = ScanCodeDriver::new(Keyboard::default(), Some(CHUNK), Duration::from_millis(1));
    block_on(type_actions(actions, &mut codes, &clock)).expect("a keyboard that takes all");
    assert!(codes.into_inner().longest <= CHUNK);
    let clock = ManualClock::new();
    let mut usb = UsbDriver::new(Keyboard::default(), Pacing::SAFE);
    // A USB keyboard has no keys for some characters; that is an error with the character in it.
    if let Err(error) = block_on(type_actions(actions, &mut usb, &clock)) {
        assert!(!error.to_string().is_empty());
    }
}
