//! The `puppet-masterless` provisioner: applies manifests of this machine in the guest.

use std::sync::Arc;

use kiln_sdk::communicator::{Command, Exit, capture};
use kiln_sdk::staging::{BuildFacts, Guest, GuestOs, Late, check, quote};
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostics, Failure, Prepared, Provisioner, RunContext, Value,
};

use crate::command::{Call, program};
use crate::options::PuppetOptions;
use crate::{facts, run};

/// The first Puppet that does not know `--manifestdir` any more.
const WITHOUT_MANIFEST_DIR: u32 = 4;

/// Applies Puppet manifests in the machine, without a Puppet server. Puppet must be installed there.
#[derive(Debug, Clone, Config)]
pub struct MasterlessConfig {
    /// The manifest to apply: a file, or a folder of manifests.
    pub manifest_file: String,
    /// Folder of manifests that is put beside the manifest; told to Puppet before version 4.
    pub manifest_dir: String,
    /// Folders of modules.
    pub module_paths: Vec<String>,
    /// Configuration of Hiera.
    pub hiera_config_path: String,
    /// Folder in the machine for everything. Default `/tmp/packer-puppet-masterless`, on Windows
    /// `C:/Windows/Temp/packer-puppet-masterless`.
    pub staging_directory: String,
    #[config(flatten)]
    pub options: PuppetOptions,
}

/// The provisioner.
pub struct PuppetMasterless;

impl Provisioner for PuppetMasterless {
    type Config = MasterlessConfig;

    fn prepare(&self, config: &mut MasterlessConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: MasterlessConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        cx.say("Provisioning with Puppet...").await;
        let guest = Guest {
            cx: &cx,
            machine: machine.as_ref(),
            os: config.options.guest_os_type,
            sudo: config.options.sudo(),
        };
        let staged = stage(&guest, &config).await?;
        let late = Late::new(&cx, &generated);
        let build = BuildFacts::new(&cx, &generated);
        let command = command(&guest, &config, &staged, &build, late).await?;
        run::puppet(&guest, &config.options, &command).await?;
        run::clean(&guest, &config.options, &staged.staging).await
    }
}

impl MasterlessConfig {
    pub fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        let what = "it names the manifest to apply";
        check::required("manifest_file", &self.manifest_file, what, &mut problems);
        check::file_or_folder("manifest_file", &self.manifest_file, &mut problems);
        check::folder("manifest_dir", &self.manifest_dir, &mut problems);
        check::folders("module_paths", &self.module_paths, &mut problems);
        check::file("hiera_config_path", &self.hiera_config_path, &mut problems);
        self.options.check(&mut problems);
        problems
    }

    fn staging(&self) -> String {
        match (
            self.staging_directory.trim_end_matches('/'),
            self.options.guest_os_type,
        ) {
            ("", GuestOs::Unix) => "/tmp/packer-puppet-masterless".to_owned(),
            ("", GuestOs::Windows) => "C:/Windows/Temp/packer-puppet-masterless".to_owned(),
            (folder, _) => folder.to_owned(),
        }
    }
}

/// Everything Puppet needs, as paths in the guest; empty when there is none.
struct Staged {
    staging: String,
    hiera: String,
    modules: Vec<String>,
    manifests: String,
    manifest: String,
}

