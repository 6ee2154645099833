//! Who builds, where and from what, by the variables that build services set.
//!
//! # Source
//!
//! GitHub Actions, "Default environment variables"; GitLab, "Predefined CI/CD variables"; the
//! builder's identity on GitLab is that of GitLab's own provenance.

use super::git::{Checkout, uri};

/// The builder on a machine that no service runs.
pub const LOCAL_BUILDER: &str = "urn:x-kiln:builder:local:v1";

/// What the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// Identity of the builder.
    pub builder_id: Option<String>,
    /// Identity of this build there.
    pub invocation_id: Option<String>,
    /// What is built.
    pub source: Option<Checkout>,
}

impl Platform {
    /// Reads the environment through `variable`.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        if get("GITHUB_ACTIONS").as_deref() == Some("true") {
            return Self::github(&get).unwrap_or_default();
        }
        if get("GITLAB_CI").as_deref() == Some("true") {
            return Self::gitlab(&get).unwrap_or_default();
        }
        Self::default()
    }

    fn github(get: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let server = get("GITHUB_SERVER_URL")?;
        let repository = format!("{server}/{}", get("GITHUB_REPOSITORY")?);
        let run = get("GITHUB_RUN_ID").map(|run| {
            let attempt = get("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
            format!("{repository}/actions/runs/{run}/attempts/{attempt}")
        });
        let workflow = get("GITHUB_WORKFLOW_REF").map(|path| format!("{server}/{path}"));
        Some(Self {
            builder_id: workflow,
            invocation_id: run,
            source: source(&repository, get("GITHUB_REF"), get("GITHUB_SHA")),
        })
    }

    fn gitlab(get: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let project = get("CI_PROJECT_URL")?;
        let reference = get("CI_COMMIT_TAG").map(|tag| format!("refs/tags/{tag}"));
        let branch = || get("CI_COMMIT_REF_NAME").map(|name| format!("refs/heads/{name}"));
        Some(Self {
            builder_id: get("CI_RUNNER_ID").map(|id| format!("{project}/-/runners/{id}")),
            invocation_id: get("CI_JOB_URL"),
            source: source(&project, reference.or_else(branch), get("CI_COMMIT_SHA")),
        })
    }
}

fn source(url: &str, reference: Option<String>, commit: Option<String>) -> Option<Checkout> {
    let (uri, commit) = (uri(url)?, commit?);
    let at = reference.unwrap_or_else(|| commit.clone());
    Some(Checkout {
        uri: format!("{uri}@{at}"),
        commit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Platform {
        Platform::read(&|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn github_names_workflow_run_and_commit() {
        let found = read(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_RUN_ID", "7"),
            (
                "GITHUB_WORKFLOW_REF",
                "o/r/.github/workflows/b.yml@refs/heads/main",
            ),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", "abc"),
        ]);
        let workflow = "https://github.com/o/r/.github/workflows/b.yml@refs/heads/main";
        assert_eq!(found.builder_id.as_deref(), Some(workflow));
        let run = "https://github.com/o/r/actions/runs/7/attempts/1";
        assert_eq!(found.invocation_id.as_deref(), Some(run));
        let source = found.source.unwrap();
        assert_eq!(source.uri, "git+https://github.com/o/r@refs/heads/main");
        assert_eq!(source.commit, "abc");
    }

    #[test]
    fn gitlab_names_runner_job_and_commit() {
        let found = read(&[
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_URL", "https://gitlab.example/g/p"),
            ("CI_RUNNER_ID", "3"),
            ("CI_JOB_URL", "https://gitlab.example/g/p/-/jobs/9"),
            ("CI_COMMIT_REF_NAME", "main"),
            ("CI_COMMIT_SHA", "abc"),
        ]);
        let runner = "https://gitlab.example/g/p/-/runners/3";
        assert_eq!(found.builder_id.as_deref(), Some(runner));
        let source = found.source.unwrap();
        assert_eq!(source.uri, "git+https://gitlab.example/g/p@refs/heads/main");
    }

    #[test]
    fn elsewhere_nothing_is_known() {
        assert_eq!(read(&[]), Platform::default());
        assert_eq!(read(&[("GITHUB_ACTIONS", "true")]), Platform::default());
        assert_eq!(read(&[("GITHUB_SHA", "abc")]), Platform::default());
    }
}
