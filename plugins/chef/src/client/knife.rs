//! Having the Chef server forget the node and its client.

use std::time::Duration;

use kiln_sdk::Failure;
use kiln_sdk::communicator::Exit;
use kiln_sdk::staging::{Guest, GuestOs, Late, ended, quote};
use tokio_util::sync::CancellationToken;

use super::config::ClientConfig;
use super::ruby_file::Node;

/// How long each of the two may take when the run failed or was cancelled.
const LIMIT: Duration = Duration::from_secs(120);

/// The clean-up of one node.
pub struct Knife<'a> {
    pub guest: &'a Guest<'a>,
    pub config: &'a ClientConfig,
    pub late: &'a Late,
    pub node: &'a Node,
    pub staging: &'a str,
}

impl Knife<'_> {
    /// Cleans up after Chef ended with `ran`, also when that was because of a cancellation.
    ///
    /// # Errors
    ///
    /// `ran`'s failure, else that of the clean-up.
    ///
    /// # Source
    ///
    /// Packer's order. Differs: a failed clean-up never hides why Chef failed.
    pub async fn clean(&self, ran: Result<(), Failure>) -> Result<(), Failure> {
        if self.config.skip_clean_node && self.config.skip_clean_client {
            return ran;
        }
        let Err(failure) = ran else {
            return self.forget(self.guest).await;
        };
        // A cancelled run must not keep the server's list of nodes.
        let cx = self.guest.cx.with_cancel(CancellationToken::new());
        let guest = Guest {
            cx: &cx,
            ..*self.guest
        };
        let cleaned = tokio::time::timeout(LIMIT, self.forget(&guest)).await;
        match cleaned {
            Ok(Ok(())) => {}
            Ok(Err(second)) => cx.error(second.message).await,
            Err(_) => {
                cx.error("the Chef server did not forget the node in time")
                    .await
            }
        }
        Err(failure)
    }

    async fn forget(&self, guest: &Guest<'_>) -> Result<(), Failure> {
        let file = format!("{}/knife.rb", self.staging);
        guest.cx.say("Creating configuration file 'knife.rb'").await;
        let text = self.node.knife(self.config);
        guest.upload_text(&text, &file, 0o644).await?;
        let mut result = Ok(());
        if !self.config.skip_clean_node {
            guest.cx.say("Cleaning up chef node...").await;
            result = self.delete(guest, "node", &file).await;
        }
        if !self.config.skip_clean_client {
            guest.cx.say("Cleaning up chef client...").await;
            result = result.and(self.delete(guest, "client", &file).await);
        }
        result
    }

    async fn delete(&self, guest: &Guest<'_>, what: &str, file: &str) -> Result<(), Failure> {
        let command = self.command(guest, what, file)?;
        let hint = format!("delete it by hand, or set `skip_clean_{what} = true`");
        let name = &self.node.name;
        let failed = format!("the Chef server still has the {what} `{name}`");
        let exit = guest.run(&command).await?;
        if exit == Exit::Code(0) {
            return Ok(());
        }
        let ours = guest.os == GuestOs::Unix && self.config.knife_command.is_none();
        if ours && !guest.has_program("knife").await? {
            return Err(Failure::new(format!(
                "{failed}: there is no `knife` in the machine, which is a package of its own since \
                 Chef 17; {hint}"
            )));
        }
        let seen = ended(&exit);
        Err(Failure::new(format!("{failed}: {seen} of knife; {hint}")))
    }

    fn command(&self, guest: &Guest<'_>, what: &str, file: &str) -> Result<String, Failure> {
        let word = |text: &str| match guest.os {
            GuestOs::Unix => quote::posix_when_needed(text),
            GuestOs::Windows if text.contains(' ') => format!("\"{text}\""),
            GuestOs::Windows => text.to_owned(),
        };
        let arguments = format!("{what} delete {}", word(&self.node.name));
        let flags = format!("-y -c {}", word(file));
        match (&self.config.knife_command, guest.os) {
            (Some(template), _) => self
                .late
                .clone()
                .with("Args", arguments)
                .with("Flags", flags)
                .with("Sudo", guest.sudo.is_used())
                .render("knife_command", template.as_str()),
            (None, GuestOs::Unix) => Ok(guest.privileged(&format!("knife {arguments} {flags}"))),
            (None, GuestOs::Windows) => {
                Ok(format!("c:/opscode/chef/bin/knife.bat {arguments} {flags}"))
            }
        }
    }
}
