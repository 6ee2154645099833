//! Resources.

use plugin_wire::v1 as wire;
use sdk_component::Resource;

pub(crate) fn resource_to_wire(number: u64, resource: Resource) -> wire::Resource {
    wire::Resource {
        number,
        kind: resource.kind,
        id: resource.id,
        reclaim: resource.reclaim.into_iter().collect(),
    }
}

/// The number on record and the resource.
pub(crate) fn resource_from_wire(resource: wire::Resource) -> (u64, Resource) {
    let number = resource.number;
    let resource = Resource {
        kind: resource.kind,
        id: resource.id,
        reclaim: resource.reclaim.into_iter().collect(),
    };
    (number, resource)
}
