//! The files of new plugins.

/// The plugin's name in the files.
pub(super) const PLACEHOLDER: &str = "myplugin";

/// What a new plugin has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Builder,
    Provisioner,
    PostProcessor,
    DataSource,
}

/// The files of a kind: the path in the crate, and the text.
type Files = &'static [(&'static str, &'static str)];

/// The text of a file of a kind.
macro_rules! template {
    ($kind:literal, $path:literal) => {
        (
            $path,
            include_str!(concat!("../../../../templates/plugin/", $kind, "/", $path)),
        )
    };
}

/// The files every kind has, and its own.
macro_rules! templates {
    ($kind:literal, $($own:literal),+) => {
        &[
            template!($kind, "Cargo.toml"),
            template!($kind, "README.md"),
            template!($kind, ".gitignore"),
            template!($kind, "src/main.rs"),
            template!($kind, "tests/contract.rs"),
            template!($kind, "example/template.pkr.hcl"),
            $(template!($kind, $own)),+
        ]
    };
}

const BUILDER: Files = templates!("builder", "src/builder.rs");
const PROVISIONER: Files = templates!("provisioner", "src/provisioner.rs");
const POST_PROCESSOR: Files = templates!("post-processor", "src/post_processor.rs");
const DATA_SOURCE: Files = templates!("data-source", "src/data_source.rs", "example/motd.txt");

impl Kind {
    /// All kinds.
    #[cfg(test)]
    pub(super) const ALL: [Self; 4] = [
        Self::Builder,
        Self::Provisioner,
        Self::PostProcessor,
        Self::DataSource,
    ];

    /// The kind of this name; the command line takes no others.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "builder" => Self::Builder,
            "post-processor" => Self::PostProcessor,
            "data-source" => Self::DataSource,
            _ => Self::Provisioner,
        }
    }

    /// The files of a plugin of this kind.
    pub(super) fn files(self) -> Files {
        match self {
            Self::Builder => BUILDER,
            Self::Provisioner => PROVISIONER,
            Self::PostProcessor => POST_PROCESSOR,
            Self::DataSource => DATA_SOURCE,
        }
    }
}
