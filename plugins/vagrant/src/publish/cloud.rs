//! The `vagrant-cloud` post-processor.
//!
//! # Source
//!
//! Packer's `vagrant-cloud`: the calls and their order, the texts. Differs: the key is tried when
//! the build runs, not when the template is checked, and a provider that is taken back is named
//! with its architecture, so that another one's box stays.

use std::time::Duration;

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Secret, Template, Value,
};
use reqwest::Method;
use serde_json::{Map, Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::UNKNOWN;
use super::service::{Answer, Service, Trust};
use super::subject::{Subject, Wanted};
use super::upload::{Upload, goes_directly};

const DEFAULT_URL: &str = "https://vagrantcloud.com/api/v2";
/// Time between two tries of an upload.
const PAUSE: Duration = Duration::from_secs(10);
/// How long taking a provider back may take.
const UNDO_LIMIT: Duration = Duration::from_secs(30);

/// Publishes a box on Vagrant Cloud.
#[derive(Debug, Clone, Config)]
pub(crate) struct CloudConfig {
    /// The box, `USER/NAME`. It has to exist.
    #[config(required)]
    pub(crate) box_tag: String,
    /// The version to publish the box as.
    #[config(required)]
    pub(crate) version: String,
    /// Description of a version that does not exist yet.
    pub(crate) version_description: String,
    /// Whether to leave the version unreleased.
    pub(crate) no_release: bool,
    /// What the machine runs on (`amd64`, `arm64`, …); from the box when it is not set.
    pub(crate) architecture: String,
    /// The architecture that people get when they do not ask for one.
    pub(crate) default_architecture: String,
    /// Key for the service; from `VAGRANT_CLOUD_TOKEN` when it is not set.
    pub(crate) access_token: Secret<String>,
    /// Address of the service.
    #[config(default = "https://vagrantcloud.com/api/v2")]
    pub(crate) vagrant_cloud_url: String,
    /// Whether to trust a `vagrant_cloud_url` of your own without a valid certificate.
    pub(crate) insecure_skip_tls_verify: bool,
    /// Where people download the box from, when you host it yourself: nothing is uploaded then. A
    /// template that can use `{{.ArtifactId}}`, `{{.Provider}}` and `{{.Architecture}}`.
    pub(crate) box_download_url: Template,
    /// Whether to upload through the service instead of to its storage.
    pub(crate) no_direct_upload: bool,
    /// Checksum of the box as `TYPE:DIGEST`, for those who download it.
    pub(crate) box_checksum: String,
}

impl CloudConfig {
    fn trust(&self) -> Trust {
        if self.insecure_skip_tls_verify && self.vagrant_cloud_url != DEFAULT_URL {
            Trust::Anybody
        } else {
            Trust::Verified
        }
    }
}

/// Takes the key from the environment; tells whether its old name was used.
fn key_from_environment() -> (String, bool) {
    let read = |name| std::env::var(name).unwrap_or_default();
    match read("VAGRANT_CLOUD_TOKEN") {
        key if !key.is_empty() => (key, false),
        _ => (read("ATLAS_TOKEN"), true),
    }
}

/// The parts of `TYPE:DIGEST`; `None` when it has another form.
pub(super) fn checksum_parts(text: &str) -> Option<(&str, &str)> {
    let (kind, digest) = text.split_once(':')?;
    (!kind.is_empty() && !digest.is_empty()).then_some((kind, digest))
}

/// Problems of the options that both post-processors have.
pub(super) fn check_shared(tag: &str, version: &str, checksum: &str) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (name, value) in [("box_tag", tag), ("version", version)] {
        if value.is_empty() {
            let detail = format!("{name} must be set.");
            problems.push(Diagnostic::error("Missing value", detail).on(name));
        }
    }
    let unknown = tag.contains(UNKNOWN) || tag.is_empty();
    if !unknown && tag.split('/').filter(|part| !part.is_empty()).count() != 2 {
        let detail = format!("`{tag}` must include registry and box name.");
        let problem = Diagnostic::error("Invalid box tag", detail);
        problems.push(problem.on("box_tag").hint("Write it as USER/NAME."));
    }
    if !checksum.is_empty() && checksum != UNKNOWN && checksum_parts(checksum).is_none() {
        let detail = format!("`{checksum}` is no checksum of a box.");
        let problem = Diagnostic::error("Invalid box checksum", detail);
        let hint = "Write it as TYPE:DIGEST, for example sha256:9f86d0….";
        problems.push(problem.on("box_checksum").hint(hint));
    }
    problems
}

/// The post-processor.
pub(crate) struct VagrantCloud;

