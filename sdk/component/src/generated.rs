//! The values of a machine that templates reach as `build.NAME`.

use sdk_config::{Secret, Value};

use crate::BuildInfo;

/// How a machine is reached, for its generated values. Empty texts are values that do not exist.
#[derive(Clone, Debug, Default)]
pub struct MachineFacts {
    /// Identity of the machine.
    pub id: String,
    /// Kind of communicator: `ssh`, `winrm`, `none`, ….
    pub communicator: String,
    /// Address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password, for SSH or WinRM.
    pub password: Secret<String>,
    /// Public key, as `authorized_keys` has it.
    pub ssh_public_key: String,
    /// Private key, in OpenSSH's format.
    pub ssh_private_key: Secret<String>,
    /// Address and port of the HTTP server as the guest sees it; `None` when there is none.
    pub http: Option<(String, u16)>,
}

impl MachineFacts {
    /// The values every machine has, by the names templates use.
    ///
    /// # Source
    ///
    /// Packer's `build` values and the texts it gives for machines without an HTTP server.
    #[must_use]
    pub fn generated(&self, build: &BuildInfo) -> Value {
        let mut values = Value::empty_map();
        values.insert("ID", self.id.as_str());
        values.insert("Host", self.host.as_str());
        values.insert("Port", self.port);
        values.insert("User", self.user.as_str());
        values.insert("ConnType", self.communicator.as_str());
        values.insert("PackerRunUUID", build.run_uuid.as_str());
        values.insert("SSHPublicKey", self.ssh_public_key.as_str());
        values.insert("SSHPrivateKey", secret(&self.ssh_private_key));
        values.insert("Password", secret(&self.password));
        let winrm = self.communicator == "winrm";
        values.insert(
            "WinRMPassword",
            if winrm {
                secret(&self.password)
            } else {
                "".into()
            },
        );
        match &self.http {
            Some((ip, port)) => {
                values.insert("PackerHTTPIP", ip.as_str());
                values.insert("PackerHTTPPort", port.to_string());
                values.insert("PackerHTTPAddr", format!("{ip}:{port}"));
            }
            None => {
                let names = [
                    ("PackerHTTPIP", "IP"),
                    ("PackerHTTPPort", "PORT"),
                    ("PackerHTTPAddr", "ADDR"),
                ];
                for (key, name) in names {
                    values.insert(key, format!("ERR_HTTP_{name}_NOT_IMPLEMENTED_BY_BUILDER"));
                }
            }
        }
        values
    }
}

/// Empty text is no secret: marking it would hide nothing.
fn secret(text: &Secret<String>) -> Value {
    let value = Value::from(text.expose().as_str());
    if text.is_empty() {
        value
    } else {
        value.sensitive()
    }
}
