//! Lines for programs: `UNIXSECONDS,TARGET,TYPE,ARG,…`.

use std::time::{SystemTime, UNIX_EPOCH};

/// One line, without its end. In arguments a comma becomes `%!(PACKER_COMMA)` and line ends become
/// `\r` and `\n` as two characters each.
pub fn line(target: &str, kind: &str, arguments: &[&str]) -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let mut line = format!("{seconds},{target},{kind}");
    for argument in arguments {
        line.push(',');
        line.push_str(&escape(argument));
    }
    line
}

fn escape(argument: &str) -> String {
    argument
        .replace(',', "%!(PACKER_COMMA)")
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_inside_arguments_are_escaped() {
        let line = line("a", "ui", &["say", "x, y\r\nz"]);
        let (seconds, rest) = line.split_once(',').unwrap();
        assert!(seconds.parse::<u64>().is_ok());
        assert_eq!(rest, r"a,ui,say,x%!(PACKER_COMMA) y\r\nz");
    }
}
