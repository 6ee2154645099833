//! Every option that Packer's `fix` knows to be old, where it stands, and what it may hold.

use serde_json::{Map, Value, json};

use super::random::Random;

/// The types whose options some fix is about, and one that no fix knows.
const BUILDERS: [&str; 23] = [
    "amazon-ebs",
    "amazon-instance",
    "amazon-chroot",
    "amazon-ebssurrogate",
    "amazon-ebsvolume",
    "virtualbox",
    "virtualbox-iso",
    "virtualbox-ovf",
    "virtualbox-vm",
    "vmware",
    "vmware-iso",
    "vmware-vmx",
    "parallels-iso",
    "parallels-pvm",
    "hyperv-iso",
    "hyperv-vmcx",
    "qemu",
    "docker",
    "scaleway",
    "vsphere-iso",
    "azure-chroot",
    "proxmox",
    "null",
];

const PROVISIONERS: [&str; 6] = [
    "shell",
    "powershell",
    "windows-shell",
    "windows-restart",
    "ansible-local",
    "puppet-server",
];

const POST_PROCESSORS: [&str; 7] = [
    "vagrant",
    "manifest",
    "docker-tag",
    "docker-push",
    "docker-import",
    "vsphere",
    "compress",
];

/// Options of builders, with values that are of the right kind.
fn builder_options() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        (
            "iso_md5",
            vec![json!("d41d8cd98f00b204e9800998ecf8427e"), json!("")],
        ),
        (
            "iso_checksum",
            vec![
                json!("abc"),
                json!("sha256:abc"),
                json!("none"),
                json!("file:x"),
                json!(""),
            ],
        ),
        (
            "iso_checksum_type",
            vec![
                json!("md5"),
                json!("sha256"),
                json!("none"),
                json!("NONE"),
                json!("file"),
                json!(""),
            ],
        ),
        (
            "iso_checksum_url",
            vec![
                json!("http://example.com/SUMS"),
                json!("file:///tmp/x"),
                json!(""),
            ],
        ),
        (
            "ami_name",
            vec![
                json!("a {{.CreateTime}}"),
                json!("b {{ .CreateTime }} {{timestamp}}"),
                json!("plain"),
            ],
        ),
        ("bundle_prefix", vec![json!("p-{{.CreateTime}}")]),
        ("snapshot_name", vec![json!("s-{{.CreateTime}}")]),
        ("guest_additions_attach", vec![json!(true), json!(false)]),
        (
            "guest_additions_mode",
            vec![json!("disable"), json!("upload")],
        ),
        ("headless", vec![json!(true), json!("false")]),
        ("parallels_tools_host_path", vec![json!("/x")]),
        ("guest_os_distribution", vec![json!("ubuntu")]),
        ("guest_os_type", vec![json!("Debian_64")]),
        ("ssh_key_path", vec![json!("~/.ssh/id")]),
        ("ssh_private_key_file", vec![json!("/k")]),
        ("ssh_disable_agent", vec![json!(true), json!(false)]),
        ("access_key", vec![json!("AK"), json!("{{user `a`}}")]),
        ("organization_id", vec![json!("O")]),
        ("shutdown_behaviour", vec![json!("terminate")]),
        ("shutdown_behavior", vec![json!("stop")]),
        ("enhanced_networking", vec![json!(true), json!(false)]),
        ("ssh_private_ip", vec![json!(true), json!(false)]),
        ("ssh_interface", vec![json!("public_dns")]),
        (
            "temporary_security_group_source_cidr",
            vec![json!("10.0.0.0/8"), json!("")],
        ),
        (
            "temporary_security_group_source_cidrs",
            vec![json!(["1.2.3.4/32"]), json!([])],
        ),
        ("login_email", vec![json!("a@example.com")]),
    ]
}

/// The rest of them.
fn more_builder_options() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("remote_type", vec![json!("esx5"), json!("")]),
        (
            "disk_type_id",
            vec![json!("thin"), json!("zeroedthick"), json!("1")],
        ),
        ("skip_compaction", vec![json!(true), json!(false)]),
        ("vhd_temp_path", vec![json!("D:\\tmp")]),
        ("clone_from_vmxc_path", vec![json!("x")]),
        ("cpu", vec![json!(2), json!("2")]),
        ("cpus", vec![json!(4)]),
        ("ram_size", vec![json!(1024), json!("1024")]),
        ("memory", vec![json!(2048)]),
        (
            "image_name",
            vec![
                json!("{{clean_image_name `a b`}}"),
                json!("{{ isotime | clean_ami_name }}"),
                json!("{{clean_resource_name `x`}}"),
            ],
        ),
        (
            "tags",
            vec![json!({"Name": "{{clean_ami_name user `a`}}", "Other": "x"})],
        ),
        ("spot_price", vec![json!("auto")]),
        ("spot_price_auto_product", vec![json!("Linux/UNIX")]),
        (
            "disk_size",
            vec![
                json!(40960),
                json!("40960"),
                json!("10G"),
                json!("{{user `disk`}}"),
            ],
        ),
        ("ssh_host_port_min", vec![json!(2222), json!("2222")]),
        ("ssh_host_port_max", vec![json!(3333)]),
        ("host_port_min", vec![json!(1)]),
        ("ssh_skip_nat_mapping", vec![json!(true), json!(false)]),
        ("ssh_wait_timeout", vec![json!("10m")]),
        ("ssh_timeout", vec![json!("5m")]),
        ("network", vec![json!("VM Network")]),
        ("network_card", vec![json!("vmxnet3")]),
        ("networkCard", vec![json!("e1000")]),
        (
            "network_adapters",
            vec![json!([{"network": "n"}]), json!([])],
        ),
        ("disk_thin_provisioned", vec![json!(true), json!(false)]),
        ("disk_eagerly_scrub", vec![json!(true)]),
        ("storage", vec![json!([{"disk_size": 1}])]),
        (
            "shared_image_destination",
            vec![
                json!({"exlude_from_latest": true, "image_name": "i"}),
                json!({"exclude_from_latest": false}),
            ],
        ),
        ("name", vec![json!("own"), json!("{{user `a`}}")]),
        (
            "url",
            vec![json!("http://x/?a=1&b=<2>"), json!("é \u{2028} 🙂")],
        ),
    ]
}

