//! The steps of a build, one per file, in the order the builder runs them.
//!
//! A step is a function that does one thing and returns what later steps need; what has to be
//! undone it hands over as a value with `undo`. Not here: their order (`builder`).

pub(crate) mod choose_accelerator;
pub(crate) mod clear_keys;
pub(crate) mod collect_artifact;
pub(crate) mod connect;
pub(crate) mod convert_disk;
pub(crate) mod copy_efi;
pub(crate) mod create_disks;
pub(crate) mod create_output;
pub(crate) mod find_address;
pub(crate) mod keep_evidence;
pub(crate) mod lease_ports;
pub(crate) mod make_key;
pub(crate) mod make_workspace;
pub(crate) mod obtain_image;
pub(crate) mod protect_screen;
pub(crate) mod provision;
pub(crate) mod render_rows;
pub(crate) mod serve_files;
pub(crate) mod shut_down;
pub(crate) mod start_machine;
pub(crate) mod start_tpm;
pub(crate) mod type_boot_command;
pub(crate) mod watch_machine;
pub(crate) mod write_media;
