//! The `docker` builder.
//!
//! Here is the order of the steps; `config` has the options, `container` what is made and removed,
//! `machine` how the container is talked to.
//!
//! # Source
//!
//! Packer's Docker plugin: steps, command lines, texts, what the image is given. Differs: a
//! container has a name, so that it is found after a crash; directories can be downloaded.

mod config;
mod container;
mod machine;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_sdk::communicator::Inert;
use kiln_sdk::ssh::{Address, ConnectError, Environment, Settings, connect};
use kiln_sdk::{
    Artifact, BuildInfo, Builder, Communicator, Failure, MachineFacts, Prepared, Ready, RunContext,
    Steps, Value, winrm,
};

use self::config::{DockerConfig, EXEC};
use self::container::Container;
use self::machine::Machine;
use crate::cli::Docker;
use crate::identity::{EXPORTED, IMPORTED, image};

pub(crate) use container::{CONTAINER, reclaim_container};

/// What the values are before they are known.
const NOT_YET: [(&str, &str); 3] = [
    ("ImageSha256", "ERR_IMAGE_SHA256_NOT_FOUND"),
    ("SourceImageDigest", "ERR_SOURCE_IMAGE_DIGEST_NOT_FOUND"),
    ("SourceImageSha256", "ERR_SOURCE_IMAGE_SHA256_NOT_FOUND"),
];

/// The builder.
pub(crate) struct DockerBuilder;

impl Builder for DockerBuilder {
    type Config = DockerConfig;

    fn prepare(&self, config: &mut DockerConfig, _build: &BuildInfo) -> Prepared {
        Prepared {
            diagnostics: config.prepare(),
            generated: vec!["ImageSha256".to_owned(), "SourceImageDigest".to_owned()],
        }
    }

    async fn run(&self, cx: RunContext, config: DockerConfig) -> Result<Option<Artifact>, Failure> {
        let steps = Steps::new(cx.clone());
        let build = Build {
            cx: &cx,
            steps: &steps,
            docker: Docker::new(&config.docker_path),
            config: &config,
        };
        let built = build.run().await;
        steps.finish(built).await.map(Some)
    }
}

/// One build.
struct Build<'a> {
    cx: &'a RunContext,
    steps: &'a Steps,
    docker: Docker,
    config: &'a DockerConfig,
}

