//! The `vagrant-registry` post-processor.
//!
//! # Source
//!
//! Packer's `vagrant-registry` and HCP's public Go client: the calls and their order, the texts.

use std::time::Duration;

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Secret, Template, Value,
};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use super::account::Account;
use super::cloud::{check_shared, checksum_parts};
use super::service::{Answer, Service, Trust, client};
use super::subject::{Subject, Wanted};
use super::upload::{Upload, goes_directly};

const DEFAULT_ADDRESS: &str = "api.cloud.hashicorp.com:443";
const DEFAULT_AUTH_URL: &str = "https://auth.idp.hashicorp.com";
/// How long a new box may take to become available, in the service's words.
const BOX_LIMIT: &str = "60s";
/// Time between two tries of an upload.
const PAUSE: Duration = Duration::from_secs(10);

/// Publishes a box in HCP's Vagrant Box Registry. What is missing of box, version, provider and
/// architecture is made.
#[derive(Debug, Clone, Config)]
pub(crate) struct RegistryConfig {
    /// The box, `REGISTRY/NAME`.
    #[config(required)]
    pub(crate) box_tag: String,
    /// Description of a box that does not exist yet.
    pub(crate) box_description: String,
    /// Whether a box that does not exist yet is private.
    pub(crate) box_private: bool,
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
    /// Identity of a service principal; from `HCP_CLIENT_ID` when it is not set.
    pub(crate) client_id: String,
    /// Its secret; from `HCP_CLIENT_SECRET` when it is not set.
    pub(crate) client_secret: Secret<String>,
    /// Where people download the box from, when you host it yourself: nothing is uploaded then. A
    /// template that can use `{{.ArtifactId}}`, `{{.Provider}}` and `{{.Architecture}}`.
    pub(crate) box_download_url: Template,
    /// Whether to upload through the service instead of to its storage.
    pub(crate) no_direct_upload: bool,
    /// Checksum of the box as `TYPE:DIGEST`, for those who download it.
    pub(crate) box_checksum: String,
    /// Address of the service, `HOST:PORT`; from `HCP_API_ADDRESS` when it is not set. With
    /// `HCP_API_TLS=disabled`, or written as an `http` URL, it is spoken to without TLS.
    pub(crate) hcp_api_address: String,
    /// Address of the service that gives out keys; from `HCP_AUTH_URL` when it is not set.
    pub(crate) hcp_auth_url: String,
    /// Whether to trust a service of your own without a valid certificate.
    pub(crate) insecure_skip_tls_verify: bool,
}

impl RegistryConfig {
    /// Takes what is not set from the environment.
    fn complete(&mut self) {
        let fill = |option: &mut String, name: &str, default: &str| {
            if option.is_empty() {
                let found = std::env::var(name).ok().filter(|value| !value.is_empty());
                *option = found.unwrap_or_else(|| default.to_owned());
            }
        };
        fill(
            &mut self.hcp_api_address,
            "HCP_API_ADDRESS",
            DEFAULT_ADDRESS,
        );
        fill(&mut self.hcp_auth_url, "HCP_AUTH_URL", DEFAULT_AUTH_URL);
        fill(&mut self.client_id, "HCP_CLIENT_ID", "");
        let mut secret = self.client_secret.expose().clone();
        fill(&mut secret, "HCP_CLIENT_SECRET", "");
        self.client_secret = Secret::new(secret);
    }

    /// The service's URL, and whether its certificate matters.
    fn service(&self) -> (String, Trust) {
        let tls = std::env::var("HCP_API_TLS").unwrap_or_default();
        let own = self.hcp_api_address != DEFAULT_ADDRESS;
        let scheme = match own && tls == "disabled" {
            true => "http",
            false => "https",
        };
        let anybody = self.insecure_skip_tls_verify || tls == "insecure";
        let trust = match own && anybody {
            true => Trust::Anybody,
            false => Trust::Verified,
        };
        if self.hcp_api_address.contains("://") {
            return (self.hcp_api_address.clone(), trust);
        }
        (format!("{scheme}://{}", self.hcp_api_address), trust)
    }
}

/// The post-processor.
pub(crate) struct VagrantRegistry;

impl PostProcessor for VagrantRegistry {
    type Config = RegistryConfig;

