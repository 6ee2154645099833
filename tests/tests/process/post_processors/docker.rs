//! The Docker post-processors with a real engine and a real registry, both private to the test.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kiln_tests::{Kiln, leftovers, tools};

use super::{chain, path};

/// How long a server may take to start.
const LIMIT: Duration = Duration::from_secs(120);
const PASSWORD: &str = "registry-secret";
/// The same as the registry has it.
const PASSWORD_HASH: &str = "$2b$05$abcdefghijklmnopqrstuubNCCgMNqYiQA5BMGxm7McAPft53drSm";

/// An engine and a registry; ended when dropped.
pub struct Servers {
    engine: Child,
    registry: Child,
    socket: PathBuf,
    /// `127.0.0.1:port` of the registry.
    address: String,
    folder: tempfile::TempDir,
}

impl Servers {
    /// Starts both; `None`, said loudly, when that is not possible here.
    pub fn start() -> Result<Option<Self>> {
        if !tools::installed(&["docker", "dockerd", "docker-registry", "busybox", "curl"]) {
            return Ok(None);
        }
        if !rustix::process::geteuid().is_root() {
            tools::missing("root, to run a Docker engine of its own");
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("kd-").tempdir()?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        let socket = folder.path().join("sock");
        let engine = Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(["--storage-driver=vfs", "--data-root", &at("root")])
            .args(["--exec-root", &at("exec"), "--pidfile", &at("pid")])
            .args(["-H", &format!("unix://{}", socket.display())])
            // Where its containerd leaves notes when it is slow to end.
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("engine.log"))?)
            .spawn()
            .context("cannot start dockerd")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        std::fs::write(folder.path().join("users"), format!("me:{PASSWORD_HASH}\n"))?;
        let settings = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: \
             {address}\nauth:\n  htpasswd:\n    realm: test\n    path: {}\n",
            at("images"),
            at("users")
        );
        std::fs::write(folder.path().join("registry.yml"), settings)?;
        let registry = Command::new("docker-registry")
            .args(["serve", &at("registry.yml")])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("registry.log"))?)
            .spawn()
            .context("cannot start docker-registry")?;
        let servers = Self {
            engine,
            registry,
            socket,
            address,
            folder,
        };
        servers.wait()?;
        Ok(Some(servers))
    }

    fn wait(&self) -> Result<()> {
        let begun = Instant::now();
        while self.docker(&["version"]).is_err()
            || std::net::TcpStream::connect(&self.address).is_err()
        {
            if begun.elapsed() > LIMIT {
                let log = std::fs::read_to_string(self.folder.path().join("engine.log"));
                bail!("the servers do not start: {}", log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// The engine's address, for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Runs `docker` on the engine; what it prints.
    pub fn docker(&self, words: &[&str]) -> Result<String> {
        let host = self.host();
        let mut arguments = vec!["-H", host.as_str()];
        arguments.extend(words);
        tools::output("docker", &arguments)
    }

    /// The tags of an image in the registry.
    fn tags(&self, image: &str) -> Result<Vec<String>> {
        let url = format!("http://{}/v2/{image}/tags/list", self.address);
        let user = format!("me:{PASSWORD}");
        let text = tools::output("curl", &["-sf", "-u", &user, &url])?;
        let answer: serde_json::Value = serde_json::from_str(&text)?;
        let tags = answer["tags"].as_array().into_iter().flatten();
        let mut tags: Vec<String> = tags
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect();
        tags.sort();
        Ok(tags)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in [&mut self.engine, &mut self.registry] {
            // Asked kindly, the engine ends its containerd too. Both may have ended by themselves.
            drop(tools::output("kill", &["-TERM", &server.id().to_string()]));
            drop(server.wait());
        }
    }
}

/// A root file system with nothing but busybox, as a tar.
fn root_tar(kiln: &Kiln) -> Result<()> {
    let folder = kiln.work().join("rootfs");
    std::fs::create_dir_all(folder.join("bin"))?;
    let busybox = tools::output("sh", &["-c", "command -v busybox"])?;
    std::fs::copy(busybox.trim(), folder.join("bin/busybox"))?;
    for name in [
        "sh", "cat", "chmod", "chown", "mkdir", "rm", "sleep", "test",
    ] {
        std::os::unix::fs::symlink("busybox", folder.join("bin").join(name))?;
    }
    let tar = path(kiln, "root.tar");
    tools::output(
        "tar",
        &["-cf", &tar, "-C", &folder.display().to_string(), "bin"],
    )?;
    Ok(())
}

#[test]
fn an_image_is_imported_tagged_pushed_and_saved() -> Result<()> {
    let Some(servers) = Servers::start()? else {
        return Ok(());
    };
    let mut kiln = Kiln::new();
    kiln.env("DOCKER_HOST", &servers.host());
    root_tar(&kiln)?;
    let address = &servers.address;
    let push = |password: &str| {
        format!(
            "post-processors {{
              post-processor \"artifice\" {{ files = [\"root.tar\"] }}
              post-processor \"docker-import\" {{
                repository = \"{address}/team/app\"
                tag        = \"1\"
                changes    = [\"CMD [\\\"/bin/sh\\\"]\", \"ENV MARK=kiln\"]
                keep_input_artifact = true
              }}
              post-processor \"docker-tag\" {{
                repository = \"{address}/team/app\"
                tags       = [\"2\", \"latest\"]
              }}
              post-processor \"docker-push\" {{
                login          = true
                login_server   = \"{address}\"
                login_username = \"me\"
                login_password = \"{password}\"
              }}
              post-processor \"docker-save\" {{ path = \"app.tar\" }}
            }}"
        )
    };
    let refused = chain(&kiln, &push("wrong-password"))?
        .failure()
        .says("Error logging in to Docker")
        .says("Removing temporary Docker configuration directory")
        .lacks("wrong-password");
    drop(refused);
    drop(
        chain(&kiln, &push(PASSWORD))?
            .success()
            .says(&format!("Repository: {address}/team/app:2"))
            .says(&format!("Pushing: {address}/team/app:latest"))
            .says("Logging out...")
            .says("Saved to: app.tar")
            .says(&format!("Imported Docker image: {address}/team/app:latest"))
            .lacks(PASSWORD),
    );
    assert_eq!(servers.tags("team/app")?, ["2", "latest"]);
    let image = format!("{address}/team/app:1");
    let format = "{{json .Config.Cmd}} {{index .Config.Env 0}}";
    let facts = servers.docker(&["inspect", "--format", format, &image])?;
    assert_eq!(facts.trim(), "[\"/bin/sh\"] MARK=kiln");
    let names = ["1", "2", "latest"].map(|tag| format!("{address}/team/app:{tag}"));
    for name in &names {
        servers.docker(&["rmi", name])?;
    }
    servers.docker(&["load", "-i", &path(&kiln, "app.tar")])?;
    servers.docker(&["inspect", &names[2]])?;
    let left = leftovers::of(&kiln, Duration::from_secs(10));
    assert_eq!(left, Vec::<String>::new());
    Ok(())
}

