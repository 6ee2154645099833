//! The `vsphere` post-processor: a machine's files into vSphere.
//!
//! # Source
//!
//! Packer's `vsphere` and VMware's `ovftool`: the command line, the texts. Differs: the build fails
//! when the last try fails.

use std::path::Path;
use std::time::Duration;

use kiln_sdk::program::Program;
use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, Meter, PostProcessed, PostProcessor,
    Prepared, RunContext, Secret, Value,
};

use crate::soap::{Access, Session, Trust};

/// What uploaded machines are known by.
pub(crate) const BUILDER_ID: &str = "packer.post-processor.vsphere";
/// The program that uploads.
const OVFTOOL: &str = "ovftool";
/// How long looking at the credentials may take; then it is left to the upload.
const VERIFY_LIMIT: Duration = Duration::from_secs(20);
/// The pause before another try grows by this much each time.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Uploads a machine to vSphere with VMware's `ovftool`, which has to be installed.
#[derive(Debug, Clone, Config)]
pub(crate) struct UploadConfig {
    /// Address of the vCenter server or ESXi host.
    #[config(required)]
    pub(crate) host: String,
    /// Who to log in as.
    #[config(required)]
    pub(crate) username: String,
    /// The password.
    #[config(required)]
    pub(crate) password: Secret<String>,
    /// The datacenter.
    #[config(required)]
    pub(crate) datacenter: String,
    /// The cluster, or the host to upload to.
    #[config(required)]
    pub(crate) cluster: String,
    /// Name of the machine.
    #[config(required)]
    pub(crate) vm_name: String,
    /// The datastore. Either this or `datastore_cluster`.
    pub(crate) datastore: String,
    /// A cluster of datastores: the one with the most room is used.
    pub(crate) datastore_cluster: String,
    /// How disks are stored: `thin`, `thick`, `eagerZeroedThick`, ….
    #[config(default = "thick")]
    pub(crate) disk_mode: String,
    /// Address of the ESXi host to use, when `host` is a vCenter server.
    pub(crate) esxi_host: String,
    /// Whether to trust the server without a valid certificate.
    pub(crate) insecure: bool,
    /// More arguments for `ovftool`.
    pub(crate) options: Vec<String>,
    /// Whether to replace a machine of that name.
    pub(crate) overwrite: bool,
    /// The resource pool.
    pub(crate) resource_pool: String,
    /// Folder of the machine.
    pub(crate) vm_folder: String,
    /// The network that the machine is connected to.
    pub(crate) vm_network: String,
    /// The highest virtual hardware version that the machine may have there.
    pub(crate) hardware_version: String,
    /// How often it is tried.
    #[config(default = 5)]
    pub(crate) max_retries: u32,
}

/// The post-processor.
pub(crate) struct Vsphere;

impl PostProcessor for Vsphere {
    type Config = UploadConfig;

