//! Formulas: folders of states that are fetched with Git.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln_sdk::program::Program;
use kiln_sdk::{Failure, RunContext};

/// How long one repository may take.
const LIMIT: Duration = Duration::from_secs(600);

/// A folder of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// What `git clone` takes.
    pub repository: String,
    /// The folder in it; relative, without `..`.
    pub folder: String,
    /// Branch, tag or commit; the repository's default when none.
    pub reference: Option<String>,
}

impl Formula {
    /// Reads `REPOSITORY.git//FOLDER?ref=REFERENCE`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people.
    ///
    /// # Source
    ///
    /// Packer option `formulas`, whose texts are those of `go-getter`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (repository, rest) = text
            .split_once(".git//")
            .ok_or("it has no `.git//` between a repository and a folder in it")?;
        let (folder, query) = match rest.split_once('?') {
            Some((folder, query)) => (folder, Some(query)),
            None => (rest, None),
        };
        let folder = folder.trim_matches('/');
        let mut parts = Path::new(folder).components();
        let plain = parts.all(|part| matches!(part, std::path::Component::Normal(_)));
        if folder.is_empty() || !plain {
            return Err("the folder after `.git//` is missing or leads out of the repository");
        }
        let repository = repository.strip_prefix("git::").unwrap_or(repository);
        // Git would take it for an option.
        if repository.is_empty() || repository.starts_with('-') {
            return Err("there is no repository before `.git//`");
        }
        let reference = query.and_then(|query| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(name, _)| *name == "ref")
                .map(|(_, value)| value.to_owned())
        });
        if reference
            .as_ref()
            .is_some_and(|name| name.starts_with('-') || name.is_empty())
        {
            return Err("`ref` names no branch, tag or commit");
        }
        let scheme = if repository.starts_with("github.com/") {
            "https://"
        } else {
            ""
        };
        Ok(Self {
            repository: format!("{scheme}{repository}.git"),
            folder: folder.to_owned(),
            reference,
        })
    }

    /// Its name in the state tree.
    pub fn name(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or(&self.folder)
    }

    /// Fetches the repository into `target`, which must not be there; the folder that is meant.
    ///
    /// # Errors
    ///
    /// When Git fails or the folder is not in the repository.
    pub async fn fetch(&self, cx: &RunContext, target: &Path) -> Result<PathBuf, Failure> {
        cx.say(format!("Fetching Salt formula: {}", self.repository))
            .await;
        let target_text = target.display().to_string();
        let commit = self.reference.as_deref().filter(|name| is_commit(name));
        let how: &[&str] = match (commit, &self.reference) {
            // A commit that no branch or tag names is only in the whole history.
            (Some(_), _) => &[],
            (None, Some(name)) => &["--depth", "1", "--branch", name],
            (None, None) => &["--depth", "1"],
        };
        let clone = [
            &["clone", "--quiet"],
            how,
            &["--", &self.repository, &target_text],
        ];
        self.git(cx, &clone.concat()).await?;
        if let Some(commit) = commit {
            let checkout = ["-C", &target_text, "checkout", "--quiet", commit, "--"];
            self.git(cx, &checkout).await?;
        }
        let folder = target.join(&self.folder);
        if !folder.is_dir() {
            return Err(Failure::new(format!(
                "the repository `{}` has no folder `{}`",
                self.repository, self.folder
            )));
        }
        Ok(folder)
    }

    async fn git(&self, cx: &RunContext, words: &[&str]) -> Result<(), Failure> {
        let git = Program::new("git")
            .args(words.iter().copied())
            // Nobody is there to answer.
            .env("GIT_TERMINAL_PROMPT", "0")
            .limit(LIMIT);
        let ended = git.collect(cx).await?;
        if ended.is_success() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "cannot fetch formula `{}`: {}",
            self.repository,
            ended.stderr.trim()
        )))
    }
}

/// Whether a reference looks like the name of a commit, which may be a branch's all the same.
fn is_commit(name: &str) -> bool {
    (7..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
