//! What the program is told by its surroundings, read once.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use host_plugin_client::tree::{TreeError, plugin_tree};
use host_plugin_client::{BuildInfo, Settings};
use host_ui::{Mode, is_foreground};

use crate::version;

/// The words of the command line, the environment, the terminal, the clock.
#[derive(Clone, Debug)]
pub struct World {
    /// The words behind the program's name, without `-machine-readable`.
    pub words: Vec<String>,
    /// The environment; names and values that are not UTF-8 are left out.
    pub environment: BTreeMap<String, String>,
    /// The working directory; `.` when it does not exist any more, which only matters to commands
    /// that look for files in it.
    pub working_dir: PathBuf,
    /// The program itself, without symbolic links where that can be told.
    pub executable: PathBuf,
    /// Start of the process, in nanoseconds since 1970 UTC.
    pub started_at_unix_nanos: i64,
    /// Identity of this run: `PACKER_RUN_UUID`, or a new one.
    pub run_uuid: String,
    machine_readable: bool,
    terminal: bool,
    stderr_is_terminal: bool,
    /// Whether a person can type lines and see what becomes of them.
    interactive: bool,
}

/// The home folder that the system has for the user, where `HOME` does not say it.
fn home_of_user() -> Option<String> {
    let id = rustix::process::geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let user = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let mut own = user.filter(|user| user.get(2).is_some_and(|own| **own == id));
    let home = own.next()?.get(5)?.to_string();
    home.starts_with('/').then_some(home)
}

impl World {
    /// Reads everything.
    ///
    /// # Errors
    ///
    /// When the program does not know where it is itself.
    pub fn read() -> std::io::Result<Self> {
        let mut words: Vec<String> = std::env::args_os()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let machine_readable = words.iter().position(|word| word == "-machine-readable");
        if let Some(position) = machine_readable {
            words.remove(position);
        }
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let mut environment = environment;
        let is_usable = |home: &String| std::path::Path::new(home).is_absolute();
        // Elsewhere, such as in a temporary folder, others could put things in the way.
        if !environment.get("HOME").is_some_and(is_usable)
            && let Some(home) = home_of_user()
        {
            environment.insert("HOME".to_owned(), home);
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let executable = std::env::current_exe()?;
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let stderr_is_terminal = std::io::stderr().is_terminal();
        let given = environment
            .get("PACKER_RUN_UUID")
            .filter(|uuid| !uuid.is_empty());
        Ok(Self {
            words,
            working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            executable: executable.canonicalize().unwrap_or(executable),
            started_at_unix_nanos: i64::try_from(now.as_nanos()).unwrap_or(i64::MAX),
            run_uuid: given
                .cloned()
                .unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            machine_readable: machine_readable.is_some(),
            // In the background it belongs to somebody who types.
            terminal: stdout_is_terminal && is_foreground(std::io::stderr()),
            stderr_is_terminal,
            interactive: stdout_is_terminal && std::io::stdin().is_terminal(),
            environment,
        })
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    fn is_set(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| !value.is_empty())
    }

    /// Whether `PACKER_LOG` asks for the log.
    pub fn wants_log(&self) -> bool {
        self.is_set("PACKER_LOG") && self.variable("PACKER_LOG") != Some("0")
    }

    /// Whether a terminal shows standard error together with the output.
    pub fn shows_stderr(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Whether colours are welcome.
    pub fn colors(&self) -> bool {
        !self.machine_readable && !self.is_set("PACKER_NO_COLOR") && !self.is_set("NO_COLOR")
    }

    /// What output looks like.
    pub fn mode(&self) -> Mode {
        // The log's lines would go right through a display on the same terminal.
        let log = self.wants_log() && !self.is_set("PACKER_LOG_PATH");
        if self.machine_readable {
            Mode::Machine
        } else if self.terminal && self.variable("TERM") != Some("dumb") && !log {
            Mode::Terminal
        } else {
            Mode::Lines
        }
    }

    /// Whether a person can type lines and see what becomes of them.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// The user's home folder, when there is one.
    pub fn home(&self) -> Option<PathBuf> {
        let home = PathBuf::from(self.variable("HOME")?);
        home.is_absolute().then_some(home)
    }

    /// Folder for what must outlive a run and no run owns.
    pub fn state_folder(&self) -> PathBuf {
        let runs = self.settings().run_folder;
        runs.parent().map_or_else(|| runs.clone(), PathBuf::from)
    }

    /// The folder that plugins are installed in.
    ///
    /// # Errors
    ///
    /// When the environment does not say which one that is.
    pub fn plugin_tree(&self) -> Result<PathBuf, TreeError> {
        plugin_tree(&self.environment, &self.working_dir)
    }

    /// Where things are, for the plugin client.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::from_environment(&self.executable, &self.environment);
        settings.cache_folder = self.working_dir.join(&settings.cache_folder);
        settings.plugin_tree = self.plugin_tree().ok();
        settings.facts = BuildInfo {
            core_version: version::PACKER.to_owned(),
            run_uuid: self.run_uuid.clone(),
            started_at_unix_nanos: self.started_at_unix_nanos,
            ..BuildInfo::default()
        };
        settings
    }
}
