//! The builder: the order of the steps.

use std::path::PathBuf;
use std::sync::Arc;

use kiln_sdk::steps::Steps;
use kiln_sdk::{Artifact, BuildInfo, Builder, Failure, Prepared, RunContext, Secret, Value};

use crate::command_line::{Launch, user_options};
use crate::config::{Accelerator, QemuConfig};
use crate::driver::Driver;
use crate::steps::choose_accelerator::choose_accelerator;
use crate::steps::clear_keys::clear_keys;
use crate::steps::collect_artifact::collect_artifact;
use crate::steps::connect::connect;
use crate::steps::convert_disk::convert_disk;
use crate::steps::copy_efi::{Firmware, copy_efi};
use crate::steps::create_disks::create_disks;
use crate::steps::create_output::{Output, create_output};
use crate::steps::keep_evidence::keep_evidence;
use crate::steps::lease_ports::{Ports, lease_ports};
use crate::steps::make_key::{PendingKeys, begin_keys};
use crate::steps::make_workspace::{Workspace, make_workspace};
use crate::steps::obtain_image::obtain_image;
use crate::steps::protect_screen::{protect_screen, screen_password};
use crate::steps::provision::{GENERATED, generated, provision};
use crate::steps::render_rows::{leave_serial_port, render_rows};
use crate::steps::serve_files::{Served, serve_files};
use crate::steps::shut_down::shut_down;
use crate::steps::start_machine::start_machine;
use crate::steps::start_tpm::{Tpm, start_tpm};
use crate::steps::type_boot_command::{boot_parts, type_boot_command, wait_for_boot};
use crate::steps::watch_machine::Running;
use crate::steps::write_media::{write_cd, write_floppy};

/// The `qemu` builder.
pub(crate) struct Qemu<D> {
    driver: D,
}

impl<D: Driver> Qemu<D> {
    /// The builder on the programs of `driver`.
    pub(crate) fn new(driver: D) -> Self {
        Self { driver }
    }
}

impl<D: Driver> Builder for Qemu<D> {
    type Config = QemuConfig;

    fn prepare(&self, config: &mut QemuConfig, build: &BuildInfo) -> Prepared {
        Prepared {
            diagnostics: config.prepare(build),
            generated: GENERATED.map(str::to_owned).to_vec(),
        }
    }

    async fn run(&self, cx: RunContext, config: QemuConfig) -> Result<Option<Artifact>, Failure> {
        let steps = Steps::new(cx.clone());
        let build = Build {
            cx: &cx,
            steps: &steps,
            driver: &self.driver,
            config: &config,
        };
        let result = build.run().await;
        steps.finish(result).await.map(Some)
    }
}

/// One run.
struct Build<'a, D> {
    cx: &'a RunContext,
    steps: &'a Steps,
    driver: &'a D,
    config: &'a QemuConfig,
}

/// What a machine is made of.
struct Parts {
    image: PathBuf,
    output: Arc<Output>,
    workspace: Arc<Workspace>,
    tpm: Option<Arc<Tpm>>,
    floppy: Option<PathBuf>,
    cd: Option<PathBuf>,
    disks: Vec<PathBuf>,
    firmware: Option<Firmware>,
}

/// How a machine is reached.
struct Reach {
    served: Arc<Served>,
    ports: Arc<Ports>,
    password: Option<Secret<String>>,
}

