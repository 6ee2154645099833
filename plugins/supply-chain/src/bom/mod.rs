//! Bills of materials: what is in an image, in the two formats there are.
//!
//! [`Bom::write`] makes a document of an inventory, [`Bom::read`] takes one that somebody else made.
//! The same packages give the same document, byte for byte, but for the time it was made, which
//! `SOURCE_DATE_EPOCH` fixes.

mod cyclonedx;
mod license;
mod spdx;

use kiln_sdk::attestation::PredicateKind;
use serde_json::Value;
use uuid::Uuid;

use crate::packages::Inventory;

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CycloneDX 1.6 as JSON.
    CycloneDx,
    /// SPDX 2.3 as JSON.
    Spdx,
}

impl Format {
    /// The format with a name; both people's and the scanners' are known.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "cyclonedx" | "cyclonedx-json" => Some(Self::CycloneDx),
            "spdx" | "spdx-json" => Some(Self::Spdx),
            _ => None,
        }
    }

    /// How file names end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::CycloneDx => "cdx.json",
            Self::Spdx => "spdx.json",
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::CycloneDx => "CycloneDX",
            Self::Spdx => "SPDX",
        }
    }

    /// What an attestation with such a document says.
    pub fn predicate(self) -> PredicateKind {
        match self {
            Self::CycloneDx => PredicateKind::CycloneDx,
            Self::Spdx => PredicateKind::Spdx,
        }
    }
}

/// Why a text is no bill of materials.
#[derive(Debug, thiserror::Error)]
pub enum BomError {
    /// It is no JSON.
    #[error("it is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is something else.
    #[error(
        "it is neither a CycloneDX document (`bomFormat`, `specVersion`) nor an SPDX 2 document \
         (`spdxVersion`, `SPDXID`) in JSON"
    )]
    Format,
    /// It is the other format.
    #[error("it is {found}, not {wanted}", found = found.title(), wanted = wanted.title())]
    Other {
        /// What it is.
        found: Format,
        /// What it should be.
        wanted: Format,
    },
}

/// A document.
#[derive(Debug)]
pub struct Bom {
    /// Its format.
    pub format: Format,
    /// Its content.
    pub content: Value,
}

/// What a document is about, besides the packages.
pub struct Image<'a> {
    /// Name of the image.
    pub name: &'a str,
    /// When the document was made.
    pub time: &'a str,
}

impl Bom {
    /// The document about an image with these packages.
    pub fn write(format: Format, image: &Image<'_>, inventory: &Inventory) -> Self {
        let content = match format {
            Format::CycloneDx => cyclonedx::document(image, inventory),
            Format::Spdx => spdx::document(image, inventory),
        };
        Self { format, content }
    }

    /// Reads a document and finds out what it is.
    ///
    /// # Errors
    ///
    /// A [`BomError`] when it is none, or not in the `wanted` format.
    pub fn read(text: &[u8], wanted: Option<Format>) -> Result<Self, BomError> {
        let content: Value = serde_json::from_slice(text)?;
        let text = |name: &str| content.get(name).and_then(Value::as_str);
        let cyclonedx = text("bomFormat") == Some("CycloneDX") && text("specVersion").is_some();
        let spdx = text("spdxVersion").is_some_and(|version| version.starts_with("SPDX-2."))
            && text("SPDXID") == Some("SPDXRef-DOCUMENT");
        let format = match (cyclonedx, spdx) {
            (true, false) => Format::CycloneDx,
            (false, true) => Format::Spdx,
            _ => return Err(BomError::Format),
        };
        match wanted {
            Some(wanted) if wanted != format => Err(BomError::Other {
                found: format,
                wanted,
            }),
            _ => Ok(Self { format, content }),
        }
    }

    /// The document as text.
    ///
    /// # Errors
    ///
    /// When it cannot be written as JSON.
    pub fn to_text(&self) -> Result<String, BomError> {
        Ok(serde_json::to_string_pretty(&self.content)? + "\n")
    }
}

/// An identity that depends on nothing but `content`.
fn identity(content: &Value) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, content.to_string().as_bytes())
}

#[cfg(test)]
mod tests;
