//! `ansible`: Debian's, from here against a container that has no SSH.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Kiln, fixture, leftovers, tools};

use crate::post_processors::docker::Servers;

const PLAYBOOK: &str = r#"
- hosts: all
  gather_facts: false
  tasks:
    - copy:
        dest: "/root/it's {{ way }}"
        content: "{{ packer_build_name }} {{ packer_builder_type }}\n"
        mode: "0600"
    - shell: "cat; echo said >&2; exit 3"
      args: { stdin: "piped" }
      register: said
      failed_when: said.rc != 3 or said.stdout != "piped" or said.stderr != "said"
    - command: id -un
      become: true
      become_user: nobody
      register: user
    - copy: { dest: /root/user, content: "{{ user.stdout }}" }
    - fetch: { src: /root/user, dest: "{{ back }}", flat: true }
"#;

#[test]
fn ansible_plays_in_a_container_with_and_without_an_sftp_server() -> Result<()> {
    if !tools::installed(&["ansible-playbook", "ssh", "sftp"]) {
        return Ok(());
    }
    let (Some(fixture), Some(servers)) = (fixture::mini_debian(), Servers::start()?) else {
        return Ok(());
    };
    let base = fixture.join("http/base.tar.gz").display().to_string();
    servers.docker(&["import", &base, "mini"])?;
    let mut kiln = Kiln::new();
    kiln.env("DOCKER_HOST", &servers.host());
    kiln.write("site.yml", PLAYBOOK);
    let back = |way: &str| kiln.work().join(way);
    let ansible = |way: &str| {
        format!(
            r#"provisioner "ansible" {{
    playbook_file   = "site.yml"
    extra_arguments = ["-e", jsonencode({{ way = "{way}", back = "{}" }})]
  }}"#,
            back(way).display()
        )
    };
    kiln.write(
        "t.pkr.hcl",
        &format!(
            r#"source "docker" "it" {{
  image       = "mini"
  pull        = false
  discard     = true
  run_command = ["-d", "-i", "-t", "--network=none", "--entrypoint=/bin/sh", "--", "{{{{.Image}}}}"]
}}
build {{
  sources = ["source.docker.it"]
  {}
  provisioner "shell" {{
    inline = ["rm /usr/lib/openssh/sftp-server"]
  }}
  {}
  provisioner "shell" {{
    inline = ["stat -c '%a %n' /root/it*; cat /root/it*"]
  }}
}}
"#,
            ansible("with"),
            ansible("without")
        ),
    );
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
    let finished = finished
        .says("600 /root/it's with\n")
        .says("600 /root/it's without\n");
    assert_eq!(
        finished
            .stdout
            .matches("==> docker.it: it docker\n")
            .count(),
        2
    );
    for way in ["with", "without"] {
        assert_eq!(std::fs::read_to_string(back(way))?, "nobody", "{way}");
    }
    assert_eq!(servers.docker(&["ps", "-aq"])?, "", "a container is left");
    let left = leftovers::of(&kiln, Duration::from_secs(3));
    assert_eq!(left, Vec::<String>::new());
    Ok(())
}