impl PostProcessor for VagrantCloud {
    type Config = CloudConfig;

    fn prepare(&self, config: &mut CloudConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = check_shared(&config.box_tag, &config.version, &config.box_checksum);
        let keyless = config.access_token.is_empty() && key_from_environment().0.is_empty();
        if keyless && config.vagrant_cloud_url == DEFAULT_URL {
            let detail = "access_token must be set if vagrant_cloud_url has not been overridden.";
            problems.push(
                Diagnostic::error("Missing access token", detail)
                    .on("access_token")
                    .hint("Set it, or the environment variable VAGRANT_CLOUD_TOKEN."),
            );
        }
        problems.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        mut config: CloudConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if config.access_token.is_empty() {
            let (key, old_name) = key_from_environment();
            if old_name && !key.is_empty() {
                cx.say(
                    "Warning: the token is that of ATLAS_TOKEN, an old name; VAGRANT_CLOUD_TOKEN \
                     is the one of today",
                )
                .await;
            }
            config.access_token = Secret::new(key);
        }
        if !config.access_token.is_empty() {
            cx.secret(config.access_token.expose().as_str()).await;
        }
        let wanted = Wanted {
            architecture: &config.architecture,
            download_url: &config.box_download_url,
        };
        let subject = Subject::of(&cx, wanted, &input, &generated).await?;
        let publication = Publication {
            cx: &cx,
            service: Service::new(&config.vagrant_cloud_url, config.trust())?,
            config: &config,
            subject: &subject,
        };
        publication.run().await?;
        Ok(PostProcessed {
            artifact: Some(Artifact {
                builder_id: "pearkes.post-processor.vagrant-cloud".to_owned(),
                description: format!("'{}': {}", subject.provider, config.box_tag),
                ..Artifact::default()
            }),
            keep_input: true,
            force_keep_input: false,
        })
    }
}

/// One box on its way.
struct Publication<'a> {
    cx: &'a RunContext,
    service: Service,
    config: &'a CloudConfig,
    subject: &'a Subject,
}

