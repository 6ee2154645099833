//! Values on their way between the two wires.

use kiln_sdk::{Value, ValueKind};
use sdk_packer_protocol::transport::{Wire, bytes_of};
use sdk_packer_protocol::value::{ValueError, native_from_msgpack, native_to_msgpack};

/// The machine's values that must stay out of every output.
const SECRETS: [&str; 3] = ["Password", "SSHPrivateKey", "WinRMPassword"];
/// A value of a machine that a builder without an option for it gives; no secret.
const WINRM_PLACEHOLDER: &str = "{{.WinRMPassword}}";

/// A value for a plugin.
pub(crate) fn to_wire(value: &Value) -> Wire {
    let bytes = native_to_msgpack(value);
    rmpv::decode::read_value(&mut bytes.as_slice()).unwrap_or(Wire::Nil)
}

/// A value from a plugin.
pub(crate) fn from_wire(value: &Wire) -> Result<Value, ValueError> {
    native_from_msgpack(&bytes_of(value))
}

/// A machine's values from a plugin, those that are secret marked; what is no map becomes an empty
/// one.
pub(crate) fn facts_from_wire(value: &Wire) -> Result<Value, ValueError> {
    let mut value = from_wire(value)?;
    let ValueKind::Map(entries) = &mut value.kind else {
        return Ok(Value::empty_map());
    };
    for name in SECRETS {
        if let Some(secret) = entries.get_mut(name)
            && secret
                .as_str()
                .is_some_and(|text| !text.is_empty() && text != WINRM_PLACEHOLDER)
        {
            secret.sensitive = true;
        }
    }
    Ok(value)
}

/// The texts among a machine's values that are secret.
pub(crate) fn secrets_of(facts: &Value) -> Vec<String> {
    let ValueKind::Map(entries) = &facts.kind else {
        return Vec::new();
    };
    let secret = entries.values().filter(|value| value.sensitive);
    secret
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use kiln_sdk::Value;

    use super::{facts_from_wire, secrets_of, to_wire};

    #[test]
    fn passwords_and_keys_are_marked() {
        let facts = [("Host", "h"), ("Password", "pw"), ("SSHPrivateKey", "")];
        let facts: Value = facts.into_iter().collect();
        let read = facts_from_wire(&to_wire(&facts)).expect("it is plain data");
        assert_eq!(secrets_of(&read), ["pw"]);
        assert_eq!(read.get("Host"), Some(&Value::from("h")));
    }

    #[test]
    fn what_is_no_map_has_no_facts() {
        let read = facts_from_wire(&to_wire(&Value::null())).expect("it is plain data");
        assert_eq!(read, Value::empty_map());
    }
}
