//! `puppet-masterless` with Debian's Puppet; `puppet-server` with a program in Puppet's place.

use anyhow::Result;
use kiln_tests::tools;

use super::World;

impl World {
    /// A manifest with a module, data and a fact; the options of a provisioner that applies it
    /// without touching Puppet's own folders.
    fn puppet(&self, manifest: &str) -> String {
        let out = self.folder("out").display().to_string();
        self.kiln.write("site.pp", manifest);
        let content = r#""${word} ${facts['role']} ${facts['packer_build_name']}\n""#;
        let class =
            format!("class motd($word) {{ file {{ '{out}/motd': content => {content} }} }}\n");
        self.kiln.write("modules/motd/manifests/init.pp", &class);
        self.kiln.write("more/unused.pp", "# nothing\n");
        let data = self.kiln.write("data/all.yaml", "word: hello\n");
        let hiera = format!(
            "version: 5\nhierarchy:\n  - name: all\n    path: all.yaml\n    datadir: {}\n    data_hash: yaml_data\n",
            data.parent().expect("it is in a folder").display()
        );
        self.kiln.write("hiera.yaml", &hiera);
        let own = self.folder("puppet");
        let folder = |name: &str| format!("\"--{name}dir={}/{name}\"", own.display());
        format!(
            r#"manifest_file           = "site.pp"
    manifest_dir            = "more"
    module_paths            = ["modules"]
    hiera_config_path       = "hiera.yaml"
    facter                  = {{ role = "it's $HOME \"web\"" }}
    extra_arguments         = ["--color=false", {}, {}, {}, {}]
    staging_directory       = "{}/my stage"
    clean_staging_directory = true"#,
            folder("conf"),
            folder("var"),
            folder("run"),
            folder("log"),
            self.kiln.root().display()
        )
    }
}

#[test]
fn puppet_applies_a_manifest_with_modules_data_and_facts() -> Result<()> {
    if !tools::installed(&["puppet", "sshd", "sudo"]) {
        return Ok(());
    }
    let world = World::new()?;
    let options = world.puppet("class { 'motd': word => lookup('word') }\n");
    let block = format!("provisioner \"puppet-masterless\" {{\n    {options}\n  }}");
    drop(world.build(&block)?.success().says("Applied catalog"));
    let text = std::fs::read_to_string(world.folder("out").join("motd"))?;
    assert_eq!(text, "hello it's $HOME \"web\" it\n");
    assert!(
        !world.kiln.root().join("my stage").exists(),
        "the staging folder is still there"
    );
    assert_eq!(world.leftovers(), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_resource_that_fails_fails_the_build() -> Result<()> {
    if !tools::installed(&["puppet", "sshd", "sudo"]) {
        return Ok(());
    }
    let world = World::new()?;
    let options = world.puppet("exec { '/bin/false': }\n");
    let block = format!("provisioner \"puppet-masterless\" {{\n    {options}\n  }}");
    let said = "Puppet exited with a non-zero exit status: 4";
    drop(world.build(&block)?.failure().says(said));
    Ok(())
}

#[test]
fn a_shell_that_does_not_get_to_puppet_fails_the_build() -> Result<()> {
    if !tools::installed(&["puppet", "sshd", "sudo"]) {
        return Ok(());
    }
    for (option, expected) in [
        (
            "working_directory = \"/no/such\"",
            "`working_directory`: there is no folder `/no/such` in the machine",
        ),
        (
            "execute_command = \"puppet apply '{{ .ManifestFile }}\"",
            "the machine's shell cannot read the command of Puppet",
        ),
    ] {
        let world = World::new()?;
        let options = world.puppet("notify { 'ran': }\n");
        let block = format!("provisioner \"puppet-masterless\" {{\n  {options}\n  {option}\n}}");
        drop(
            world
                .build(&block)?
                .failure()
                .says(expected)
                .lacks("Notify[ran]"),
        );
    }
    Ok(())
}

#[test]
fn a_stand_in_for_puppets_agent_gets_server_node_and_certificates() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let world = World::new()?;
    let (programs, out) = (world.folder("my programs"), world.folder("out"));
    let script = format!(
        "#!/bin/sh\ncd '{}'\nprintf '%s\\n' \"$@\" > arguments\nenv | grep FACTER > facts\n\
         for word in \"$@\"; do case $word in --certdir=*) cat \"${{word#*=}}/node.pem\" > certificate;; esac; done\n\
         exit 2\n",
        out.display()
    );
    world.program(&programs.join("puppet"), &script);
    world.kiln.write("certs/node.pem", "certificate\n");
    world.kiln.write("keys/node.pem", "key\n");
    let staging = world.kiln.root().join("my stage").display().to_string();
    let block = format!(
        r#"provisioner "puppet-server" {{
    puppet_server           = "puppet.example"
    puppet_node             = "it's node"
    client_cert_path        = "certs"
    client_private_key_path = "keys"
    facter                  = {{ role = "web" }}
    puppet_bin_dir          = "{}"
    prevent_sudo            = true
    staging_dir             = "{staging}"
  }}"#,
        programs.display()
    );
    drop(world.build(&block)?.success());
    let read = |name: &str| std::fs::read_to_string(out.join(name));
    assert_eq!(
        read("arguments")?,
        format!(
            "agent\n--onetime\n--no-daemonize\n--detailed-exitcodes\n--server=puppet.example\n\
             --certname=it's node\n--certdir={staging}/certs\n\
             --privatekeydir={staging}/private_keys\n--verbose\n"
        )
    );
    assert!(read("facts")?.contains("FACTER_role=web\n"));
    assert_eq!(read("certificate")?, "certificate\n");
    Ok(())
}