impl Publication<'_> {
    async fn run(&self) -> Result<(), Failure> {
        let answer = self.call(Method::GET, &["authenticate"], None).await?;
        if answer.status != 200 {
            return Err(Failure::new(format!(
                "Failed to verify authentication token: {}",
                answer.complaint()
            )));
        }
        let versions = self.verify_box().await?;
        self.create_version(&versions).await?;
        self.create_provider().await?;
        let published = self.upload_and_release().await;
        if published.is_err() {
            self.take_provider_back().await;
        }
        published
    }

    async fn upload_and_release(&self) -> Result<(), Failure> {
        if self.subject.download_url.is_empty() {
            self.upload().await?;
        }
        self.release().await
    }

    /// Calls a path of the API.
    async fn call(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Json>,
    ) -> Result<Answer, Failure> {
        let token = &self.config.access_token;
        self.service.call(self.cx, token, method, path, body).await
    }

    /// The path of the box, and what follows.
    fn path<'b>(&'b self, rest: &[&'b str]) -> Vec<&'b str> {
        let mut path = vec!["box"];
        path.extend(self.config.box_tag.split('/'));
        path.extend(rest);
        path
    }

    async fn verify_box(&self) -> Result<Vec<String>, Failure> {
        let tag = &self.config.box_tag;
        self.cx
            .say(format!("Verifying box is accessible: {tag}"))
            .await;
        let answer = self.call(Method::GET, &self.path(&[]), None).await?;
        if answer.status != 200 {
            let complaint = answer.complaint();
            return Err(Failure::new(format!("Error retrieving box: {complaint}")));
        }
        if answer.text("tag") != tag {
            return Err(Failure::new(format!("Could not verify box: {tag}")));
        }
        self.cx.say("Box accessible and matches tag").await;
        let versions = answer.body["versions"].as_array().into_iter().flatten();
        Ok(versions
            .filter_map(|version| version["version"].as_str().map(str::to_owned))
            .collect())
    }

    async fn create_version(&self, existing: &[String]) -> Result<(), Failure> {
        let version = &self.config.version;
        self.cx.say(format!("Creating version: {version}")).await;
        if existing.contains(version) {
            self.cx.say("Version exists, skipping creation").await;
            return Ok(());
        }
        let mut described = json!({ "version": version });
        if !self.config.version_description.is_empty() {
            described["description"] = self.config.version_description.as_str().into();
        }
        let path = self.path(&["versions"]);
        let body = json!({ "version": described });
        let answer = self.call(Method::POST, &path, Some(body)).await?;
        succeeded("creating version", &answer)
    }

    async fn create_provider(&self) -> Result<(), Failure> {
        let subject = self.subject;
        self.cx
            .say(format!("Creating provider: {}", subject.provider))
            .await;
        let mut provider = Map::new();
        let mut set = |name: &str, value: &str| {
            if !value.is_empty() {
                provider.insert(name.to_owned(), value.into());
            }
        };
        set("name", &subject.provider);
        set("url", &subject.download_url);
        if let Some((kind, digest)) = checksum_parts(&self.config.box_checksum) {
            set("checksum", digest);
            set("checksum_type", kind);
        }
        set("architecture", &subject.architecture);
        if subject.architecture == self.config.default_architecture {
            provider.insert("default_architecture".to_owned(), true.into());
        }
        let path = self.path(&["version", &self.config.version, "providers"]);
        let body = json!({ "provider": provider });
        let answer = self.call(Method::POST, &path, Some(body)).await?;
        succeeded("creating provider", &answer)
    }

    /// The path of the provider, and what follows.
    fn provider_path<'b>(&'b self, rest: &[&'b str]) -> Vec<&'b str> {
        let subject = self.subject;
        let mut path = self.path(&["version", &self.config.version, "provider"]);
        path.extend([subject.provider.as_str(), &subject.architecture]);
        path.extend(rest);
        path
    }

    async fn upload(&self) -> Result<(), Failure> {
        let (cx, config) = (self.cx, self.config);
        let file = &self.subject.file;
        let direct = !config.no_direct_upload && goes_directly(cx, file).await;
        let rest: &[&str] = if direct {
            &["upload", "direct"]
        } else {
            &["upload"]
        };
        cx.say(format!("Preparing upload of box: {}", file.display()))
            .await;
        let answer = self
            .call(Method::GET, &self.provider_path(rest), None)
            .await?;
        succeeded("preparing upload", &answer)?;
        let upload = Upload {
            client: &self.service.client,
            url: &Secret::new(answer.text("upload_path").to_owned()),
            token: match direct {
                true => &Secret::default(),
                false => &config.access_token,
            },
            file,
            pause: PAUSE,
        };
        upload.run(cx).await?;
        if direct {
            cx.say("Confirming direct box upload completion").await;
            self.confirm(answer.text("callback")).await?;
        }
        Ok(())
    }

    /// Tells the service that the box is in its storage.
    async fn confirm(&self, callback: &str) -> Result<(), Failure> {
        let callback = Service::new(callback, self.config.trust())?;
        let token = &self.config.access_token;
        let answer = callback
            .call(self.cx, token, Method::PUT, &[], None)
            .await?;
        succeeded("confirming upload", &answer)
    }

    async fn release(&self) -> Result<(), Failure> {
        let version = &self.config.version;
        self.cx.say(format!("Releasing version: {version}")).await;
        if self.config.no_release {
            let text = "Not releasing version due to configuration";
            self.cx.say(text).await;
            return Ok(());
        }
        let path = self.path(&["version", version, "release"]);
        let answer = self.call(Method::PUT, &path, None).await?;
        if !answer.is_success() && answer.complaint().contains("already been released") {
            self.cx.say("Not releasing version, already released").await;
            return Ok(());
        }
        succeeded("releasing version", &answer)?;
        let text = "Version successfully released and available";
        self.cx.say(text).await;
        Ok(())
    }

    /// Deletes the provider, so that nobody gets a box that is not there. Goes on when the run is
    /// cancelled.
    async fn take_provider_back(&self) {
        let provider = &self.subject.provider;
        self.cx.say("Cleaning up provider").await;
        self.cx.say(format!("Deleting provider: {provider}")).await;
        let cx = self.cx.with_cancel(CancellationToken::new());
        let token = &self.config.access_token;
        let path = self.provider_path(&[]);
        let call = self.service.call(&cx, token, Method::DELETE, &path, None);
        let problem = match tokio::time::timeout(UNDO_LIMIT, call).await {
            Ok(Ok(answer)) if answer.is_success() => return,
            Ok(Ok(answer)) => answer.complaint(),
            Ok(Err(failure)) => failure.message,
            Err(_) => "the service does not answer".to_owned(),
        };
        self.cx
            .error(format!("Error destroying provider: {problem}"))
            .await;
    }
}

/// An answer that says no is a failure.
fn succeeded(what: &str, answer: &Answer) -> Result<(), Failure> {
    if answer.is_success() {
        return Ok(());
    }
    let complaint = answer.complaint();
    Err(Failure::new(format!("Error {what}: {complaint}")))
}
