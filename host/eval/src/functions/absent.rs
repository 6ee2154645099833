//! Functions that are not here, and what to use instead.

use super::FunctionSet;

/// What to do instead of calling `name`, when that is known.
pub(crate) fn why_not_available(name: &str, set: FunctionSet) -> Option<String> {
    let hint = match (name, set) {
        ("consul_key" | "vault" | "aws_secretsmanager" | "aws_secretsmanager_raw", _) => format!(
            "{name}() looks a value up over the network, which is not available in this version. \
             Look it up before the build and pass it with -var or PKR_VAR_…, to a variable with \
             `sensitive = true`."
        ),
        (_, FunctionSet::EnvOnly) => {
            "The default of a variable can only call env(). Use a local for anything else."
                .to_owned()
        }
        ("env", _) => {
            "env() can only be called in the default of a variable. Declare one, and use it here."
                .to_owned()
        }
        _ => instead_of(name)?,
    };
    Some(hint)
}

fn instead_of(name: &str) -> Option<String> {
    let instead = match name {
        "tostring" => "convert(x, string)",
        "tonumber" => "convert(x, number)",
        "tobool" => "convert(x, bool)",
        "tolist" => "convert(x, list(any))",
        "toset" => "convert(x, set(any))",
        "tomap" => "convert(x, map(any))",
        "list" => "[a, b]",
        "map" => "{ a = b }",
        "one" => "x[0]",
        "uuid" => "uuidv4()",
        "setsubtract" => "[for x in a : x if !contains(b, x)]",
        "transpose" | "matchkeys" => "a for expression",
        "filemd5" => "md5(file(path))",
        "filesha1" => "sha1(file(path))",
        "filesha256" => "sha256(file(path))",
        "filesha512" => "sha512(file(path))",
        "plantimestamp" => "timestamp()",
        "timecmp" => "rfc3339_parse(a).unix < rfc3339_parse(b).unix",
        "templatestring" => "a string with ${…} in it, or templatefile()",
        "sensitive" => "`sensitive = true` in a variable or local block",
        "nonsensitive" | "issensitive" | "ephemeralasnull" | "type" => {
            return Some(format!(
                "Terraform has {name}(), but Packer templates do not."
            ));
        }
        "filebase64sha256"
        | "filebase64sha512"
        | "base64sha256"
        | "base64sha512"
        | "setsymmetricdifference" => {
            return Some(format!(
                "Terraform has {name}(), but Packer templates do not."
            ));
        }
        _ => return None,
    };
    Some(format!(
        "Terraform has {name}(), but Packer templates do not: use {instead}."
    ))
}
