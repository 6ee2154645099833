//! `ansible`: Debian's, from here against the guest.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::kiln::project;
use kiln_tests::tools;

use super::World;

const TOOLS: [&str; 6] = [
    "ansible-playbook",
    "sshd",
    "ssh",
    "ssh-keygen",
    "sftp",
    "sudo",
];

const PLAYBOOK: &str = r#"
- hosts: all
  gather_facts: false
  tasks:
    - copy:
        dest: "{{ out }}/it's copied"
        content: "{{ packer_build_name }} {{ packer_builder_type }} {{ ansible_user }}\n"
        mode: "0640"
    - shell: "cat; echo said >&2; exit 3"
      args: { stdin: "piped" }
      register: said
      failed_when: said.rc != 3 or said.stdout != "piped" or said.stderr != "said"
    - command: id -un
      become: true
      register: user
    - copy: { dest: "{{ out }}/user", content: "{{ user.stdout }}" }
    - fetch: { src: "{{ out }}/user", dest: "{{ out }}/back", flat: true }
"#;

impl World {
    /// The block of a provisioner with the options that keep Ansible inside this world.
    fn ansible(&self, playbook: &str, options: &str) -> String {
        let out = self.folder("out");
        self.kiln.write("site.yml", playbook);
        format!(
            r#"provisioner "ansible" {{
    playbook_file    = "site.yml"
    extra_arguments  = ["-e", jsonencode({{
      out                        = "{}"
      ansible_python_interpreter = "/usr/bin/python3"
    }})]
    ansible_env_vars = ["ANSIBLE_REMOTE_TMP={}", "ANSIBLE_NOCOWS=1"]
    {options}
  }}"#,
            out.display(),
            self.folder("remote").display()
        )
    }

    fn out(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder("out").join(name)).unwrap_or_default()
    }
}

/// Builds with Ansible's block and looks at what that did.
fn plays(options: &str) -> Result<()> {
    let world = World::new()?;
    let users = world.folder("out").join("users");
    let touch = format!("LocalCommand=touch {}", users.display());
    let settings = format!("ssh_common_args = -o PermitLocalCommand=yes -o '{touch}'");
    world
        .kiln
        .write("ansible.cfg", &format!("[ssh_connection]\n{settings}\n"));
    let build = world.build(&world.ansible(PLAYBOOK, options))?.success();
    drop(build.says("Executing Ansible: ").says("unreachable=0"));
    assert!(users.is_file(), "the user's own arguments count: {options}");
    let expected = format!("it null {}\n", world.guest.user);
    assert_eq!(world.out("it's copied"), expected, "{options}");
    assert_eq!(world.out("back"), "root", "{options}");
    assert_eq!(world.leftovers(), Vec::<String>::new(), "{options}");
    let host = format!("[127.0.0.1]:{}", world.guest.port);
    let known = tools::output("ssh-keygen", &["-F", &host]);
    assert!(known.is_err(), "the user knows the machine now: {options}");
    Ok(())
}

#[test]
fn ansible_plays_through_the_proxy_and_straight() -> Result<()> {
    if !tools::installed(&TOOLS) {
        return Ok(());
    }
    plays("")?;
    plays("use_sftp = false\n ansible_proxy_key_type = \"RSA\"")?;
    plays("use_proxy = false")
}

#[test]
fn an_ansible_of_today_plays_as_well() -> Result<()> {
    if !tools::installed(&TOOLS) {
        return Ok(());
    }
    let program = project().join("target/ansible/bin/ansible-playbook");
    if !program.is_file() {
        tools::missing("Ansible in target/ansible; run tests/setup");
        return Ok(());
    }
    let command = format!("command = {:?}", program.display().to_string());
    plays(&format!("{command}\n ansible_proxy_key_type = \"ED25519\""))?;
    plays(&format!("{command}\n use_sftp = false"))?;
    plays(&format!("{command}\n use_proxy = false"))
}

#[test]
fn a_failed_task_fails_the_build_with_ansibles_own_words() -> Result<()> {
    if !tools::installed(&TOOLS) {
        return Ok(());
    }
    let world = World::new()?;
    let playbook =
        "- hosts: all\n  gather_facts: false\n  tasks: [{ fail: { msg: no such luck } }]\n";
    let build = world.build(&world.ansible(playbook, ""))?.failure();
    let said = "Ansible failed: exit status 2";
    drop(build.says("no such luck").says(said));
    assert_eq!(world.leftovers(), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_cancelled_build_ends_ansible() -> Result<()> {
    if !tools::installed(&TOOLS) {
        return Ok(());
    }
    for options in ["", "use_proxy = false"] {
        let world = World::new()?;
        let playbook = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: 'true'\n    - name: waits\n      pause: { seconds: 600 }\n";
        world.template(&world.ansible(playbook, options));
        let mut running = world.kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
        running.wait_for("TASK [waits]", Duration::from_secs(120))?;
        running.signal("INT")?;
        drop(running.finish(Duration::from_secs(60))?.failure());
        assert_eq!(world.leftovers(), Vec::<String>::new(), "{options}");
    }
    Ok(())
}

#[test]
fn secrets_of_a_template_are_not_in_the_printed_command() -> Result<()> {
    if !tools::installed(&TOOLS) {
        return Ok(());
    }
    let world = World::new()?;
    let playbook = "- hosts: all\n  gather_facts: false\n  tasks: [{ copy: { dest: '{{ out }}/p', content: '{{ my_password }}' } }]\n";
    let block = world.ansible(playbook, "").replace(
        "jsonencode({",
        "\"my_password=hunter2\", \"-e\", jsonencode({",
    );
    drop(
        world
            .build(&block)?
            .success()
            .says("my_password=*****")
            .lacks("hunter2"),
    );
    assert_eq!(world.out("p"), "hunter2");
    Ok(())
}

#[test]
fn a_missing_ansible_is_said_before_anything_is_built() -> Result<()> {
    let world = World::new()?;
    let block = world.ansible("[]", "command = \"no-such-ansible\"");
    drop(
        world
            .build(&block)?
            .failure()
            .says("`no-such-ansible` is not installed")
            .says("t.pkr.hcl"),
    );
    Ok(())
}