    fn prepare(&self, config: &mut UploadConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        let mut wrong = |name: &str, detail: String| {
            problems.push(Diagnostic::error("Missing value", detail).on(name));
        };
        for (name, empty) in [
            ("cluster", config.cluster.is_empty()),
            ("datacenter", config.datacenter.is_empty()),
            ("host", config.host.is_empty()),
            ("password", config.password.is_empty()),
            ("username", config.username.is_empty()),
            ("vm_name", config.vm_name.is_empty()),
        ] {
            if empty {
                wrong(name, format!("{name} must be set."));
            }
        }
        match (
            config.datastore.is_empty(),
            config.datastore_cluster.is_empty(),
        ) {
            (true, true) => wrong(
                "datastore",
                "either 'datastore' or 'datastore_cluster' must be specified.".to_owned(),
            ),
            (false, false) => {
                let detail = "'datastore' and 'datastore_cluster' are mutually exclusive; \
                              specify only one.";
                let problem = Diagnostic::error("Two datastores", detail);
                problems.push(problem.on("datastore_cluster"));
            }
            _ => {}
        }
        if which::which(OVFTOOL).is_err() {
            problems.push(no_ovftool());
        }
        // An explicit 0 means the usual number, as in Packer.
        if config.max_retries == 0 {
            config.max_retries = 5;
        }
        problems.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: UploadConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let machine = |path: &&std::path::PathBuf| {
            let extension = path.extension().unwrap_or_default();
            ["vmx", "ovf", "ova"]
                .iter()
                .any(|known| extension == *known)
        };
        let source =
            input.files.iter().find(machine).ok_or_else(|| {
                Failure::new("error locating expected .vmx, .ovf, or .ova artifact")
            })?;
        let password = escaped(config.password.expose());
        cx.secret(password.as_str()).await;
        cx.secret(config.password.expose().as_str()).await;
        let datastore = datastore(&cx, &config).await?;
        let arguments = arguments(&config, &datastore, source, &password);
        cx.say(format!("Uploading {} to {}", source.display(), config.host))
            .await;
        verify(&cx, &config, &arguments).await?;
        cx.say("Uploading virtual machine...").await;
        upload(&cx, &config, &arguments).await?;
        let (folder, name) = (&config.vm_folder, &config.vm_name);
        Ok(PostProcessed {
            artifact: Some(Artifact {
                builder_id: BUILDER_ID.to_owned(),
                id: format!("{datastore}::{folder}::{name}"),
                files: input.files,
                description: format!("VM: {name} Folder: {folder} Datastore: {datastore}"),
                ..Artifact::default()
            }),
            keep_input: false,
            force_keep_input: false,
        })
    }
}

/// What is wrong when `ovftool` is not there: better told before the build than after it.
fn no_ovftool() -> Diagnostic {
    let detail = "`ovftool`, which uploads machines, is not installed, or not in `PATH`.";
    Diagnostic::error("Missing program", detail)
        .hint("Install VMware's OVF Tool, and add its folder to `PATH`.")
}

async fn datastore(cx: &RunContext, config: &UploadConfig) -> Result<String, Failure> {
    if config.datastore_cluster.is_empty() {
        return Ok(config.datastore.clone());
    }
    let cluster = &config.datastore_cluster;
    cx.say(format!("Resolving datastore from cluster '{cluster}'..."))
        .await;
    let access = Access {
        host: &config.host,
        username: &config.username,
        password: &config.password,
        trust: if config.insecure {
            Trust::Anybody
        } else {
            Trust::Verified
        },
    };
    let session = Session::open(cx, access).await?;
    let path = format!("{}/datastore/{cluster}", config.datacenter);
    let found = session.roomiest(&path).await;
    session.close().await;
    Ok(found?)
}

/// The arguments of `ovftool`.
fn arguments(config: &UploadConfig, datastore: &str, source: &Path, password: &str) -> Vec<String> {
    let mut arguments = vec![
        "--acceptAllEulas".to_owned(),
        format!("--name={}", config.vm_name),
        format!("--datastore={datastore}"),
    ];
    if config.insecure {
        arguments.push("--noSSLVerify=true".to_owned());
    }
    for (flag, value) in [
        ("diskMode", &config.disk_mode),
        ("vmFolder", &config.vm_folder),
        ("maxVirtualHardwareVersion", &config.hardware_version),
        ("network", &config.vm_network),
    ] {
        if !value.is_empty() {
            arguments.push(format!("--{flag}={value}"));
        }
    }
    if config.overwrite {
        arguments.push("--overwrite".to_owned());
    }
    arguments.extend(config.options.iter().cloned());
    arguments.push(source.display().to_string());
    arguments.push(target(config, password));
    arguments
}