async fn stage(guest: &Guest<'_>, config: &MasterlessConfig) -> Result<Staged, Failure> {
    let staging = config.staging();
    guest.cx.say("Creating Puppet staging directory...").await;
    guest.make_open_folder(&staging).await?;
    let mut hiera = String::new();
    if !config.hiera_config_path.is_empty() {
        guest.cx.say("Uploading hiera configuration...").await;
        hiera = format!("{staging}/hiera.yaml");
        let local = check::expand(&config.hiera_config_path);
        guest.upload_file(&local, &hiera).await?;
    }
    let manifests = format!("{staging}/manifests");
    guest.make_open_folder(&manifests).await?;
    if !config.manifest_dir.is_empty() {
        guest.cx.say("Uploading manifest directory...").await;
        let local = check::expand(&config.manifest_dir);
        guest.upload_folder(&local, &manifests).await?;
    }
    let mut modules = Vec::new();
    for (number, path) in config.module_paths.iter().enumerate() {
        guest
            .cx
            .say(format!("Uploading local modules from: {path}"))
            .await;
        let remote = format!("{staging}/module-{number}");
        guest.make_open_folder(&remote).await?;
        guest.upload_folder(&check::expand(path), &remote).await?;
        modules.push(remote);
    }
    let manifest = stage_manifest(guest, config, &manifests).await?;
    Ok(Staged {
        staging,
        hiera,
        modules,
        manifests,
        manifest,
    })
}

/// Uploads the manifest, or the folder of manifests; where it is then.
async fn stage_manifest(
    guest: &Guest<'_>,
    config: &MasterlessConfig,
    manifests: &str,
) -> Result<String, Failure> {
    guest.cx.say("Uploading manifests...").await;
    let local = check::expand(&config.manifest_file);
    if local.is_dir() {
        guest.upload_folder(&local, manifests).await?;
        return Ok(manifests.to_owned());
    }
    let name = local.file_name().unwrap_or_default().to_string_lossy();
    let remote = format!("{manifests}/{name}");
    guest.upload_file(&local, &remote).await?;
    Ok(remote)
}

async fn command(
    guest: &Guest<'_>,
    config: &MasterlessConfig,
    staged: &Staged,
    build: &BuildFacts,
    late: Late,
) -> Result<String, Failure> {
    let options = &config.options;
    let joiner = match guest.os {
        GuestOs::Unix => ":",
        GuestOs::Windows => ";",
    };
    let modules = staged.modules.join(joiner);
    let manifests = if config.manifest_dir.is_empty() {
        ""
    } else {
        &staged.manifests
    };
    let told = if options.execute_command.is_none()
        && !manifests.is_empty()
        && knows_manifest_dir(guest, options).await?
    {
        manifests
    } else {
        ""
    };
    let call = Call {
        os: guest.os,
        sudo: guest.sudo,
        working_directory: match options.working_directory.as_str() {
            "" => staged.staging.clone(),
            folder => folder.to_owned(),
        },
        facts: facts::text(&facts::collect(build, &options.facter), guest.os),
        folder: options.puppet_bin_dir.clone(),
        verb: "apply --detailed-exitcodes",
        options: vec![
            ("--modulepath", modules.clone()),
            ("--hiera_config", staged.hiera.clone()),
            ("--manifestdir", told.to_owned()),
        ],
        extra: run::extra_arguments(options, &late)?,
        target: staged.manifest.clone(),
    };
    let late = late
        .with("ModulePath", modules)
        .with("ModulePathJoiner", joiner)
        .with("HieraConfigPath", staged.hiera.as_str())
        .with("ManifestFile", staged.manifest.as_str())
        .with("ManifestDir", manifests);
    run::command(options, late, &call)
}

/// Whether the guest's Puppet is so old that it takes `--manifestdir`; newer ones fail on it.
async fn knows_manifest_dir(guest: &Guest<'_>, options: &PuppetOptions) -> Result<bool, Failure> {
    let program = quote::posix_when_needed(&program(&options.puppet_bin_dir));
    let ask = capture(guest.machine, Command::new(format!("{program} --version")));
    let asked = guest.cx.until_cancelled(ask).await?;
    let captured = asked.map_err(|error| Failure::from_error(&error))?;
    let major = captured
        .stdout
        .trim()
        .split('.')
        .next()
        .map(str::parse::<u32>);
    let old = captured.exit == Exit::Code(0)
        && matches!(major, Some(Ok(major)) if major < WITHOUT_MANIFEST_DIR);
    if !old {
        let told = "Puppet 4 and newer has no --manifestdir: `manifest_dir` is put into the \
                    machine, and Puppet is not told about it";
        guest.cx.say(told).await;
    }
    Ok(old)
}
