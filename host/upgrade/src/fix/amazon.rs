//! Amazon builders.

use serde_json::Value;

use super::option::{rename, take_text};
use crate::document::Document;
use crate::error::UpgradeError;

fn is_amazon(kind: &str) -> bool {
    kind.starts_with("amazon-")
}

/// A British spelling.
pub(super) fn shutdown_behavior(document: &mut Document) {
    for builder in document.builders_of(is_amazon) {
        rename(builder, "shutdown_behaviour", "shutdown_behavior");
    }
}

/// `enhanced_networking` becomes `ena_support`.
pub(super) fn enhanced_networking(document: &mut Document) {
    for builder in document.builders_of(is_amazon) {
        if let Some(Value::Bool(enabled)) = builder.get("enhanced_networking") {
            let enabled = *enabled;
            builder.remove("enhanced_networking");
            builder.insert("ena_support".to_owned(), enabled.into());
        }
    }
}

/// `ssh_private_ip` becomes `ssh_interface`, unless that is there.
pub(super) fn private_ip(document: &mut Document) -> Result<(), UpgradeError> {
    for builder in document.builders_of(is_amazon) {
        if builder.contains_key("ssh_interface") {
            continue;
        }
        let Some(value) = builder
            .get("ssh_private_ip")
            .filter(|value| !value.is_null())
        else {
            continue;
        };
        let private = boolean("ssh_private_ip", value)?;
        builder.remove("ssh_private_ip");
        let interface = if private { "private_ip" } else { "public_ip" };
        builder.insert("ssh_interface".to_owned(), interface.into());
    }
    Ok(())
}

/// True or false, or one of the texts that Go reads as such.
fn boolean(option: &'static str, value: &Value) -> Result<bool, UpgradeError> {
    let found = match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| UpgradeError::NotBoolean {
        option,
        found: value.to_string(),
    })
}

/// One address range becomes a list of one.
pub(super) fn temporary_cidrs(document: &mut Document) {
    for builder in document.builders_of(is_amazon) {
        if let Some(range) = take_text(builder, "temporary_security_group_source_cidr") {
            let ranges = Value::Array(vec![range.into()]);
            builder.insert("temporary_security_group_source_cidrs".to_owned(), ranges);
        }
    }
}

/// `spot_price_auto_product` is found out by now.
pub(super) fn spot_price_auto_product(document: &mut Document) {
    let kinds = [
        "amazon-ebs",
        "amazon-ebssurrogate",
        "amazon-ebsvolume",
        "amazon-instance",
    ];
    for builder in document.builders_of(|kind| kinds.contains(&kind)) {
        builder.remove("spot_price_auto_product");
    }
}