impl<D: Driver> Build<'_, D> {
    async fn run(&self) -> Result<Artifact, Failure> {
        let (cx, config, driver) = (self.cx, self.config, self.driver);
        let pending = begin_keys(cx, config);
        let parts = self.make_parts().await?;
        let reach = self.make_reach().await?;
        let (running, accelerator) = self.start(&parts, &reach).await?;
        // On the heap: it holds the making of a connection.
        let data = Box::pin(self.use_machine(&reach, pending, &running)).await?;
        let disk = &parts.disks[0];
        self.steps
            .run("convert disk", || convert_disk(cx, driver, config, disk))
            .await?;
        collect_artifact(config, &parts.output.path, &parts.disks, accelerator, data)
    }

    /// Everything that is there before the machine starts.
    async fn make_parts(&self) -> Result<Parts, Failure> {
        let Self {
            cx,
            steps,
            driver,
            config,
        } = *self;
        let image = steps
            .run("download image", || obtain_image(cx, config))
            .await?;
        let output = steps
            .run("create output", || create_output(cx, config))
            .await?;
        let output = Arc::new(output);
        let (released, deleted) = (Arc::clone(&output), Arc::clone(&output));
        let undo_cx = steps.cleanup_context();
        steps.on_cleanup("create output", async move {
            released.release().await;
            Ok(())
        });
        steps.on_failure(
            "create output",
            async move { deleted.delete(&undo_cx).await },
        );
        let workspace = Arc::new(steps.run("make workspace", || make_workspace(cx)).await?);
        let undone = Arc::clone(&workspace);
        steps.on_cleanup("make workspace", async move { undone.undo().await });
        let tpm = steps
            .run("start TPM", || start_tpm(cx, driver, config, &workspace))
            .await?;
        let tpm = tpm.map(Arc::new);
        if let Some(tpm) = tpm.clone() {
            steps.on_cleanup("start TPM", async move { tpm.undo().await });
        }
        let floppy = steps
            .run("write floppy", || write_floppy(cx, config, &workspace))
            .await?;
        let cd = steps
            .run("write CD", || write_cd(cx, config, &workspace))
            .await?;
        let folder = &output.path;
        let create = || create_disks(cx, driver, config, &image, folder);
        let disks = steps.run("create disks", create).await?;
        let firmware = steps
            .run("copy EFI", || copy_efi(cx, config, folder))
            .await?;
        Ok(Parts {
            image,
            output,
            workspace,
            tpm,
            floppy,
            cd,
            disks,
            firmware,
        })
    }

    /// Everything by which the guest reaches us and we the guest.
    async fn make_reach(&self) -> Result<Reach, Failure> {
        let Self {
            cx, steps, config, ..
        } = *self;
        let served = Arc::new(steps.run("serve files", || serve_files(cx, config)).await?);
        let undone = Arc::clone(&served);
        steps.on_cleanup("serve files", async move { undone.undo().await });
        let ports = Arc::new(steps.run("lease ports", || lease_ports(cx, config)).await?);
        let undone = Arc::clone(&ports);
        steps.on_cleanup("lease ports", async move {
            undone.undo();
            Ok(())
        });
        let password = screen_password(cx, config).await;
        Ok(Reach {
            served,
            ports,
            password,
        })
    }

    async fn start(
        &self,
        parts: &Parts,
        reach: &Reach,
    ) -> Result<(Arc<Running>, Accelerator), Failure> {
        let Self {
            cx,
            steps,
            driver,
            config,
        } = *self;
        let forward = reach.ports.forward;
        let data = reach
            .served
            .row_data(config, forward.map(|forward| forward.host));
        let rows = render_rows(cx, config, &data)?;
        let serial = leave_serial_port(&rows).then(|| parts.workspace.file("serial.log"));
        let version = driver.version(&config.qemu_binary).await;
        let launch = Launch {
            config,
            version: version.map_err(|error| Failure::from_error(&error).on("qemu_binary"))?,
            accelerator: choose_accelerator(cx, driver, config).await,
            windowed: has_display_server(),
            iso: (!config.disk_image).then(|| parts.image.clone()),
            cd: parts.cd.clone(),
            floppy: parts.floppy.clone(),
            disks: parts.disks.clone(),
            efi: parts.firmware.clone(),
            tpm: parts.tpm.as_ref().map(|tpm| tpm.socket.clone()),
            screen: reach.ports.screen.clone(),
            forward,
            pidfile: &parts.workspace.file("qemu.pid"),
            serial: serial.clone(),
        };
        reach.ports.hand_over();
        let start = || start_machine(cx, driver, &launch, user_options(&rows));
        let running = Arc::new(steps.run("start machine", start).await?);
        let (undone, seen) = (Arc::clone(&running), Arc::clone(&running));
        let left = Arc::clone(&running);
        steps.on_cleanup("start machine", async move { undone.undo().await });
        steps.on_left("start machine", async move {
            left.stay();
            Ok(())
        });
        let (undo_cx, password) = (cx.clone(), reach.password.clone());
        let screen = launch.screen.clone();
        steps.on_failure("start machine", async move {
            keep_evidence(
                &undo_cx,
                &seen,
                &screen,
                password.as_ref(),
                serial.as_deref(),
            )
            .await;
            Ok(())
        });
        Ok((running, launch.accelerator))
    }

    /// Everything that happens while the machine runs; returns its values. The keys are made while
    /// it boots, because RSA keys take their time.
    async fn use_machine(
        &self,
        reach: &Reach,
        pending: PendingKeys,
        running: &Running,
    ) -> Result<Value, Failure> {
        let Self {
            cx, steps, config, ..
        } = *self;
        let Reach {
            served,
            ports,
            password,
        } = reach;
        let (password, screen) = (password.as_ref(), &ports.screen);
        let protect = || protect_screen(cx, config, running, password);
        steps.run("protect screen", protect).await?;
        steps
            .run("wait for boot", || wait_for_boot(cx, config, running))
            .await?;
        let keys = &pending.ready(cx).await?;
        let typed = boot_parts(cx, config, &served.data(config, keys))?;
        let write = || type_boot_command(cx, config, running, screen, password, &typed);
        steps.run("type boot command", write).await?;
        let join = || connect(cx, config, running, ports.forward, keys);
        let connected = steps.run("connect", join).await?;
        let data = generated(cx, config, served, &connected, keys);
        provision(steps, running, &connected, data.clone()).await?;
        let clear = || clear_keys(cx, config, running, &connected, keys);
        steps.run("clear keys", clear).await?;
        steps
            .run("shut down", || shut_down(cx, config, running, &connected))
            .await?;
        Ok(data)
    }
}

/// Whether a window can be opened.
fn has_display_server() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
