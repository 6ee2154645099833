use serde_json::Value;

use super::{Bom, BomError, Format, Image};
use crate::packages::{Databases, Inventory};

fn inventory() -> Inventory {
    Databases {
        os_release: "ID=alpine\nVERSION_ID=3.18\n".to_owned(),
        apk:
            "P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\nU:https://musl.libc.org/\nm:T <t@example.com>\n\n\
              P:odd\nV:1-r0\nA:x86_64\nL:custom (see file)\nU:not a url\nm:Team\n\n\
              P:two\nV:2-r0\nA:x86_64\nL:GPL-2.0-or-later AND (MIT OR Apache-2.0)\n"
                .to_owned(),
        ..Databases::default()
    }
    .inventory()
}

fn written(format: Format, time: &str) -> Value {
    let image = Image {
        name: "web server",
        time,
    };
    Bom::write(format, &image, &inventory()).content
}

const TIME: &str = "2023-11-14T22:13:20Z";

#[test]
fn cyclonedx_has_every_package_with_url_and_licence() {
    let document = written(Format::CycloneDx, TIME);
    let components = document["components"].as_array().unwrap();
    let names: Vec<&str> = components
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert_eq!(names, ["alpine", "musl", "odd", "two"]);
    assert_eq!(
        components[1]["purl"],
        "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18"
    );
    assert_eq!(components[1]["licenses"][0]["expression"], "MIT");
    assert_eq!(
        components[1]["externalReferences"][0]["url"],
        "https://musl.libc.org/"
    );
    assert_eq!(
        components[2]["licenses"][0]["license"]["name"],
        "custom (see file)"
    );
    assert_eq!(components[2]["externalReferences"], Value::Null);
    let expression = "GPL-2.0-or-later AND (MIT OR Apache-2.0)";
    assert_eq!(components[3]["licenses"][0]["expression"], expression);
    let depends = document["dependencies"][0]["dependsOn"].as_array().unwrap();
    assert_eq!(depends.len(), 4);
    assert_eq!(document["metadata"]["component"]["name"], "web server");
    assert_eq!(document["metadata"]["timestamp"], TIME);
}

#[test]
fn spdx_describes_the_image_and_what_it_contains() {
    let document = written(Format::Spdx, TIME);
    let packages = document["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 5);
    let musl = &packages[2];
    assert_eq!(musl["licenseDeclared"], "MIT");
    assert_eq!(musl["supplier"], "Person: T (t@example.com)");
    assert_eq!(
        musl["externalRefs"][0]["referenceLocator"],
        "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18"
    );
    assert_eq!(packages[3]["supplier"], "Organization: Team");
    let reference = packages[3]["licenseDeclared"].as_str().unwrap();
    assert!(
        reference.starts_with("LicenseRef-custom--see-file--"),
        "{reference}"
    );
    let extracted = &document["hasExtractedLicensingInfos"][0];
    assert_eq!(extracted["licenseId"], reference);
    assert_eq!(extracted["extractedText"], "custom (see file)");
    let relations = document["relationships"].as_array().unwrap();
    assert_eq!(relations.len(), 5);
    assert_eq!(relations[0]["relationshipType"], "DESCRIBES");
}

#[test]
fn the_same_packages_give_the_same_document() {
    for (format, serial) in [
        (Format::CycloneDx, "serialNumber"),
        (Format::Spdx, "documentNamespace"),
    ] {
        assert_eq!(written(format, TIME), written(format, TIME));
        let later = written(format, "2024-01-01T00:00:00Z");
        assert_ne!(written(format, TIME), later);
        assert_eq!(written(format, TIME)[serial], later[serial]);
        let mut fewer = inventory();
        fewer.packages.pop();
        let image = Image {
            name: "web server",
            time: TIME,
        };
        let other = Bom::write(format, &image, &fewer).content;
        assert_ne!(written(format, TIME)[serial], other[serial]);
    }
}

#[test]
fn documents_are_told_apart() {
    let text = |format| {
        Bom::write(
            format,
            &Image {
                name: "x",
                time: TIME,
            },
            &inventory(),
        )
        .to_text()
    };
    for format in [Format::CycloneDx, Format::Spdx] {
        let text = text(format).unwrap();
        let found = Bom::read(text.as_bytes(), Some(format)).unwrap();
        assert_eq!(found.format, format);
        assert_eq!(
            Format::of_name(&format.title().to_lowercase()),
            Some(format)
        );
    }
    let cyclonedx = text(Format::CycloneDx).unwrap();
    let error = Bom::read(cyclonedx.as_bytes(), Some(Format::Spdx)).unwrap_err();
    assert_eq!(error.to_string(), "it is CycloneDX, not SPDX");
    for wrong in [
        "{}",
        "[]",
        "{\"bomFormat\":\"CycloneDX\"}",
        "{\"spdxVersion\":\"SPDX-3.0\"}",
    ] {
        let error = Bom::read(wrong.as_bytes(), None).unwrap_err();
        assert!(matches!(error, BomError::Format), "{wrong}: {error}");
    }
    assert!(Bom::read(b"<bom/>", None).is_err());
}
