//! SPDX.
//!
//! # Source
//!
//! The SPDX specification 2.3 and its JSON schema.

use std::collections::BTreeMap;

use kiln_sdk::attestation::sha256_hex;
use serde_json::{Value, json};

use super::license::License;
use super::{Image, identity};
use crate::packages::purl::purl;
use crate::packages::{Inventory, OsRelease, Package};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";
const SYSTEM: &str = "SPDXRef-OperatingSystem";
const UNKNOWN: &str = "NOASSERTION";
/// Digits of a digest that tell packages and licences of one document apart.
const DIGITS: usize = 16;

pub(super) fn document(image: &Image<'_>, inventory: &Inventory) -> Value {
    let mut licenses = BTreeMap::new();
    let mut packages = vec![package(IMAGE, image.name, "OPERATING-SYSTEM")];
    if !inventory.os.id.is_empty() {
        packages.push(system(&inventory.os));
    }
    let installed = inventory.packages.iter();
    packages.extend(installed.map(|one| library(one, &inventory.os, &mut licenses)));
    let mut relationships = vec![relation(DOCUMENT, "DESCRIBES", IMAGE)];
    let contained = packages.iter().skip(1);
    relationships.extend(
        contained
            .filter_map(|one| one["SPDXID"].as_str())
            .map(|id| relation(IMAGE, "CONTAINS", id)),
    );
    let serial = identity(&json!(packages));
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": image.name,
        "documentNamespace": format!("https://spdx.org/spdxdocs/{}-{serial}", plain(image.name)),
        "creationInfo": {
            "created": image.time,
            "creators": [concat!("Tool: kiln-", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relationships,
    });
    if !licenses.is_empty() {
        let texts = licenses.into_iter();
        let texts: Vec<Value> = texts
            .map(|(id, text)| json!({ "licenseId": id, "extractedText": text, "name": text }))
            .collect();
        document["hasExtractedLicensingInfos"] = texts.into();
    }
    document
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

fn package(id: &str, name: &str, purpose: &str) -> Value {
    json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": UNKNOWN,
        "copyrightText": UNKNOWN,
        "primaryPackagePurpose": purpose,
    })
}

fn system(os: &OsRelease) -> Value {
    let mut system = package(SYSTEM, &os.id, "OPERATING-SYSTEM");
    for (name, value) in [
        ("versionInfo", &os.version_id),
        ("summary", &os.pretty_name),
    ] {
        if !value.is_empty() {
            system[name] = value.as_str().into();
        }
    }
    system
}

fn library(one: &Package, os: &OsRelease, licenses: &mut BTreeMap<String, String>) -> Value {
    let url = purl(one, os);
    let id = format!("SPDXRef-Package-{}-{}", plain(&one.name), digits(&url));
    let mut found = package(&id, &one.name, "LIBRARY");
    found["versionInfo"] = one.version.as_str().into();
    found["supplier"] = supplier(&one.supplier).into();
    if !one.description.is_empty() {
        found["summary"] = one.description.as_str().into();
    }
    found["licenseDeclared"] = match License::read(&one.license) {
        None => UNKNOWN.into(),
        Some(License::Expression(expression)) => expression.into(),
        Some(License::Text(text)) => {
            let id = format!("LicenseRef-{}-{}", plain(&text), digits(&text));
            licenses.insert(id.clone(), text);
            id.into()
        }
    };
    found["externalRefs"] = json!([{
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": url,
    }]);
    found
}

/// `Person: name (mail)` or `Organization: name`.
fn supplier(text: &str) -> String {
    if text.is_empty() {
        return UNKNOWN.to_owned();
    }
    let mail = text.split_once('<').and_then(|(name, rest)| {
        let (mail, _) = rest.split_once('>')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
        let is_mail = mail.contains('@') && mail.chars().all(plain);
        is_mail.then(|| (name.trim().trim_matches('"'), mail))
    });
    match mail {
        Some((name, mail)) if !name.is_empty() && !name.contains(['(', ')']) => {
            format!("Person: {name} ({mail})")
        }
        _ => format!("Organization: {}", text.replace(['(', ')'], "")),
    }
}

/// The characters that identifiers may have.
fn plain(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        c if c.is_ascii_alphanumeric() || c == '.' || c == '-' => c,
        _ => '-',
    });
    plain.take(64).collect()
}

fn digits(text: &str) -> String {
    let mut digits = sha256_hex(text.as_bytes());
    digits.truncate(DIGITS);
    digits
}
