//! Mistakes people make with these provisioners: each is said with its place and what to do.

use anyhow::Result;
use kiln_tests::tools;

use super::World;

/// What `validate` says to the block `kind` with the options `body`.
fn check(world: &World, kind: &str, body: &str, expected: &[&str]) -> Result<()> {
    world.template(&format!("provisioner \"{kind}\" {{\n{body}\n}}"));
    let mut finished = world.kiln.run(&["validate", "t.pkr.hcl"])?.failure();
    for text in expected {
        finished = finished.says(text);
    }
    let block = format!("in provisioner \"{kind}\":");
    drop(finished.says("on t.pkr.hcl line ").says(&block));
    Ok(())
}

#[test]
fn a_mistake_is_said_with_its_place_and_what_to_do() -> Result<()> {
    let world = World::new()?;
    for name in ["site.yml", "site.pp", "minion", "tree/top.sls"] {
        world.kiln.write(name, "");
    }
    let check = |kind: &str, body: &str, expected: &[&str]| check(&world, kind, body, expected);
    let path = "Relative paths start at the folder kiln runs in, not at the template.";
    let missing = "No such file or directory";
    for (kind, option, name) in [
        ("ansible", "playbook_file", "sites.yml"),
        ("ansible-local", "playbook_file", "sites.yml"),
        ("puppet-masterless", "manifest_file", "sites.pp"),
        ("puppet-server", "client_cert_path", "certs"),
        ("salt-masterless", "local_state_tree", "trees"),
        ("chef-solo", "roles_path", "roles"),
        ("chef-client", "validation_key_path", "key.pem"),
    ] {
        let body = format!("{option} = \"{name}\"");
        let summary = format!("{option}: {name} is invalid");
        check(kind, &body, &[&summary, &body, missing, path])?;
    }
    for (kind, typo, meant) in [
        ("ansible", "playbok_file", "playbook_file"),
        ("ansible-local", "role_path", "role_paths"),
        ("puppet-masterless", "module_path", "module_paths"),
        ("puppet-server", "puppet_servers", "puppet_server"),
        ("salt-masterless", "local_states_tree", "local_state_tree"),
        ("chef-solo", "cookbook_path", "cookbook_paths"),
        ("chef-client", "server_uri", "server_url"),
    ] {
        let hint = format!("did you mean `{meant}`?");
        check(kind, &format!("{typo} = \"x\""), &[&hint, typo])?;
    }
    check("ansible", "playbook_file = \"tree\"", &["it is a folder"])?;
    check(
        "ansible",
        "playbook_file = \"site.yml\"\ncommand = \"ansible-playbook -v\"",
        &["`command` is one executable; arguments go to `extra_arguments`."],
    )?;
    check(
        "salt-masterless",
        "local_state_tree = \"tree\"\nminion_config = \"minion\"\nremote_state_tree = \"/x\"",
        &["`remote_state_tree` and `minion_config` cannot both be set"],
    )?;
    check(
        "chef-solo",
        "json_string = \"[1]\"",
        &[
            "`json_string` must be an object in JSON",
            "jsonencode({ … })",
        ],
    )?;
    check(
        "puppet-masterless",
        "manifest_file = \"site.pp\"\nguest_os_type = \"linux\"",
        &["`guest_os_type` is `unix` or `windows`, not `linux`."],
    )
}

#[test]
fn a_tool_that_is_not_in_the_machine_is_named_with_what_to_do() -> Result<()> {
    if !tools::installed(&["sshd"]) {
        return Ok(());
    }
    let world = World::new()?;
    for name in ["site.yml", "site.pp", "tree/top.sls"] {
        world.kiln.write(name, "");
    }
    let stage = world.kiln.root().join("stage").display().to_string();
    for (kind, body, expected) in [
        (
            "ansible-local",
            "playbook_file = \"site.yml\"\ncommand = \"no-such-ansible\"\nstaging_directory = \"STAGE\"",
            "there is no `no-such-ansible` on the machine's PATH",
        ),
        (
            "puppet-masterless",
            "manifest_file = \"site.pp\"\npuppet_bin_dir = \"/no/such\"\nstaging_directory = \"STAGE\"",
            "there is no Puppet in the machine: install it first, or say where it is with",
        ),
        (
            "salt-masterless",
            "local_state_tree = \"tree\"\nsalt_bin_dir = \"/no/such\"\nskip_bootstrap = true\n\
             temp_config_dir = \"STAGE\"\nremote_state_tree = \"STAGE/tree\"",
            "salt-call is not in the machine: let it be installed, or install it first",
        ),
        (
            "chef-client",
            "server_url = \"https://x.example\"\nskip_install = true\nstaging_directory = \"STAGE\"",
            "there is no `chef-client` in the machine: install Chef first",
        ),
    ] {
        let body = body.replace("STAGE", &stage);
        let build = world.build(&format!("provisioner \"{kind}\" {{\n{body}\n}}"))?;
        drop(build.failure().says(expected));
    }
    assert_eq!(world.leftovers(), Vec::<String>::new());
    Ok(())
}
