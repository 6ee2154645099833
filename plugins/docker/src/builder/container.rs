//! The container: started, removed, and found again after a crash.

use std::path::Path;

use kiln_sdk::go_template::Data;
use kiln_sdk::program::Program;
use kiln_sdk::{Failure, Resource, RunContext, Steps};

use super::config::DockerConfig;
use crate::cli::Docker;
use crate::reclaim::{held_by_engine, remove};

/// Kind of a container: `id` is its name.
pub(crate) const CONTAINER: &str = "docker-container";

/// A container that is made from options.
pub(super) struct Container<'a> {
    pub(super) cx: &'a RunContext,
    pub(super) steps: &'a Steps,
    pub(super) docker: &'a Docker,
    pub(super) config: &'a DockerConfig,
}

impl Container<'_> {
    /// Starts it from `image` with `folder` mounted; gives its id.
    pub(super) async fn start(&self, image: &str, folder: &Path) -> Result<String, Failure> {
        let (cx, config) = (self.cx, self.config);
        cx.say("Starting docker container...").await;
        let command = self.run_command(image)?;
        let (name, named) = match name_in(&command) {
            Some(name) => (name, Vec::new()),
            None => {
                let number = cx.link().number();
                let name = format!("kiln-{:x}-{}-{number:x}", std::process::id(), started(cx));
                (name.clone(), vec!["--name".to_owned(), name])
            }
        };
        let mut arguments = self.options(folder);
        arguments.extend(named);
        arguments.extend(command);
        let resource = held_by_engine(CONTAINER, &name, &config.docker_path);
        let held = cx.announce(resource.clone()).await?;
        let cleanup = self.steps.cleanup_context();
        self.steps.on_cleanup("StepRun", async move {
            cleanup.say(format!("Killing the container: {name}")).await;
            // Not with the run's own means: they end when the host is gone, and this must not.
            reclaim_container(resource).await?;
            held.release().await;
            Ok(())
        });
        let shown = arguments.join(" ");
        cx.say(format!("Run command: {} run {shown}", config.docker_path))
            .await;
        let id = self.docker.run(cx, &arguments).await?;
        cx.say(format!("Container ID: {id}")).await;
        Ok(id)
    }

    fn run_command(&self, image: &str) -> Result<Vec<String>, Failure> {
        let data: Data = [("Image", image)].into_iter().collect();
        let context = self.cx.build().template_context();
        let words = self.config.run_command.iter();
        words
            .map(|word| {
                word.render(&data, &context)
                    .map_err(|error| Failure::new(format!("cannot render `run_command`: {error}")))
            })
            .collect()
    }

    /// The options before `run_command`.
    fn options(&self, folder: &Path) -> Vec<String> {
        let config = self.config;
        let mut options = Vec::new();
        let mut add = |flag: &str, values: &[String]| {
            for value in values {
                options.extend([flag.to_owned(), value.clone()]);
            }
        };
        let one = |text: &String| match text.is_empty() {
            true => Vec::new(),
            false => vec![text.clone()],
        };
        add("--device", &config.device);
        add("--cap-add", &config.cap_add);
        add("--cap-drop", &config.cap_drop);
        add("--runtime", &one(&config.runtime));
        add("--platform", &one(&config.platform));
        add("--tmpfs", &config.tmpfs);
        let own = (folder.display().to_string(), config.container_dir.clone());
        let given = config.volumes.iter();
        let given = given.map(|(host, guest)| (at_home(host), guest.clone()));
        let volumes: Vec<String> = given
            .chain([own])
            .map(|(host, guest)| format!("{host}:{guest}"))
            .collect();
        add("-v", &volumes);
        if config.privileged {
            options.push("--privileged".to_owned());
        }
        options
    }
}

/// When the host's run started, so that names of two machines' builds differ.
fn started(cx: &RunContext) -> String {
    format!("{:x}", cx.build().started_at_unix_nanos)
}

/// A path whose `~/` is the user's home.
fn at_home(path: &str) -> String {
    match (path.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => path.to_owned(),
    }
}

/// The name that a template gives its container.
fn name_in(command: &[String]) -> Option<String> {
    let options = command.iter().take_while(|word| *word != "--");
    let words: Vec<&String> = options.collect();
    words
        .iter()
        .enumerate()
        .find_map(|(at, word)| match word.as_str() {
            "--name" => words.get(at + 1).map(|name| (*name).clone()),
            word => word.strip_prefix("--name=").map(str::to_owned),
        })
}

/// Kills and removes a container, also one that a dead build left; one that is gone already is fine.
///
/// # Errors
///
/// When the engine does not do that.
pub(crate) async fn reclaim_container(resource: Resource) -> Result<(), Failure> {
    remove(&resource, &["rm", "-f", "-v"], "no such container").await
}

impl Docker {
    /// Starts a container; gives its id.
    async fn run(&self, cx: &RunContext, arguments: &[String]) -> Result<String, Failure> {
        let program = Program::new(self.path.as_str()).arg("run");
        let ended = program.args(arguments.iter().cloned()).collect(cx).await?;
        if !ended.is_success() {
            return Err(Failure::new(format!(
                "Error running container: Docker exited with a non-zero exit status.\nStderr: {}",
                ended.stderr.trim()
            )));
        }
        Ok(ended.stdout.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_name_of_the_templates_own_is_found() {
        let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        for (command, expected) in [
            ("-d --name mine -- image", Some("mine")),
            ("-d --name=mine image", Some("mine")),
            ("-d -- --name=x", None),
            ("-d -i", None),
        ] {
            assert_eq!(name_in(&words(command)).as_deref(), expected, "{command}");
        }
    }
}
