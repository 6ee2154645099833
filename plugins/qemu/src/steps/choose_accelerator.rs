//! Chooses how the guest's code runs.

use kiln_sdk::RunContext;

use crate::config::{Accelerator, QemuConfig};
use crate::driver::Driver;

/// The accelerator of the template, or the fastest one that works here.
pub(crate) async fn choose_accelerator<D: Driver>(
    cx: &RunContext,
    driver: &D,
    config: &QemuConfig,
) -> Accelerator {
    if let Some(accelerator) = config.named_accelerator() {
        if accelerator == Accelerator::None {
            cx.say("The accelerator is \"none\": QEMU may run the guest slowly")
                .await;
        }
        return accelerator;
    }
    let candidate = match std::env::consts::OS {
        "linux" => Accelerator::Kvm,
        "macos" => Accelerator::Hvf,
        _ => return Accelerator::Tcg,
    };
    // The device file alone says nothing about permissions, nested machines or the architecture.
    let there = candidate != Accelerator::Kvm || readable_and_writable("/dev/kvm");
    if there && driver.accelerates(&config.qemu_binary, candidate).await {
        return candidate;
    }
    tracing::info!(
        accelerator = candidate.name(),
        "not usable here, the guest runs in software"
    );
    Accelerator::Tcg
}

fn readable_and_writable(path: &str) -> bool {
    std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .is_ok()
}
