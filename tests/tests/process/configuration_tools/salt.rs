//! `salt-masterless` with Salt from PyPI.

use anyhow::Result;
use kiln_tests::kiln::project;
use kiln_tests::tools;

use super::World;

impl World {
    /// The block of a provisioner that applies `state` without touching Salt's own folders; `None`
    /// when there is no Salt.
    fn salt(&self, state: &str) -> Option<String> {
        let programs = project().join("target/salt/bin");
        if !programs.join("salt-call").is_file() {
            tools::missing("Salt in target/salt; run tests/setup");
            return None;
        }
        self.kiln.write("states/top.sls", "base:\n  '*': [motd]\n");
        self.kiln.write("states/motd/init.sls", state);
        self.kiln.write("pillars/top.sls", "base:\n  '*': [word]\n");
        self.kiln.write("pillars/word.sls", "word: hello\n");
        let own = self.folder("salt");
        let minion = format!("root_dir: {}\nid: it\n", own.display());
        std::fs::write(own.join("minion"), minion).expect("a file in a world");
        let root = self.kiln.root().display();
        Some(format!(
            r#"provisioner "salt-masterless" {{
    local_state_tree    = "states"
    local_pillar_roots  = "pillars"
    remote_state_tree   = "{root}/srv/my salt"
    remote_pillar_roots = "{root}/srv/pillar"
    temp_config_dir     = "{root}/stage"
    skip_bootstrap      = true
    salt_bin_dir        = "{}"
    salt_call_args      = "-c {}"
    log_level           = "warning"
  }}"#,
            programs.display(),
            own.display()
        ))
    }
}

#[test]
fn salt_applies_a_state_and_a_second_run_replaces_the_tree() -> Result<()> {
    if !tools::installed(&["sshd", "sudo"]) {
        return Ok(());
    }
    let world = World::new()?;
    let out = world.folder("out").display().to_string();
    let state = "{{ pillar['word'] }} {{ grains['kernel'] }}";
    let state = format!("{out}/my motd:\n  file.managed:\n    - contents: {state}\n");
    let Some(block) = world.salt(&state) else {
        return Ok(());
    };
    drop(
        world
            .build(&block)?
            .success()
            .says("Succeeded: 1 (changed=1)"),
    );
    assert_eq!(
        std::fs::read_to_string(format!("{out}/my motd"))?,
        "hello Linux\n"
    );
    world.kiln.write(
        "states/motd/init.sls",
        &state
            .replace("hello", "x")
            .replace("{{ grains", "again {{ grains"),
    );
    drop(world.build(&block)?.success().says("Replacing "));
    assert_eq!(
        std::fs::read_to_string(format!("{out}/my motd"))?,
        "hello again Linux\n"
    );
    let tree = world.kiln.root().join("srv/my salt");
    assert!(tree.join("top.sls").is_file() && !tree.join("states").exists());
    assert_eq!(world.leftovers(), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_state_that_fails_fails_the_build() -> Result<()> {
    if !tools::installed(&["sshd", "sudo"]) {
        return Ok(());
    }
    let world = World::new()?;
    let Some(block) = world.salt("/bin/false:\n  cmd.run\n") else {
        return Ok(());
    };
    let said = "salt-call failed: exit status 2";
    drop(world.build(&block)?.failure().says(said));
    Ok(())
}
