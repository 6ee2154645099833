//! Getting into a registry.

use kiln_sdk::program::Program;
use kiln_sdk::{Config, Diagnostic, Diagnostics, Failure, RunContext, Secret};

/// What servers of Amazon's public registry have in their names.
const PUBLIC_ECR: &str = "public.ecr.aws";
/// Where the keys of the public registry come from.
const PUBLIC_REGION: &str = "us-east-1";
/// The user that Amazon's registries know.
const ECR_USER: &str = "AWS";

/// Options of registries that ask who is there.
#[derive(Debug, Clone, Default, Config)]
pub(crate) struct Access {
    /// Whether to log in before and out after.
    pub(crate) login: bool,
    /// Who to log in as.
    pub(crate) login_username: String,
    /// The password.
    pub(crate) login_password: Secret<String>,
    /// The server to log in at; Docker Hub when it is not set.
    pub(crate) login_server: String,
    /// Whether to log in at Amazon's registry `login_server` with a key that the `aws` program
    /// fetches. It finds credentials as it always does, unless the options here give some.
    pub(crate) ecr_login: bool,
    /// Amazon access key.
    pub(crate) aws_access_key: String,
    /// Amazon secret key.
    pub(crate) aws_secret_key: Secret<String>,
    /// Amazon session token.
    pub(crate) aws_token: Secret<String>,
    /// Profile of the shared credentials file.
    pub(crate) aws_profile: String,
    /// Whether `login_server` is Amazon's public registry, whatever its name says.
    pub(crate) aws_force_use_public_ecr: bool,
}

/// An Amazon registry.
#[derive(Debug, PartialEq, Eq)]
enum Registry {
    Public,
    Private { region: String },
}

impl Access {
    /// What is wrong with the options.
    pub(crate) fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        if !self.ecr_login {
            return problems;
        }
        if self.login_server.is_empty() {
            let detail = "ECR login requires login server to be provided.";
            problems.push(Diagnostic::error("Missing login server", detail).on("login_server"));
        } else if self.login_server != "<unknown>" && self.registry().is_none() {
            let detail = self.not_ecr();
            problems.push(Diagnostic::error("Not an ECR server", detail).on("login_server"));
        }
        problems
    }

    /// Whether there is anything to log in to.
    pub(crate) fn is_wanted(&self) -> bool {
        self.login || self.ecr_login
    }

    /// User and password. From here on nothing that is secret in the options comes out.
    pub(crate) async fn credentials(
        &self,
        cx: &RunContext,
    ) -> Result<(String, Secret<String>), Failure> {
        for secret in [&self.login_password, &self.aws_secret_key, &self.aws_token] {
            if !secret.is_empty() {
                cx.secret(secret.expose().as_str()).await;
            }
        }
        if !self.ecr_login {
            return Ok((self.login_username.clone(), self.login_password.clone()));
        }
        cx.say("Fetching ECR credentials...").await;
        let registry = self.registry();
        let registry = registry.ok_or_else(|| Failure::new(self.not_ecr()))?;
        let key = self.fetch(cx, &registry).await?;
        cx.secret(key.expose().as_str()).await;
        Ok((ECR_USER.to_owned(), key))
    }

    fn not_ecr(&self) -> String {
        format!(
            "`{}` is no registry of ECR; those are called \
             ACCOUNT.dkr.ecr.REGION.amazonaws.com",
            self.login_server
        )
    }

    fn registry(&self) -> Option<Registry> {
        if self.aws_force_use_public_ecr || self.login_server.contains(PUBLIC_ECR) {
            return Some(Registry::Public);
        }
        let (_, server) = self
            .login_server
            .split_once("://")
            .unwrap_or(("", &self.login_server));
        let (account, rest) = server.split_once(".dkr.ecr.")?;
        let (region, _) = rest.split_once(".amazonaws.com")?;
        let number = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
        (number && !region.is_empty()).then(|| Registry::Private {
            region: region.to_owned(),
        })
    }

    /// # Source
    ///
    /// The `aws` program's `ecr get-login-password` and `ecr-public get-login-password`.
    async fn fetch(&self, cx: &RunContext, registry: &Registry) -> Result<Secret<String>, Failure> {
        let (service, region) = match registry {
            Registry::Public => ("ecr-public", PUBLIC_REGION),
            Registry::Private { region } => ("ecr", region.as_str()),
        };
        let mut program = Program::new("aws");
        program = program.args([service, "get-login-password", "--region", region]);
        if !self.aws_profile.is_empty() {
            program = program.args(["--profile", &self.aws_profile]);
        }
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", self.aws_access_key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", self.aws_secret_key.expose()),
            ("AWS_SESSION_TOKEN", self.aws_token.expose()),
        ] {
            if !value.is_empty() {
                program = program.env(name, value);
            }
        }
        let ended = program
            .collect(cx)
            .await
            .map_err(|failure| match failure.cancelled {
                true => failure,
                false => Failure::new(format!(
                    "ecr_login needs Amazon's command line tool: {}",
                    failure.message
                )),
            })?;
        let key = ended.stdout.trim();
        if !ended.is_success() || key.is_empty() {
            return Err(Failure::new(format!(
                "cannot get a key for {}: `aws` ended with status {}: {}",
                self.login_server,
                ended.code,
                ended.stderr.trim()
            )));
        }
        Ok(Secret::new(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Registry};

    #[test]
    fn the_server_names_the_registry() {
        let private = |region: &str| {
            Some(Registry::Private {
                region: region.to_owned(),
            })
        };
        for (server, expected) in [
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
                private("eu-west-1"),
            ),
            (
                "https://1.dkr.ecr.us-east-1.amazonaws.com/",
                private("us-east-1"),
            ),
            (
                "1.dkr.ecr.cn-north-1.amazonaws.com.cn",
                private("cn-north-1"),
            ),
            ("public.ecr.aws/team", Some(Registry::Public)),
            ("registry.example.com", None),
            ("team.dkr.ecr.eu-west-1.amazonaws.com", None),
        ] {
            let access = Access {
                login_server: server.to_owned(),
                ..Access::default()
            };
            assert_eq!(access.registry(), expected, "{server}");
        }
    }
}