/// The image that the builds here start from.
fn import_base(servers: &Servers, kiln: &Kiln) -> Result<()> {
    root_tar(kiln)?;
    let change = ["--change", "CMD [\"/bin/sh\"]", "--change", "ENV BASE=1"];
    let tar = path(kiln, "root.tar");
    let mut words = vec!["import"];
    words.extend(change);
    words.extend([tar.as_str(), "base:1"]);
    servers.docker(&words).map(drop)
}

/// A source that needs neither a registry nor a network.
fn source(result: &str) -> String {
    format!(
        r#"
source "docker" "app" {{
  image       = "base:1"
  pull        = false
  {result}
  run_command = ["-d", "-i", "-t", "--network=none", "--entrypoint=/bin/sh", "--", "{{{{.Image}}}}"]
}}
"#
    )
}

#[test]
fn a_container_is_provisioned_and_committed() -> Result<()> {
    let Some(servers) = Servers::start()? else {
        return Ok(());
    };
    let mut kiln = Kiln::new();
    kiln.env("DOCKER_HOST", &servers.host());
    import_base(&servers, &kiln)?;
    kiln.write("tree/a/file", "from a folder");
    kiln.write("one file", "from a file");
    let template = source("commit = true\n  changes = [\"ENV MADE=kiln\"]\n  message = \"m\"");
    let template = format!(
        r#"{template}
build {{
  sources = ["source.docker.app"]
  provisioner "file" {{
    source      = "tree"
    destination = "/"
  }}
  provisioner "file" {{
    source      = "one file"
    destination = "/with space"
  }}
  provisioner "shell" {{
    inline = ["mkdir -p /made", "echo $WORD > /made/by-shell", "cat '/with space'"]
    env    = {{ WORD = "hello" }}
    execute_command = "{{{{.Vars}}}} /bin/sh {{{{.Path}}}}"
    remote_folder   = "/"
  }}
  provisioner "file" {{
    direction   = "download"
    source      = "/made/by-shell"
    destination = "downloaded"
  }}
  post-processor "docker-tag" {{
    repository = "app"
    tags       = ["made"]
  }}
}}
"#
    );
    kiln.write("d.pkr.hcl", &template);
    drop(
        kiln.run(&["build", "-color=false", "d.pkr.hcl"])?
            .success()
            .says("docker.app: Starting docker container...")
            .says("docker.app: from a file")
            .says("docker.app: Committing the container")
            .says("Killing the container: kiln-"),
    );
    let text = std::fs::read_to_string(kiln.work().join("downloaded"))?;
    assert_eq!(text, "hello\n");
    let format = "{{json .Config.Cmd}} {{json .Config.Env}} {{.Comment}}";
    let facts = servers.docker(&["inspect", "--format", format, "app:made"])?;
    assert!(facts.starts_with("[\"/bin/sh\"]"), "{facts}");
    assert!(
        facts.contains("MADE=kiln") && facts.contains("BASE=1"),
        "{facts}"
    );
    let folder = servers.docker(&["create", "app:made"])?;
    let copied = path(&kiln, "copied");
    servers.docker(&["cp", &format!("{}:/tree/a/file", folder.trim()), &copied])?;
    assert_eq!(std::fs::read_to_string(copied)?, "from a folder");
    servers.docker(&["rm", folder.trim()])?;
    assert_eq!(servers.docker(&["ps", "-aq"])?, "", "containers are left");
    let left = leftovers::of(&kiln, Duration::from_secs(10));
    assert_eq!(left, Vec::<String>::new());
    Ok(())
}

