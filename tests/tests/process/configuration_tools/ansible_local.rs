//! `ansible-local`: Debian's Ansible, in the guest.

use anyhow::Result;
use kiln_tests::tools;

use super::World;

#[test]
fn ansible_plays_in_the_guest_with_a_role_of_its_own_and_one_from_galaxy() -> Result<()> {
    if !tools::installed(&["ansible-playbook", "ansible-galaxy", "sshd", "tar"]) {
        return Ok(());
    }
    let world = World::new()?;
    let out = world.folder("out").display().to_string();
    let role = |name: &str| {
        format!(
            "- copy: {{ dest: '{out}/{name}', content: '{{{{ packer_build_name }}}} {{{{ group_word }}}}' }}\n"
        )
    };
    world.kiln.write("roles/mine/tasks/main.yml", &role("mine"));
    world
        .kiln
        .write("galaxy/theirs/tasks/main.yml", &role("theirs"));
    world.kiln.write(
        "galaxy/theirs/meta/main.yml",
        "galaxy_info: { author: me, description: x, license: x, min_ansible_version: '2' }\n",
    );
    world.kiln.write("vars/all.yml", "group_word: hello\n");
    let archive = world
        .kiln
        .root()
        .join("theirs.tar.gz")
        .display()
        .to_string();
    let folder = world.kiln.work().join("galaxy").display().to_string();
    tools::output("tar", &["-C", &folder, "-czf", &archive, "theirs"])?;
    world.kiln.write(
        "requirements.yml",
        &format!("- src: file://{archive}\n  name: theirs\n"),
    );
    world.kiln.write(
        "site.yml",
        "- hosts: web\n  gather_facts: false\n  roles: [mine, theirs]\n",
    );
    let staging = world.kiln.root().join("my stage").display().to_string();
    let block = format!(
        r#"provisioner "ansible-local" {{
    playbook_file           = "site.yml"
    role_paths              = ["roles/mine"]
    group_vars              = "vars"
    inventory_groups        = ["web"]
    galaxy_file             = "requirements.yml"
    staging_directory       = "{staging}"
    clean_staging_directory = true
    command = "HOME={home} ANSIBLE_REMOTE_TMP={home}/tmp PYTHONUNBUFFERED=1 ansible-playbook"
    galaxy_command          = "HOME={home} ansible-galaxy"
  }}"#,
        home = world.folder("guest-home").display()
    );
    drop(
        world
            .build(&block)?
            .success()
            .says("Executing Ansible Galaxy: "),
    );
    for name in ["mine", "theirs"] {
        let text = std::fs::read_to_string(world.folder("out").join(name))?;
        assert_eq!(text, "it hello", "{name}");
    }
    assert!(
        !std::path::Path::new(&staging).exists(),
        "the staging folder is still there"
    );
    assert_eq!(world.leftovers(), Vec::<String>::new());
    Ok(())
}
