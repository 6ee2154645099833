//! Resources.

use plugin_wire::v1 as wire;

use crate::journal::Resource;

/// The resource of a message, without its number.
pub(crate) fn resource_from_wire(message: wire::Resource) -> Resource {
    Resource {
        kind: message.kind,
        id: message.id,
        reclaim: message.reclaim.into_iter().collect(),
    }
}

/// The resource as a message with this number.
pub(crate) fn resource_to_wire(number: u64, resource: &Resource) -> wire::Resource {
    wire::Resource {
        number,
        kind: resource.kind.clone(),
        id: resource.id.clone(),
        reclaim: resource.reclaim.clone().into_iter().collect(),
    }
}