#[test]
fn an_image_that_nobody_wants_is_removed() -> Result<()> {
    let Some(servers) = Servers::start()? else {
        return Ok(());
    };
    let mut kiln = Kiln::new();
    kiln.env("DOCKER_HOST", &servers.host());
    import_base(&servers, &kiln)?;
    let template = source("commit = true\n  pty = true");
    let template = format!(
        r#"{template}
build {{
  sources = ["source.docker.app"]
  provisioner "shell" {{
    inline          = ["test -t 1 && echo on a terminal"]
    execute_command = "/bin/sh {{{{.Path}}}}"
    remote_folder   = "/"
  }}
  post-processor "docker-save" {{
    path                = "app.tar"
    keep_input_artifact = false
  }}
}}
"#
    );
    kiln.write("d.pkr.hcl", &template);
    let finished = kiln.run(&["build", "-color=false", "d.pkr.hcl"])?;
    drop(finished.success().says("on a terminal"));
    assert!(kiln.work().join("app.tar").is_file());
    let left = servers.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"])?;
    assert_eq!(left.trim(), "base:1");
    assert_eq!(
        servers.docker(&["images", "-q", "-f", "dangling=true"])?,
        ""
    );
    Ok(())
}

#[test]
fn a_container_is_exported_and_imported_again() -> Result<()> {
    let Some(servers) = Servers::start()? else {
        return Ok(());
    };
    let mut kiln = Kiln::new();
    kiln.env("DOCKER_HOST", &servers.host());
    import_base(&servers, &kiln)?;
    let template = source("export_path = \"out/app.tar\"");
    let template = format!(
        r#"{template}
build {{
  sources = ["source.docker.app"]
  provisioner "shell" {{
    inline          = ["echo exported > /marker"]
    execute_command = "/bin/sh {{{{.Path}}}}"
    remote_folder   = "/"
  }}
  post-processor "docker-import" {{
    repository = "again"
    tag        = "1"
  }}
}}
"#
    );
    kiln.write("d.pkr.hcl", &template);
    drop(
        kiln.run(&["build", "-color=false", "d.pkr.hcl"])?
            .success()
            .says("Exporting the container")
            .says("Imported Docker image: again:1"),
    );
    let made = servers.docker(&["create", "again:1", "x"])?;
    let copied = path(&kiln, "copied");
    servers.docker(&["cp", &format!("{}:/marker", made.trim()), &copied])?;
    assert_eq!(std::fs::read_to_string(copied)?, "exported\n");
    Ok(())
}

