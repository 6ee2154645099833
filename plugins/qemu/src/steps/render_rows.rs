//! Renders the template's own options of QEMU.

use kiln_sdk::go_template::{Data, render};
use kiln_sdk::{Failure, RunContext};

use crate::config::QemuConfig;

/// The rows of `qemuargs` with their template calls rendered.
pub(crate) fn render_rows(
    cx: &RunContext,
    config: &QemuConfig,
    data: &Data,
) -> Result<Vec<Vec<String>>, Failure> {
    let context = cx.build().template_context();
    let word = |index: usize, text: &str| {
        render(text, data, &context).map_err(|error| {
            Failure::new(format!("cannot render row {index} of `qemuargs`: {error}"))
        })
    };
    let rows = config.qemuargs.iter().enumerate();
    rows.map(|(index, row)| row.iter().map(|text| word(index, text.as_str())).collect())
        .collect()
}

/// Whether the rows leave the first serial port to us. One that is given twice, or taken away,
/// would be another machine.
pub(crate) fn leave_serial_port(rows: &[Vec<String>]) -> bool {
    !rows.iter().any(
        |row| match row.first().map(|name| name.trim_start_matches('-')) {
            Some("serial" | "nographic" | "nodefaults" | "readconfig") => true,
            Some("device") => row.iter().any(|word| word.contains("serial")),
            _ => false,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &[&str], expected: bool) {
        let rows = vec![row.iter().map(|word| (*word).to_owned()).collect()];
        assert_eq!(leave_serial_port(&rows), expected, "{row:?}");
    }

    #[test]
    fn a_serial_port_of_the_template_is_left_alone() {
        check(&["-m", "1G"], true);
        check(&["-device", "usb-tablet"], true);
        check(&["-serial", "stdio"], false);
        check(&["--serial", "none"], false);
        check(&["-nographic"], false);
        check(&["-device", "isa-serial,chardev=c"], false);
    }
}
