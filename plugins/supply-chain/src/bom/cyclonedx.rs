//! CycloneDX.
//!
//! # Source
//!
//! ECMA-424 / the JSON schema of CycloneDX 1.6.

use serde_json::{Map, Value, json};

use super::license::License;
use super::{Image, identity};
use crate::packages::purl::purl;
use crate::packages::{Inventory, OsRelease, Package};

const SCHEMA: &str = "http://cyclonedx.org/schema/bom-1.6.schema.json";
const VERSION: &str = "1.6";
/// The image's reference within the document.
const IMAGE: &str = "image";
/// The operating system's.
const SYSTEM: &str = "operating-system";

pub(super) fn document(image: &Image<'_>, inventory: &Inventory) -> Value {
    let mut components = Vec::new();
    let system = system(&inventory.os);
    components.extend(system.clone());
    let packages = inventory.packages.iter();
    components.extend(packages.map(|package| component(package, &inventory.os)));
    let references: Vec<Value> = components
        .iter()
        .filter_map(|component| component.get("bom-ref").cloned())
        .collect();
    let subject = json!({ "type": "platform", "bom-ref": IMAGE, "name": image.name });
    let serial = identity(&json!([subject, components]));
    json!({
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "serialNumber": format!("urn:uuid:{serial}"),
        "version": 1,
        "metadata": {
            "timestamp": image.time,
            "tools": { "components": [{
                "type": "application",
                "name": "kiln",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": subject,
        },
        "components": components,
        "dependencies": [{ "ref": IMAGE, "dependsOn": references }],
    })
}

fn system(os: &OsRelease) -> Option<Value> {
    if os.id.is_empty() {
        return None;
    }
    let mut component = Map::new();
    let mut set = |name: &str, value: &str| insert(&mut component, name, value);
    set("type", "operating-system");
    set("bom-ref", SYSTEM);
    set("name", &os.id);
    set("version", &os.version_id);
    set("description", &os.pretty_name);
    Some(component.into())
}

fn component(package: &Package, os: &OsRelease) -> Value {
    let url = purl(package, os);
    let mut component = Map::new();
    insert(&mut component, "type", "library");
    insert(&mut component, "bom-ref", &url);
    if !package.supplier.is_empty() {
        component.insert("supplier".to_owned(), json!({ "name": package.supplier }));
    }
    insert(&mut component, "name", &package.name);
    insert(&mut component, "version", &package.version);
    insert(&mut component, "description", &package.description);
    let license = License::read(&package.license).map(|license| match license {
        License::Expression(expression) => json!([{ "expression": expression }]),
        License::Text(text) => json!([{ "license": { "name": text } }]),
    });
    if let Some(license) = license {
        component.insert("licenses".to_owned(), license);
    }
    insert(&mut component, "purl", &url);
    if is_url(&package.homepage) {
        let reference = json!([{ "type": "website", "url": package.homepage }]);
        component.insert("externalReferences".to_owned(), reference);
    }
    component.into()
}

fn insert(component: &mut Map<String, Value>, name: &str, value: &str) {
    if !value.is_empty() {
        component.insert(name.to_owned(), value.into());
    }
}

/// Whether it is a reference by the rules of documents; databases have all kinds of text there.
fn is_url(text: &str) -> bool {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?@!$&'()*+,;=%".contains(c);
        !rest.is_empty() && rest.chars().all(allowed) && complete_escapes(rest)
    })
}

fn complete_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes().take(2);
        rest.len() >= 2 && digits.all(|byte| byte.is_ascii_hexdigit())
    })
}
