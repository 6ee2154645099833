//! Provisioners.

use serde_json::Value;

use super::option::rename_unless_there;
use crate::document::{Document, type_of};

/// Powershell's variables and elevated credentials are escaped when they are used, so that they are
/// written as they are.
pub(super) fn powershell_escapes(document: &mut Document) {
    for provisioner in document
        .provisioners()
        .filter(|one| type_of(one) == "powershell")
    {
        for key in ["elevated_user", "elevated_password"] {
            if let Some(Value::String(text)) = provisioner.get_mut(key) {
                *text = without_escapes(text);
            }
        }
        if let Some(Value::Array(variables)) = provisioner.get_mut("environment_vars") {
            for variable in variables {
                if let Value::String(text) = variable {
                    *text = without_escapes(text);
                }
            }
        }
    }
}

/// Without the backtick before a dollar sign, a quote or a backtick.
fn without_escapes(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let escaped =
            rest.next_if(|next| character == '`' && matches!(next, '$' | '"' | '`' | '\''));
        result.push(escaped.unwrap_or(character));
    }
    result
}

/// `galaxycommand` becomes `galaxy_command`.
pub(super) fn galaxy_command(document: &mut Document) {
    for provisioner in document
        .provisioners()
        .filter(|one| type_of(one) == "ansible-local")
    {
        let (old, new) = ("galaxycommand", "galaxy_command");
        rename_unless_there(provisioner, old, new, Value::is_string);
    }
}
