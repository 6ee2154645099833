//! Option groups of builders that type a boot command.

use std::time::Duration;

use sdk_config::{Diagnostic, Diagnostics, GoDuration, Path, PathStep, Template};
use sdk_config_derive::Config;
use sdk_go_template::{Context, Data};

use crate::action::Action;
use crate::error::BootCommandError;
use crate::pacing::Pacing;
use crate::parser::parse;

/// What to type when the machine has started.
#[derive(Clone, Debug, Default, PartialEq, Config)]
pub struct BootConfig {
    /// Keys to type when the machine has started; the items are joined without a separator. Named
    /// keys are written `<enter>`, held with `<leftShiftOn>` and released with `<leftShiftOff>`;
    /// `<wait5>` and `<wait1m20s>` pause. Template calls are rendered with values of the machine,
    /// such as `HTTPIP` and `HTTPPort`.
    #[config(late)]
    pub boot_command: Vec<Template>,
    /// How long to wait after the start before typing. Zero counts as the default, a negative
    /// duration as no wait.
    #[config(default = "10s")]
    pub boot_wait: GoDuration,
    /// How long to wait after each group of keys, for machines that take keys in groups. The
    /// default depends on the builder.
    pub boot_keygroup_interval: Option<Duration>,
}

impl BootConfig {
    /// Problems that can be seen before the build runs.
    #[must_use]
    pub fn prepare(&self) -> Diagnostics {
        self.problem().into_iter().collect()
    }

    /// The first problem of the joined text, at the item it begins in.
    fn problem(&self) -> Option<Diagnostic> {
        let text = self.text();
        let (offset, what, hint) = if let Err(err) = sdk_go_template::check(&text) {
            (err.offset, format!("cannot be rendered: {err}"), "")
        } else {
            let err = parse(&text).err()?;
            (
                err.offset(),
                format!("cannot be typed: {err}"),
                "write `<wait5>` or `<wait300ms>`",
            )
        };
        let mut path = Path::attribute("boot_command");
        let (mut start, mut shown) = (0, text.as_str());
        for (index, item) in self.boot_command.iter().enumerate() {
            let end = start + item.as_str().len();
            if offset < end {
                path = path.then(PathStep::Index(index));
                shown = item.as_str();
                break;
            }
            start = end;
        }
        let detail = format!("Byte {} of `{shown}` {what}.", offset - start);
        Some(
            Diagnostic::error("Invalid boot command", detail)
                .at(path)
                .hint(hint),
        )
    }

    /// How long to wait before typing.
    #[must_use]
    pub fn wait(&self) -> Duration {
        match self.boot_wait.nanos {
            0 => Duration::from_secs(10),
            _ => self.boot_wait.to_duration().unwrap_or(Duration::ZERO),
        }
    }

    /// How long to wait after each group of keys.
    #[must_use]
    pub fn group_interval(&self, default: Duration) -> Duration {
        self.boot_keygroup_interval
            .filter(|interval| !interval.is_zero())
            .unwrap_or(default)
    }

    /// The items joined, not rendered.
    #[must_use]
    pub fn text(&self) -> String {
        self.boot_command.iter().map(Template::as_str).collect()
    }

    /// Renders the boot command and reads it.
    ///
    /// # Errors
    ///
    /// When a template call fails or the rendered text is no boot command.
    pub fn actions(&self, data: &Data, context: &Context) -> Result<Vec<Action>, BootCommandError> {
        let text = sdk_go_template::render(&self.text(), data, context)
            .map_err(|source| BootCommandError::Render { source })?;
        parse(&text).map_err(|source| BootCommandError::Parse { source })
    }
}

/// What to type over VNC when the machine has started.
#[derive(Clone, Debug, Default, PartialEq, Config)]
pub struct VncBootConfig {
    /// Options of every boot command.
    #[config(flatten)]
    pub boot: BootConfig,
    /// Whether to do without a VNC connection; then nothing can be typed.
    pub disable_vnc: bool,
    /// How long to wait after each key event. By default as short as the machine can follow,
    /// unless the environment variable `PACKER_KEY_INTERVAL` gives a duration.
    pub boot_key_interval: Option<Duration>,
}

impl VncBootConfig {
    /// Problems that can be seen before the build runs.
    #[must_use]
    pub fn prepare(&self) -> Diagnostics {
        let mut diagnostics = self.boot.prepare();
        if self.disable_vnc && !self.boot.boot_command.is_empty() {
            diagnostics.push(
                Diagnostic::error(
                    "Boot command without VNC",
                    "A `boot_command` is typed over VNC, and `disable_vnc` is set.",
                )
                .on("disable_vnc")
                .hint("remove `disable_vnc` or `boot_command`"),
            );
        }
        diagnostics
    }

    /// The pace of typing; `environment` is the value of PACKER_KEY_INTERVAL.
    ///
    /// # Errors
    ///
    /// When the environment's text is not a duration.
    pub fn pacing(
        &self,
        environment: Option<&str>,
        default: Pacing,
    ) -> Result<Pacing, BootCommandError> {
        Pacing::choose(self.boot_key_interval, environment, default)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sdk_config::{Value, decode};
    use sdk_go_template::{Context, Data};

    use super::VncBootConfig;

    fn list(items: &[&str]) -> Value {
        Value::from(
            items
                .iter()
                .map(|item| Value::from(*item))
                .collect::<Vec<_>>(),
        )
    }

    fn read(entries: Vec<(&str, Value)>) -> VncBootConfig {
        let value: Value = entries.into_iter().collect();
        decode::<VncBootConfig>(&value).expect("decodes").0
    }

    #[test]
    fn boot_wait_has_a_default_and_can_be_switched_off() {
        assert_eq!(read(vec![]).boot.wait(), Duration::from_secs(10));
        assert_eq!(
            read(vec![("boot_wait", "0s".into())]).boot.wait(),
            Duration::from_secs(10)
        );
        assert_eq!(
            read(vec![("boot_wait", "-1s".into())]).boot.wait(),
            Duration::ZERO
        );
        assert_eq!(
            read(vec![("boot_wait", "3s".into())]).boot.wait(),
            Duration::from_secs(3)
        );
    }

    #[test]
    fn problems_name_their_item() {
        let config = read(vec![
            ("boot_command", list(&["a", "x<wait0>", "b"])),
            ("disable_vnc", true.into()),
        ]);
        let text: Vec<String> = config
            .prepare()
            .iter()
            .map(|problem| format!("{}: {}", problem.path, problem.detail))
            .collect();
        assert_eq!(
            text,
            [
                "boot_command[1]: Byte 1 of `x<wait0>` cannot be typed: `<wait0>` waits for no time at all; waits are longer than zero.",
                "disable_vnc: A `boot_command` is typed over VNC, and `disable_vnc` is set.",
            ]
        );
        let config = read(vec![("boot_command", list(&["a", "b{{ .HTTPIP"]))]);
        let problem = config.prepare().remove(0);
        assert_eq!(problem.path.to_string(), "boot_command[1]");
        assert!(
            problem
                .detail
                .starts_with("Byte 1 of `b{{ .HTTPIP` cannot be rendered: unclosed")
        );
    }

    #[test]
    fn items_are_joined_rendered_and_read() {
        let config = read(vec![(
            "boot_command",
            list(&["<wa", "it2>{{ .HTTP", "Port }}"]),
        )]);
        assert_eq!(config.prepare(), vec![]);
        let data: Data = [("HTTPPort", 80_u16)].into_iter().collect();
        let actions = config
            .boot
            .actions(&data, &Context::default())
            .expect("reads");
        assert_eq!(actions.len(), 3);
    }
}