    fn prepare(&self, config: &mut RegistryConfig, _build: &BuildInfo) -> Prepared {
        config.complete();
        let mut problems = check_shared(&config.box_tag, &config.version, &config.box_checksum);
        if config.hcp_api_address == DEFAULT_ADDRESS {
            if config.insecure_skip_tls_verify {
                let detail = "insecure_skip_tls_verify cannot be enabled for HCP.";
                let problem = Diagnostic::error("Certificates must be valid", detail);
                problems.push(problem.on("insecure_skip_tls_verify"));
            }
            let missing = [
                ("client_id", config.client_id.is_empty()),
                ("client_secret", config.client_secret.is_empty()),
            ];
            for (name, _) in missing.into_iter().filter(|(_, missing)| *missing) {
                let detail = format!("{name} must be set.");
                let hint = "Set client_id and client_secret, or HCP_CLIENT_ID and \
                            HCP_CLIENT_SECRET.";
                let problem = Diagnostic::error("Missing credentials", detail);
                problems.push(problem.on(name).hint(hint));
            }
        }
        problems.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: RegistryConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if !config.client_secret.is_empty() {
            cx.secret(config.client_secret.expose().as_str()).await;
        }
        let wanted = Wanted {
            architecture: &config.architecture,
            download_url: &config.box_download_url,
        };
        let subject = Subject::of(&cx, wanted, &input, &generated).await?;
        let (address, trust) = config.service();
        let publication = Publication {
            cx: &cx,
            service: Service::new(&address, trust)?,
            account: Account {
                client: client(trust)?,
                token_url: format!("{}/oauth2/token", config.hcp_auth_url),
                id: config.client_id.clone(),
                secret: config.client_secret.clone(),
                key: Mutex::new(None),
            },
            config: &config,
            subject: &subject,
        };
        publication.run().await?;
        Ok(PostProcessed {
            artifact: Some(Artifact {
                builder_id: "hashicorp.post-processor.vagrant-registry".to_owned(),
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
    account: Account,
    config: &'a RegistryConfig,
    subject: &'a Subject,
}

impl Publication<'_> {
    async fn run(&self) -> Result<(), Failure> {
        self.ensure_box().await?;
        let state = self.ensure_version().await?;
        self.ensure_provider().await?;
        self.ensure_architecture().await?;
        if self.subject.download_url.is_empty() {
            self.upload().await?;
        }
        self.release(&state).await
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Json>,
    ) -> Result<Answer, Failure> {
        let key = self.account.key(self.cx).await?;
        self.service.call(self.cx, &key, method, path, body).await
    }

    /// Calls a path below the registry; an answer that says no is a failure.
    async fn must(
        &self,
        what: &str,
        method: Method,
        path: &[&str],
        body: Option<Json>,
    ) -> Result<Answer, Failure> {
        let answer = self.call(method, &self.path(path), body).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let complaint = answer.complaint();
        Err(Failure::new(format!("Failure {what}: {complaint}")))
    }

    /// Reads a path below the registry; `None` when there is nothing.
    async fn find(&self, what: &str, path: &[&str]) -> Result<Option<Answer>, Failure> {
        let answer = self.call(Method::GET, &self.path(path), None).await?;
        match answer.status {
            404 => Ok(None),
            _ if answer.is_success() => Ok(Some(answer)),
            _ => {
                let complaint = answer.complaint();
                Err(Failure::new(format!(
                    "Failure retrieving {what}: {complaint}"
                )))
            }
        }
    }

    fn tag(&self) -> (&str, &str) {
        self.config.box_tag.split_once('/').unwrap_or_default()
    }

    fn path<'b>(&'b self, rest: &[&'b str]) -> Vec<&'b str> {
        let mut path = vec!["vagrant", "2022-09-30", "registry", self.tag().0];
        path.extend(rest);
        path
    }

    /// The path of the version below the registry, and what follows.
    fn version_path<'b>(&'b self, rest: &[&'b str]) -> Vec<&'b str> {
        let mut path = vec!["box", self.tag().1, "version", &self.config.version];
        path.extend(rest);
        path
    }

    /// The path of the architecture below the registry, and what follows.
    fn architecture_path<'b>(&'b self, rest: &[&'b str]) -> Vec<&'b str> {
        let subject = self.subject;
        let own = [
            "provider",
            &subject.provider,
            "architecture",
            &subject.architecture,
        ];
        let mut path = self.version_path(&own);
        path.extend(rest);
        path
    }

    async fn ensure_box(&self) -> Result<(), Failure> {
        let (config, name) = (self.config, self.tag().1);
        if self.find("box", &["box", name]).await?.is_some() {
            let tag = &config.box_tag;
            let text = format!("Found box and verified accessible: {tag}");
            self.cx.say(text).await;
            return Ok(());
        }
        let mut body = json!({ "name": name });
        if !config.box_description.is_empty() {
            body["description"] = config.box_description.as_str().into();
        }
        if config.box_private {
            body["is_private"] = true.into();
        }
        let what = "creating new box";
        let answer = self
            .must(what, Method::POST, &["boxes"], Some(body))
            .await?;
        self.cx
            .say(format!("Created new box: {}", config.box_tag))
            .await;
        self.wait_for_box(&answer.body["operation"]).await
    }

    /// Waits until a new box is there.
    async fn wait_for_box(&self, operation: &Json) -> Result<(), Failure> {
        let unclear = |what: &str| {
            Failure::new(format!(
                "HCP Vagrant did not {what}; see there how far the box is, and build again"
            ))
        };
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let (id, place) = (text(&operation["id"]), &operation["location"]);
        if id.is_empty() {
            return Err(unclear("begin to make the box"));
        }
        let (organization, project) = (text(&place["organization_id"]), text(&place["project_id"]));
        let path = [
            "operation",
            "2020-05-05",
            "organizations",
            &organization,
            "projects",
            &project,
            "operations",
            &id,
            "wait",
        ];
        let key = self.account.key(self.cx).await?;
        let query = [("timeout", BOX_LIMIT)];
        let answer = self.service.query(self.cx, &key, &path, &query).await?;
        let operation = &answer.body["operation"];
        if !answer.is_success() {
            return Err(Failure::new(format!(
                "HCP Vagrant does not tell how far the box is: {}",
                answer.complaint()
            )));
        }
        match (
            operation["error"]["message"].as_str(),
            operation["state"].as_str(),
        ) {
            (Some(problem), _) => Err(Failure::new(format!(
                "HCP Vagrant could not make the box: {problem}"
            ))),
            (None, Some("DONE")) => Ok(()),
            (None, None) => Err(unclear("say whether it made the box")),
            (None, Some(_)) => Err(Failure::new(
                "HCP Vagrant did not finish making the box in time; see there how far it is, and \
                 build again",
            )),
        }
    }

    /// The state of the version, which is made when it is missing.
    async fn ensure_version(&self) -> Result<String, Failure> {
        let config = self.config;
        let state = |answer: &Answer| {
            let state = answer.body["version"]["state"].as_str();
            state.unwrap_or("UNRELEASED").to_owned()
        };
        if let Some(answer) = self.find("version", &self.version_path(&[])).await? {
            self.cx.say("Version exists, skipping creation").await;
            return Ok(state(&answer));
        }
        let mut body = json!({ "name": config.version });
        if !config.version_description.is_empty() {
            body["description"] = config.version_description.as_str().into();
        }
        let path = ["box", self.tag().1, "versions"];
        let what = "creating new version";
        let answer = self.must(what, Method::POST, &path, Some(body)).await?;
        self.cx
            .say(format!("Created new version: {}", config.version))
            .await;
        Ok(state(&answer))
    }

    async fn ensure_provider(&self) -> Result<(), Failure> {
        let provider = &self.subject.provider;
        let path = self.version_path(&["provider", provider]);
        if self.find("provider", &path).await?.is_some() {
            self.cx.say("Provider exists, skipping creation").await;
            return Ok(());
        }
        let path = self.version_path(&["providers"]);
        let body = json!({ "name": provider });
        let what = "creating new provider";
        self.must(what, Method::POST, &path, Some(body)).await?;
        self.cx
            .say(format!("Created new provider: {provider}"))
            .await;
        Ok(())
    }

    async fn ensure_architecture(&self) -> Result<(), Failure> {
        let subject = self.subject;
        let mut data = json!({ "checksum_type": "NONE" });
        if let Some((kind, digest)) = checksum_parts(&self.config.box_checksum) {
            data = json!({ "checksum": digest, "checksum_type": kind.to_uppercase() });
        }
        if !subject.download_url.is_empty() {
            data["download_url"] = subject.download_url.as_str().into();
        }
        let mut body = json!({ "box_data": data });
        let path = self.architecture_path(&[]);
        if self.find("architecture", &path).await?.is_some() {
            let what = "updating existing architecture";
            return self
                .must(what, Method::PUT, &path, Some(body))
                .await
                .map(drop);
        }
        body["architecture_type"] = subject.architecture.as_str().into();
        if subject.architecture == self.config.default_architecture {
            body["default"] = true.into();
        }
        let path = self.version_path(&["provider", &subject.provider, "architectures"]);
        let what = "creating new architecture";
        self.must(what, Method::POST, &path, Some(body))
            .await
            .map(drop)
    }

    async fn upload(&self) -> Result<(), Failure> {
        let (cx, file) = (self.cx, &self.subject.file);
        let direct = !self.config.no_direct_upload && goes_directly(cx, file).await;
        let rest: &[&str] = if direct {
            &["direct", "upload"]
        } else {
            &["upload"]
        };
        cx.say(format!("Preparing upload of box: {}", file.display()))
            .await;
        let path = self.architecture_path(rest);
        let answer = self
            .must("preparing upload", Method::GET, &path, None)
            .await?;
        let upload = Upload {
            client: &self.service.client,
            url: &Secret::new(answer.text("url").to_owned()),
            token: &Secret::default(),
            file,
            pause: PAUSE,
        };
        upload.run(cx).await?;
        if direct {
            cx.say("Completing box upload...").await;
            let rest = ["direct", "complete", answer.text("object")];
            let path = self.architecture_path(&rest);
            self.must("confirming upload", Method::PUT, &path, None)
                .await?;
        }
        Ok(())
    }

    async fn release(&self, state: &str) -> Result<(), Failure> {
        let version = &self.config.version;
        if self.config.no_release {
            let text = "Not releasing version due to configuration";
            self.cx.say(text).await;
            return Ok(());
        }
        if state != "UNRELEASED" {
            let text = "Version not in unreleased state, skipping release";
            self.cx.say(text).await;
            return Ok(());
        }
        self.cx.say(format!("Releasing version: {version}")).await;
        let path = self.version_path(&["release"]);
        self.must("releasing version", Method::PUT, &path, None)
            .await?;
        let text = "Version successfully released and available";
        self.cx.say(text).await;
        Ok(())
    }
}
