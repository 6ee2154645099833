//! What is secret in the options of the Docker components, with stand-ins for `docker` and `aws` that
//! tell everything they are given.

use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use kiln_tests::{Finished, Kiln};

use super::chain;

const PASSWORD: &str = "Kx7QwRegistryZp9";
const KEY: &str = "Kx7QwSecretKeyZp9";
const TOKEN: &str = "Kx7QwSessionZp9";

const DOCKER: &str = "#!/bin/sh
case \"$*\" in
  -v) echo 'Docker version 28.2.2, build e6534b4';;
  *login*) echo \"denied: $(cat)\" >&2; exit 1;;
  *import*) cat > /dev/null; echo sha256:0123;;
esac
";
const AWS: &str = "#!/bin/sh
echo \"denied: $AWS_SECRET_ACCESS_KEY of $AWS_SESSION_TOKEN\" >&2
exit 254
";

/// Options that log in with a password.
fn with_password() -> String {
    format!("login = true\nlogin_username = \"me\"\nlogin_password = \"{PASSWORD}\"")
}

/// Options that fetch the password from Amazon.
fn with_keys() -> String {
    format!(
        "ecr_login = true\nlogin_server = \"1.dkr.ecr.eu-west-1.amazonaws.com\"\n\
         aws_access_key = \"AKIA\"\naws_secret_key = \"{KEY}\"\naws_token = \"{TOKEN}\""
    )
}

/// A world with the stand-ins and with the log on standard error.
fn world() -> Result<Kiln> {
    let mut kiln = Kiln::new();
    for (name, text) in [("docker", DOCKER), ("aws", AWS)] {
        let program = kiln.write(&format!("bin/{name}"), text);
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755))?;
    }
    let path = format!("{}:/usr/bin:/bin", kiln.work().join("bin").display());
    kiln.env("PATH", &path);
    kiln.env("PACKER_LOG", "1");
    kiln.write("root.tar", "content");
    Ok(kiln)
}

fn pushed(kiln: &Kiln, access: &str) -> Result<Finished> {
    chain(
        kiln,
        &format!(
            "post-processors {{
              post-processor \"artifice\" {{ files = [\"root.tar\"] }}
              post-processor \"docker-import\" {{
                repository          = \"app\"
                keep_input_artifact = true
              }}
              post-processor \"docker-push\" {{
                {access}
              }}
            }}"
        ),
    )
}

fn built(kiln: &Kiln, access: &str) -> Result<Finished> {
    let template = format!(
        "source \"docker\" \"a\" {{\n  image = \"app\"\n  discard = true\n  {access}\n}}\n\
         build {{\n  sources = [\"docker.a\"]\n}}\n"
    );
    kiln.write("t.pkr.hcl", &template);
    kiln.run(&["build", "-color=false", "t.pkr.hcl"])
}

/// Checks that what a program told is there, without the secrets in it.
fn check(finished: Finished, told: &str) {
    let finished = finished.failure().says(told);
    let everything = format!("{}{}", finished.stdout, finished.stderr);
    assert!(finished.stderr.contains("[INFO]"), "there is a log");
    for secret in [PASSWORD, KEY, TOKEN] {
        assert!(!everything.contains(secret), "{secret}: {everything}");
    }
}

#[test]
fn a_password_that_docker_repeats_comes_out_nowhere() -> Result<()> {
    let kiln = world()?;
    check(pushed(&kiln, &with_password())?, "denied: <sensitive>");
    check(built(&kiln, &with_password())?, "denied: <sensitive>");
    Ok(())
}

#[test]
fn keys_that_amazons_tool_repeats_come_out_nowhere() -> Result<()> {
    let kiln = world()?;
    let told = "denied: <sensitive> of <sensitive>";
    check(pushed(&kiln, &with_keys())?, told);
    check(built(&kiln, &with_keys())?, told);
    Ok(())
}
