//! The data source `null`: gives back what it is given.

use kiln_sdk::{BuildInfo, Config, DataSource, Failure, Prepared, RunContext, Value};

/// Gives back its input, for trying out how templates use data.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct NullConfig {
    /// Any text.
    pub(crate) input: String,
}

/// What the data source returns.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct NullOutput {
    /// The input.
    pub(crate) output: String,
}

/// Gives back its input.
pub(crate) struct Null;

impl DataSource for Null {
    type Config = NullConfig;
    type Output = NullOutput;

    fn prepare(&self, _config: &mut NullConfig, _build: &BuildInfo) -> Prepared {
        Prepared::default()
    }

    async fn read(&self, _cx: RunContext, config: NullConfig) -> Result<Value, Failure> {
        let found = NullOutput {
            output: config.input,
        };
        Ok([("output", found.output)].into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use kiln_sdk::Value;
    use kiln_sdk_test_kit::{FakeHost, check_options};

    use super::{Null, NullConfig};

    #[tokio::test]
    async fn gives_back_what_it_is_given() {
        let options: Value = [("input", "x\ny")].into_iter().collect();
        let read = FakeHost::new().read(Null, options).await;
        let value = read.outcome.expect("it reads");
        assert_eq!(value.get("output").and_then(Value::as_str), Some("x\ny"));
        check_options::<NullConfig>();
    }
}
