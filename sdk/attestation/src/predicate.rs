//! Kinds of predicates.

/// What a statement can say that kiln makes and knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredicateKind {
    /// How something was built.
    Provenance,
    /// What is in it, as CycloneDX.
    CycloneDx,
    /// What is in it, as SPDX.
    Spdx,
}

impl PredicateKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Provenance, Self::CycloneDx, Self::Spdx];

    /// The type as statements name it.
    ///
    /// # Source
    ///
    /// SLSA v1.0, "Provenance"; in-toto attestation, `spec/predicates` for the other two.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Provenance => "https://slsa.dev/provenance/v1",
            Self::CycloneDx => "https://cyclonedx.org/bom",
            Self::Spdx => "https://spdx.dev/Document",
        }
    }

    /// The short name people write.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Provenance => "provenance",
            Self::CycloneDx => "cyclonedx",
            Self::Spdx => "spdx",
        }
    }

    /// The kind of a type as statements name it; also with a version behind it.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let rest = uri.strip_prefix(kind.uri());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("/v"))
        })
    }

    /// The kind with a short name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
