//! What `ovftool` is asked, and what it says. The process tests run it, as a stand-in.

use std::path::PathBuf;

use kiln_sdk::{Config, Value, decode};
use kiln_sdk_test_kit::check_options;

use super::{UploadConfig, arguments, escaped, percent_in, target};

fn config(more: &[(&str, &str)]) -> UploadConfig {
    let mut options: Value = [
        ("host", "vc.example.com"),
        ("username", "user@vsphere.local"),
        ("password", "p@ss:w/ord"),
        ("datacenter", "DC 1"),
        ("cluster", "C1"),
        ("vm_name", "debian"),
        ("datastore", "ds1"),
    ]
    .into_iter()
    .collect();
    for (name, value) in more {
        options.insert(*name, *value);
    }
    decode(&options).expect("the options fit").0
}

fn line(config: &UploadConfig) -> String {
    let password = escaped(config.password.expose());
    let source = PathBuf::from("out/debian.ovf");
    arguments(config, &config.datastore, &source, &password).join(" ")
}

#[test]
fn the_command_line_is_the_documented_one() {
    assert_eq!(
        line(&config(&[])),
        "--acceptAllEulas --name=debian --datastore=ds1 --diskMode=thick out/debian.ovf \
         vi://user%40vsphere.local:p%40ss%3Aw%2Ford@vc.example.com/DC%201/host/C1"
    );
    let all = config(&[
        ("insecure", "true"),
        ("disk_mode", "thin"),
        ("vm_folder", "templates"),
        ("hardware_version", "15"),
        ("vm_network", "VM Network"),
        ("overwrite", "true"),
        ("options", "--powerOn"),
        ("resource_pool", "pool"),
        ("esxi_host", "10.0.0.1"),
    ]);
    assert_eq!(
        line(&all),
        "--acceptAllEulas --name=debian --datastore=ds1 --noSSLVerify=true --diskMode=thin \
         --vmFolder=templates --maxVirtualHardwareVersion=15 --network=VM Network --overwrite \
         --powerOn out/debian.ovf vi://user%40vsphere.local:p%40ss%3Aw%2Ford@vc.example.com/\
         DC%201/host/C1/Resources/pool?ip=10.0.0.1"
    );
    let named = config(&[("esxi_host", "esx-1.example.com")]);
    assert!(target(&named, "x").ends_with("?dns=esx-1.example.com"));
}

#[test]
fn progress_is_read_from_what_it_prints() {
    assert_eq!(
        percent_in(b"\rDisk progress: 7%\rDisk progress: 12%"),
        Some(12)
    );
    assert_eq!(percent_in(b"Transfer Completed"), None);
    assert_eq!(percent_in(b"progress: 900%"), None);
}

#[test]
fn options_are_documented() {
    check_options::<UploadConfig>();
    assert!(UploadConfig::schema().attributes.len() > 15);
}
