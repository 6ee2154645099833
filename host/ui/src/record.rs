//! What the log keeps of a run's events.

use host_engine::Event;

/// Writes an event to the log. Texts get there when they are shown.
pub(crate) fn record(event: &Event) {
    match event {
        Event::BuildBegun { build } => tracing::info!(build, "build begun"),
        Event::BuildEnded {
            build,
            error,
            cancelled,
            elapsed,
        } => {
            let elapsed_ms = elapsed.as_millis();
            tracing::info!(build, error, cancelled, elapsed_ms, "build ended");
        }
        Event::StepBegun { build, step } => tracing::info!(build, step, "step begun"),
        Event::StepEnded {
            build,
            step,
            error,
            elapsed,
        } => {
            let elapsed_ms = elapsed.as_millis();
            tracing::info!(build, step, error, elapsed_ms, "step ended");
        }
        Event::ProvisionerBegun {
            build,
            type_name,
            index,
        } => tracing::info!(build, type_name, index, "provisioner begun"),
        Event::ProvisionerEnded {
            build,
            type_name,
            index,
            error,
            elapsed,
        } => {
            let elapsed_ms = elapsed.as_millis();
            tracing::info!(
                build,
                type_name,
                index,
                error,
                elapsed_ms,
                "provisioner ended"
            );
        }
        Event::PostProcessorBegun {
            build,
            type_name,
            chain,
            index,
        } => tracing::info!(build, type_name, chain, index, "post-processor begun"),
        Event::PostProcessorEnded {
            build,
            type_name,
            chain,
            index,
            error,
            elapsed,
        } => {
            let elapsed_ms = elapsed.as_millis();
            tracing::info!(
                build,
                type_name,
                chain,
                index,
                error,
                elapsed_ms,
                "post-processor ended"
            );
        }
        Event::Progress { build, progress } if progress.ended => {
            tracing::debug!(
                build,
                label = progress.label,
                done = progress.done,
                "work ended"
            );
        }
        Event::Say { .. }
        | Event::Error { .. }
        | Event::Progress { .. }
        | Event::Diagnostics(_) => {}
    }
}
