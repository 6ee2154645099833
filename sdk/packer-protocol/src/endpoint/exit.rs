//! How a command ended, as the response stream of a command says it: always gob.

use sdk_communicator::Exit;

use crate::gob::{self, Value};

/// What is said when the connection broke.
const DISCONNECTED: i64 = 2_300_218;

/// The definition of the structure with one number, as Go's encoder writes it.
const DEFINITION: &[u8] =
    b"\x2c\xff\x81\x03\x01\x01\x0fCommandFinished\x01\xff\x82\x00\x01\x01\x01\x0aExitStatus\x01\x04\x00\x00\x00";

/// Writes how a command ended.
pub(super) fn encode(exit: &Exit) -> Vec<u8> {
    let status = exit.status().map_or(DISCONNECTED, i64::from);
    // The type's number, then the fields that are not zero.
    let mut body = vec![0xff, 0x82];
    if status != 0 {
        body.push(1);
        unsigned(&mut body, status.unsigned_abs() << 1);
    }
    body.push(0);
    let mut bytes = DEFINITION.to_vec();
    unsigned(&mut bytes, body.len() as u64);
    bytes.extend(body);
    bytes
}

/// Reads how a command ended.
pub(super) fn decode(bytes: &[u8]) -> Exit {
    let unclear = || Exit::Disconnected("no exit status came".to_owned());
    let Ok(value) = gob::decode(bytes) else {
        return unclear();
    };
    match (&value, value.field("ExitStatus")) {
        (_, Some(Value::Int(DISCONNECTED))) => {
            Exit::Disconnected("the connection to the machine broke".to_owned())
        }
        // Some communicators say -1 when a command did not end by itself.
        (_, Some(Value::Int(status))) => match u32::try_from(*status) {
            Ok(code) => Exit::Code(code),
            Err(_) => Exit::Disconnected(format!("the exit status is {status}")),
        },
        (Value::Struct(_), None) => Exit::Code(0),
        _ => unclear(),
    }
}

fn unsigned(bytes: &mut Vec<u8>, value: u64) {
    if let Ok(small) = u8::try_from(value)
        && small < 128
    {
        return bytes.push(small);
    }
    let all = value.to_be_bytes();
    let skip = (value.leading_zeros() / 8) as usize;
    let count = u8::try_from(all.len() - skip).unwrap_or(8);
    bytes.push(count.wrapping_neg());
    bytes.extend(&all[skip..]);
}

#[cfg(test)]
mod tests {
    use sdk_communicator::Exit;

    use super::{decode, encode};

    /// The captured definition, and values of it.
    const CAPTURED: &str = "2cff810301010f436f6d6d616e6446696e697368656401ff82000101010a45786974537461747573010400\
         0000";

    #[test]
    fn statuses_are_the_captured_bytes() {
        let cases = [
            (Exit::Code(0), "03ff8200"),
            (Exit::Code(1), "05ff82010200"),
            (Exit::Code(7), "05ff82010e00"),
            (Exit::Code(300), "07ff8201fe025800"),
        ];
        for (exit, value) in cases {
            let bytes = hex::decode(format!("{CAPTURED}{value}")).expect("it is hexadecimal");
            assert_eq!(encode(&exit), bytes, "{exit:?}");
            assert_eq!(decode(&bytes), exit);
        }
        let bytes = hex::decode(format!("{CAPTURED}08ff8201fd46327400")).expect("hexadecimal");
        assert_eq!(encode(&Exit::Disconnected("x".to_owned())), bytes);
        assert!(matches!(decode(&bytes), Exit::Disconnected(_)));
        let killed = encode(&Exit::Signal("KILL".to_owned()));
        assert_eq!(decode(&killed), Exit::Code(137));
    }

    #[test]
    fn other_type_numbers_are_read_and_noise_is_none() {
        let other = "2cff8b0301010f436f6d6d616e6446696e697368656401ff8c000101010a4578697453746174\
                     75730104000000 05ff8c010e00";
        let other = hex::decode(other.replace(' ', "")).expect("it is hexadecimal");
        assert_eq!(decode(&other), Exit::Code(7));
        for noise in [&b""[..], b"hello", &[0xff; 40]] {
            assert!(matches!(decode(noise), Exit::Disconnected(_)));
        }
    }
}
