//! `chef-solo` and `chef-client` with programs in Chef's place, which is not to be had.
//!
//! The files that Chef would read are read by chef-config, Chef's own library for them.

use std::time::Duration;

use anyhow::{Context, Result};
use kiln_tests::tools;

use super::World;

/// Checks what it is given as Chef's programs do, and writes it down.
const STAND_IN: &str = include_str!("chef.rb");

impl World {
    /// A folder with stand-ins for Chef's programs.
    fn chef(&self) -> String {
        let (programs, out) = (self.folder("programs"), self.folder("out"));
        let script = STAND_IN.replace("OUT_FOLDER", &out.display().to_string());
        for name in ["chef-solo", "chef-client", "knife"] {
            self.program(&programs.join(name), &script);
        }
        programs.display().to_string()
    }

    fn out_of_chef(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder("out").join(name)).unwrap_or_default()
    }

    /// What the stand-in for `program` was told: `config` as Chef's library reads it, `attributes`.
    fn told(&self, program: &str) -> Result<serde_json::Value> {
        let text = self.out_of_chef(&format!("{program}.json"));
        serde_json::from_str(&text).with_context(|| format!("{program} was told {text:?}"))
    }
}

/// Checks entries of what a program was told.
fn check(told: &serde_json::Value, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(told["config"][name], *value, "{name}");
    }
}

#[test]
fn a_stand_in_for_chef_solo_gets_a_configuration_that_chefs_own_library_reads() -> Result<()> {
    if !tools::installed(&["sshd", "ruby"]) {
        return Ok(());
    }
    let world = World::new()?;
    let programs = world.chef();
    world
        .kiln
        .write("cookbooks/ntp/recipes/default.rb", "# ntp\n");
    world
        .kiln
        .write("roles/web.json", "{\"run_list\": [\"recipe[ntp]\"]}\n");
    world.kiln.write("environments/it's prod.json", "{}\n");
    world.kiln.write("bags/users/me.json", "{}\n");
    world.kiln.write("secret", "s3cret\n");
    let staging = world.kiln.root().join("my #{stage}").display().to_string();
    let block = format!(
        r#"provisioner "chef-solo" {{
    cookbook_paths                 = ["cookbooks"]
    remote_cookbook_paths          = ["/opt/it's"]
    roles_path                     = "roles"
    data_bags_path                 = "bags"
    environments_path              = "environments"
    chef_environment               = "it's prod"
    encrypted_data_bag_secret_path = "secret"
    run_list                       = ["role[web]", "recipe[ntp::default]"]
    json_string                    = jsonencode({{ word = "it's \"x\"", run_list = ["recipe[no]"] }})
    install_command                = "touch '{out}/installed {{{{.Version}}}} {{{{.Sudo}}}}'"
    version                        = "16.1"
    prevent_sudo                   = true
    execute_command = "{programs}/chef-solo --no-color -c '{{{{.ConfigPath}}}}' -j '{{{{.JsonPath}}}}'"
    staging_directory              = "{staging}"
  }}"#,
        out = world.folder("out").display(),
    );
    drop(world.build(&block)?.success());
    let told = world.told("chef-solo")?;
    let staged = |name: &str| format!("{staging}/{name}");
    check(
        &told,
        &[
            ("role_path", &staged("roles")),
            ("data_bag_path", &staged("data_bags")),
            ("environment_path", &staged("environments")),
            ("environment", "it's prod"),
            (
                "encrypted_data_bag_secret",
                &staged("encrypted_data_bag_secret"),
            ),
            ("chef_license", ""),
        ],
    );
    let cookbooks = serde_json::json!(["/opt/it's", staged("cookbooks-0")]);
    assert_eq!(told["config"]["cookbook_path"], cookbooks);
    let expected = serde_json::json!({
        "run_list": ["role[web]", "recipe[ntp::default]"], "word": "it's \"x\""
    });
    assert_eq!(told["attributes"], expected);
    assert!(world.folder("out").join("installed 16.1 false").exists());
    let secret = staged("encrypted_data_bag_secret");
    assert!(
        !std::path::Path::new(&secret).exists(),
        "the secret is still there"
    );
    assert_eq!(world.leftovers(), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_stand_in_for_chef_solo_that_misses_a_recipe_fails_the_build() -> Result<()> {
    if !tools::installed(&["sshd", "ruby"]) {
        return Ok(());
    }
    let world = World::new()?;
    let programs = world.chef();
    let staging = world.kiln.root().join("stage").display().to_string();
    let own = "cookbook_path [\"/own\"]\nchef_license \"{{.ChefLicense}}\"\n";
    world.kiln.write("solo.rb.tpl", own);
    let block = format!(
        r#"provisioner "chef-solo" {{
    run_list          = ["recipe[none]"]
    config_template   = "solo.rb.tpl"
    chef_license      = "accept"
    skip_install      = true
    execute_command   = "{programs}/chef-solo --no-color -c {{{{.ConfigPath}}}} -j {{{{.JsonPath}}}}"
    prevent_sudo      = true
    staging_directory = "{staging}"
  }}"#
    );
    let build = world.build(&block)?.failure();
    drop(
        build
            .says("chef-solo: no recipe none")
            .says("Chef failed: exit status 1"),
    );
    let written = std::fs::read_to_string(format!("{staging}/solo.rb"))?;
    assert_eq!(written, own.replace("{{.ChefLicense}}", "accept"));
    Ok(())
}