impl Build<'_> {
    async fn run(&self) -> Result<Artifact, Failure> {
        let (cx, config, steps) = (self.cx, self.config, self.steps);
        let version = self.docker.version(cx).await?;
        tracing::debug!(?version, "docker was found");
        let folder = steps.run("StepTempDir", || self.make_folder()).await?;
        let source = match &config.build {
            Some(_) => steps.run("stepBuild", || self.build_image()).await?,
            None => config.image.clone(),
        };
        let mut values = steps.run("StepPull", || self.pull(&source)).await?;
        let container = Container {
            cx,
            steps,
            docker: &self.docker,
            config,
        };
        let id = steps
            .run("StepRun", || container.start(&source, &folder))
            .await?;
        let (machine, address) = steps.run("StepConnect", || self.reach(&id)).await?;
        steps
            .provision(Ready {
                communicator: Some(machine),
                generated: self.facts(&id, address, &values),
            })
            .await?;
        if config.commit {
            let changes = steps
                .run("StepSetDefaults", || self.changes(&source))
                .await?;
            let committed = steps
                .run("StepCommit", || self.commit(&id, &changes))
                .await?;
            let sha256 = self.docker.inspect(cx, &committed, "{{ .Id }}").await;
            if let Ok(sha256) = sha256 {
                values.insert("ImageSha256", sha256);
            }
            return Ok(image(&self.docker, IMPORTED, committed, &[], values));
        }
        if !config.discard {
            steps.run("StepExport", || self.export(&id)).await?;
        }
        Ok(self.exported(values))
    }

    /// A folder that the container sees as `container_dir`.
    async fn make_folder(&self) -> Result<PathBuf, Failure> {
        let name = format!("docker-files-{:x}", self.cx.link().number());
        let base = match self.cx.build().run_dir.as_os_str().is_empty() {
            true => std::env::temp_dir(),
            false => self.cx.build().run_dir.clone(),
        };
        let folder = base.join(format!("{name}-{:x}", std::process::id()));
        let resource = kiln_sdk::Resource::directory(&folder);
        let held = self.cx.announce(resource).await?;
        let removed = folder.clone();
        self.steps.on_cleanup("StepTempDir", async move {
            let result = tokio::fs::remove_dir_all(&removed).await;
            held.release().await;
            result.map_err(|error| {
                Failure::new(format!("cannot remove `{}`: {error}", removed.display()))
            })
        });
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::new(format!("cannot create `{}`: {error}", folder.display()))
        })?;
        Ok(folder)
    }

    async fn build_image(&self) -> Result<String, Failure> {
        let (cx, config) = (self.cx, self.config);
        let Some(build) = &config.build else {
            return Ok(config.image.clone());
        };
        cx.say("Building base image...").await;
        let mut arguments = vec!["-f".to_owned(), absolute(&build.path)?];
        if !config.platform.is_empty() {
            arguments.extend(["--platform".to_owned(), config.platform.clone()]);
        }
        if build.pull != Some(false) {
            arguments.push("--pull".to_owned());
        }
        if build.compress {
            arguments.push("--compress".to_owned());
        }
        for (name, value) in &build.arguments {
            arguments.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
        }
        arguments.push(build.build_dir.display().to_string());
        let built = self.logged_in(self.docker.build(cx, &arguments)).await?;
        cx.say(format!("Finished building base image \"{built}\""))
            .await;
        if config.discard {
            let (docker, image) = (Docker::new(&config.docker_path), built.clone());
            let cx = self.steps.cleanup_context();
            self.steps.on_cleanup("stepBuild", async move {
                docker.remove_image(&cx, &image).await
            });
        }
        Ok(built)
    }

    /// Pulls the image; gives the values that are known then.
    async fn pull(&self, source: &str) -> Result<Value, Failure> {
        let (cx, config, docker) = (self.cx, self.config, &self.docker);
        let mut values: Value = NOT_YET.into_iter().collect();
        if config.build.is_none() && config.pull != Some(false) {
            cx.say(format!("Pulling Docker image: {source}")).await;
            self.logged_in(docker.pull(cx, source, &config.platform))
                .await?;
        }
        match docker.inspect(cx, source, "{{ .Id }}").await {
            Ok(id) => values.insert("SourceImageSha256", id),
            Err(failure) => {
                let text = format!("Error determining source Docker image Id: {failure}");
                cx.error(text).await;
            }
        }
        if config.build.is_some() {
            values.insert("SourceImageDigest", "");
            return Ok(values);
        }
        let digest = "{{ ( index .RepoDigests 0 ) }}";
        match docker.inspect(cx, source, digest).await {
            Ok(digest) => values.insert("SourceImageDigest", digest),
            Err(_) => {
                cx.error(
                    "the source image has no digest: it was neither pulled from a registry nor \
                     pushed to one, so SourceImageDigest is not known",
                )
                .await;
            }
        }
        Ok(values)
    }

    /// Does `work` between a login and a logout, when the template asks for that.
    async fn logged_in<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let (cx, access) = (self.cx, &self.config.access);
        if !access.is_wanted() {
            return work.await;
        }
        let (user, password) = access.credentials(cx).await?;
        cx.say("Logging in...").await;
        let server = &access.login_server;
        self.docker.login(cx, server, &user, &password).await?;
        let done = work.await;
        cx.say("Logging out...").await;
        let cleanup = self.steps.cleanup_context();
        if let Err(failure) = self.docker.logout(&cleanup, server).await {
            cx.error(format!("Error logging out: {failure}")).await;
        }
        done
    }

    /// A way to talk to the container, and where it is, when that is an address.
    async fn reach(&self, id: &str) -> Result<(Arc<dyn Communicator>, Option<Address>), Failure> {
        let (cx, config) = (self.cx, self.config);
        let options = &config.communicator;
        let kind = options.communicator.as_str();
        if kind == "none" {
            return Ok((Arc::new(Inert), None));
        }
        if kind == EXEC {
            let user = self.docker.inspect(cx, id, "{{.Config.User}}").await?;
            return Ok((Arc::new(Machine::new(config, id, &user)), None));
        }
        let host = match options.host() {
            "" => self.address(id).await?,
            host => host.to_owned(),
        };
        let address = Address {
            host,
            port: options.port(),
        };
        let place = Arc::new(address.clone());
        let machine: Arc<dyn Communicator> = if kind == "winrm" {
            let settings = winrm::Settings::new(options);
            let connecting = winrm::connect(settings, place, cx.cancel(), cx);
            Arc::new(connecting.await.map_err(|error| match error {
                winrm::ConnectError::Cancelled => Failure::cancelled(),
                error => Failure::from_error(&error).blaming(error.option()),
            })?)
        } else {
            let settings = Settings::new(options, &[], &Environment::from_process())
                .map_err(|error| Failure::from_error(&error).on(error.option()))?;
            let connecting = connect(settings, place, cx.cancel(), cx);
            Arc::new(connecting.await.map_err(|error| match error {
                ConnectError::Cancelled => Failure::cancelled(),
                error => Failure::from_error(&error).blaming(error.option()),
            })?)
        };
        Ok((machine, Some(address)))
    }

    /// The container's address in its first network.
    async fn address(&self, id: &str) -> Result<String, Failure> {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        let found = self.docker.inspect(self.cx, id, format).await?;
        let first = found.split_whitespace().next().map(str::to_owned);
        first.ok_or_else(|| {
            Failure::new(format!(
                "the container {id} has no address: give it a network, or use communicator = \
                 \"{EXEC}\", which needs none"
            ))
        })
    }

    fn facts(&self, id: &str, address: Option<Address>, values: &Value) -> Value {
        let options = &self.config.communicator;
        let host = address.map(|address| address.host);
        let facts = MachineFacts {
            id: id.to_owned(),
            communicator: options.communicator.clone(),
            host: host.unwrap_or_else(|| options.host().to_owned()),
            port: options.port(),
            user: options.user().to_owned(),
            password: options.password().to_owned().into(),
            ..MachineFacts::default()
        };
        let mut generated = facts.generated(self.cx.build());
        for (name, _) in NOT_YET {
            if let Some(value) = values.get(name) {
                generated.insert(name, value.clone());
            }
        }
        generated
    }

    /// The instructions for the image: those of the template, and those of the image it was made
    /// of in place of what the container was started with.
    async fn changes(&self, source: &str) -> Result<Vec<String>, Failure> {
        let mut changes = self.config.changes.clone();
        for (word, field) in [("CMD", "Cmd"), ("ENTRYPOINT", "Entrypoint")] {
            if changes.iter().any(|change| change.starts_with(word)) {
                continue;
            }
            let format = format!(
                "{{{{if .Config.{field}}}}} {{{{json .Config.{field}}}}} {{{{else}}}} [\"\"] \
                 {{{{end}}}}"
            );
            let value = self.docker.inspect(self.cx, source, &format).await?;
            changes.push(format!("{word} {value}"));
        }
        Ok(changes)
    }

    async fn commit(&self, id: &str, changes: &[String]) -> Result<String, Failure> {
        self.cx.say("Committing the container").await;
        let config = self.config;
        let image = self
            .docker
            .commit(self.cx, id, &config.author, changes, &config.message)
            .await?;
        self.cx.say(format!("Image ID: {image}")).await;
        Ok(image)
    }

    async fn export(&self, id: &str) -> Result<(), Failure> {
        let cx = self.cx;
        let failed =
            |error: std::io::Error| Failure::new(format!("Error creating output file: {error}"));
        let target = std::path::absolute(&self.config.export_path).map_err(failed)?;
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        cx.say("Exporting the container").await;
        crate::save::write_whole(cx, &target, async |file| {
            self.docker.export(cx, id, file).await
        })
        .await
    }

    /// The artifact of a build without an image.
    fn exported(&self, values: Value) -> Artifact {
        let path = &self.config.export_path;
        let files: Vec<PathBuf> = match self.config.discard {
            true => Vec::new(),
            false => vec![path.clone()],
        };
        Artifact {
            builder_id: EXPORTED.to_owned(),
            id: "Container".to_owned(),
            description: format!("Exported Docker file: {}", path.display()),
            destroy: files.clone(),
            files,
            state: [("generated_data", values)].into_iter().collect(),
            resources: Vec::new(),
        }
    }
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path)
        .map_err(|error| Failure::new(format!("cannot resolve `{}`: {error}", path.display())))?;
    Ok(absolute.display().to_string())
}