#[test]
fn a_failed_a_cancelled_and_a_killed_build_leave_no_container() -> Result<()> {
    let Some(servers) = Servers::start()? else {
        return Ok(());
    };
    let mut kiln = Kiln::new();
    kiln.env("DOCKER_HOST", &servers.host());
    import_base(&servers, &kiln)?;
    let build = |command: &str| {
        format!(
            "{}build {{\n  sources = [\"source.docker.app\"]\n  provisioner \"shell\" {{\n    \
             inline = [\"{command}\"]\n    execute_command = \"/bin/sh {{{{.Path}}}}\"\n    \
             remote_folder = \"/\"\n  }}\n}}\n",
            source("discard = true")
        )
    };
    kiln.write("d.pkr.hcl", &build("exit 7"));
    let failed = kiln.run(&["build", "-color=false", "d.pkr.hcl"])?.failure();
    drop(failed.says("Script exited with non-zero exit status: 7"));
    assert_eq!(servers.docker(&["ps", "-aq"])?, "", "after a failure");
    kiln.write("d.pkr.hcl", &build("echo at work; sleep 600"));
    for signal in ["INT", "KILL"] {
        let mut running = kiln.start(&["build", "-color=false", "d.pkr.hcl"])?;
        running.wait_for("at work", Duration::from_secs(120))?;
        running.signal(signal)?;
        drop(running.finish(Duration::from_secs(120))?);
        let begun = Instant::now();
        // After a kill the plugin notices the host's end and cleans up by itself.
        while !servers.docker(&["ps", "-aq"])?.is_empty() {
            anyhow::ensure!(
                begun.elapsed() < LIMIT,
                "a container is left after {signal}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    Ok(())
}

#[test]
fn a_program_that_is_missing_and_a_wrong_server_are_named() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("root.tar", "");
    let import = "post-processors {
      post-processor \"artifice\" { files = [\"root.tar\"] }
      post-processor \"docker-import\" {
        repository  = \"x\"
        docker_path = \"no-such-docker\"
      }
    }";
    drop(
        chain(&kiln, import)?
            .failure()
            .says("cannot start `no-such-docker`: it is not installed on this machine"),
    );
    let push = "post-processor \"docker-push\" {\n ecr_login = true\n login_server = \"x.com\"\n}";
    drop(
        chain(&kiln, push)?
            .failure()
            .says("t.pkr.hcl line 8")
            .says("`x.com` is no registry of ECR"),
    );
    Ok(())
}