/// Where the machine goes, as `ovftool` names it.
fn target(config: &UploadConfig, password: &str) -> String {
    let mut path = format!("{}/host/{}", config.datacenter, config.cluster);
    if !config.resource_pool.is_empty() {
        path.push_str(&format!("/Resources/{}", config.resource_pool));
    }
    let user = escaped(&config.username);
    let mut target = format!(
        "vi://{user}:{password}@{}/{}",
        config.host,
        path_escaped(&path)
    );
    if !config.esxi_host.is_empty() {
        let host = &config.esxi_host;
        let kind = match host.parse::<std::net::Ipv4Addr>() {
            Ok(_) => "ip",
            Err(_) => "dns",
        };
        target.push_str(&format!("?{kind}={}", escaped(host)));
    }
    target
}

/// Text for a user name or password in a URL.
///
/// # Source
///
/// RFC 3986, section 3.2.1, without `:`, which ends the name.
fn escaped(text: &str) -> String {
    percent(text, |byte| {
        byte.is_ascii_alphanumeric() || b"-_.~$&+,;=".contains(&byte)
    })
}

/// Text for a path in a URL. What is escaped already stays.
fn path_escaped(text: &str) -> String {
    percent(text, |byte| {
        byte.is_ascii_alphanumeric() || b"-_.~$&+,;=:@/!'()*%".contains(&byte)
    })
}

fn percent(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Has `ovftool` look at the credentials. Other problems are left to the upload.
async fn verify(
    cx: &RunContext,
    config: &UploadConfig,
    arguments: &[String],
) -> Result<(), Failure> {
    cx.say("Validating username and password...").await;
    let mut program = Program::new(OVFTOOL)
        .arg("--verifyOnly")
        .limit(VERIFY_LIMIT);
    program = program.args(arguments.iter().cloned());
    if config.insecure {
        program = program.arg("--noSSLVerify");
        cx.say("Skipping SSL thumbprint verification; insecure flag set to true...")
            .await;
    }
    let ended = match program.collect(cx).await {
        Ok(ended) => ended,
        Err(failure) if failure.message.contains("did not end within") => return Ok(()),
        Err(failure) => return Err(failure),
    };
    let said = |text: &str| !ended.is_success() && ended.stdout.contains(text);
    if said("Enter login information for source") {
        return Err(Failure::new(
            "ovftool asks who logs in, so the server refused `username` or `password`",
        ));
    }
    if said("Accept SSL fingerprint") {
        return Err(Failure::new(
            "ovftool does not know the server's certificate: run it once by hand and accept the \
             fingerprint, or set `insecure = true`",
        ));
    }
    Ok(())
}

async fn upload(
    cx: &RunContext,
    config: &UploadConfig,
    arguments: &[String],
) -> Result<(), Failure> {
    let mut last = String::new();
    for attempt in 1..=config.max_retries {
        let meter = Meter::percent(cx, format!("uploading {}", config.vm_name));
        let program = Program::new(OVFTOOL)
            .args(arguments.iter().cloned())
            .listener(move |data| {
                if let Some(percent) = percent_in(data) {
                    meter.at(percent);
                }
            });
        let ended = program.show(cx).await?;
        if ended.is_success() {
            return Ok(());
        }
        let mut lines = ended.stdout.lines().chain(ended.stderr.lines());
        let said = lines.rfind(|line| line.contains("Error"));
        last = format!(
            "`{OVFTOOL}` ended with status {}: {}",
            ended.code,
            said.unwrap_or("see above").trim()
        );
        if attempt < config.max_retries {
            let pause = (PAUSE * attempt).min(LONGEST_PAUSE);
            cx.until_cancelled(tokio::time::sleep(pause)).await?;
        }
    }
    Err(Failure::new(format!(
        "error uploading virtual machine in {} tries: {last}",
        config.max_retries
    )))
}

/// The last `… progress: 12%` in what `ovftool` prints.
fn percent_in(data: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(data);
    let (_, rest) = text.rsplit_once("progress: ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    number.parse().ok().filter(|percent| *percent <= 100)
}

#[cfg(test)]
mod tests;