#[test]
fn an_interrupt_leaves_no_secret_of_chef_in_the_machine() -> Result<()> {
    if !tools::installed(&["sshd"]) {
        return Ok(());
    }
    let world = World::new()?;
    world.kiln.write("secret", "s3cret\n");
    let staging = world.kiln.root().join("stage");
    let block = format!(
        r#"provisioner "chef-solo" {{
    encrypted_data_bag_secret_path = "secret"
    run_list                       = ["recipe[ntp]"]
    skip_install                   = true
    prevent_sudo                   = true
    execute_command                = "ls {at}; while sleep 1; do echo more; done"
    staging_directory              = "{at}"
  }}"#,
        at = staging.display()
    );
    world.template(&block);
    let limit = Duration::from_secs(60);
    let mut running = world.kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for("encrypted_data_bag_secret", limit)?;
    running.signal("INT")?;
    drop(running.finish(limit)?.failure().lacks("cannot reach"));
    let secret = staging.join("encrypted_data_bag_secret");
    assert!(!secret.exists(), "the secret is still there");
    Ok(())
}

#[test]
fn a_stand_in_for_chef_client_is_followed_by_one_for_knife_also_after_a_failure() -> Result<()> {
    if !tools::installed(&["sshd", "ruby"]) {
        return Ok(());
    }
    for status in [0, 7] {
        let world = World::new()?;
        let programs = world.chef();
        world.kiln.write("validation.pem", "key\n");
        std::fs::write(
            world.folder("out").join("chef-client.status"),
            status.to_string(),
        )?;
        let staging = world.kiln.root().join("stage").display().to_string();
        let block = format!(
            r#"provisioner "chef-client" {{
    server_url          = "https://chef.example/organizations/it"
    node_name           = "it's node"
    validation_key_path = "validation.pem"
    ssl_verify_mode     = "verify_none"
    policy_group        = "it's group"
    policy_name         = "it's policy"
    trusted_certs_dir   = "/my certs"
    rubygems_url        = "https://gems.example"
    chef_license        = "accept"
    chef_environment    = "prod"
    run_list            = ["recipe[ntp]"]
    skip_install        = true
    prevent_sudo        = true
    execute_command     = "{programs}/chef-client --no-color -c {{{{.ConfigPath}}}} -j {{{{.JsonPath}}}}"
    knife_command       = "{programs}/knife {{{{.Args}}}} {{{{.Flags}}}}"
    staging_directory   = "{staging}"
  }}"#
        );
        let build = world.build(&block)?;
        if status == 0 {
            drop(build.success());
            assert!(
                !std::path::Path::new(&staging).exists(),
                "the staging folder is still there"
            );
        } else {
            drop(build.failure().says("Chef failed: exit status 7"));
            let key = std::path::Path::new(&staging).join("validation.pem");
            assert!(!key.exists(), "the validation key is still there");
        }
        assert_eq!(
            world.out_of_chef("calls"),
            format!(
                "chef-client --no-color -c {staging}/client.rb -j {staging}/first-boot.json\n\
                 knife node delete it's node -y -c {staging}/knife.rb\n\
                 knife client delete it's node -y -c {staging}/knife.rb\n"
            )
        );
        let node = [
            ("chef_server_url", "https://chef.example/organizations/it"),
            ("client_key", &*format!("{staging}/client.pem")),
            ("node_name", "it's node"),
            ("ssl_verify_mode", "verify_none"),
            ("trusted_certs_dir", "/my certs"),
        ];
        check(&world.told("knife")?, &node);
        let told = world.told("chef-client")?;
        check(&told, &node);
        check(
            &told,
            &[
                ("chef_license", "accept"),
                ("environment", "prod"),
                ("policy_group", "it's group"),
                ("policy_name", "it's policy"),
                ("rubygems_url", "https://gems.example"),
                ("validation_client_name", "chef-validator"),
                ("validation_key", &format!("{staging}/validation.pem")),
            ],
        );
        let expected = serde_json::json!({ "run_list": ["recipe[ntp]"] });
        assert_eq!(told["attributes"], expected);
    }
    Ok(())
}
