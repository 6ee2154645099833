//! How the template's own options and ours become one command line.

use super::Options;

/// Rows of `qemuargs`, rendered, as options. The first word of a row is the option, the others
/// without a separator its value; rows of the same option add up; an option without any value is
/// given bare.
///
/// # Source
///
/// Packer option `qemuargs`.
pub(crate) fn user_options(rows: &[Vec<String>]) -> Options {
    let mut options = Options::new();
    for row in rows {
        let Some((name, words)) = row.split_first() else {
            continue;
        };
        let value = words.concat();
        let index = options
            .iter()
            .position(|(known, _)| known == name)
            .unwrap_or_else(|| {
                options.push((name.clone(), Vec::new()));
                options.len() - 1
            });
        if !value.is_empty() {
            options[index].1.push(value);
        }
    }
    options
}

/// The words of the command line: our defaults, in which every option the template has is
/// replaced, and then the template's.
///
/// The network device is put back when a row of `-device` took it away, recognized by the text of
/// `net_device`, because without it nothing could be connected to.
///
/// # Source
///
/// Packer option `qemuargs`. Differs: the order of different options is always the same; in Packer
/// it changes from run to run.
pub(crate) fn merge(defaults: Options, user: Options, net_device: &str) -> Vec<String> {
    let mut merged: Options = defaults
        .into_iter()
        .filter(|(name, _)| !user.iter().any(|(replaced, _)| replaced == name))
        .collect();
    merged.extend(user);
    let network = format!("{net_device},netdev=user.0");
    match merged.iter_mut().find(|(name, _)| name == "-device") {
        Some((_, devices)) if devices.concat().contains(net_device) => {}
        Some((_, devices)) => devices.push(network),
        None => merged.push(("-device".to_owned(), vec![network])),
    }
    let mut words = Vec::new();
    for (name, values) in merged {
        if values.is_empty() {
            words.push(name);
            continue;
        }
        for value in values {
            words.extend([name.clone(), value]);
        }
    }
    words
}
