//! Digests, passwords, keys, and identifiers.

use md5::Md5;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use crate::value::Value;

use super::arguments::{text, whole};
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType, encoding};

const STRING: ResultType = ResultType::Is(Kind::String);
const ONE: &[Parameter] = &[Parameter::new("str", Kind::String)];

/// Rounds of bcrypt when none are given, as a power of two.
const DEFAULT_COST: u32 = 10;
/// Rounds that take a few seconds; each more doubles the time.
/// Differs: Packer computes up to 31, which takes days.
const MOST_COST: u32 = 16;
/// What a round costs an evaluation, so that it has time for about thirty passwords. One of more
/// rounds than usual costs as much: a template has few of them, and waits for each knowingly.
const ROUND_UNITS: usize = 16;
/// Bcrypt looks at no more bytes than these.
const LONGEST_PASSWORD: usize = 72;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("md5", ONE, STRING, |_, args| Ok(digest::<Md5>(&args))),
    Function::new("sha1", ONE, STRING, |_, args| Ok(digest::<Sha1>(&args))),
    Function::new("sha256", ONE, STRING, |_, args| Ok(digest::<Sha256>(&args))),
    Function::new("sha512", ONE, STRING, |_, args| Ok(digest::<Sha512>(&args))),
    Function::new("bcrypt", ONE, STRING, bcrypt_hash)
        .and_more(Parameter::new("cost", Kind::Number)),
    Function::new(
        "rsadecrypt",
        &[
            Parameter::new("ciphertext", Kind::String),
            Parameter::new("privatekey", Kind::String),
        ],
        STRING,
        rsa_decrypt,
    ),
    Function::new("uuidv4", &[], STRING, |_, _| {
        Ok(Value::string(Uuid::new_v4().to_string()))
    }),
    Function::new(
        "uuidv5",
        &[
            Parameter::new("namespace", Kind::String),
            Parameter::new("name", Kind::String),
        ],
        STRING,
        uuid_v5,
    ),
];

fn digest<D: Digest>(args: &[Value]) -> Value {
    Value::string(hex::encode(D::digest(text(args, 0))))
}

fn bcrypt_hash(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let cost = match args.len() {
        1 => DEFAULT_COST,
        2 => match whole(&args, 1)? {
            // Go takes its default for anything below its minimum.
            low if low < 4 => DEFAULT_COST,
            cost => u32::try_from(cost)
                .ok()
                .filter(|cost| *cost <= 31)
                .ok_or_else(|| {
                    FunctionError::call_at(
                        1,
                        format!("cost {cost} is outside allowed range (4,31)"),
                    )
                })?,
        },
        _ => {
            return Err(FunctionError::new(
                "bcrypt() takes no more than two arguments",
            ));
        }
    };
    if cost <= MOST_COST {
        context
            .limits
            .spend(ROUND_UNITS << cost.min(DEFAULT_COST))?;
    }
    if cost > MOST_COST {
        return Err(FunctionError::call_at(
            1,
            format!(
                "cost {cost} would take minutes to days; {MOST_COST} is the most this computes"
            ),
        ));
    }
    let password = text(&args, 0);
    if password.len() > LONGEST_PASSWORD {
        return Err(FunctionError::call_at(
            0,
            format!("bcrypt uses at most {LONGEST_PASSWORD} bytes"),
        ));
    }
    let hashed = bcrypt::hash_with_result(password, cost).map_err(|error| {
        FunctionError::new(format!("error occurred generating password {error}"))
    })?;
    Ok(Value::string(
        hashed.format_for_version(bcrypt::Version::TwoA),
    ))
}

fn rsa_decrypt(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let cipher_text = encoding::decode(&args, 0)?;
    let pem = text(&args, 1);
    if pem.contains("ENCRYPTED") {
        return Err(FunctionError::call_at(
            1,
            "the key is protected with a password; an unprotected one is required",
        ));
    }
    let key = RsaPrivateKey::from_pkcs1_pem(pem)
        .ok()
        .or_else(|| RsaPrivateKey::from_pkcs8_pem(pem).ok())
        .ok_or_else(|| FunctionError::call_at(1, "not an RSA private key in PEM format"))?;
    let plain = key
        .decrypt(Pkcs1v15Encrypt, &cipher_text)
        .map_err(|_| FunctionError::call_at(0, "failed to decrypt with this key"))?;
    String::from_utf8(plain)
        .map(Value::string)
        .map_err(|_| FunctionError::call_at(0, "the decrypted text is not valid UTF-8"))
}

fn uuid_v5(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let namespace = match text(&args, 0) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| {
            FunctionError::call_at(
                0,
                "uuidv5() doesn't support this namespace; use dns, url, oid, x500 or a UUID",
            )
        })?,
    };
    Ok(Value::string(
        Uuid::new_v5(&namespace, text(&args, 1).as_bytes()).to_string(),
    ))
}
