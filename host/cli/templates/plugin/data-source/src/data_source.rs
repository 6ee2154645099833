//! The data source `myplugin`.

use std::path::PathBuf;

use kiln_sdk::{
    BuildInfo, Config, DataSource as Trait, Diagnostic, Failure, Prepared, RunContext, Value,
};

/// The largest file that is read, in bytes.
const LIMIT_BYTES: u64 = 1 << 20;

/// Reads a text file while the template is evaluated.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct DataSourceConfig {
    /// The file to read; at most 1 MiB.
    #[config(required)]
    pub(crate) path: PathBuf,
}

/// What templates get.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct DataSourceOutput {
    /// The text in the file.
    pub(crate) content: String,
    /// How many lines it has.
    pub(crate) lines: u64,
}

/// Reads a text file.
pub(crate) struct DataSource;

impl Trait for DataSource {
    type Config = DataSourceConfig;
    type Output = DataSourceOutput;

    // Checks the options and touches nothing. Every problem is told, with the option it is about.
    fn prepare(&self, config: &mut DataSourceConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        if config.path.as_os_str().is_empty() {
            let problem = Diagnostic::error("Missing file", "`path` is empty.");
            problems.push(problem.on("path"));
        }
        problems.into()
    }

    async fn read(&self, _cx: RunContext, config: DataSourceConfig) -> Result<Value, Failure> {
        let found = read(&config).map_err(|error| {
            let text = format!("cannot read `{}`: {error}", config.path.display());
            Failure::new(text).on("path")
        })?;
        let mut value = Value::empty_map();
        value.insert("content", found.content);
        value.insert("lines", found.lines);
        Ok(value)
    }
}

fn read(config: &DataSourceConfig) -> std::io::Result<DataSourceOutput> {
    if std::fs::metadata(&config.path)?.len() > LIMIT_BYTES {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    let content = std::fs::read_to_string(&config.path)?;
    let lines = content.lines().count() as u64;
    Ok(DataSourceOutput { content, lines })
}

#[cfg(test)]
mod tests {
    use kiln_sdk::Value;
    use kiln_sdk_test_kit::{FakeHost, contract};

    use super::DataSource;

    fn options(folder: &tempfile::TempDir) -> Value {
        let path = folder.path().join("motd");
        std::fs::write(&path, "one\ntwo\n").expect("a file can be written");
        [("path", path.display().to_string())].into_iter().collect()
    }

    #[tokio::test]
    async fn the_file_is_read() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let read = FakeHost::new().read(DataSource, options(&folder)).await;
        let value = read.outcome.expect("it reads");
        assert_eq!(
            value.get("content").and_then(Value::as_str),
            Some("one\ntwo\n")
        );
    }

    #[tokio::test]
    async fn a_missing_file_is_told_with_its_option() {
        let options = [("path", "no/such/file")].into_iter().collect();
        let read = FakeHost::new().read(DataSource, options).await;
        let failure = read.outcome.expect_err("it fails");
        assert_eq!(failure.diagnostics[0].path.to_string(), "path");
    }

    #[tokio::test]
    async fn the_contract_holds() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        contract::check_data_source(|| DataSource, options(&folder)).await;
    }
}