fn provisioner_options() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("elevated_user", vec![json!("a`$b``\"c"), json!("plain")]),
        ("elevated_password", vec![json!("p`'w`$``"), json!("``")]),
        (
            "environment_vars",
            vec![json!(["A=`$x", "B=``y`\""]), json!([])],
        ),
        ("galaxycommand", vec![json!("/usr/bin/galaxy")]),
        ("galaxy_command", vec![json!("g")]),
        ("inline", vec![json!(["echo `$x"])]),
        (
            "override",
            vec![
                json!({"virtualbox": {"x": 1}, "vmware": {"y": "z"}, "own": {}}),
                json!({}),
            ],
        ),
        ("only", vec![json!(["virtualbox", "null"])]),
        ("pause_before", vec![json!("1s")]),
        ("max_retries", vec![json!(1), json!(2.5), json!(1e30)]),
    ]
}

fn post_processor_options() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("filename", vec![json!("m.json")]),
        ("output", vec![json!("o.json"), json!("{{.BuildName}}")]),
        (
            "tag",
            vec![json!("latest"), json!(["a", "b", "a"]), json!("")],
        ),
        ("tags", vec![json!(["c", "a"]), json!("d"), json!([])]),
        ("login_email", vec![json!("x")]),
        ("aws", vec![json!({"k": 1})]),
        ("digitalocean", vec![json!({})]),
        ("virtualbox", vec![json!({"output": "v", "n": [1, 2]})]),
        ("vmware", vec![json!({"output": "w"})]),
        ("override", vec![json!({"virtualbox": {"old": true}})]),
        ("keep_input_artifact", vec![json!(true)]),
        ("compression_level", vec![json!(1)]),
    ]
}

/// Whether values may be of the wrong kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// As Packer documented them.
    Right,
    /// One of the template is not.
    OneWrong,
}

fn component(
    random: &mut Random,
    kind: &str,
    options: &[(&str, Vec<Value>)],
    percent: usize,
) -> Value {
    let mut map = Map::new();
    map.insert("type".to_owned(), json!(kind));
    for (name, values) in options {
        if random.chance(percent) {
            let value = values[random.below(values.len())].clone();
            map.insert((*name).to_owned(), value);
        }
    }
    Value::Object(map)
}

fn spoil(random: &mut Random, section: &mut Value) {
    let wrong = [
        json!(null),
        json!(1),
        json!(true),
        json!("x"),
        json!([]),
        json!({}),
        json!([1]),
        json!({"a": 1}),
        json!([null]),
    ];
    let Some(component) = section.as_array_mut().and_then(|all| {
        let count = all.len();
        all.get_mut(random.below(count.max(1)))
    }) else {
        return;
    };
    let Some(map) = component.as_object_mut() else {
        return;
    };
    let count = map.len();
    if let Some((_, value)) = map.iter_mut().nth(random.below(count)) {
        *value = wrong[random.below(wrong.len())].clone();
    }
}

/// A template with old options.
pub fn template(random: &mut Random, values: Values) -> Value {
    let (builders, provisioners, post_processors) = (
        [builder_options(), more_builder_options()].concat(),
        provisioner_options(),
        post_processor_options(),
    );
    let (count, percent) = match values {
        Values::Right => (6, 25),
        Values::OneWrong => (1, 35),
    };
    let mut all_builders = Vec::new();
    let mut all_provisioners = Vec::new();
    let mut chains = Vec::new();
    for _ in 0..count {
        let kind = random.pick(&BUILDERS);
        all_builders.push(component(random, kind, &builders, percent));
        let kind = random.pick(&PROVISIONERS);
        all_provisioners.push(component(random, kind, &provisioners, percent));
        let kind = random.pick(&POST_PROCESSORS);
        let one = component(random, kind, &post_processors, percent);
        chains.push(match random.below(4) {
            0 => json!(kind),
            1 => json!([one, kind]),
            2 => json!([component(random, kind, &post_processors, percent), one]),
            _ => one,
        });
    }
    let mut template = json!({
        "_comment": "old",
        "description": "<&> é",
        "variables": {"a": "1", "disk": null},
        "builders": all_builders,
        "provisioners": all_provisioners,
        "post-processors": chains,
    });
    if values == Values::OneWrong {
        let section = random.pick(&["builders", "provisioners", "post-processors"]);
        spoil(random, &mut template[section]);
    }
    for section in ["provisioners", "post-processors", "variables", "_comment"] {
        if random.chance(20)
            && let Some(map) = template.as_object_mut()
        {
            map.remove(section);
        }
    }
    template
}
